"""The stamp that promises a whole catalog: whatever else is there, or is there otherwise, is named."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from conftest import Folder
from pgvouch.stamp.rewrite import stamp_files
from pgvouch.stamp.templates import Templates

SYSTEM = """
create type public.mood as enum ('good', 'bad');
create table public.notes (
  id bigint generated always as identity primary key,
  owner uuid not null,
  body text not null,
  mood public.mood,
  written_at timestamptz not null default now()
);
alter table public.notes enable row level security;
create policy notes_own on public.notes to vouch_user using (owner = '{00000000-0000-4000-8000-000000000001}');
create function public.touch() returns trigger language plpgsql set search_path = ''
  as $$ begin new.written_at = now(); return new; end $$;
revoke execute on function public.touch() from public;
create trigger notes_touch before update on public.notes for each row execute function public.touch();
create publication vouch_feed for table public.notes;
grant select, insert (body) on public.notes to vouch_user;
"""
STAMP = """-- stamp: whole_catalog(schemas=["public"], roles=["vouch_login", "vouch_user"],
--   holds=[
--     "table public.notes, row security, 1 policy: 1 bigint, 1 public.mood, 1 text, 1 timestamptz, 1 uuid",
--     "type public.mood",
--     "function public.touch(), search_path=\\"\\"",
--     "trigger notes_touch on public.notes",
--     "publication vouch_feed: public.notes",
--     "role vouch_login, login",
--     "role vouch_user",
--     "role vouch_login may become vouch_user",
--     "grant insert (body), select on public.notes to vouch_user",
--   ],
--   allowed=["default privileges in public for vouch_user", "table public.by_another: *", "%", "table public.kept_: *"])
"""
ROLES = """
create role vouch_login login noinherit;
create role vouch_user;
create role vouch_bystander;
grant vouch_user to vouch_login;
"""
GONE = """
drop owned by vouch_login, vouch_user, vouch_bystander;
drop role vouch_login, vouch_user, vouch_bystander;
"""


@dataclass(frozen=True)
class System:
    """A folder whose database and roles are the test's own: roles are shared by the whole server."""

    folder: Folder
    own: str

    def named(self, text: str) -> str:
        return text.replace("vouch_", self.own)

    def query(self, sql: str) -> None:
        self.folder.query(self.named(sql))

    def verify(self) -> tuple[int, str]:
        ran = self.folder("verify")
        return ran.code, ran.out.replace(self.own, "vouch_")


@pytest.fixture
def system(make_folder: Callable[[str], Folder], every_url: str) -> Iterator[System]:
    system = System(make_folder(every_url), f"v{secrets.token_hex(4)}_")
    system.folder.write(
        {"001_notes.sql": system.named(SYSTEM), "verify/001_notes.sql": system.named(STAMP)}
    )
    [outcome] = stamp_files([system.folder.path / "verify" / "001_notes.sql"], Templates())
    assert outcome.status == "written"
    system.query(ROLES)
    try:
        ran = system.folder("migrate")
        assert ran.code == 0, ran.err
        yield system
    finally:
        system.query("reassign owned by vouch_login, vouch_user, vouch_bystander to current_user")
        system.query(GONE)


