"""Drift, order, holes, a database ahead of its files, and who may look at the ledger."""

import psycopg
import pytest

from conftest import LOCK, Folder

A = {"001_a.sql": "create table a ();\n", "001_a.rollback.sql": "drop table a;\n"}
B = {"002_b.sql": "create table b ();\n", "002_b.rollback.sql": "drop table b;\n"}
C = {"003_c.sql": "create table c ();\n", "003_c.rollback.sql": "drop table c;\n"}


def test_a_changed_file_is_drift(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    folder.write({"001_a.sql": "create table a (id int);\n"} | B)
    ran = folder("migrate")
    assert ran.code == 4
    assert "001_a was applied and its file has changed since" in ran.err
    assert ran.err.count("sha256:") == 2
    assert "pgvouch accept 001_a --why" in ran.err
    assert folder.query("select to_regclass('b')") == [(None,)]
    assert folder("status").code == 4
    assert "changed" in folder("status").out


def test_line_ends_and_a_bom_are_no_drift(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    folder.write({"001_a.sql": b"\xef\xbb\xbfcreate table a ();\r\n"})
    assert folder("migrate").code == 0


def test_accept_records_why(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    folder.write({"001_a.sql": "create table a (); -- a comment\n"})
    assert folder("accept", "001_a", "--why", " ").code == 2
    assert folder("accept", "1", "--why", "only a comment").code == 0
    assert folder("migrate").code == 0
    assert folder.query("select migration_id, why from pgvouch.acceptance") == [
        ("001_a", "only a comment")
    ]
    assert folder("accept", "1", "--why", "again").code == 2


def test_a_hole_is_drift_and_being_ahead_is_not(folder: Folder) -> None:
    folder.write(A | B)
    folder("migrate")
    (folder.path / "002_b.sql").unlink()
    (folder.path / "002_b.rollback.sql").unlink()
    ran = folder("migrate")
    assert ran.code == 0
    assert "the database is ahead of these files by 002_b" in ran.err
    folder.write(C)
    ran = folder("migrate")
    assert ran.code == 4
    assert "002_b was applied and its file is gone" in ran.err


def test_out_of_order_is_refused_unless_asked(folder: Folder) -> None:
    folder.write(A | C)
    folder("migrate")
    folder.write(B)
    ran = folder("migrate")
    assert ran.code == 2
    assert "002_b comes before 003_c, which is applied already" in ran.err
    assert folder("migrate", "--out-of-order").code == 0


def test_depends_orders_what_numbers_do_not(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "-- depends: 002_b\ncreate table a (b int references b);",
            "002_b.sql": "create table b (id int primary key);",
        }
    )
    assert folder("migrate").code == 0


def test_nobody_else_may_read_the_ledger(folder: Folder) -> None:
    """Also where default privileges give everything away, as they do in Supabase."""
    folder.query("create role reader_of_ledgers login")
    try:
        folder.query("alter default privileges grant all on schemas to reader_of_ledgers")
        folder.query("alter default privileges grant all on tables to reader_of_ledgers")
        folder.query("alter default privileges grant all on sequences to reader_of_ledgers")
        folder.write(A)
        folder("migrate")
        with psycopg.connect(folder.url, user="reader_of_ledgers") as connection:
            for name in ("migration", "_yoyo_migration", "_yoyo_log", "ledger", "acceptance"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(f"select from pgvouch.{name}")
        leaks = """
          select c.relname from pg_class c, aclexplode(c.relacl) a
          where c.relnamespace = 'pgvouch'::regnamespace and a.grantee <> c.relowner
          union all
          select n.nspname from pg_namespace n, aclexplode(n.nspacl) a
          where n.nspname = 'pgvouch' and a.grantee <> n.nspowner"""
        assert folder.query(leaks) == []
        ran = folder("migrate", url=folder.url.replace("postgres@", "reader_of_ledgers@"))
        assert ran.code == 2
        assert "the ledger belongs to another role" in ran.err
    finally:
        folder.query("drop owned by reader_of_ledgers")
        folder.query("drop role reader_of_ledgers")


def test_every_column_of_the_ledger_is_explained(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    tables = folder.query(
        "select relname from pg_class where relnamespace = 'pgvouch'::regnamespace "
        "and relkind = 'r' and relname not like '%yoyo%' and obj_description(oid) is null"
    )
    assert tables == []


def test_a_newer_ledger_is_refused(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    folder.query("update pgvouch.ledger set version = 99")
    ran = folder("migrate")
    assert ran.code == 2
    assert "the ledger is of version 99" in ran.err


def test_status_says_everything_and_its_exit_code(folder: Folder) -> None:
    folder.write(A | B)
    assert folder("status").code == 0
    assert folder("status", "--exit-code").code == 3
    folder("migrate")
    ran = folder("status", "--exit-code")
    assert ran.code == 0
    assert ran.out.count("applied") == 3


def test_plan_shows_promises_and_timeouts(folder: Folder) -> None:
    folder.write(
        A
        | {
            "verify/001_a.sql": "-- check: x\nselect true;",
            "002_b.sql": "-- transactional: false\nselect 1;",
            "003_c.sql": "-- lock_timeout: 2s\nselect 1;",
        }
    )
    lines = [line.split() for line in folder("plan").out.splitlines()[2:]]
    assert lines == [
        ["001_a", "checks", "yes", "auto", "none"],
        ["002_b", "none", "no", "none", "none", "statement", "by", "statement"],
        ["003_c", "none", "no", "2s", "none"],
    ]


def test_the_lock_timeout_that_is_nearest_wins(folder: Folder) -> None:
    see = "do $$begin if current_setting('lock_timeout') <> '{}' then raise 'no'; end if; end$$;"
    folder.write({"001_a.sql": see.format("500ms")})
    assert folder("migrate").code == 0
    folder.write({"002_b.sql": see.format("7s")})
    assert folder("migrate", "--lock-timeout", "7s").code == 0
    folder.write({"003_c.sql": "-- lock_timeout: 900ms\n" + see.format("900ms")})
    assert folder("migrate", "--lock-timeout", "7s").code == 0
    folder.write({"004_d.sql": "-- statement_timeout: 1ms\nselect pg_sleep(5);"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "57014" in ran.err


def test_a_second_runner_waits_and_then_finds_it_done(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    folder.write(B)
    with psycopg.connect(folder.url) as other:
        other.execute(LOCK)
        ran = folder("migrate", "--lock-wait", "200ms")
        assert ran.code == 5
        assert "another runner" in ran.err
        assert "Nothing of 002_b was run." in ran.err
        folder.write({"001_a.rollback.sql": "select 1;"})
        ran = folder("rollback", "--lock-wait", "200ms")
        assert "Nothing of the rollback of 001_a was run." in ran.err
    assert folder("migrate").code == 0


def test_a_run_does_not_read_the_ledger_anew_for_each_migration(folder: Folder) -> None:
    """Otherwise the work would grow with the square of their number: rows read, not time."""
    count = 60
    folder.write(
        {
            f"{n:03}_a{end}": "select 1;"
            for n in range(1, count + 1)
            for end in (".sql", ".rollback.sql")
        }
    )
    assert folder("migrate", "--to", "30").code == 0
    before = _read(folder, 30)
    assert folder("migrate").code == 0
    applied = _read(folder, count)
    assert applied - before < 6 * count
    assert folder("rollback", "--all").code == 0
    assert _read(folder, 0) - applied < 6 * count


def _read(folder: Folder, there: int) -> int:
    """Return how many rows of the ledger were read by scans so far, once that is known."""
    statistics = (
        "select sum(seq_tup_read)::int, max(n_tup_ins - n_tup_del)::int from pg_stat_user_tables "
        "where schemaname = 'pgvouch' and relname in ('_yoyo_migration', 'migration')"
    )
    for _ in range(10_000):  # they are written as a backend ends
        read, rows = folder.query(statistics)[0]
        if rows == there:
            return int(str(read))
    raise AssertionError(rows)


def test_what_lands_while_the_ledger_is_read_is_not_half_read(folder: Folder) -> None:
    """Ours and yoyo's rows are read one after the other: what only yoyo has would be yoyo's own."""
    from pgvouch.ledger import ledger
    from pgvouch.postgres.session import Session

    folder.write(A)
    assert folder("migrate").code == 0
    *before, last = ledger.read_sql(quickly=True).split(";\n")
    with Session.open(folder.url) as session:
        session.run("begin")
        results = [session.run(statement)[0] for statement in before]
        folder.write(B)
        assert folder("migrate").code == 0
        results += session.run(last)
        session.run("rollback")
        assert [row.id for row in ledger.rows_of(results)] == ["001_a"]
        assert [row.id for row in ledger.read(session) or ()] == ["001_a", "002_b"]


@pytest.mark.parametrize("kind", ["tables", "sequences", "schemas"])
def test_what_default_privileges_grant_on_the_ledger_is_revoked(folder: Folder, kind: str) -> None:
    folder.write({"001_a.sql": "create table a ();"})
    name = f"reader_{folder.query('select current_database()')[0][0]}"
    folder.query(f"create role {name}; alter default privileges grant all on {kind} to {name}")
    try:
        assert folder("migrate").code == 0
        held = folder.query(
            "select c.relname from pg_class as c, aclexplode(c.relacl) as acl "
            f"where c.relnamespace = 'pgvouch'::regnamespace and acl.grantee = '{name}'::regrole "
            "union all select n.nspname from pg_namespace as n, aclexplode(n.nspacl) as acl "
            f"where n.nspname = 'pgvouch' and acl.grantee = '{name}'::regrole"
        )
        assert held == []
    finally:
        folder.query(f"drop owned by {name}; drop role {name}")


def test_the_tables_of_yoyo_are_those_that_yoyo_makes(folder: Folder) -> None:
    """What it makes and drops again on the way is left out, and nothing else."""
    from pgvouch.ledger.yoyo import VouchBackend, tables_sql

    made = (
        "select c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
        "pg_get_expr(d.adbin, d.adrelid), pg_get_indexdef(c.oid) from pg_class as c "
        "join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
        "left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum "
        "where c.relnamespace = 'pgvouch'::regnamespace order by 1, 2, 3"
    )
    found = []
    for is_short in (True, False):
        with psycopg.connect(folder.url) as connection:
            connection.execute("create schema pgvouch")
            if is_short:
                statements = tables_sql(connection)
                assert not any("drop table" in sql.lower() for sql in statements)
                connection.execute(";".join(statements))
            else:
                VouchBackend(connection).create_tables()
            found.append(connection.execute(made).fetchall())
            version = connection.execute("select version from pgvouch._yoyo_version").fetchall()
            assert version == [(2,)]
            connection.rollback()
    assert found[0] == found[1]
    assert {row[0] for row in found[0]} >= {
        "_yoyo_migration",
        "_yoyo_log",
        "_yoyo_version",
        "yoyo_lock",
    }
