"""An enum value that is used before it is committed: PostgreSQL refuses, and the hint leads on."""

import pytest

from conftest import Folder

MOOD = {"001_a.sql": "create type mood as enum ('a'); create table a (m mood);"}
ADD = "-- More moods.\nselect 1;\nalter type mood add value if not exists 'it''s';\n"
USE = "insert into a values ('it''s');"
MOOD_IS_THERE = "-- check: the mood is there\n{};\n"


def _next_line(folder: Folder, *arguments: str) -> str:
    ran = folder("migrate", *arguments)
    assert ran.code == 1
    assert "55P04" in ran.err
    assert 'unsafe use of new value "it\'s" of enum type mood' in ran.err
    last = ran.err.splitlines()[-1]
    assert last.startswith("  next    ")
    return last


@pytest.mark.parametrize("option", [(), ("--rehearse",), ("--single-transaction",)])
def test_a_value_used_in_the_file_that_adds_it(folder: Folder, option: tuple[str, ...]) -> None:
    folder.write({**MOOD, "001_a.rollback.sql": "drop table a; drop type mood;"})
    assert folder("migrate").code == 0
    rollbacks = {"002_b.rollback.sql": "drop table b;", "003_c.rollback.sql": "-- it stays"}
    folder.write({"002_b.sql": "create table b ();", "003_c.sql": f"{ADD}{USE}", **rollbacks})
    last = _next_line(folder, *option)
    assert "line 3 adds 'it''s'" in last
    assert "into the next migration, or put `-- transactional: false` into the header" in last
    assert "--to" not in last
    assert folder.query("select count(*) from pg_enum where enumlabel <> 'a'") == [(0,)]


def test_both_ways_out_work(folder: Folder) -> None:
    folder.write({**MOOD, "002_b.sql": ADD, "003_c.sql": USE})
    assert folder("migrate").code == 0
    folder.write(
        {"004_d.sql": "-- transactional: false\nalter type mood add value 'd';\nselect 'd'::mood;"}
    )
    assert folder("migrate").code == 0
    assert folder.query("select m::text from a") == [("it's",)]


def test_a_value_that_a_comment_adds_is_not_named(folder: Folder) -> None:
    folder.write({**MOOD, "002_b.sql": f"-- alter type mood add value 'it''s';\n{ADD}{USE}"})
    assert "line 4 adds" in _next_line(folder)


def test_a_value_that_was_added_in_another_way(folder: Folder) -> None:
    block = "do $$ begin alter type mood add value 'it''s'; end $$;\n"
    folder.write({**MOOD, "002_b.sql": f"{block}{USE}"})
    last = _next_line(folder)
    assert "in the next one, or in a file with `-- transactional: false`" in last


def test_a_check_looks_for_it_in_the_catalog(folder: Folder) -> None:
    used = MOOD_IS_THERE.format("select 'it''s'::mood is not null")
    folder.write({**MOOD, "002_b.sql": ADD, "verify/002_b.sql": used})
    last = _next_line(folder)
    query = last.split("look for it in pg_enum: ")[1]
    folder.write({"verify/002_b.sql": MOOD_IS_THERE.format(query)})
    ran = folder("migrate")
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("option", ["--rehearse", "--single-transaction"])
@pytest.mark.parametrize("where", ["migration", "check"])
def test_a_value_of_an_earlier_migration_in_one_transaction(
    folder: Folder, option: str, where: str
) -> None:
    folder.write({**MOOD, "001_a.rollback.sql": "drop table a; drop type mood;"})
    assert folder("migrate").code == 0
    folder.write(
        {
            "002_b.sql": ADD,
            "002_b.rollback.sql": "-- it stays",
            "003_c.sql": USE if where == "migration" else "select 1;",
            "003_c.rollback.sql": "delete from a;",
        }
    )
    if where == "check":
        used = MOOD_IS_THERE.format("select 'it''s'::mood is not null")
        folder.write({"verify/003_c.sql": used})
    last = _next_line(folder, option)
    assert "a plain migrate has no such limit" in last
    assert "pgvouch migrate --to 002_b" in last
    assert ("pg_enum" in last) is (where == "check")
    assert folder("migrate").code == 0
