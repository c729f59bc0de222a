"""The SQL that pgvouch runs for itself: named blocks, each used, each saying what it returns."""

import re
from pathlib import Path

import pytest

from pgvouch.sqltext.own import Raw, own_block, own_blocks, own_query, own_sql

PACKAGE = Path(__file__).parent.parent.parent / "runner" / "pgvouch"
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/queries.sql"))
CODE = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_block_is_told_of_and_used(room: str) -> None:
    text = own_sql(f"{room}/queries")
    for name in own_blocks(room):
        assert text.count(f"-- name: {name}\n-- ") == 1, name
        assert f'"{name}"' in CODE or f"'{name}'" in CODE, name


@pytest.mark.parametrize("room", ROOMS)
def test_a_block_begins_with_sql(room: str) -> None:
    for name, text in own_blocks(room).items():
        assert text, name
        assert not text.startswith("--"), name
        assert not text.rstrip().endswith(";") or re.match(r" {2,4}\w", text), name


def test_a_value_is_a_literal_and_sql_is_not() -> None:
    assert own_query("ledger", "yoyo_rows", table="o'clock").startswith(
        "select migration_id from 'o''clock' "
    )
    assert own_query("ledger", "yoyo_rows", table=Raw("f(1)")).startswith(
        "select migration_id from f(1) "
    )
    assert own_query("ledger", "yoyo_rows", table=None).startswith("select migration_id from NULL ")


def test_a_value_that_looks_like_a_place_is_left_alone() -> None:
    said = own_query("ledger", "accept", id="{why}", recorded=None, accepted="a", why="{id}")
    assert "values ('{why}', NULL, 'a', '{id}')" in said


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        own_query("ledger", "forget")
    with pytest.raises(KeyError):
        own_query("ledger", "forgotten", id="001_a")


def test_a_block_gives_the_search_path_back() -> None:
    block = own_block("ledger", "keep_lease", id="001_a", token="t", taken_over="PGV04")
    first, last = "set_config('search_path', 'pg_catalog, pg_temp'", "'search_path', authors_path"
    assert block.index(first) < block.index("token = 't'") < block.index(last)
