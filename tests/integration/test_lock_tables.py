"""`-- lock_tables:`: what a migration compares before and after does not change under it."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from conftest import Folder, query
from pgvouch.postgres.timeouts import locking_sql

COUNTED = """
-- same: no row comes or goes
-- before:
select count(*) from public.a;
-- after:
select count(*) from public.a;
"""
FILES = {
    "001_a.sql": "create table public.a (n int); create table public.b (n int);",
    "001_a.rollback.sql": "drop table public.a, public.b;",
    "002_b.sql": "-- lock_tables: public.a\n-- lock_tables: public.b\n"
    "alter table public.a add c int;",
    "002_b.rollback.sql": "-- lock_tables: public.a\nalter table public.a drop c;",
    "verify/002_b.sql": COUNTED,
    "verify/002_b.rollback.sql": COUNTED,
}
WAITING = (
    "select c.relname from pg_locks as l join pg_class as c on c.oid = l.relation "
    "join pg_stat_activity as a using (pid) "
    "where not l.granted and a.datname = current_database() and a.application_name like 'pgvouch%'"
)
DEADLINE_S = 60


@contextmanager
def beside(folder: Folder, *arguments: str):
    """The program, run beside the test."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(folder, *arguments, "--lock-timeout", "60s", "--retries", "0")


