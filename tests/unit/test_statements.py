"""Statements found piece by piece are the statements found at once."""

from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.files.variables import without_variables
from pgvouch.sqltext import scan, statements

FRAGMENTS = [
    "select 1",
    "select 'a;b', 'it''s', '\\'",
    "select E'\\';', e'\\\\', note'x' from (select 1) as s(e)",
    "select $$;$$, $x$ $$ ; ' $x$, a$$ , b$c$d from t",
    'select ";"  from (select 1) as t(";", "a""b")',
    "create function f() returns int begin atomic select 1; select case when true then 1 end; end",
    "create rule r as on insert to t do (select 1; select 2)",
    "do $a$begin perform 1; end$a$",
    "select 'ж🐘;' /* ; /* ' */ $$ */ -- ; '\n",
    "select U&'\\0441', U&\"!0441\" uescape '!', B'1', X'f', N'x'",
    "select 'a'\n  ';b'",
    "select 1-1, 2 --1 ';\n *2",
]
GAPS = ["", " ", "\n", "-- ; 'x\n", "/* ; /* ' */ */", "\r\n", "\t-- $$\r", ";", "/**/ -- é\n"]
TEXTS = st.builds(
    lambda parts, tail: "".join(gap + fragment + ";" for gap, fragment in parts) + tail,
    st.lists(st.tuples(st.sampled_from(GAPS), st.sampled_from(FRAGMENTS)), max_size=8),
    st.sampled_from([*GAPS, "select 2", "select 2 -- x"]),
)


@contextmanager
def _pieces_of(size: int):
    before = scan.PIECE
    scan.PIECE = size
    try:
        yield
    finally:
        scan.PIECE = before


@given(TEXTS, st.integers(70, 200))
def test_in_pieces_and_at_once(text: str, size: int) -> None:
    whole = statements.statements(text)
    tokens = scan.tokens(text)
    comments = scan.tokens(text, comments=True)
    with _pieces_of(size):
        assert statements.statements(text) == whole
        assert scan.tokens(text) == tokens
        assert scan.tokens(text, comments=True) == comments


@given(TEXTS)
def test_a_large_statement_is_told_by_its_semicolon(text: str) -> None:
    """Where every statement counts as large, none is parsed; only bodies are divided wrongly."""
    whole = [s for s in statements.statements(text) if "atomic" not in s.text]
    with _pieces_of(0):
        found = statements.statements(text)
        assert [s for s in whole if s not in found and "do (" not in s.text] == []


@given(TEXTS, st.integers(0, 20), st.integers(0, 300))
def test_one_statement_of_many(text: str, index: int, offset: int) -> None:
    whole = statements.statements(text)
    with _pieces_of(80):
        if index < len(whole):
            assert statements.statement_at_index(text, index) == whole[index]
        else:
            with pytest.raises(IndexError):
                statements.statement_at_index(text, index)
        expected = [s for s in whole if s.start <= offset <= s.start + len(s.text)]
        assert statements.statement_at_offset(text, offset) == (expected[0] if expected else None)


@given(TEXTS, st.integers(1, 200))
def test_whole_pieces_are_the_text(text: str, size: int) -> None:
    with _pieces_of(60):
        found = list(statements.whole_pieces(text, size))
        pieces = [text[start:end] for start, end in found]
        assert "".join(pieces) == text
        assert [len(piece) >= size for piece in pieces[:-1]] == [True] * (len(pieces) - 1)
        divided = [s.text for piece in pieces for s in statements.statements(piece)]
        assert divided == [s.text for s in statements.statements(text)]


@given(TEXTS)
def test_quotes_and_comments_are_those_of_postgresql_s_scanner(text: str) -> None:
    tokens = scan.tokens(text) + scan.tokens(text, comments=True)
    found = list(scan.marks(text))
    assert {s for kind, s, _ in found if kind == ";"} == {t.start for t in tokens if t.kind == ";"}
    kinds = {"SQL_COMMENT", "C_COMMENT"}
    assert {(s, e) for kind, s, e in found if kind == "comment"} == {
        (t.start, t.end) for t in tokens if t.kind in kinds
    }


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("select 1;\n" * 20 + "selec 2;\n" + "select 3;\n" * 20, 201),
        ("select 1;\n" * 20 + "select 'x;\n", 208),
        ("select 1;\n" * 20 + "/* x;\n" * 20, 201),
        ("select 1;\n" * 20 + "select (;" + "select 3;\n" * 20, 209),
    ],
)
def test_an_error_has_the_same_place_in_pieces(text: str, offset: int) -> None:
    for size in (50, 10_000):
        with _pieces_of(size), pytest.raises(SyntaxError) as caught:
            statements.statements(text)
        assert caught.value.offset == offset


def test_what_does_not_parse_is_sent_as_the_rest() -> None:
    text = "select 1;\n" * 20 + "selec 2;\n" + "select 3;\n" * 20
    with _pieces_of(50):
        pieces = [text[start:end] for start, end in statements.whole_pieces(text, 50)]
    assert "".join(pieces) == text
    assert len(pieces) > 1
    assert "selec 2" in pieces[-1]


@pytest.mark.parametrize(
    "text", ["select 'x", 'select "x', "select $a$ x", "select E'x\\'", "select $a$ $b$"]
)
def test_an_open_quote_is_told(text: str) -> None:
    assert list(scan.marks(text))[-1] == (
        "open",
        text.index(text[7:]) + (text[7] == "E"),
        len(text),
    )


def test_deep_trees_are_none() -> None:
    assert statements.tree_of("select 1") is not None
    assert statements.tree_of("select " + "+".join("1" * 1000)) is None
    assert statements.tree_of("selec 1") is None
    assert statements.tree_of("select 1; select 2") is None
    assert statements.tree_of("") is None


@given(TEXTS)
def test_no_variable_is_left_in_the_text(text: str) -> None:
    used = text + "\n; select :name, :'name', :\"name\", a::name, ':other' from t limit :name"
    shown = without_variables(used, ("name",))
    assert len(shown) == len(used)
    assert statements.statements(shown)[-1].text == (
        "select  name,  'name',  \"name\", a::name, ':other' from t limit  name"
    )
