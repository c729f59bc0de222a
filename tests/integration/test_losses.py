"""A rollback that would lose rows says which and how many, and refuses."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from conftest import Folder, query

TABLE = {
    "001_a.sql": "create table a (n int, m text);",
    "001_a.rollback.sql": "drop table a;",
}


def _filled(folder: Folder) -> Folder:
    folder.write(TABLE)
    assert folder("migrate").code == 0
    folder.query(
        "insert into a select n, case when n = 1 then 'x' end from generate_series(1, 3) n"
    )
    return folder


@pytest.mark.parametrize(
    ("undo", "said"),
    [
        ("drop table a", "public.a: 3 rows (the table is dropped)"),
        ("alter table a drop column n", "public.a.n: 3 values (the column is dropped)"),
        ("alter table a drop column m", "public.a.m: 1 value (the column is dropped)"),
        ("delete from a where n > 1", "public.a: 2 rows (deleted)"),
        ("truncate a", "public.a: 3 rows (deleted)"),
        ("delete from a; insert into a values (1), (2), (3)", "public.a: 3 rows (deleted)"),
        ("do $$ begin execute 'drop ta' || 'ble a'; end $$", "public.a: 3 rows"),
        ("alter table a set schema s; drop schema s cascade", "public.a: 3 rows"),
        ("alter table a rename to b; drop table b", "public.a: 3 rows (the table is dropped)"),
        ("create table b as table a; drop table a", "public.a: 3 rows (the table is dropped)"),
    ],
)
def test_what_would_be_lost_is_named_and_stays(folder: Folder, undo: str, said: str) -> None:
    _filled(folder)
    query(folder.url, "create schema s")
    folder.write({"002_b.sql": "create table other ();", "002_b.rollback.sql": undo + ";"})
    folder("migrate")
    ran = folder("rollback")
    assert ran.code == 1
    assert "the rollback of 002_b would lose data" in ran.err
    assert said in ran.err
    assert "002_b is still in the database, whole." in ran.err
    assert "--discard-data" in ran.err
    assert folder.query("select count(*), count(n), count(m) from a") == [(3, 3, 1)]
    dry = folder("rollback", "--dry-run")
    assert dry.code == 0
    assert f"-- lost  {said}" in dry.out
    assert folder.query("select count(*), count(n), count(m) from a") == [(3, 3, 1)]
    ran = folder("rollback", "--discard-data")
    assert ran.code == 0, ran.err
    assert f"lost  {said}" in ran.err
    assert folder.query("select count(*) from pgvouch.migration") == [(1,)]


@pytest.mark.parametrize(
    "undo",
    [
        "alter table a add column k int; update a set k = n",
        "alter table a rename to b",
        "alter table a set schema s",
        "alter table a alter column n type bigint",
        "create index on a (n); cluster a using a_n_idx",
        "drop table empty",
        "alter table a drop column k",
        "create temp table t as table a; drop table t",
    ],
)
def test_what_loses_nothing_is_not_refused(folder: Folder, undo: str) -> None:
    _filled(folder)
    query(folder.url, "create schema s")
    folder.write(
        {
            "002_b.sql": "create table empty (n int); alter table a add column k int; "
            "insert into empty values (1); delete from empty;",
            "002_b.rollback.sql": undo.replace("add column k", "add column l").replace(
                "set k", "set l"
            )
            + ";",
        }
    )
    folder("migrate")
    ran = folder("rollback")
    assert ran.code == 0, ran.err
    assert "lost" not in ran.err


def test_a_row_that_moves_between_partitions_is_not_lost(folder: Folder) -> None:
    folder.write(
        {
            "001_p.sql": "create table p (n int) partition by range (n);\n"
            "create table p1 partition of p for values from (0) to (10);\n"
            "create table p2 partition of p for values from (10) to (20);\n"
            "insert into p values (1), (11);",
            "001_p.rollback.sql": "update p set n = n + 9 where n = 1; update p set n = 2 where n = 11;",
        }
    )
    folder("migrate")
    assert folder("rollback").code == 0


@pytest.mark.parametrize(
    ("undo", "said"),
    [
        ("drop table a", "public.a: 3 rows (the table is dropped)"),
        ("alter table a drop column n", "public.a.n: 3 values (the column is dropped)"),
        ("truncate a", "public.a: 3 rows (deleted)"),
        ("delete from a where n > 1", "public.a: 2 rows (deleted)"),
    ],
)
def test_each_server_tells_what_is_gone(
    every_url: str, make_folder: Callable[[str], Folder], undo: str, said: str
) -> None:
    """Functions that look at what is there now answer beside a catalog as it was."""
    folder = make_folder(every_url)
    folder.write({"001_a.sql": "create table a (n int, m text);", "001_a.rollback.sql": f"{undo};"})
    assert folder("migrate").code == 0
    folder.query("insert into a select n from generate_series(1, 3) n")
    ran = folder("rollback")
    assert ran.code == 1
    assert said in ran.err
    folder.query("truncate a")
    assert folder("rollback").code == 0


@pytest.mark.parametrize(
    ("undo", "filled", "times"),
    [
        ("drop table a", "", 1),
        ('drop table "A b"', "", 1),
        ("alter table a drop column n", "", 1),
        ("truncate a", "", 1),
        ("insert into a values (1); delete from a", "", 1),
        ("select 1", "insert into a values (1)", 1),
        ("drop table b", "insert into a values (1)", 1),
        ("do $$ begin execute 'drop ta' || 'ble b'; end $$", "", 1),
        # Which table is meant cannot be seen ahead, or whether it was empty before it was locked.
        ("do $$ begin execute 'drop table ' || chr(97); end $$", "", 2),
        ("-- isolation: repeatable read\ndrop table a", "", 2),
        ("drop table a", "insert into a values (1); delete from a", 2),
    ],
)
def test_it_runs_once_where_nothing_was_there(
    alone: Folder, undo: str, filled: str, times: int
) -> None:
    """A number that is drawn is not given back, so it tells how often the rollback has run."""
    folder = alone
    header, newline, body = undo.rpartition("\n")
    folder.write(
        {
            "001_a.sql": "create sequence ran; create table b (n int);",
            "002_a.sql": 'create table a (n int); create table "A b" ();',
            "002_a.rollback.sql": f"{header}{newline}select nextval('ran'); {body};",
        }
    )
    assert folder("migrate").code == 0
    if filled:
        folder.query(filled)
    ran = folder("rollback")
    assert ran.code == 0, ran.err
    assert "lost" not in ran.err
    assert folder.query("select last_value from ran") == [(times,)]


def test_a_row_that_arrives_before_the_table_is_locked_is_not_lost(folder: Folder) -> None:
    """It was empty when the rollback began, and is not when the rollback drops it."""
    folder.write(
        {
            "001_a.sql": "create table gate (); create table a (n int);",
            "001_a.rollback.sql": "lock table gate in row exclusive mode; drop table a;",
        }
    )
    assert folder("migrate").code == 0
    with psycopg.connect(folder.url) as other, ThreadPoolExecutor(1) as pool:
        # Whoever only measures the table gets past this lock.
        other.execute("lock table gate in share mode")
        rollback = pool.submit(folder, "rollback", "--lock-timeout", "60s")
        waits = "select count(*) from pg_locks where relation = 'gate'::regclass and not granted"
        while not rollback.done() and folder.query(waits) != [(1,)]:
            pass
        query(folder.url, "insert into a values (1)")
        other.commit()
        ran = rollback.result()
    assert ran.code == 1
    assert "public.a: 1 row (the table is dropped)" in ran.err
    assert folder.query("select n from a") == [(1,)]


def test_a_row_that_its_isolation_does_not_show_is_not_lost(folder: Folder) -> None:
    """Another session has committed it after the snapshot of the rollback was taken."""
    folder.write(
        {
            "001_a.sql": "create table gate (); create table a (n int);",
            "001_a.rollback.sql": "-- isolation: repeatable read\n"
            "lock table gate in row exclusive mode; drop table a;",
        }
    )
    assert folder("migrate").code == 0
    with psycopg.connect(folder.url) as other, ThreadPoolExecutor(1) as pool:
        other.execute("lock table gate in share mode")
        rollback = pool.submit(folder, "rollback", "--lock-timeout", "60s")
        waits = "select count(*) from pg_locks where relation = 'gate'::regclass and not granted"
        while not rollback.done() and folder.query(waits) != [(1,)]:
            pass
        query(folder.url, "insert into a values (1)")
        other.commit()
        ran = rollback.result()
    assert ran.code == 1
    assert "public.a: rows that its isolation may not show" in ran.err
    assert folder.query("select n from a") == [(1,)]


def test_no_row_arrives_between_the_count_and_the_second_run(folder: Folder) -> None:
    second = "if nextval('ran') = 2 then lock table gate in row exclusive mode; end if;"
    folder.write(
        {
            "001_a.sql": "create table gate (); create sequence ran;",
            "002_a.sql": "create table a (n int);",
            "002_a.rollback.sql": f"do $$ begin {second} end $$; drop table a;",
        }
    )
    assert folder("migrate").code == 0
    # A row was there, so the size of the table does not say that it is empty.
    folder.query("insert into a values (1)")
    folder.query("delete from a")
    with psycopg.connect(folder.url) as other, ThreadPoolExecutor(1) as pool:
        other.execute("lock table gate in share mode")
        rollback = pool.submit(folder, "rollback", "--lock-timeout", "60s")
        waits = "select count(*) from pg_locks where relation = 'gate'::regclass and not granted"
        while not rollback.done() and folder.query(waits) != [(1,)]:
            pass
        with pytest.raises(psycopg.errors.LockNotAvailable):
            folder.query("set lock_timeout = '50ms'; insert into a values (1)")
        other.commit()
        assert rollback.result().code == 0


def test_what_was_deleted_before_it_in_one_transaction_is_not_counted_again(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (n int); insert into a values (1), (2), (3);",
            "001_a.rollback.sql": "delete from a where n = 1;",
            "002_b.sql": "select 1;",
            "002_b.rollback.sql": "delete from a where n > 1;",
        }
    )
    assert folder("migrate").code == 0
    dry = folder("rollback", "--all", "--dry-run")
    assert dry.code == 0, dry.err
    assert [line for line in dry.out.splitlines() if "-- lost" in line] == [
        "-- lost  public.a: 2 rows (deleted)",
        "-- lost  public.a: 1 row (deleted)",
    ]


def test_a_rollback_that_closes_all_cursors_is_refused(folder: Folder) -> None:
    folder.write(TABLE | {"001_a.rollback.sql": "close all; drop table a;"})
    assert folder("migrate").code == 0
    ran = folder("rollback", "--discard-data")
    assert ran.code == 1
    assert "what it would lose cannot be found out" in ran.err
    assert "--from-files" in ran.err
    assert folder.query("select to_regclass('a')::text") == [("a",)]


def test_several_steps_stop_at_a_boundary(folder: Folder) -> None:
    folder.write(
        TABLE
        | {"002_b.sql": "create table b ();", "002_b.rollback.sql": "drop table b;"}
        | {"003_c.sql": "create table c ();", "003_c.rollback.sql": "drop table c;"}
    )
    folder("migrate")
    query(folder.url, "insert into a values (1)")
    dry = folder("rollback", "--all", "--dry-run")
    assert dry.out.index("-- 003_c") < dry.out.index("-- 002_b") < dry.out.index("-- 001_a")
    assert dry.out.count("-- lost") == 1
    ran = folder("rollback", "--all")
    assert ran.code == 1
    assert "001_a is still in the database, whole. Rolled back before it: 003_c, 002_b." in ran.err
    assert folder.query("select migration_id from pgvouch.migration") == [("001_a",)]


def test_rows_that_this_role_may_not_see_count_as_lost(folder: Folder) -> None:
    role = f"keeper_{_name(folder)}"
    query(
        folder.url, f"create role {role} login; grant create on database {_name(folder)} to {role}"
    )
    query(folder.url, f"grant create on schema public to {role}")
    try:
        own = folder.url.replace("postgres@", f"{role}@", 1)
        folder.write(
            {
                "001_a.sql": "create table a (n int); alter table a enable row level security; "
                "alter table a force row level security;",
                "001_a.rollback.sql": "drop table a;",
            }
        )
        assert folder("migrate", url=own).code == 0
        query(folder.url, "insert into a values (1)")
        ran = folder("rollback", url=own)
        assert ran.code == 1
        assert "public.a: rows that row security hides from this role" in ran.err
        assert folder("rollback", "--discard-data", url=own).code == 0
    finally:
        query(folder.url, f"drop owned by {role}; drop role {role}")


def _name(folder: Folder) -> str:
    (row,) = query(folder.url, "select current_database()")
    return str(row[0])


def test_a_non_transactional_rollback_is_watched_too(folder: Folder) -> None:
    head = "-- transactional: false\n"
    folder.write(
        {
            "001_a.sql": "create table a (n int); create index i on a (n);",
            "001_a.rollback.sql": head + "drop index concurrently i;\ndrop table a;\n",
        }
    )
    folder("migrate")
    query(folder.url, "insert into a values (1)")
    ran = folder("rollback")
    assert ran.code == 1
    assert "public.a: 1 row (the table is dropped)" in ran.err
    assert "1 of its 2 statements is done" in ran.err
    assert folder.query("select state from pgvouch.migration") == [("undoing",)]
    refused = folder("migrate")
    assert refused.code == 2
    assert "the rollback of 001_a stopped after 1 statements" in refused.err
    assert folder("rollback", "--discard-data").code == 0
    assert folder.query("select count(*) from pgvouch.migration") == [(0,)]
    assert folder("migrate").code == 0