def waits_for(folder: Folder, attempt: Future, table: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while query(folder.url, WAITING) != [(table,)]:
        assert not attempt.done(), attempt.result()
        assert time.monotonic() < deadline


@pytest.mark.parametrize("way", ["migrate", "rollback"])
def test_a_row_that_is_committed_while_it_waits_counts_before_and_after(
    folder: Folder, way: str
) -> None:
    folder.write(FILES)
    assert folder("migrate", "--to", "001" if way == "migrate" else "002").code == 0
    with psycopg.connect(folder.url) as writer:
        writer.execute("insert into public.a values (1)")
        with beside(folder, way) as attempt:
            waits_for(folder, attempt, "a")
            writer.commit()
            ran = attempt.result(DEADLINE_S)
    assert ran.code == 0, ran.err


def test_without_it_the_same_write_is_taken_for_the_migrations(folder: Folder) -> None:
    """Which is why a comparison that fails does not send people to correct what is right."""
    folder.write(FILES | {"002_b.sql": "alter table public.a add c int;"})
    assert folder("migrate", "--to", "001").code == 0
    with psycopg.connect(folder.url) as writer:
        writer.execute("insert into public.a values (1)")
        with beside(folder, "migrate") as attempt:
            waits_for(folder, attempt, "a")
            writer.commit()
            ran = attempt.result(DEADLINE_S)
    assert ran.code == 1
    assert "if others write to what it compares, run it again" in ran.err
    assert "correct the migration" not in ran.err


HELD = (
    "select l.relation::regclass::text, l.mode from pg_locks as l "
    "where l.granted and l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' "
    "and l.relation in ('public.a'::regclass, 'public.b'::regclass)"
)


def test_it_holds_none_of_them_while_it_waits_for_long(folder: Folder) -> None:
    """Whoever holds the second may want the first: neither is to wait for a deadlock's end."""
    folder.write(FILES | {"002_b.sql": f"-- lock_timeout: 2s\n{FILES['002_b.sql']}"})
    assert folder("migrate", "--to", "001").code == 0
    with psycopg.connect(folder.url) as application:
        application.execute("select from public.b")
        with beside(folder, "migrate") as attempt:
            waits_for(folder, attempt, "b")
            application.execute("insert into public.a values (1)")
            assert query(folder.url, HELD) == []
            application.commit()
            ran = attempt.result(DEADLINE_S)
    assert ran.code == 0, ran.err


def test_in_the_end_it_holds_them_all_whichever_it_waited_for(folder: Folder) -> None:
    keeps = f"create table public.held as {HELD};"
    folder.write(FILES | {"002_b.sql": f"-- lock_tables: public.a, public.b\n{keeps}"})
    assert folder("migrate", "--to", "001").code == 0
    with psycopg.connect(folder.url) as reader:
        reader.execute("select from public.b")
        with beside(folder, "migrate") as attempt:
            waits_for(folder, attempt, "b")
            reader.rollback()
            ran = attempt.result(DEADLINE_S)
    assert ran.code == 0, ran.err
    assert len(folder.query("select * from public.held")) == 2


def test_another_mode_lets_readers_go_on(folder: Folder) -> None:
    folder.write(
        FILES
        | {
            "002_b.sql": "-- lock_tables: public.a in share row exclusive mode\n"
            "create table public.modes as select mode from pg_locks "
            "where relation = 'public.a'::regclass and pid = pg_backend_pid() and granted;"
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert ("ShareRowExclusiveLock",) in folder.query("select mode from public.modes")
    assert ("AccessExclusiveLock",) not in folder.query("select mode from public.modes")


_KEEPS = "create temporary table remaining as select current_setting('lock_timeout') as t"


def test_it_waits_for_a_second_one_only_a_tenth_of_the_time(url: str) -> None:
    """Whoever waits behind the first one waits for the others as well."""
    with psycopg.connect(url) as connection:
        connection.execute("set lock_timeout = '900ms'")
        connection.execute(locking_sql(["select pg_sleep(0)", _KEEPS]))
        assert connection.execute("select t from remaining").fetchone() == ("90ms",)
        assert connection.execute("show lock_timeout").fetchone() == ("900ms",)


def test_all_of_them_have_one_lock_timeout_together(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("set lock_timeout = '300ms'")
        connection.execute(locking_sql(["select pg_sleep(0.295)", _KEEPS]))
        (left,) = connection.execute("select t from remaining").fetchone() or ("",)
        assert 1 <= int(left.removesuffix("ms")) <= 5


def test_one_that_asks_for_no_timeout_gets_none_for_the_one_it_waits_for(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("set lock_timeout = 0")
        connection.execute(locking_sql([_KEEPS]))
        assert connection.execute("select t from remaining").fetchone() == ("0",)
        connection.execute("drop table remaining")
        connection.execute(locking_sql(["select pg_sleep(0)", _KEEPS]))
        assert connection.execute("select t from remaining").fetchone() == ("100ms",)


def test_names_that_need_quotes_are_the_tables_of_these_names(folder: Folder) -> None:
    name = '"My ""s; drop table public.a".x'
    folder.write(
        {
            "001_a.sql": 'create schema "My ""s; drop table public.a"; '
            f"create table public.a (); create table {name} ();",
            "002_b.sql": f"-- lock_tables: {name}, public.a -- both\nselect 1;",
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select to_regclass('public.a') is not null") == [(True,)]


def test_what_is_provided_locks_nothing(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "-- unless: current_user is not null\n-- lock_tables: public.nowhere\nselect 1;"
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err


def test_it_is_locked_where_a_condition_does_not_hold(folder: Folder) -> None:
    folder.write(
        FILES
        | {
            "002_b.sql": "-- unless: current_user is null\n-- lock_tables: public.a\n"
            "create table public.held as select count(*) as n from pg_locks "
            "where relation = 'public.a'::regclass and pid = pg_backend_pid() and granted "
            "and mode = 'AccessExclusiveLock';"
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select n from public.held") == [(1,)]


def test_a_table_that_is_not_there(folder: Folder) -> None:
    folder.write({"001_a.sql": "-- lock_tables: public.nowhere\nselect 1;"})
    ran = folder("migrate")
    assert ran.code == 1
    assert 'relation "public.nowhere" does not exist' in ran.err
    assert "Nothing of 001_a is in the database" in ran.err


def test_a_table_of_another_database_is_not_taken_for_one_of_this(folder: Folder) -> None:
    folder.write(FILES | {"002_b.sql": "-- lock_tables: elsewhere.public.a\nselect 1;"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "cross-database references are not implemented" in ran.err


def test_the_rollback_that_the_ledger_keeps_locks_them_too(folder: Folder) -> None:
    """An older release has no file to read it from."""
    folder.write(
        {
            "001_a.sql": FILES["001_a.sql"],
            "002_b.sql": "select 1;",
            "002_b.rollback.sql": "-- lock_tables: public.a\nselect 1;",
        }
    )
    assert folder("migrate").code == 0
    (folder.path / "002_b.sql").unlink()
    (folder.path / "002_b.rollback.sql").unlink()
    with psycopg.connect(folder.url) as writer:
        writer.execute("insert into public.a (n) values (1)")
        with beside(folder, "rollback") as attempt:
            waits_for(folder, attempt, "a")
            writer.commit()
            ran = attempt.result(DEADLINE_S)
    assert ran.code == 0, ran.err
