"""The text of a delta: one form, one line an object, nothing ambiguous; and its file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.delta.canonical import canonical
from pgvouch.delta.compare import compare
from pgvouch.delta.file import parse_file, render_file
from pgvouch.delta.snapshot import Snapshot, difference
from pgvouch.errors import FileError

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def snapshot(**objects: str) -> Snapshot:
    return Snapshot.from_rows([("", *item) for item in objects.items()])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" SELECT a,\n    b\n   FROM t", " SELECT a, b FROM t"),
        ("( SELECT 1\n  WHERE (x = ' two\n lines' ) )", r"(SELECT 1 WHERE (x = ' two\n lines'))"),
        ("'it''s ( \n' || \"a ( \n\"", "'it''s ( \\n' || \"a ( \\n\""),
        (r"~ '^\d+$'", r"~ '^\\d+$'"),
        ('json_object("json", "system_user")', "json_object(json, system_user)"),
        ('\'{"json": 1}\' "user" "json_"', '\'{"json": 1}\' "user" "json_"'),
        ("a\r\x0b\x1f\x85\u2028b", r"a\r\u000b\u001f\u0085\u2028b"),
        ("naïve 名前", "naïve 名前"),
    ],
)
def test_the_canonical_form(text: str, line: str) -> None:
    assert canonical(text) == line


@given(TEXT, TEXT)
def test_two_literals_never_become_one_line(one: str, other: str) -> None:
    lines = [canonical("'" + text.replace("'", "''") + "'") for text in (one, other)]
    assert (lines[0] == lines[1]) == (one == other)
    assert all(len(line.splitlines()) == 1 for line in lines)


@given(TEXT)
def test_any_text_becomes_one_line(text: str) -> None:
    assert len(f"x{canonical(text)}".splitlines()) == 1


def test_what_is_new_gone_and_changed() -> None:
    before = snapshot(
        **{"table t": "(a)", "schema s": "", "column t.a": "text", "rls t": "enabled"}
    )
    after = snapshot(**{"table t": "(a, b)", "schema z": "", "column t.a": "text", "rls t": ""})
    assert difference(before, after) == (
        "+ schema z",
        "- schema s",
        "~ rls t (was: enabled)",
        "~ table t (a, b) (was: (a))",
    )
    assert difference(after, after) == ()
    back = difference(after, before)
    assert "~ rls t enabled (was: nothing of note)" in back


def test_a_difference_of_layout_is_none() -> None:
    assert difference(snapshot(v="as SELECT\n 1"), snapshot(v="as SELECT 1")) == ()


def test_a_snapshot_lists_the_whole_catalog() -> None:
    assert snapshot(**{"table t": "(a)", "schema s": ""}).lines() == ("schema s", "table t (a)")


def test_a_snapshot_cannot_be_changed() -> None:
    one = snapshot(a="1")
    with pytest.raises(TypeError):
        one.objects["a"] = "2"  # type: ignore[index]
    with pytest.raises(TypeError):
        one.groups["r1"] = {}  # type: ignore[index]
    with pytest.raises(AttributeError):
        one.groups = {}  # type: ignore[misc]


def test_two_objects_of_one_identity_are_no_snapshot() -> None:
    with pytest.raises(ValueError, match="1 catalog objects share"):
        Snapshot.from_rows([("r1", "table t", "(a)"), ("r2", "table t", "(b)")])


def test_a_mismatch_names_both_sides() -> None:
    assert compare(("+ b", "+ a"), ("+ a", "+ b")) is None
    mismatch = compare(("+ a", "+ b"), ("+ c", "+ b"))
    assert mismatch is not None
    assert (mismatch.missing, mismatch.unexpected) == (("+ a",), ("+ c",))


@given(st.dictionaries(TEXT, TEXT), st.dictionaries(TEXT, TEXT))
def test_a_file_keeps_every_line(old: dict[str, str], new: dict[str, str]) -> None:
    kinds = [
        Snapshot.from_rows([("", f'table "{name}"', f"'{text}'") for name, text in side.items()])
        for side in (old, new)
    ]
    lines = difference(*kinds)
    assert parse_file(render_file(lines), Path("x.delta")) == lines


def test_a_file_says_what_it_is_and_how_it_is_rewritten() -> None:
    text = render_file(("~ table b (a)", "+ table a (a)"))
    assert "pgvouch accept-delta ID" in text
    assert text.splitlines()[-2:] == ["+ table a (a)", "~ table b (a)"]
    assert text.endswith("\n")
    assert all(line.startswith("#") for line in text.splitlines()[:-2])


def test_a_file_without_lines_promises_that_nothing_changes() -> None:
    assert parse_file(render_file(()), Path("x.delta")) == ()


def test_a_file_may_have_come_over_another_system() -> None:
    text = "\ufeff" + render_file(("+ schema a", "- schema b")).replace("\n", "\r\n") + "\r\n\r\n"
    assert parse_file(text, Path("x.delta")) == ("+ schema a", "- schema b")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("<<<<<<< HEAD", "is no line of a catalog delta: <<<<<<< HEAD"),
        ("=======", "is no line of a catalog delta"),
        ("schema a", "is no line of a catalog delta"),
        ("+schema a", "is no line of a catalog delta"),
        ("+ schema", "is no line of a catalog delta"),
        (" + schema b", "is no line of a catalog delta"),
        ("+ schema a", "says what line 1 says"),
    ],
)
def test_a_malformed_line_is_refused_with_its_place(line: str, what: str) -> None:
    with pytest.raises(FileError, match=what) as caught:
        parse_file(f"+ schema a\n# why\n{line}\n", Path("verify/003_x.delta"))
    assert str(caught.value.place) == "verify/003_x.delta:3:1"
    assert caught.value.hint == "pgvouch accept-delta 003_x rewrites the file"
