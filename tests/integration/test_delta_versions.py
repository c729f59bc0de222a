"""Equal DDL gives equal text, whatever the version, the locale, the session and the role."""

import os
import secrets
from pathlib import Path

import psycopg
import pytest

from conftest import BINARIES, start
from pgvouch.delta.compare import compare
from pgvouch.delta.file import parse_file, render_file
from pgvouch.delta.snapshot import difference
from support.catalogs import delta_of, rolled_back, snapshot

RICH = Path(__file__).with_name("test_delta_rich.sql").read_text(encoding="utf-8")
GOLDEN = Path(__file__).with_name("test_delta_rich.delta")


def rich_delta(url: str) -> tuple[str, ...]:
    with rolled_back(url) as connection:
        return delta_of(connection, RICH)


@pytest.mark.parametrize("name", BINARIES)
def test_every_version_gives_the_same_text(name: str) -> None:
    """The text is also that of the release before: users have it in their files.

    PGVOUCH_WRITE_GOLDEN=1 rewrites the file, for the diff to be reviewed.
    """
    server = start(name)
    database = f"delta_{secrets.token_hex(4)}"
    with server.janitor(database):
        actual = rich_delta(server.url(database))
    if "PGVOUCH_WRITE_GOLDEN" in os.environ:
        GOLDEN.write_text(render_file(actual), encoding="utf-8")
    expected = parse_file(GOLDEN.read_text(encoding="utf-8"), GOLDEN)
    assert compare(expected, actual) is None
    assert len(actual) > 300


def test_one_of_the_servers_is_eighteen_and_one_is_older() -> None:
    assert "pg18" in BINARIES
    assert len(BINARIES) > 1


HOSTILE = """
set search_path = nowhere, public;
set quote_all_identifiers = on;
set datestyle = 'German, DMY';
set intervalstyle = iso_8601;
set timezone = 'Asia/Kolkata';
set extra_float_digits = -5;
set bytea_output = escape;
set standard_conforming_strings = on;
set enable_hashjoin = off;
set enable_hashagg = off;
set default_transaction_isolation = serializable;
"""


def test_the_session_does_not_show(every_url: str) -> None:
    with rolled_back(every_url) as connection:
        # The script itself must mean the same: only the snapshots run in the hostile session.
        before = snapshot(connection)
        connection.execute(RICH)
        plain = snapshot(connection)
        connection.execute(HOSTILE)
        connection.execute("set standard_conforming_strings = off")
        assert difference(plain, snapshot(connection)) == ()
        assert len(difference(before, plain)) > 300


def test_the_settings_of_the_session_are_given_back(url: str) -> None:
    with rolled_back(url) as connection:
        connection.execute(HOSTILE)
        connection.execute("set local work_mem = '5MB'")
        mine = connection.execute("select name, setting from pg_settings order by name").fetchall()
        snapshot(connection)
        assert (
            mine
            == connection.execute("select name, setting from pg_settings order by name").fetchall()
        )


def test_no_lock_stays_behind(url: str) -> None:
    with rolled_back(url) as connection:
        connection.execute("create table t (a integer); create view v as select a from t")
        connection.execute("savepoint here")
        count = "select count(*) from pg_locks where pid = pg_backend_pid()"
        before = connection.execute(count).fetchone()
        snapshot(connection)
        assert connection.execute(count).fetchone() == before


LOCALES = (
    "template template0 locale_provider icu icu_locale 'tr-TR'",
    "template template0 encoding 'LATIN1' locale 'C'",
    "template template0 encoding 'SQL_ASCII' locale 'C'",
)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_locale_of_the_database_does_not_show(locale: str) -> None:
    """Turkish has another lower case of I; not every build has ICU, but one of those here has."""
    tried = 0
    for name in BINARIES:
        server = start(name)
        database = f"locale_{secrets.token_hex(4)}"
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            try:
                connection.execute(f"create database {database} {locale}")
            except psycopg.errors.Error:
                continue
        tried += 1
        actual = rich_delta(server.url(database) + "&client_encoding=utf8")
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"drop database {database}")
        assert compare(parse_file(GOLDEN.read_text(encoding="utf-8"), GOLDEN), actual) is None
    assert tried


