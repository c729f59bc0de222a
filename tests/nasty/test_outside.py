"""What cannot run in a transaction block: `outside()` against what real servers say."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Folder
from pgvouch.errors import FileError, Place
from pgvouch.files.refusals import refuse_statements
from pgvouch.files.transaction_block import Kind, Outside, outside

SETUP = """
create table t (a int, m text);
create index ti on t (a);
create table pt (a int) partition by range (a);
create table p1 partition of pt for values from (0) to (10);
create index pti on pt (a);
create materialized view mv as select 1 as a;
create unique index on mv (a);
create type mood as enum ('a');
create schema "S";
"""
C, D, R = Kind.CREATE_INDEX, Kind.DROP_INDEX, Kind.REINDEX

REFUSED: dict[str, Outside] = {
    "create index concurrently on t (m)": Outside(C, C.value, relation="t"),
    'create unique index concurrently if not exists "T i" on public.t (a)': Outside(
        C, C.value, schema="public", relation="t", name="T i", if_exists=True
    ),
    "create /* a /* b */ */ INDEX -- c\n CONCURRENTLY Ti2 on T (a)": Outside(
        C, C.value, relation="t", name="ti2"
    ),
    r'create index concurrently U&"\0069" on only t (a)': Outside(
        C, C.value, relation="t", name="i"
    ),
    "drop index concurrently ti": Outside(D, D.value, relation="ti", names=((None, "ti"),)),
    'drop index concurrently if exists "S".nix': Outside(
        D, D.value, schema="S", relation="nix", names=(("S", "nix"),), if_exists=True
    ),
    "drop index concurrently ti, public.pti": Outside(
        D, D.value, relation="ti", names=((None, "ti"), ("public", "pti"))
    ),
    "reindex table concurrently public.t": Outside(
        R, "REINDEX TABLE CONCURRENTLY", schema="public", relation="t", target="table"
    ),
    "reindex index concurrently ti": Outside(
        R, "REINDEX INDEX CONCURRENTLY", relation="ti", target="index"
    ),
    "reindex (concurrently) index ti": Outside(
        R, "REINDEX INDEX CONCURRENTLY", relation="ti", target="index"
    ),
    "reindex (verbose, concurrently 1) table t": Outside(
        R, "REINDEX TABLE CONCURRENTLY", relation="t", target="table"
    ),
    'reindex schema "S"': Outside(R, "REINDEX SCHEMA", schema="S", target="schema"),
    "reindex (concurrently on) schema public": Outside(
        R, "REINDEX SCHEMA CONCURRENTLY", schema="public", target="schema"
    ),
    "reindex database here": Outside(R, "REINDEX DATABASE", target="database"),
    "reindex system here": Outside(R, "REINDEX SYSTEM", target="system"),
    'alter table "public".pt detach partition public."p1" concurrently': Outside(
        Kind.DETACH,
        Kind.DETACH.value,
        schema="public",
        relation="pt",
        name="p1",
        name_schema="public",
    ),
    "alter table if exists nix detach partition p1 concurrently": Outside(
        Kind.DETACH, Kind.DETACH.value, relation="nix", name="p1", if_exists=True
    ),
    "vacuum": Outside(Kind.IDEMPOTENT, "VACUUM"),
    "vacuum (analyze, full) t": Outside(Kind.IDEMPOTENT, "VACUUM"),
    "alter system set work_mem = '5MB'": Outside(Kind.IDEMPOTENT, "ALTER SYSTEM"),
    "alter /* x */ system reset all": Outside(Kind.IDEMPOTENT, "ALTER SYSTEM"),
    "cluster": Outside(Kind.IDEMPOTENT, "CLUSTER"),
    "cluster verbose": Outside(Kind.IDEMPOTENT, "CLUSTER"),
    "discard all": Outside(Kind.IDEMPOTENT, "DISCARD ALL"),
    "create database other": Outside(Kind.OTHER, "CREATE DATABASE"),
    "drop database other": Outside(Kind.OTHER, "DROP DATABASE"),
    "drop database if exists other": Outside(Kind.OTHER, "DROP DATABASE", if_exists=True),
    "alter database here set tablespace pg_default": Outside(
        Kind.OTHER, "ALTER DATABASE SET TABLESPACE"
    ),
    "create tablespace tx location '/nonexistent'": Outside(Kind.OTHER, "CREATE TABLESPACE"),
    "drop tablespace if exists tx": Outside(Kind.OTHER, "DROP TABLESPACE", if_exists=True),
    "create subscription s connection 'host=/x' publication p": Outside(
        Kind.OTHER, "CREATE SUBSCRIPTION"
    ),
    "create subscription s connection 'host=/x' publication p with (create_slot)": Outside(
        Kind.OTHER, "CREATE SUBSCRIPTION"
    ),
    "alter subscription {on} refresh publication": Outside(
        Kind.IDEMPOTENT, "ALTER SUBSCRIPTION REFRESH PUBLICATION"
    ),
    "alter subscription {on} set publication q": Outside(
        Kind.IDEMPOTENT, "ALTER SUBSCRIPTION SET PUBLICATION"
    ),
    "alter subscription {on} add publication q with (refresh = true)": Outside(
        Kind.OTHER, "ALTER SUBSCRIPTION ADD PUBLICATION"
    ),
    "alter subscription {on} drop publication p2": Outside(
        Kind.OTHER, "ALTER SUBSCRIPTION DROP PUBLICATION"
    ),
    "drop subscription {on}": Outside(Kind.OTHER, "DROP SUBSCRIPTION"),
    "commit prepared 'x'": Outside(Kind.OTHER, "COMMIT PREPARED"),
    "rollback prepared 'x'": Outside(Kind.OTHER, "ROLLBACK PREPARED"),
}
SINCE_18 = {
    "alter subscription {off} set (failover = false)": Outside(
        Kind.OTHER, "ALTER SUBSCRIPTION SET"
    ),
    "alter subscription {off} set (two_phase = off)": Outside(Kind.OTHER, "ALTER SUBSCRIPTION SET"),
}
ALLOWED = [
    "create index on t (m)",
    "drop index ti",
    "reindex (concurrently off) index ti",
    "reindex (concurrently, concurrently false) table t",
    "reindex table t",
    "alter table pt detach partition p1",
    "alter table pt detach partition p1 finalize",
    "alter table pt attach partition t for values from (10) to (20)",
    "analyze",
    "checkpoint",
    "cluster t using ti",
    "discard plans",
    "discard temp",
    "alter database here set work_mem = '4MB'",
    "alter database here connection limit 100",
    "alter table all in tablespace pg_default set tablespace pg_default",
    "create subscription s connection 'host=/x' publication p with (connect = false)",
    "create subscription s connection 'host=/x' publication p with (create_slot = off)",
    "alter subscription {on} set publication q with (refresh = false)",
    "alter subscription {on} add publication q with (refresh = 0)",
    "alter subscription {on} disable",
    "alter subscription {off} set (slot_name = none)",
    "refresh materialized view concurrently mv",
    "alter type mood add value 'b'",
    "do $$begin perform 1; end$$",
    "select 'create index concurrently', 'vacuum' as cluster",
    "comment on table t is 'drop database x'",
    "create function f() returns void language plpgsql as $$begin execute 'vacuum'; end$$",
]
# They depend on what the catalog holds; a text cannot tell.
CATALOG_TELLS = ["reindex table pt", "reindex index pti", "cluster pt using pti"]


@contextmanager
def _subscriptions(connection: psycopg.Connection[object]) -> Iterator[dict[str, str]]:
    """Two subscriptions with a slot by name; no server is ever asked for one."""
    names = {"on": "sub_on", "off": "sub_off"}
    for name in names.values():
        connection.execute(
            f"create subscription {name} connection 'host=/nonexistent' publication p, p2 "
            "with (connect = false)"
        )
    connection.execute("alter subscription sub_on enable")
    try:
        yield names
    finally:
        for name in names.values():
            connection.execute(f"alter subscription {name} disable")
            connection.execute(f"alter subscription {name} set (slot_name = none)")
            connection.execute(f"drop subscription {name}")


def _sqlstate_in_a_block(connection: psycopg.Connection[object], statement: str) -> str | None:
    connection.execute("begin")
    try:
        connection.execute(statement)
    except psycopg.Error as exc:
        return exc.sqlstate
    finally:
        connection.execute("rollback")
    return None


@pytest.mark.filterwarnings("ignore")
def test_the_server_agrees_about_every_statement(every_url: str) -> None:
    disagreements = []
    with (
        psycopg.connect(every_url, autocommit=True) as connection,
        _subscriptions(connection) as names,
    ):
        connection.execute(SETUP)
        refused = dict(REFUSED)
        if connection.info.server_version >= 180000:
            refused |= SINCE_18
        for statement in [*refused, *ALLOWED]:
            sqlstate = _sqlstate_in_a_block(connection, statement.format(**names))
            if (sqlstate == "25001") is not (statement in refused):
                disagreements.append((statement, sqlstate))
        for statement in CATALOG_TELLS:
            assert _sqlstate_in_a_block(connection, statement) == "25001"
    assert disagreements == []


@pytest.mark.parametrize("statement", [*REFUSED, *SINCE_18])
def test_it_says_what_a_statement_is_about(statement: str) -> None:
    found = outside(statement.format(on="s", off="s"))
    assert found is not None
    assert asdict(found) == asdict((REFUSED | SINCE_18)[statement])


@pytest.mark.parametrize("statement", [*ALLOWED, *CATALOG_TELLS])
def test_what_can_run_in_a_block_is_none(statement: str) -> None:
    assert outside(statement.format(on="s", off="s")) is None


@pytest.mark.parametrize(
    "text", ["", "vacuum from", "-- vacuum", "create index concurrently", "vacuum; select 1"]
)
def test_what_is_not_one_statement_is_none(text: str) -> None:
    assert outside(text) is None


def test_the_first_such_statement_is_refused_with_its_line() -> None:
    text = "create table t (n int);\n-- vacuum\n\n  vacuum t;\nreindex system x;\n"
    with pytest.raises(FileError) as caught:
        refuse_statements(text, Place(Path("f.sql")), transactional=True)
    assert caught.value.place == Place(Path("f.sql"), 4, 3)
    assert caught.value.statement == "vacuum t"
    assert "VACUUM cannot run in a transaction" in caught.value.message
    assert "-- transactional: false" in str(caught.value.hint)


def test_a_subscription_that_gave_up_its_slot_can_be_dropped() -> None:
    place = Place(Path("f.sql"))
    given_up = "alter subscription s set (slot_name = none); drop subscription s;"
    refuse_statements(given_up, place, transactional=True)
    with pytest.raises(FileError):
        kept = "alter subscription s disable; drop subscription s;"
        refuse_statements(kept, place, transactional=True)


@given(
    st.sampled_from(["", "select 1;\n", "select $$ vacuum; $$; -- é🐘\n", "/* ; */ select ';';"]),
    st.sampled_from(["VACUUM", "cluster", "create index concurrently i on t (a)"]),
    st.sampled_from(["", ";", "; select 1", " -- the end"]),
)
def test_it_is_found_behind_anything(before: str, statement: str, after: str) -> None:
    with pytest.raises(FileError) as caught:
        refuse_statements(before + statement + after, Place(Path("f")), transactional=True)
    line = caught.value.place.line if caught.value.place else None
    assert line == before.count("\n") + 1


def test_an_unnamed_index_is_refused() -> None:
    text = (
        "create index concurrently i on t (a);\ncreate index on t (b);\n"
        "create index concurrently on public.t (c);"
    )
    with pytest.raises(FileError) as caught:
        refuse_statements(text, Place(Path("f.sql")), transactional=False)
    assert caught.value.place == Place(Path("f.sql"), 3, 1)
    assert "create index concurrently t_" in str(caught.value.hint)


HEAD = "-- transactional: false\n"


@pytest.mark.parametrize(
    ("files", "message", "line"),
    [
        ({"001_a.sql": "create table a ();\nvacuum a;"}, "VACUUM cannot run", "001_a.sql:2:1"),
        (
            {"001_a.sql": "create table a ();", "001_a.rollback.sql": "drop table a;\ncluster;"},
            "CLUSTER cannot run",
            "001_a.rollback.sql:2:1",
        ),
        (
            {"001_a.sql": HEAD + "create table a ();", "001_a.rollback.sql": "vacuum;"},
            "VACUUM cannot run",
            "001_a.rollback.sql:1:1",
        ),
        (
            {"001_a.sql": HEAD + "create table a (n int);\ncreate index concurrently on a (n);"},
            "without a name",
            "001_a.sql:3:1",
        ),
        ({"001_a.sql": "create table a ();\ndiscard all;"}, "DISCARD ALL cannot", "001_a.sql:2:1"),
        (
            {
                "001_a.sql": "-- var: name\ncreate table a (n int);\n"
                'create index concurrently :"name" on a (n);'
            },
            "CREATE INDEX CONCURRENTLY cannot",
            "001_a.sql:3:1",
        ),
    ],
)
def test_a_file_is_refused_before_anything_runs(
    folder: Folder, files: dict[str, str], message: str, line: str
) -> None:
    folder.write({"000_first.sql": "create table first ();", **files})
    ran = folder("migrate", "--var", "name=an_index")
    assert ran.code == 2, ran.err
    assert message in ran.err
    assert f"  at      migrations/{line}" in ran.err
    assert folder.query("select to_regclass('a'), to_regclass('first')") == [(None, None)]


def test_each_file_goes_by_its_own_header(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (n int);\ncreate index i on a (n);",
            "001_a.rollback.sql": HEAD + "drop index concurrently i;\nvacuum;\ndrop table a;",
        }
    )
    assert folder("migrate").code == 0
    ran = folder("rollback")
    assert ran.code == 0, ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]
