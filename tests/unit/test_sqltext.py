"""Statements and places in SQL text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.errors import FileError, Place
from pgvouch.files.refusals import refuse_statements
from pgvouch.sqltext.place import line_and_column
from pgvouch.sqltext.scan import is_blank
from pgvouch.sqltext.statements import statements

FRAGMENTS = [
    "select 1",
    "select 'a;b'",
    "select $$;$$",
    "select $x$ $$ ; $x$",
    'select ";"  from (select 1) as t(";")',
    "create function f() returns int begin atomic select 1; select 2; end",
    "select E'\\';'",
    "do $$begin perform 1; end$$",
    "select 'ж🐘;'",
]
GAPS = ["", " ", "\n", "-- ; 'x\n", "/* ; /* ' */ */", "\r\n", "\t-- $$\r\n", ";", "/**/ -- é\n"]


@given(
    st.lists(st.tuples(st.sampled_from(GAPS), st.sampled_from(FRAGMENTS)), max_size=8),
    st.sampled_from(GAPS),
)
def test_statements_are_found_where_they_stand(parts: list[tuple[str, str]], tail: str) -> None:
    text, expected = "", []
    for gap, fragment in parts:
        text += gap
        expected.append((fragment, len(text)))
        text += fragment + ";"
    found = statements(text + tail)
    assert [(s.text, s.start) for s in found] == expected


@given(st.lists(st.sampled_from([*GAPS, ";"]), max_size=8))
def test_blanks_comments_and_semicolons_are_blank(parts: list[str]) -> None:
    text = "".join(parts)
    assert is_blank(text)
    assert not is_blank(text + "\nselect 1")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.data())
def test_line_and_column_lead_back_to_the_offset(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    line, column = line_and_column(text, offset)
    lines = text.split("\n")
    assert sum(len(part) + 1 for part in lines[: line - 1]) + column - 1 == offset


def test_a_syntax_error_has_an_offset() -> None:
    with pytest.raises(SyntaxError) as caught:
        statements("select 1; selec 2")
    assert caught.value.offset == 11


@given(
    st.lists(st.sampled_from(["-- x\n", "\n", " ", "/* y */", "\r"]), max_size=4),
    st.sampled_from(["commit", "ROLLBACK", "end", "Abort", "begin", "start  transaction"]),
    st.sampled_from(["", "select 1;", "select $$x$$;"]),
)
def test_transaction_control_is_seen_behind_anything(
    gap: list[str], statement: str, before: str
) -> None:
    with pytest.raises(FileError):
        refuse_statements(before + "".join(gap) + statement, Place(Path("f")), transactional=True)