def test_a_role_without_privileges_sees_the_same_objects(every_url: str) -> None:
    with rolled_back(every_url) as connection:
        connection.execute(RICH)
        mine = dict(snapshot(connection).objects)
        connection.execute("set local role pgv_reader")
        theirs = dict(snapshot(connection).objects)
        connection.execute("reset role")
    # Who looks decides which owners and which options of user mappings are told, and nothing else.
    told = {
        identity
        for identity in mine.keys() | theirs.keys()
        if mine.get(identity) != theirs.get(identity)
    }
    kinds = {identity.split(" of ")[0].split(" for ")[0].split(" on ")[0] for identity in told}
    assert kinds <= {"owner", "user mapping", "grant by default", "revoke by default"}


EIGHTEEN = """
create table public.e (
  a integer constraint a_named not null,
  b integer not null no inherit,
  c integer,
  d integer generated always as (a + 1) virtual,
  during tstzrange,
  check (c > 0) not enforced,
  unique (a, during without overlaps)
);
alter table public.e add constraint later not null c not valid;
"""


def test_what_eighteen_alone_can_say_is_told(url: str) -> None:
    with rolled_back(url) as connection:
        connection.execute("create type r as range (subtype = integer)")
        delta = delta_of(
            connection,
            EIGHTEEN.replace("a, during", "r, during").replace(
                "during tstzrange,", "during tstzrange, r r,"
            ),
        )
    assert "+ column public.e.a integer not null" in delta
    assert "+ column public.e.b integer not null no inherit" in delta
    assert "+ column public.e.c integer not null not valid" in delta
    assert "+ column public.e.d integer generated always as ((a + 1)) virtual" in delta
    assert "+ constraint public.e e_c_check CHECK ((c > 0)) NOT ENFORCED" in delta
    assert "+ constraint public.e e_r_during_key UNIQUE (r, during WITHOUT OVERLAPS)" in delta


def test_a_tablespace_is_told(url: str) -> None:
    """It belongs to the server and cannot be made in a transaction, so the script has none."""
    name = f"pgv_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set allow_in_place_tablespaces = on")
        connection.execute(f"create tablespace {name} location ''")
        try:
            connection.execute("begin")
            delta = delta_of(
                connection,
                f"""
                create table a (a integer) tablespace {name};
                create table b (b integer primary key using index tablespace {name});
                create index c on b (b) tablespace {name};
                create materialized view d tablespace {name} as select 1 as d;
                """,
            )
            connection.execute("rollback")
        finally:
            connection.execute(f"drop tablespace {name}")
    assert [line.partition(" ")[2] for line in delta if name in line] == [
        f"constraint public.b b_pkey PRIMARY KEY (b) tablespace {name}",
        f"index public.c ON public.b USING btree (b) tablespace {name}",
        f"materialized view public.d tablespace {name} as SELECT 1 AS d",
        f"table public.a (a) tablespace {name}",
    ]


MAINTAIN = {
    "grant all on t to pgv_reader": "all",
    "grant all on t to pgv_reader; revoke maintain on t from pgv_reader": "all except maintain",
    "grant all on t to pgv_reader; revoke insert on t from pgv_reader": (
        "delete, references, select, trigger, truncate, update"
    ),
    "grant select on t to pgv_reader": "select",
    "grant select, maintain on t to pgv_reader": "select, maintain",
    "grant maintain on t to pgv_reader": "maintain",
}


@pytest.mark.parametrize("sql", MAINTAIN)
def test_maintain_is_told_where_it_is_not_expected(url: str, sql: str) -> None:
    with rolled_back(url) as connection:
        connection.execute("create table t (a integer)")
        delta = delta_of(connection, sql)
    assert delta == (f"+ grant on table public.t to pgv_reader: {MAINTAIN[sql]}",)
