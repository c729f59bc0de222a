"""Stamps and their markers are found where PostgreSQL sees a comment, and nowhere else."""

from pathlib import Path

import pytest

from pgvouch.errors import StampError
from pgvouch.stamp.blocks import carry_until, digest, find, wrap

PATH = Path("migrations/001_a.sql")


def test_a_stamp_without_an_expansion() -> None:
    text = 'select 1;\n-- stamp: t(a="x")\nselect 2;\n'
    [block] = find(text, PATH)
    assert (block.line, block.call.template, block.expansion) == (2, "t", None)
    assert text[block.insert_at :] == "select 2;\n"


def test_an_expansion_and_its_place() -> None:
    text = "-- stamp: t()\n" + wrap("t", "select 1;\nselect 2;\n", "\n") + "select 3;\n"
    [block] = find(text, PATH)
    written = block.expansion
    assert written is not None
    assert (written.template, written.body, written.line) == ("t", "select 1;\nselect 2;\n", 2)
    assert written.intact
    assert text[: written.start] + text[written.end :] == "-- stamp: t()\nselect 3;\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_do_not_change_what_was_written(newline: str) -> None:
    text = f"-- stamp: t({newline}--   a=1){newline}" + wrap("t", "select 1;\n", newline)
    [block] = find(text, PATH)
    assert block.newline == newline
    assert block.expansion is not None
    assert block.expansion.intact
    assert block.expansion.body == "select 1;\n"


def test_a_file_that_ends_with_its_stamp_keeps_the_line_ends_of_the_rest() -> None:
    [block] = find("select 1;\r\n-- stamp: t()", PATH)
    assert (block.newline, block.insert_at) == ("\r\n", 24)


def test_several_stamps_in_a_file_and_one_after_the_other() -> None:
    text = (
        "-- stamp: a()\n"
        + wrap("a", "select 1;\n", "\n")
        + "-- stamp: b()\n-- stamp: c()\n"
        + wrap("c", "select 1;\n", "\n")
        + "  -- stamp: d()"
    )
    found = [(b.call.template, b.line, b.expansion is not None) for b in find(text, PATH)]
    assert found == [("a", 1, True), ("b", 5, False), ("c", 6, True), ("d", 10, False)]


@pytest.mark.parametrize(
    "text",
    [
        "select '\n-- stamp: t(a)\n';",
        "/*\n-- stamp: t(a)\n*/",
        "do $$\n-- stamp: t(a)\n$$;",
        'select "\n-- end stamp\n";',
        "select 1; -- stamp: t(a)",
        "-- a stamp: t(a)\n-- stamped by hand\n-- stamps: none\n",
        "-- timestamp: now()\n-- step: run()\n",
        "no st-amp at all '",
    ],
)
def test_what_is_no_stamp(text: str) -> None:
    assert find(text, PATH) == []


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("select 1;\n--stamp: t()\n", "looks like a stamp", 2),
        ("-- Stamp: t()\n", "looks like a stamp", 1),
        ("-- stamp t()\n", "looks like a stamp", 1),
        ("-- stamps: t()\n", "looks like a stamp", 1),
        ("-- stmap: t() stamp\n", "looks like a stamp", 1),
        ("-- stamp : t()\n", "looks like a stamp", 1),
        ("-- stamp: t(\nselect 1;\n", "the parenthesis that opens here is not closed", 1),
        ("-- stamp: t(\n/*)\n*/\n", "the parenthesis that opens here is not closed", 1),
        ("-- stamp: t(\n-- stamp: u()\n", "the parenthesis that opens here is not closed", 1),
        ("-- stamped: t sha256:0123456789abcdef\n", "without a stamp above it", 1),
        ("-- stamp: t()\n\n-- stamped: t sha256:0123456789abcdef  (x)\n", "without a stamp", 3),
        ("-- end stamp\n", "without a stamp above it", 1),
        ("-- stamp: t()\n-- end stamp\n", "damaged", 2),
        ("-- stamp: t()\n-- stamped: t\nselect 1;\n-- end stamp\n", "damaged", 2),
        ("-- stamp: t()\n-- stamped: t sha256:0123\n-- end stamp\n", "damaged", 2),
        ("-- stamp: t()\n-- stamped: t sha256:0123456789abcdef\nselect 1;\n", "no `-- end", 2),
        (
            "-- stamp: t()\n-- stamped: t sha256:0123456789abcdef\n-- stamp: u()\n-- end stamp",
            "no `-- end",
            2,
        ),
        ("-- stamp: t()\nselect 'open;\n", "unterminated quoted string", 2),
    ],
)
def test_what_is_wrong_with_a_marker(text: str, message: str, line: int) -> None:
    with pytest.raises(StampError) as caught:
        find(text, PATH)
    assert message in caught.value.message
    assert caught.value.place is not None
    assert (caught.value.place.path, caught.value.place.line) == (PATH, line)


def test_the_digest_is_of_template_and_body_but_not_of_until_lines() -> None:
    body = "-- check: a\nselect true;\n"
    assert digest("t", body) == digest("t", "-- check: a\n-- until: 009_b\nselect true;\n")
    assert digest("t", body) != digest("u", body)
    assert digest("t", body) != digest("t", body.replace("true", "false"))


def test_until_lines_are_carried_below_their_sentence() -> None:
    old = "-- check: a\n-- until: 009_b\nselect 1;\n-- check: b\nselect 2;\n-- until: 010_c\n"
    new = "-- check: b\nselect 3;\n-- check: a\nselect 4;\n"
    assert carry_until(old, new) == (
        "-- check: b\n-- until: 010_c\nselect 3;\n-- check: a\n-- until: 009_b\nselect 4;\n"
    )
    assert carry_until(old, "-- check: b\nselect 3;\n") is None
    assert carry_until("-- check: a\n", new) == new
