"""What a migration did, whichever way it did it: the delta tells the outcome, not the statements."""

from collections.abc import Iterator

import psycopg
import pytest

from support.catalogs import delta_of, rolled_back

BASE = """
create schema app;
create table app.t (id integer primary key, note varchar(10) default 'x');
create table app.other (id integer references app.t (id));
create index t_note on app.t (note);
create policy own on app.t for select using (id > 0);
create type app.mood as enum ('sad', 'ok');
create table app.moody (m app.mood);
create function app.f(a integer) returns integer language sql as 'select a';
create view app.v as select id, note from app.t;
grant select on app.t to pgv_reader;
comment on table app.t is 'tee';
"""

NOTHING = """
select 1
create table if not exists app.t (something integer, else_again text)
create or replace function app.f(a integer) returns integer language sql as 'select a'
create or replace view app.v as select id, note from app.t
grant select on app.t to pgv_reader; grant select on app.t to pgv_reader
alter table app.t alter column id set not null
alter table app.t alter column note set default 'x'
alter table app.moody alter column m type app.mood
comment on table app.t is 'tee'
drop table if exists app.nothing
insert into app.t values (1, 'y'); update app.t set note = 'z'; delete from app.t
truncate app.t cascade
alter table app.t add column x integer; alter table app.t drop column x
alter table app.moody drop column m; alter table app.moody add column m app.mood
alter table app.t rename to u; alter table app.u rename to t
alter table app.t rename column note to n; alter table app.t rename column n to note
alter schema app rename to b; alter schema b rename to app
create schema b; alter table app.t set schema b; alter table b.t set schema app; drop schema b
drop policy own on app.t; create policy own on app.t for select using (id > 0)
drop index app.t_note; create index t_note on app.t (note)
drop function app.f(integer); create function app.f(a integer) returns integer language sql as 'select a'
drop table app.moody; drop type app.mood; create type app.mood as enum ('sad', 'ok'); create table app.moody (m app.mood)
savepoint s; drop table app.moody; rollback to s
savepoint s; create table app.x (); release s; savepoint s2; drop table app.x; release s2
do $$ begin drop table app.moody; raise 'no'; exception when others then null; end $$
create temporary table tt (a integer); create index on tt (a)
create or replace function pg_temp.f() returns integer language sql as 'select 1'
analyze app.t
reindex table app.t
"""

SOMETHING = {
    "savepoint s; alter table app.moody add n integer; release s": [
        "+ column app.moody.n integer",
        "~ table app.moody (m, n) (was: (m))",
    ],
    "do $$ begin alter table app.moody add n integer; exception when others then raise; end $$": [
        "+ column app.moody.n integer",
        "~ table app.moody (m, n) (was: (m))",
    ],
    "do $$ begin begin alter table app.moody add n integer; raise 'no'; "
    "exception when others then alter table app.moody add o integer; end; end $$": [
        "+ column app.moody.o integer",
        "~ table app.moody (m, o) (was: (m))",
    ],
    "drop table app.moody; create table app.moody (m app.mood not null)": [
        "~ column app.moody.m app.mood not null (was: app.mood)",
    ],
    "drop table app.moody; create view app.moody as select 'ok'::app.mood as m": [
        "+ view app.moody as SELECT 'ok'::app.mood AS m",
        "- column app.moody.m app.mood",
        "- table app.moody (m)",
    ],
    "alter table app.moody rename to moody2": [
        "+ column app.moody2.m app.mood",
        "+ table app.moody2 (m)",
        "- column app.moody.m app.mood",
        "- table app.moody (m)",
    ],
    "alter table app.t rename column note to n": [
        "+ column app.t.n character varying(10) default 'x'::character varying",
        "- column app.t.note character varying(10) default 'x'::character varying",
        "~ index app.t_note ON app.t USING btree (n) (was: ON app.t USING btree (note))",
        "~ table app.t (id, n) (was: (id, note))",
        "~ view app.v as SELECT id, n AS note FROM app.t (was: as SELECT id, note FROM app.t)",
    ],
    "create schema b; alter table app.moody set schema b": [
        "+ column b.moody.m app.mood",
        "+ schema b",
        "+ table b.moody (m)",
        "- column app.moody.m app.mood",
        "- table app.moody (m)",
    ],
    "alter type app.mood rename to temper": [
        "+ type app.temper enum ('sad', 'ok')",
        "- type app.mood enum ('sad', 'ok')",
        "~ column app.moody.m app.temper (was: app.mood)",
    ],
    "alter type app.mood add value 'fine' after 'sad'": [
        "~ type app.mood enum ('sad', 'fine', 'ok') (was: enum ('sad', 'ok'))",
    ],
    "alter type app.mood rename value 'ok' to 'glad'": [
        "~ type app.mood enum ('sad', 'glad') (was: enum ('sad', 'ok'))",
    ],
    "drop view app.v; alter table app.t alter column note type text": [
        "- view app.v as SELECT id, note FROM app.t",
        "~ column app.t.note text default 'x'::character varying "
        "(was: character varying(10) default 'x'::character varying)",
    ],
    "drop table app.t cascade; create table app.t (note varchar(10) default 'x', id integer)": [
        "- comment on table app.t 'tee'",
        "- constraint app.other other_id_fkey FOREIGN KEY (id) REFERENCES app.t(id)",
        "- constraint app.t t_pkey PRIMARY KEY (id)",
        "- grant on table app.t to pgv_reader: select",
        "- index app.t_note ON app.t USING btree (note)",
        "- policy app.t own for select to public using ((id > 0))",
        "- view app.v as SELECT id, note FROM app.t",
        "~ column app.t.id integer (was: integer not null)",
        "~ table app.t (note, id) (was: (id, note))",
    ],
    "set local search_path = app; create table new (a integer)": [
        "+ column app.new.a integer",
        "+ table app.new (a)",
    ],
    "drop schema app cascade; create schema app": [
        "- column app.moody.m app.mood",
        "- column app.other.id integer",
        "- column app.t.id integer not null",
        "- column app.t.note character varying(10) default 'x'::character varying",
        "- comment on table app.t 'tee'",
        "- constraint app.other other_id_fkey FOREIGN KEY (id) REFERENCES app.t(id)",
        "- constraint app.t t_pkey PRIMARY KEY (id)",
        "- function app.f(integer) (a integer) returns integer language sql "
        "body sha256:8e895c9ab1d89695",
        "- grant on table app.t to pgv_reader: select",
        "- index app.t_note ON app.t USING btree (note)",
        "- policy app.t own for select to public using ((id > 0))",
        "- table app.moody (m)",
        "- table app.other (id)",
        "- table app.t (id, note)",
        "- type app.mood enum ('sad', 'ok')",
        "- view app.v as SELECT id, note FROM app.t",
    ],
    r"""comment on table app.t is E'two\nlines \\n'; create table app."a\b
c" ()""": [
        r'+ table app."a\\b\nc" ()',
        r"~ comment on table app.t 'two\nlines \\n' (was: 'tee')",
    ],
}


