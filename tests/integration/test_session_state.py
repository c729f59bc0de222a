"""Nothing of a session leaks from one migration to the next, and none ends its own transaction."""

import pytest

from conftest import Folder

LEAKS = {
    "search_path": (
        "create schema other; set search_path = other;",
        "current_setting('search_path') = '\"$user\", public'",
    ),
    "role": ("set role pg_monitor;", "current_user = session_user"),
    "session authorization": (
        "set session authorization pg_monitor;",
        "session_user <> 'pg_monitor'",
    ),
    "a setting": ("set work_mem = '77MB';", "current_setting('work_mem') <> '77MB'"),
    "a setting of one's own": (
        "set my.tenant = '7';",
        "coalesce(current_setting('my.tenant', true), '') = ''",
    ),
    "a temporary table": ("create temp table t ();", "to_regclass('pg_temp.t') is null"),
    "a prepared statement": (
        "prepare p as select 1;",
        "not exists (select from pg_prepared_statements)",
    ),
    "a cursor": (
        "declare c cursor with hold for select 1;",
        "not exists (select from pg_cursors where name = 'c')",
    ),
    "listen": ("listen x;", "not exists (select from pg_listening_channels())"),
    "an advisory lock": (
        "select pg_advisory_lock(7);",
        "not exists (select from pg_locks where locktype = 'advisory' and objid = 7)",
    ),
    "deferred constraints": (
        "create table k (a int primary key deferrable); set constraints all deferred;",
        "true",
    ),
    "replication role": (
        "set session_replication_role = replica;",
        "current_setting('session_replication_role') = 'origin'",
    ),
    "client encoding": (
        "set client_encoding = 'LATIN1';",
        "current_setting('client_encoding') = 'UTF8'",
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("single", [(), ("--single-transaction",)])
def test_it_does_not_leak(folder: Folder, leak: str, single: tuple[str, ...]) -> None:
    statement, expectation = LEAKS[leak]
    folder.write(
        {
            "001_leaks.sql": statement,
            "verify/001_leaks.sql": "-- check: nor into the checks\n"
            + (
                "select true;"
                if "temp" in leak or "prep" in leak
                else "select current_user = session_user;"
            ),
            "002_looks.sql": f"do $$begin if not ({expectation}) then raise 'leaked'; end if; end$$;",
        }
    )
    ran = folder("migrate", *single)
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    "statement",
    [
        "commit;",
        "rollback;",
        "end;",
        "abort;",
        "begin;",
        "start transaction;",
        "commit and chain;",
        "prepare transaction 'x';",
        "-- a comment\rcommit;",
        "/* /* */ */ commit;",
    ],
)
def test_a_file_that_ends_its_transaction_is_refused(folder: Folder, statement: str) -> None:
    folder.write({"001_a.sql": f"create table a ();\n{statement}\ncreate table b ();"})
    ran = folder("migrate")
    assert ran.code == 2
    assert "migrations/001_a.sql:2" in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_savepoints_are_a_migration_s_own_business(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "savepoint s; create table a (); rollback to s; create table b (); release s;"
        }
    )
    assert folder("migrate").code == 0
    assert folder.query("select to_regclass('a'), to_regclass('b')::text") == [(None, "b")]


def test_commit_in_a_do_block_fails_by_itself(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a ();\ndo $$begin commit; end$$;"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "2D000" in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]


@pytest.mark.parametrize("trick", ["commit;", "commit; begin;", "rollback; begin;"])
def test_what_the_parser_does_not_see_the_transaction_id_tells(
    folder: Folder, trick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second line of defence, with the first one switched off."""
    monkeypatch.setattr("pgvouch.engine.task.refuse_in_migration", lambda *_a, **_k: None)
    folder.write({"001_a.sql": f"create table a ();\n{trick}\ncreate table b ();"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "ended its own transaction" in ran.err
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(0,)]


def test_the_same_session_for_the_rollback(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a ();",
            "001_a.rollback.sql": "drop table a; set search_path = pg_catalog; set role pg_monitor;",
            "002_b.sql": "create table b ();",
            "002_b.rollback.sql": "drop table b; set role pg_monitor;",
        }
    )
    folder("migrate")
    assert folder("rollback", "--all").code == 0
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(0,)]
