"""Whatever PostgreSQL says of a migration, the error ends with what to do next."""

import json

import pytest

from conftest import Folder

TABLE = "create table a (id int primary key, t text); insert into a values (1, 'x');"

WAYS: dict[str, tuple[str, str]] = {
    "selec 1;": ("42601", "correct 002_b.sql, and run the same command again"),
    "select 1/0;": ("22012", "correct 002_b.sql, and run the same command again"),
    "do $$ begin raise 'no'; end $$;": ("P0001", "correct 002_b.sql, and run the same command"),
    "alter table b add c int;": ("42P01", "in another schema, or made by a later migration?"),
    "alter table a drop c;": ("42703", "in another schema, or made by a later migration?"),
    "select f(1);": ("42883", "correct 002_b.sql"),
    "insert into a values (1);": ("23505", "existing rows violate it"),
    "update a set t = null; alter table a alter t set not null;": (
        "23502",
        "existing rows violate it",
    ),
    "create view v as select t from a; alter table a drop t;": ("2BP01", "correct 002_b.sql"),
    "create table a ();": ("42P07", "`-- unless: to_regclass('a') is not null` in the header"),
    "create schema s; create schema s;": ("42P06", "-- unless: to_regnamespace('s') is not null"),
    "alter table a add t text;": ("42701", "-- unless: <a condition"),
    "create type k as enum (); create type k as enum ();": ("42710", "-- unless: <a condition"),
    "do $$ begin raise sqlstate '53100'; end $$;": ("53100", "make room"),
    "do $$ begin raise sqlstate 'XX000'; end $$;": ("XX000", "the server's log says more"),
}


@pytest.mark.parametrize("sql", WAYS)
def test_an_sql_error_has_a_way_on(folder: Folder, sql: str) -> None:
    sqlstate, said = WAYS[sql]
    folder.write({"001_a.sql": TABLE, "002_b.sql": sql})
    ran = folder("migrate")
    assert ran.code == 1
    assert f"  server  {sqlstate}\n" in ran.err
    last = ran.err.splitlines()[-1]
    assert last.startswith("  next    ")
    assert said in last
    assert "another tool" not in last


@pytest.mark.parametrize(
    "sql", ["create table a ();", "create schema s;", "create type k as enum ();"]
)
def test_a_database_that_another_tool_has_made(folder: Folder, sql: str) -> None:
    folder.query("create table a (id int); create schema s; create type k as enum ()")
    folder.write({"001_a.sql": sql})
    for _ in range(2):  # the second time there is a ledger, without a row
        last = folder("migrate").err.splitlines()[-1]
        assert "the database has it already: it was made by another tool, or by hand" in last
        assert "`-- unless: " in last
        assert "recorded and not run" in last
        assert "`pgvouch adopt`" in last
        assert "`pgvouch baseline`" in last


def test_the_advice_on_a_table_that_is_there_works(folder: Folder) -> None:
    folder.query('create table "it\'s" (id int)')
    folder.write({"001_a.sql": 'create table "it\'s" (id int);'})
    last = folder("migrate").err.splitlines()[-1]
    directive = last.split("`")[1]
    assert directive == "-- unless: to_regclass('it''s') is not null"
    folder.write({"001_a.sql": f'{directive}\ncreate table "it\'s" (id int);'})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "provided" in ran.err


def test_a_failed_rollback_names_from_files(folder: Folder) -> None:
    folder.write({"001_a.sql": TABLE, "001_a.rollback.sql": "drop table aa;"})
    folder("migrate")
    folder.write({"001_a.rollback.sql": "drop table a;"})
    ran = folder("rollback", "--discard-data")
    assert ran.code == 1
    assert "001_a.rollback.sql has changed since; the ledger's own text is used" in ran.err
    assert "correct 001_a.rollback.sql, and run the same command with --from-files" in ran.err
    assert folder("rollback", "--discard-data", "--from-files").code == 0


@pytest.mark.parametrize("opening", ["'", "$$", "$body$", '"', "/*"])
def test_an_open_quote_is_one_line(folder: Folder, opening: str) -> None:
    rest = "\n".join(f"select {n};" for n in range(60))
    folder.write({"001_a.sql": f"create table a ();\nselect {opening}x;\n{rest}"})
    ran = folder("migrate")
    assert ran.code == 1
    lines = ran.err.splitlines()
    assert len(lines) == 6
    assert lines[1] == "  at      migrations/001_a.sql:2:8"
    assert "is never closed: close it" in lines[-1]
    document = json.loads(folder("migrate", "--json").out)
    assert "\n" not in document["error"]["message"]
    assert "\n" not in document["error"]["server_message"]


@pytest.mark.parametrize("kind", ["check", "check none", "check error 42501"])
def test_what_the_server_said_of_a_check_is_said_once(folder: Folder, kind: str) -> None:
    folder.write({"001_a.sql": TABLE, "verify/001_a.sql": f"-- {kind}: x\nselect 1/0 = 1;"})
    ran = folder("migrate")
    assert ran.code == 1
    assert ran.err.count("division by zero") == 1
    assert "found    an error 22012" in ran.err


def test_several_folders_and_one_url_name_no_other_command(folder: Folder) -> None:
    folder.write({"aa/001_a.sql": "select 1;", "bb/001_a.sql": "select 1;"})
    ran = folder("status")
    assert ran.code == 2
    assert "name the folder that it is for in the command: aa" in ran.err
    assert "pgvouch migrate" not in ran.err


def test_a_failure_in_a_scratch_database_is_told_as_such(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a ();", "002_b.sql": "create table a ();"})
    ran = folder("accept-delta")
    assert ran.code == 1
    assert "It failed in a scratch database, which is gone. No file was written." in ran.err
    assert "Landed before it" not in ran.err