@pytest.fixture
def connection(every_url: str) -> Iterator[psycopg.Connection]:
    with rolled_back(every_url) as connection:
        connection.execute(BASE)
        yield connection


def test_what_changes_nothing_says_nothing(connection: psycopg.Connection) -> None:
    said = {}
    for sql in NOTHING.strip().splitlines():
        connection.execute("savepoint test")
        said[sql] = delta_of(connection, sql)
        connection.execute("rollback to test")
    assert {sql: delta for sql, delta in said.items() if delta} == {}


def test_what_changes_something_says_exactly_that(connection: psycopg.Connection) -> None:
    for sql, expected in SOMETHING.items():
        connection.execute("savepoint test")
        assert list(delta_of(connection, sql)) == expected
        connection.execute("rollback to test")


def test_an_extension_is_one_line_and_grants_on_its_members_are_told(url: str) -> None:
    with rolled_back(url) as connection:
        connection.execute("create schema ext")
        made = delta_of(connection, "create extension vector schema ext")
        granted = delta_of(
            connection, "revoke execute on function ext.vector_dims(ext.vector) from public"
        )
        gone = delta_of(connection, "drop extension vector")
    assert made == ("+ extension vector schema ext",)
    assert granted == ("+ revoke on function ext.vector_dims(ext.vector) from public: execute",)
    assert gone == ("- extension vector schema ext", f"-{granted[0][1:]}")


def test_the_ledger_is_not_told(url: str) -> None:
    with rolled_back(url) as connection:
        ledger = "create schema pgvouch; create table pgvouch.x (a integer primary key); "
        assert delta_of(connection, ledger) == ()


def test_the_role_that_migrates_is_not_named(every_url: str) -> None:
    sql = """
      create table mine.t (id serial);
      alter default privileges grant select on tables to public;
      revoke insert on mine.t from current_user;
      create table mine.given (); alter table mine.given owner to pgv_reader;
    """
    told = []
    for role in ("postgres", "pgv_writer"):
        with rolled_back(every_url) as connection:
            connection.execute("create schema mine; grant all on schema mine to public")
            connection.execute("grant pgv_reader to pgv_writer")
            connection.execute(f"set local role {role}")
            told.append(delta_of(connection, sql))
    assert told[0] == told[1]
    assert "+ owner of table mine.given pgv_reader" in told[0]
    assert "+ revoke on table mine.t from (owner): insert" in told[0]
    assert "+ grant by default on tables to public: select" in told[0]