ELSEWHERE = (
    "create schema vouch_else authorization vouch_bystander; "
    "grant usage on schema vouch_else to vouch_user"
)
BESIDES = [
    (
        "create view public.all_notes as select * from public.notes",
        "view public.all_notes: 1 bigint",
    ),
    ("create materialized view public.m as select 1 as a", "materialized view public.m: 1 integer"),
    ("create unlogged table public.scratch (a int)", "unlogged table public.scratch: 1 integer"),
    ("create table public.kept (a int) partition by list (a)", "table public.kept: 1 integer"),
    ("create table public.kept1 (a int)", "table public.kept1: 1 integer"),
    ("create sequence public.s", "sequence public.s"),
    ("create type public.pair as (a int, b int)", "type public.pair"),
    ("create domain public.d as text", "type public.d"),
    (
        "create function public.become(text) returns void language sql security definer as ''",
        "security definer function public.become(text)",
    ),
    ("create procedure public.p() language sql as ''", "procedure public.p()"),
    (
        "create aggregate public.total(int) (sfunc = int4pl, stype = int)",
        "aggregate public.total(integer)",
    ),
    (
        "create operator public.=== (leftarg = int, rightarg = int, function = int4eq)",
        "operator public.===",
    ),
    ("create schema hidden", "schema hidden"),
    (
        "create trigger notes_again after update on public.notes for each row execute function public.touch()",
        "trigger notes_again on public.notes",
    ),
    (
        "alter table public.notes disable trigger notes_touch",
        "notes_touch on public.notes, not enabled",
    ),
    (
        "create rule notes_void as on delete to public.notes do instead nothing",
        "rule notes_void on public.notes",
    ),
    (
        "alter table public.notes add constraint notes_key unique (id) deferrable initially deferred",
        "constraint notes_key on public.notes, deferrable, initially deferred",
    ),
    (
        "alter table public.notes add constraint notes_body check (body <> '') not valid",
        "constraint notes_body on public.notes, not validated",
    ),
    ("create policy more on public.notes using (true)", "row security, 2 policies"),
    (
        "alter table public.notes disable row level security",
        "table public.notes, 1 policy: 1 bigint",
    ),
    ("alter table public.notes alter written_at type timestamptz(0)", "1 timestamp(0)tz"),
    ("alter table public.notes alter body type varchar(20)", "1 varchar(20)"),
    ('alter table public.notes alter body type text collate "C"', "1 text collate C"),
    (
        "alter sequence public.notes_id_seq maxvalue 1000 cycle",
        "sequence public.notes_id_seq cycle maxvalue 1000",
    ),
    ("alter function public.touch() reset search_path", "function public.touch()"),
    ("alter function public.touch() security definer", "security definer function public.touch()"),
    (
        "grant execute on function public.touch() to public",
        "grant execute on function public.touch() to public",
    ),
    ("grant all on public.notes to vouch_login", "on public.notes to vouch_login"),
    ("grant update on public.notes to public", "grant update on public.notes to public"),
    (
        "grant delete on public.notes to vouch_user with grant option",
        "delete with grant option, insert (body), select on public.notes to vouch_user",
    ),
    (
        "grant insert (owner) on public.notes to vouch_user",
        "grant insert (body, owner), select on public.notes",
    ),
    (
        "grant usage on sequence public.notes_id_seq to vouch_user",
        "usage on public.notes_id_seq to vouch_user",
    ),
    ("grant create on schema public to vouch_user", "grant create on schema public to vouch_user"),
    ("grant create on schema public to public", "grant create on schema public to public"),
    ("alter table public.notes owner to vouch_login", "owner of public.notes: vouch_login"),
    ("alter table public.notes owner to vouch_bystander", "owner of public.notes: vouch_bystander"),
    ("alter schema public owner to vouch_login", "owner of schema public: vouch_login"),
    (
        "alter default privileges in schema public grant select on tables to public",
        "default privileges in public for public",
    ),
    (
        "alter default privileges grant select on tables to vouch_login",
        "default privileges in every schema for vouch_login",
    ),
    ("grant vouch_bystander to vouch_user", "role vouch_user may become vouch_bystander"),
    (
        "grant vouch_bystander to vouch_user; grant select on public.notes to vouch_bystander",
        "grant select on public.notes to vouch_bystander",
    ),
    ("grant pg_read_all_data to vouch_user", "role vouch_user may become pg_read_all_data"),
    ("alter role vouch_user bypassrls", "role vouch_user, bypassrls"),
    ("alter role vouch_login superuser", "role vouch_login, superuser, login"),
    ("alter role vouch_login set row_security = off", "setting row_security of role vouch_login"),
    ("alter role vouch_login set role = vouch_bystander", "setting role of role vouch_login"),
    ("alter role vouch_login set search_path = hidden", "setting search_path of role vouch_login"),
    (
        "alter publication vouch_feed set table public.notes (id, body)",
        "vouch_feed: public.notes in part",
    ),
    (
        "alter publication vouch_feed set table public.notes where (id > 5)",
        "vouch_feed: public.notes in part",
    ),
    ("create publication other for table public.notes", "publication other: public.notes"),
    ("create publication other for all tables", "publication other: every table"),
    (
        "create publication other for tables in schema public",
        "publication other: every table of public",
    ),
    # What stands elsewhere and reaches in.
    (
        f"{ELSEWHERE}; create view vouch_else.n as select body from public.notes; "
        "grant select on vouch_else.n to vouch_user",
        "view vouch_else.n, which reads public.notes",
    ),
    (
        f"{ELSEWHERE}; create view vouch_else.first as select body from public.notes; "
        "create materialized view vouch_else.n as select * from vouch_else.first; "
        "grant select on vouch_else.n to public",
        "materialized view vouch_else.n, which reads public.notes",
    ),
    (
        f"{ELSEWHERE}; create table vouch_else.n () inherits (public.notes); "
        "grant select (body) on vouch_else.n to vouch_user",
        "table vouch_else.n, a part of public.notes",
    ),
    (
        f"{ELSEWHERE}; create function vouch_else.f() returns int language sql security definer as 'select 1'",
        "function vouch_else.f(), security definer",
    ),
    (
        "create function pg_catalog.vouch_f() returns int language sql security definer as 'select 1'",
        "function vouch_f(), security definer",
    ),
    (
        f"{ELSEWHERE}; create table vouch_else.accounts (id uuid primary key); "
        "alter table public.notes add foreign key (owner) references vouch_else.accounts; "
        "grant select on vouch_else.accounts to vouch_user",
        "grant select on vouch_else.accounts to vouch_user",
    ),
    (
        f"{ELSEWHERE}; create table vouch_else.accounts (id uuid primary key, secret text); "
        "alter table public.notes add foreign key (owner) references vouch_else.accounts; "
        "grant select (secret) on vouch_else.accounts to public",
        "grant select (secret) on vouch_else.accounts to public",
    ),
    (
        "grant execute on function pg_read_file(text) to vouch_user",
        "grant execute on function pg_read_file(text) to vouch_user",
    ),
    ("grant select on pg_authid to vouch_login", "grant select on pg_authid to vouch_login"),
    (
        "grant usage on schema pgvouch to vouch_user; grant update on pgvouch.migration to vouch_user",
        "grant update on pgvouch.migration to vouch_user",
    ),
    (
        "grant set on parameter session_replication_role to vouch_user",
        "grant set on parameter session_replication_role to vouch_user",
    ),
    (
        "grant vouch_user to vouch_login with admin option",
        "role vouch_login may become vouch_user, and may make others so",
    ),
    (
        "revoke vouch_user from vouch_login; alter role vouch_login inherit; "
        "grant vouch_user to vouch_login",
        "role vouch_login may become vouch_user, and has its rights",
    ),
    (
        "create view public.all_notes as select 1 as a; alter extension plpgsql add view public.all_notes",
        "view public.all_notes: 1 integer",
    ),
    ("create cast (text as uuid) with inout as implicit", "cast from text to uuid, implicit"),
    (
        "create table public.by_another (id bigint primary key); "
        "alter table public.notes add constraint notes_ref foreign key (id) references public.by_another; "
        "alter table public.notes disable trigger all; alter table public.notes enable trigger user",
        "constraint notes_ref on public.notes, not enforced",
    ),
    (
        "alter table public.notes force row level security",
        "table public.notes, row security of the owner too, 1 policy",
    ),
    (
        "create view public.mine with (security_barrier) as select 1 as a",
        "view public.mine, security_barrier=true: 1 integer",
    ),
]
MISSING = [
    ("drop trigger notes_touch on public.notes", "trigger notes_touch on public.notes"),
    (
        "alter publication vouch_feed drop table public.notes",
        "publication vouch_feed: public.notes",
    ),
    (
        "revoke select on public.notes from vouch_user",
        "grant insert (body), select on public.notes",
    ),
    ("revoke vouch_user from vouch_login", "role vouch_login may become vouch_user"),
    ("alter table public.notes drop column mood; drop type public.mood", "type public.mood"),
]
HARMLESS = [
    "create table public.by_another (a int, b text)",
    "create index on public.notes (owner)",
    "comment on table public.notes is 'kept'",
    "alter role vouch_login set statement_timeout = '8s'",
    "alter role vouch_login set lock_timeout = '8s'",
    "alter default privileges in schema public grant select on tables to vouch_user",
    # The roles of an installation are its own, as long as the application cannot become them.
    "grant select on public.notes to vouch_bystander",
    "create table pg_temp.mine (a int)",
    "create statistics public.more on owner, body from public.notes",
    # As pg_cron and others bring one.
    "create schema vouch_cron; alter extension plpgsql add schema vouch_cron",
    "alter role vouch_login set pgaudit.log = 'all'",
    "grant select on pg_database to public",
    # Nobody of the application can read them, or they read with its own rights.
    f"{ELSEWHERE}; create view vouch_else.n as select * from public.notes",
    f"{ELSEWHERE}; create table vouch_else.n () inherits (public.notes)",
    f"{ELSEWHERE}; create view vouch_else.n with (security_invoker = on) as select * from public.notes; "
    "grant select on vouch_else.n to vouch_user",
    f"{ELSEWHERE}; create function vouch_else.f() returns int language sql security definer as 'select 1'; "
    "revoke execute on function vouch_else.f() from public",
    f"{ELSEWHERE}; create function vouch_else.f() returns trigger language plpgsql security definer "
    "as 'begin return new; end'",
]


