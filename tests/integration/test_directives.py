"""Directives: what they do, and which comments are none."""

import pytest

from conftest import Folder

LEVEL = "create table a as select current_setting('transaction_isolation') as level;"


@pytest.mark.parametrize(
    ("header", "level"),
    [
        ("", "read committed"),
        ("-- isolation: read committed\n", "read committed"),
        ("-- isolation: repeatable read\n", "repeatable read"),
        ("-- isolation: SERIALIZABLE\n", "serializable"),
        ("-- isolation: repeatable_read\n", "repeatable read"),
    ],
)
def test_the_isolation_of_a_migration_and_of_its_rollback(
    folder: Folder, header: str, level: str
) -> None:
    folder.write(
        {
            "001_a.sql": header + LEVEL,
            "001_a.rollback.sql": header
            + "drop table a; create table b as select current_setting('transaction_isolation') as l;",
            "verify/001_a.sql": "-- check: it is recorded\nselect count(*) = 1 from a;",
        }
    )
    planned = folder("plan")
    assert (level in planned.out) is (level != "read committed")
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select level from a") == [(level,)]
    assert folder("rollback", "--discard-data").code == 0
    assert folder.query("select l from b") == [(level,)]


def test_a_snapshot_is_kept_over_the_whole_migration(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (n int); create extension if not exists plpgsql;",
            "002_b.sql": "-- isolation: repeatable read\n"
            "create table b as select pg_current_snapshot()::text as s;"
            "insert into b select pg_current_snapshot()::text;",
        }
    )
    assert folder("migrate").code == 0
    assert folder.query("select count(distinct split_part(s, ':', 2)) from b") == [(1,)]


@pytest.mark.parametrize("option", ["--single-transaction", "--rehearse"])
def test_one_transaction_has_one_isolation(folder: Folder, option: str) -> None:
    folder.write(
        {
            "001_a.sql": LEVEL,
            "001_a.rollback.sql": "drop table a;",
            "002_b.sql": "-- isolation: serializable\nselect 1;",
            "002_b.rollback.sql": "select 1;",
        }
    )
    ran = folder("migrate", option)
    assert ran.code == 2
    assert "001_a runs in READ COMMITTED and 002_b in SERIALIZABLE" in ran.err
    assert "with a plain migrate --to 001_a" in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]
    (folder.path / "001_a.sql").write_text("-- isolation: serializable\n" + LEVEL)
    assert folder("migrate", option, "--retries", "0").code == 0


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("-- isolation: chaos\n", "`-- isolation: chaos` is not an isolation level"),
        (
            "-- isolation: serializable\n-- transactional: false\n",
            "`-- isolation:` is about a transaction, and this file is run without one",
        ),
        ("-- isolation level: serializable\n", "looks like the directive `-- isolation:`"),
        ("-- Isolation: repeatable read\n", "looks like the directive `-- isolation:`"),
        ("-- lock_tables: a\n", "names no schema"),
        ("-- lock_tables: public.a, b\n", "`-- lock_tables: b` names no schema"),
        ("-- lock_tables: public.a; drop table b\n", "is no list of tables"),
        ("-- lock_tables: public.a nowait\n", "is no list of tables"),
        (
            "-- lock_tables: public.a\n-- transactional: false\n",
            "`-- lock_tables:` is about a transaction, and this file is run without one",
        ),
        ("-- lock-tables: public.a\n", "looks like the directive `-- lock_tables:`"),
        ("-- lock_table: public.a\n", "looks like the directive `-- lock_tables:`"),
        ("-- lock-timeout: 5s\n", "looks like the directive `-- lock_timeout:`"),
        ("-- lock timeout: 5 seconds\n", "looks like the directive `-- lock_timeout:`"),
        ("-- transactonal: no\n", "looks like the directive `-- transactional:`"),
        ("-- Transaction: false\n", "looks like the directive `-- transactional:`"),
        ("-- Depends: 000_x 001_y\n", "looks like the directive `-- depends:`"),
        ("-- vars: a, b\n", "looks like the directive `-- var:`"),
        ("-- Unless: exists (select from a)\n", "looks like the directive `-- unless:`"),
        ("-- irreversable: rows are gone\n", "looks like the directive `-- irreversible:`"),
        ("-- check: it is so\n", "is a promise; promises live in verify"),
    ],
)
def test_a_wrong_directive_is_an_error(folder: Folder, header: str, said: str) -> None:
    folder.write({"001_a.sql": header + "select 1;"})
    ran = folder("migrate")
    assert ran.code == 2
    assert said in ran.err


@pytest.mark.parametrize(
    "prose",
    [
        "-- No statement_timeout: because the table is new",
        "-- Depends on: the weather",
        "-- Depends: on what the other team does",
        "-- Transactional: this has to be all or nothing",
        "-- Lock timeout: see the runbook",
        "-- Lock tables: parents before children",
        "-- Isolation: every tenant has a schema",
        "-- Unless: somebody objects",
        "-- Unless: otherwise",
        "-- Vars: none of them are used here",
        "-- Reversible: yes",
        "-- Verified: by Bob",
        "-- Before: no index",
        "-- After: an index",
        "-- Same: as above",
        "-- Check: whether this is fast",
        "-- depends:",
        "-- depends: ",
    ],
)
def test_prose_is_a_comment(folder: Folder, prose: str) -> None:
    folder.write({"001_a.sql": f"{prose}\ncreate table a ();"})
    ran = folder("migrate")
    assert ran.code == 0, ran.err


def test_set_transaction_is_pointed_to_the_directive(folder: Folder) -> None:
    folder.write({"001_a.sql": "set transaction isolation level serializable; select 1;"})
    ran = folder("migrate")
    assert ran.code == 2
    assert "`-- isolation: repeatable read` (or serializable)" in ran.err


@pytest.mark.parametrize(
    ("comment", "meant"),
    [
        ("-- transactional=false", "transactional: false"),
        ("-- transactional false", "transactional: false"),
        ("-- lock_timeout = 2s", "lock_timeout: 2s"),
        ("-- statement-timeout 10min", "statement_timeout: 10min"),
        ("-- isolation serializable", "isolation: serializable"),
        ("-- lock_tables public.a, public.b", "lock_tables: public.a, public.b"),
        ("-- lock_tables = public.a", "lock_tables: public.a"),
    ],
)
def test_a_directive_without_its_colon(folder: Folder, comment: str, meant: str) -> None:
    folder.write({"001_a.sql": f"{comment}\nselect 1;"})
    ran = folder("migrate")
    assert ran.code == 2
    assert f"write `-- {meant}`" in ran.err


@pytest.mark.parametrize(
    "comment",
    [
        "-- transactional, as everything here",
        "-- lock_timeout is left at its default",
        "-- isolation between tenants",
        "-- statement by statement",
        "-- lock the table first",
        "-- lock_tables comes first in the header",
    ],
)
def test_prose_that_begins_like_one(folder: Folder, comment: str) -> None:
    folder.write({"001_a.sql": f"{comment}\nselect 1;"})
    assert folder("migrate").code == 0
