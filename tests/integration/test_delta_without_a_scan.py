"""What a transaction has touched is found without looking through the whole catalog, and all of it.

Rows are looked for where the transaction has locks, and are counted: what is not there is looked
for everywhere.
"""

import secrets
from collections.abc import Iterator

import psycopg
import pytest

from conftest import Server
from integration.test_delta_of_what_is_touched import changes, told, whole
from pgvouch.delta.known import Known
from pgvouch.delta.snapshot import Snapshot, difference
from pgvouch.postgres.message import Message
from pgvouch.postgres.session import Session

BASE = """
create function s.g() returns trigger language plpgsql as 'begin return new; end';
create table s.old (a integer primary key, b text default 'b', c integer);
create table s.other (a integer, b text);
create table s.parts (a integer, b text) partition by range (a);
create type s.pair as (x integer, y integer);
create table s.far (a integer, b text);
create view s.seen as select a, b from s.old;
create index i on s.old (b);
grant select (a) on s.far to public;
"""
CATALOGS = ("pg_class", "pg_attribute", "pg_type")

# With what has to be looked through.
WRITES = {
    "create table s.n (a integer)": "",
    "create table s.n (a integer primary key, b text default 'b' check (b <> ''), c integer default 1)": "",
    "create table s.n (a bigint generated always as identity, b integer generated always as (1) stored)": "",
    "create table s.n (a integer references s.old); alter table s.n enable row level security;"
    "alter table s.n force row level security; create policy p on s.n using (true)": "",
    "create table s.n (a integer); create trigger t before insert on s.n for each row execute function s.g();"
    "create rule r as on delete to s.n do instead nothing; create index on s.n (a)": "",
    "create table s.n (like s.old including all)": "",
    "create table s.n () inherits (s.other)": "",
    "create table s.n partition of s.parts for values from (1) to (9);"
    "create table s.m partition of s.parts for values from (9) to (19)": "",
    "create table s.n (a serial)": "",
    "create unlogged table s.n as select 1 as a, '' as b": "",
    "create view s.n as select a from s.old": "",
    "create sequence s.n": "",
    "create type s.n as (x integer, y text)": "",
    "create index on s.old (c)": "",
    "create policy p on s.old using (true)": "",
    "create trigger t before insert on s.old for each row execute function s.g()": "",
    "alter table s.old add column d integer": "",
    "alter table s.old alter c set not null": "",
    "alter table s.old alter c set statistics 5": "",
    "alter table s.old rename to older": "",
    "alter table s.old rename column c to d": "",
    "alter table s.old drop column c": "",
    "comment on column s.old.a is 'a'": "",
    # Only what is inserted is known to have had an earlier version.
    "alter table s.old add column d integer not null default 1": "pg_attribute",
    "alter table s.old add column d integer; alter table s.old add column e integer": "pg_class",
    "alter table s.old alter c set not null; alter table s.old alter c set default 1": "pg_attribute",
    "create table s.n (a integer, b text); alter table s.parts attach partition s.n default": "pg_attribute",
    "create table s.n partition of s.parts default; create index on s.parts (a)": "pg_class",
    "create temporary table n (a integer default 1, b text)": "pg_class",
    "create table s.n (a integer); alter table s.n rename to m": "pg_class pg_type",
    "create table s.n (a integer); alter table s.n owner to pg_monitor": "pg_class pg_type",
    "savepoint x; create table s.n (a integer); rollback to x": "pg_class pg_attribute pg_type",
    "drop table s.other": "pg_class pg_attribute pg_type",
    "create type s.n as enum ('x')": "pg_type",
    "do $$ begin execute 'create domain s.n as integer'; end $$": "pg_type",
}
# What it has to look through depends on the version.
MATERIALIZED = "create materialized view s.n as select a, b from s.old"

# None of these locks what it changes.
UNLOCKED = {
    "grant select on s.far to public": "pg_class",
    "grant select on all tables in schema s to public": "pg_class",
    "grant select (a), update (b) on s.far to public": "pg_attribute",
    "revoke select (a) on s.far from public": "pg_attribute",
    "do $$ begin execute 'grant select (a) on s.seen to public'; end $$": "pg_attribute",
    "savepoint y; grant select (a) on s.far to public; release y": "pg_attribute",
    "update pg_catalog.pg_attribute set attstattarget = 7 where attrelid = 's.far'::regclass and attnum = 1": "pg_attribute",
    "update pg_catalog.pg_class set relrowsecurity = true where oid = 's.far'::regclass": "pg_class",
}


@pytest.fixture(scope="module")
def session(every_server: Server) -> Iterator[Session]:
    name = f"scans_{secrets.token_hex(4)}"
    with every_server.janitor(name):
        url = every_server.url(name)
        with psycopg.connect(url) as connection:
            connection.execute("create schema s")
            connection.execute(BASE)
        with Session.open(url) as session:
            yield session


def scans(session: Session) -> list[int]:
    asked = ", ".join(
        f"pg_catalog.pg_stat_get_xact_numscans('pg_catalog.{name}'::regclass)" for name in CATALOGS
    )
    (row,) = session.run(f"select {asked}")[0].rows
    return [int(count or 0) for count in row]


def read_whole(session: Session) -> Known:
    known, message = Known(), Message()
    known.add_whole(message)
    known.read_whole(message, session.run(message.text))
    return known


def looked_through(session: Session, sql: str) -> set[str]:
    """Run it in a transaction, compare the delta with that of two snapshots; return what was scanned."""
    session.run("select pg_catalog.pg_stat_force_next_flush()")
    session.run("begin; select pg_catalog.pg_current_xact_id()")
    try:
        known = read_whole(session)
        session.run(sql)
        expected = difference(Snapshot(known.groups), whole(session))
        earlier = scans(session)
        found = changes(session, known).lines
        later = scans(session)
    finally:
        session.run("rollback")
    assert found == expected, told([sql], found, expected)
    return {name for name, a, b in zip(CATALOGS, earlier, later, strict=True) if a < b}


@pytest.mark.parametrize("sql", WRITES)
def test_what_is_accounted_for_needs_no_scan(session: Session, sql: str) -> None:
    assert looked_through(session, sql) == set(WRITES[sql].split())


@pytest.mark.parametrize("unlocked", UNLOCKED)
def test_what_is_written_without_a_lock_is_found(session: Session, unlocked: str) -> None:
    """However much else is: none of it makes up for the row that is not there."""
    assert looked_through(session, unlocked) == {UNLOCKED[unlocked]}
    for sql in (*WRITES, MATERIALIZED):
        assert UNLOCKED[unlocked] in looked_through(session, f"{unlocked}; {sql}")


@pytest.mark.parametrize("sql", [*WRITES, *UNLOCKED])
def test_where_the_server_counts_nothing_everything_is_scanned(session: Session, sql: str) -> None:
    session.run("set track_counts to off")
    try:
        # What is looked through is not counted either.
        assert looked_through(session, sql) == set()
    finally:
        session.run("reset track_counts")
