"""A value added to an enum type and used in the same transaction, against real servers."""

from pathlib import Path

import psycopg
import pytest

from conftest import Folder
from pgvouch.errors import FileError, Place
from pgvouch.files.enums import refuse_enum_use

SETUP = """
create type mood as enum ('a');
create table mt (m mood, l text, n int);
create table pt (m mood) partition by list (m);
insert into mt values ('a', 'a', 1);
"""
ADD = "alter type mood add value 'b';\n"

REFUSED = [
    "insert into mt values ('b')",
    "insert into mt (m) select 'b' from mt",
    "select 'b'::mood",
    "select 'b'::public.mood",
    "select cast('b' as mood)",
    "select mood 'b'",
    "select '{a,b}'::mood[]",
    "select array['b']::mood[]",
    "update mt set m = 'b'",
    "delete from mt where m = 'b'",
    "select * from mt where m in ('a', 'b')",
    "select * from mt where m between 'a' and 'b'",
    "select * from mt where m = any ('{b}')",
    "select * from mt where m is distinct from 'b'",
    "select coalesce(m, 'b') from mt",
    "select greatest(m, 'b'), nullif(m, 'b') from mt",
    "select case when true then 'b' else m end from mt",
    "select case m when 'b' then 1 end from mt",
    "select count(*) filter (where m = 'b') from mt",
    "create table x (m mood default 'b')",
    "create table x (m mood check (m <> 'b'))",
    "create table x partition of pt for values in ('b')",
    "alter table mt alter m set default 'b'",
    "alter table mt add column o mood default 'b'",
    "alter table mt alter l type mood using 'b'",
    "alter table mt add constraint ck check (m in ('a', 'b'))",
    "create view v as select * from mt where m = 'b'",
    "create index on mt (l) where m = 'b'",
    "create policy pp on mt using (m = 'b')",
    "create domain dm as mood check (value <> 'b')",
    "create domain dm as mood default 'b'",
    "prepare pr as select * from mt where m = 'b'",
    "explain select 'b'::mood",
    "declare c cursor for select 'b'::mood",
    "merge into mt using (select 1) s on m = 'b' when matched then delete",
    "create function f(x mood default 'b') returns int language plpgsql as $$begin end$$",
    "create function f() returns mood language sql return 'b'::mood",
    "create function f() returns mood language sql begin atomic select 'b'::mood; end",
    "create function f() returns mood language sql as $$ select 'b'::mood $$",
    "create function f() returns setof mt language sql as $$ select * from mt where m = 'b' $$",
    "alter type mood rename value 'b' to 'c'; select 'c'::mood",
    "alter type mood rename to humour; select 'b'::humour",
]
ALLOWED = [
    "select 'b'",
    "select 'b'::text, to_jsonb('b'::text), format('%s', 'b'), '{}'::jsonb ->> 'b'",
    "select * from mt where m::text = 'b' or lower(l) = 'b' or '{}'::jsonb ->> 'x' = 'b'",
    "select * from mt where l like 'b'",
    "insert into mt (l) values ('b'::text)",
    "create table x (l text default 'b')",
    "alter table mt alter m type text using 'b'",
    "create type mood2 as enum ('b')",
    "alter type mood add value 'c' after 'b'",
    "alter type mood rename value 'b' to 'c'",
    "comment on type mood is 'b'",
    "comment on column mt.m is 'b'",
    "set my.x = 'b'",
    "notify x, 'b'",
    "create function f() returns mood language plpgsql as $$begin return 'b'::mood; end$$",
    "do $$begin if false then perform 'b'::mood; end if; end$$",
    "create trigger tr before update on mt for each row "
    "execute function suppress_redundant_updates_trigger('b')",
    "select 'a'::mood",
    "drop type mood cascade; create type mood as enum ('b'); select 'b'::mood",
    "alter type mood rename to old; create type mood as enum ('b'); select 'b'::mood",
]
# A text does not tell what runs in a DO block, or what a function does with a type.
ONLY_THE_SERVER_TELLS = [
    "do $$begin perform 'b'::mood; end$$",
    "select enum_range(null::mood)",
]
# Nor what type a column has. The message says how to settle it.
REFUSED_WITHOUT_NEED = ["insert into mt (l) values ('b')", "update mt set l = 'b'"]


def _refused(text: str) -> bool:
    try:
        refuse_enum_use(text, Place(Path("f.sql")))
    except FileError:
        return True
    return False


@pytest.mark.filterwarnings("ignore")
def test_the_server_agrees_about_every_statement(every_url: str) -> None:
    disagreements = []
    with psycopg.connect(every_url, autocommit=True) as connection:
        connection.execute(SETUP)
        for statement in REFUSED + ALLOWED + ONLY_THE_SERVER_TELLS + REFUSED_WITHOUT_NEED:
            connection.execute("begin")
            connection.execute(ADD)
            sqlstate = None
            try:
                connection.execute(statement)
            except psycopg.Error as exc:
                sqlstate = exc.sqlstate
            connection.execute("rollback")
            expected = "55P04" if statement in REFUSED + ONLY_THE_SERVER_TELLS else None
            if sqlstate != expected:
                disagreements.append((statement, sqlstate))
    assert disagreements == []


@pytest.mark.parametrize("statement", REFUSED + REFUSED_WITHOUT_NEED)
def test_a_use_is_refused(statement: str) -> None:
    assert _refused(ADD + statement)
    assert not _refused(statement + ";\n" + ADD)


@pytest.mark.parametrize("statement", ALLOWED + ONLY_THE_SERVER_TELLS)
def test_what_is_no_use_is_not_refused(statement: str) -> None:
    assert not _refused(ADD + statement)


def test_the_place_is_that_of_the_use() -> None:
    text = "/* é */ " + ADD + "select 1;\nselect 'é',\n  'b'::mood;"
    with pytest.raises(FileError) as caught:
        refuse_enum_use(text, Place(Path("f.sql")))
    assert caught.value.place == Place(Path("f.sql"), 4, 3)
    assert "the value 'b' of the type mood" in caught.value.message
    assert "'b'::text" in str(caught.value.hint)


def test_a_type_of_the_same_file_is_left_to_the_server(every_url: str) -> None:
    """PostgreSQL 17 and later allow it; before, the error is the server's."""
    text = "create type z as enum ('a'); alter type z add value 'b'; select 'b'::z;"
    assert not _refused(text)
    with psycopg.connect(every_url) as connection:
        if connection.info.server_version >= 170000:
            assert connection.execute(text).nextset()
        else:
            with pytest.raises(psycopg.errors.UnsafeNewEnumValueUsage):
                connection.execute(text)


def test_two_migrations_or_no_transaction_are_the_ways_out(folder: Folder) -> None:
    folder.write({"001_a.sql": SETUP, "002_b.sql": ADD + "insert into mt values ('b');"})
    ran = folder("migrate")
    assert ran.code == 2
    assert "  at      migrations/002_b.sql:2:24" in ran.err
    assert folder.query("select to_regclass('mt')") == [(None,)]
    folder.write({"002_b.sql": ADD, "003_c.sql": "insert into mt values ('b');"})
    assert folder("migrate").code == 0
    folder.write(
        {"004_d.sql": "-- transactional: false\nalter type mood add value 'd';\nselect 'd'::mood;"}
    )
    assert folder("migrate").code == 0
    assert folder.query("select m::text from mt order by m") == [("a",), ("b",)]
