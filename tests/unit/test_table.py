"""A table fits its terminal: names are cut in the middle, and what matters stays."""

import unicodedata
from collections.abc import Sequence

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.cli import table
from pgvouch.cli.plan import _PLAN
from pgvouch.cli.status import _STATUS
from pgvouch.cli.table import Column

AT = "2026-11-21 17:25:33Z"


def render(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> str:
    return click.unstyle(table.render(columns, rows, width))


def _status(*names: str, width: int | None) -> list[str]:
    rows = [("✓", name, "applied", AT, "postgres", "1234", "12") for name in names]
    rows.append(("○", "999_the_next_one", "pending", "", "", "", ""))
    return render(_STATUS, rows, width).splitlines()


def test_without_a_terminal_nothing_is_cut() -> None:
    name = "20251107120000_" + "long_" * 60
    lines = _status(name, width=None)
    assert f"✓  {name}  applied  {AT}  postgres  1234  12" in lines


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_mark_state_and_both_ends_of_a_name_stay(width: int) -> None:
    long = "20251107120000_add_the_column_that_everybody_has_asked_for_to_the_table_of_orders"
    _, first, second = _status(long, width=width)
    assert first.startswith("✓  20251107120000_")
    assert "of_orders" in first
    assert "  applied" in first
    assert second.startswith("○  999_the_next_one ")
    assert "  pending" in second
    assert all(len(line) <= width for line in (first, second))


def test_eighty_columns_are_enough_for_ordinary_names() -> None:
    lines = _status("007_drawn_events", width=80)
    assert lines[0].split() == ["migration", "state", "applied", "by", "ms", "checks"]
    lines = _status("20251107120000_create_the_orders", width=80)
    assert lines[0].split() == ["migration", "state", "applied", "checks"]
    assert "20251107120000_create_the_orders  applied" in lines[1]


def test_a_plan_on_eighty_columns() -> None:
    row = ("20251107120000_create_the_orders", "checks + delta", "no", "5s", "none", "")
    head, line = render(_PLAN, [row], 80).splitlines()
    assert head.split() == ["migration", "promises", "rollback", "lock", "timeout"]
    assert line.split() == ["20251107120000_create_the_orders", "checks", "+", "delta", "no", "5s"]


def test_an_empty_table_has_its_head() -> None:
    assert render(_PLAN, [], 80).split() == (
        ["migration", "promises", "rollback", "lock", "timeout", "statement", "timeout"]
    )


def test_what_cannot_be_seen_is_shown() -> None:
    assert "a\\x1b[2J" in render((Column("x"),), [("a\x1b[2J",)], 80)


@given(st.lists(st.text(st.characters(categories=["L", "N", "M"]), min_size=1), min_size=1))
def test_no_line_is_wider_than_the_terminal(names: list[str]) -> None:
    for line in _status(*names, width=60):
        wide = sum(unicodedata.east_asian_width(c) in {"W", "F"} for c in line)
        marks = sum(unicodedata.category(c) in {"Mn", "Me"} for c in line)
        assert len(line) + wide - marks <= 60
