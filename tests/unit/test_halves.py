"""Files of other tools that hold two halves: cut where the tool cuts them, whatever else is in them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.files.directives import parse_directives
from pgvouch.files.halves import Halves, halves_of
from pgvouch.files.migration import decode
from pgvouch.sqltext.statements import each_statement

PATH = Path("001_a.sql")
MARKS = {
    "dbmate": ("-- migrate:up", "-- migrate:down"),
    "goose": ("-- +goose Up", "-- +goose Down"),
    "sql-migrate": ("-- +migrate Up", "-- +migrate Down"),
    "node-pg-migrate": ("-- Up Migration", "-- Down Migration"),
    "Rambler": ("-- rambler up", "-- rambler down"),
    "shmig": ("-- ==== UP ====", "-- ==== DOWN ===="),
    "tern": (None, "---- create above / drop below ----"),
    "MyBatis Migrations": (None, "-- //@UNDO"),
}
ALONE = {
    "dbmate": ("-- migrate:up transaction:false", "-- migrate:down transaction:false"),
    "goose": ("-- +goose NO TRANSACTION\n-- +goose Up", "-- +goose Down"),
    "sql-migrate": ("-- +migrate Up notransaction", "-- +migrate Down notransaction"),
}
LOOK_ALIKES = [mark for pair in (*MARKS.values(), *ALONE.values()) for mark in pair if mark]
STATEMENTS = st.one_of(
    st.just("select 1;"),
    st.just("select ';', 'it''s', e'\\'', \"a;b\";"),
    st.sampled_from(LOOK_ALIKES).map(lambda mark: f"select '\n{mark}\n';"),
    st.sampled_from(LOOK_ALIKES).map(lambda mark: f"do $x$ begin\n{mark}\nend $x$;"),
    st.sampled_from(LOOK_ALIKES).map(lambda mark: f"select /*\n{mark}\n*/ 2;"),
    st.sampled_from(LOOK_ALIKES)
    .filter(lambda mark: "create above" not in mark)  # which tern takes there too
    .map(lambda mark: f"select 3; {mark}".replace("\n", " ")),
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes, list[str], list[str], bool]:
    """A tool, a file of its, the statements of both halves, and whether they run alone."""
    tool = draw(st.sampled_from(sorted(MARKS)))
    is_alone = tool in ALONE and draw(st.booleans())
    up_mark, down_mark = (ALONE if is_alone else MARKS)[tool]
    change = draw(st.sampled_from([str, str.lower, str.upper]))
    ups = [f"{one} -- {n}" for n, one in enumerate(draw(st.lists(STATEMENTS, max_size=3)))]
    downs = draw(st.lists(STATEMENTS, min_size=1, max_size=3))
    blanks = draw(st.lists(st.sampled_from(["", "-- words", "/* more\n\nwords */"]), max_size=2))
    up = [*blanks, *([change(up_mark)] if up_mark else []), *ups]
    down = [change(down_mark), *draw(st.sampled_from([[], [""]])), *downs]
    lines = up + down if up_mark is None or draw(st.booleans()) else down + up
    text = "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    raw = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()
    return tool, raw, ups, downs, is_alone


def read(raw: bytes) -> Halves:
    halves = halves_of(decode(raw, PATH), PATH)
    assert halves is not None
    return halves


def statements(text: str) -> list[tuple[str, int]]:
    """Each statement with its line."""
    return [
        (" ".join(one.text.split()), text.count("\n", 0, one.start)) for one in each_statement(text)
    ]


@given(files())
def test_every_statement_is_in_its_half_and_on_its_line(
    given: tuple[str, bytes, list[str], list[str], bool],
) -> None:
    tool, raw, ups, downs, is_alone = given
    halves = read(raw)
    assert halves.tool == tool
    assert halves.down is not None
    whole = statements(decode(raw, PATH))
    forward, back = statements(halves.up.text), statements(halves.down.text)
    assert sorted(forward + back, key=lambda one: one[1]) == whole
    assert [one for one, _ in forward] == [one for one, _ in statements("\n".join(ups))]
    assert [one for one, _ in back] == [one for one, _ in statements("\n".join(downs))]
    for half in (halves.up, halves.down):
        assert parse_directives(half.text, PATH).transactional is half.is_transactional
        assert half.is_transactional is not is_alone
        assert half.text.count("\n") == half.sql.count("\n")


@given(st.lists(STATEMENTS), st.sampled_from(["\n", "\r\n"]))
def test_a_mark_in_a_string_a_body_or_a_comment_is_none(found: list[str], end: str) -> None:
    text = "\n".join(found).replace("\n", end)
    assert halves_of(text, PATH) is None


@pytest.mark.parametrize("tool", sorted(MARKS.keys() - {"tern", "MyBatis Migrations"}))
def test_a_half_alone_goes_forward(tool: str) -> None:
    halves = read(f"{MARKS[tool][0]}\nselect 1;\n".encode())
    assert (halves.up.text, halves.down) == ("\nselect 1;\n", None)


@pytest.mark.parametrize("tool", sorted(MARKS.keys() - {"tern", "MyBatis Migrations"}))
def test_a_way_back_alone_is_not_read(tool: str) -> None:
    """It is refused by its mark where it would be run."""
    assert halves_of(f"{MARKS[tool][1]}\nselect 1;\n", PATH) is None


def test_what_it_was_looked_for_with_finds_all_of_them() -> None:
    for tool, (up, down) in MARKS.items():
        assert read(f"{up or 'select 1;'}\n{down}\nselect 2;".encode()).tool == tool
    assert read(b"---- tern: disable-tx ----\nselect 1;").up.is_transactional is False