@pytest.mark.parametrize(("change", "line"), BESIDES)
def test_what_nobody_promised_is_named(system: System, change: str, line: str) -> None:
    system.query(change)
    code, out = system.verify()
    assert (code, "1 broken" in out) == (1, True), out
    assert "(not in the list, " in out
    assert line.replace('"', '\\"') in out


@pytest.mark.parametrize(("change", "line"), MISSING)
def test_what_was_promised_and_is_gone_is_named(system: System, change: str, line: str) -> None:
    system.query(change)
    code, out = system.verify()
    assert code == 1
    assert f'(missing, "{line}' in out


@pytest.mark.parametrize("change", HARMLESS)
def test_what_gives_nobody_anything_is_not_named(system: System, change: str) -> None:
    system.query(change)
    code, out = system.verify()
    assert code == 0, out


def test_a_setting_of_the_database_that_says_who_one_is(system: System) -> None:
    [(name,)] = system.folder.query("select current_database()")
    system.query(f'alter database "{name}" set request.jwt.claims = \'{{"sub": "somebody"}}\'')
    code, out = system.verify()
    assert code == 1
    assert '(not in the list, "setting request.jwt.claims of the database")' in out


def test_what_a_range_brings_with_it_is_no_cast_of_anybodys(system: System) -> None:
    system.query("create type public.span as range (subtype = int)")
    _, out = system.verify()
    # A cast would be the first of the list.
    assert "public.span" in out
    assert "cast" not in out


def test_the_database_belongs_to_nobody_of_the_application(system: System) -> None:
    [(name,)] = system.folder.query("select current_database()")
    system.query(f'alter database "{name}" owner to vouch_login')
    code, out = system.verify()
    assert code == 1
    assert '(not in the list, "owner of this database: vouch_login")' in out


def test_a_subscription_that_writes_into_a_table(system: System) -> None:
    with psycopg.connect(system.folder.url) as connection:
        connection.execute(
            "create subscription vouch_sub connection 'dbname=nowhere' publication p "
            "with (connect = false, slot_name = none)"
        )
        connection.execute(
            "insert into pg_subscription_rel (srsubid, srrelid, srsubstate) "
            "select oid, 'public.notes'::regclass, 'r' from pg_subscription where subname = 'vouch_sub'"
        )
        connection.commit()
    try:
        code, out = system.verify()
    finally:
        system.folder.query("delete from pg_subscription_rel")
        system.folder.query("drop subscription vouch_sub")
    assert code == 1
    assert '(not in the list, "subscription vouch_sub: public.notes")' in out


def test_what_goes_away_meanwhile_is_no_finding(system: System) -> None:
    """A partition that maintenance drops between the snapshot and the name of it."""
    system.query("create table public.by_another (a int)")
    query = (system.folder.path / "verify" / "001_notes.sql").read_text()
    query = query.replace("with recursive", "declare c cursor for with recursive", 1)
    with psycopg.connect(system.folder.url) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select count(*) from pg_class")
        system.query("drop table public.by_another")
        # The tables are found by the old snapshot, and named by what there is now.
        reader.execute(query)
        assert reader.execute("fetch all from c").fetchall() == []


def test_a_migration_that_brings_more_does_not_land(
    make_folder: Callable[[str], Folder], every_url: str
) -> None:
    folder = make_folder(every_url)
    folder.write(
        {
            "001_a.sql": "create table public.a (a int); create view public.b as select * from public.a;",
            "verify/001_a.sql": '-- stamp: whole_catalog(schemas=["public"], holds=["table public.a: 1 integer"])\n',
        }
    )
    stamp_files([folder.path / "verify" / "001_a.sql"], Templates())
    ran = folder("migrate")
    assert ran.code == 1
    assert '(not in the list, "view public.b: 1 integer")' in ran.err
    assert folder.query("select to_regclass('public.a')") == [(None,)]
