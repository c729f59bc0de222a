"""Every small change of a statement changes the delta, and a change of spelling does not."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import Server
from pgvouch.delta.compare import compare
from pgvouch.delta.snapshot import Snapshot, difference
from support.catalogs import rolled_back, snapshot

RICH = Path(__file__).with_name("test_delta_rich.sql").read_text(encoding="utf-8")

# What stands in the script => what stands there instead. A pilcrow is a line break.
MUTATIONS = r"""
schema app; => schema app; create schema extra;
enum ('draft', 'active' => enum ('active', 'draft'
'archived' before => 'archived' after
'archived' before => 'Archived' before
pair as (a integer => pair as (a bigint
b text collate "C"); => b text);
email as text check => email as varchar check
[^@]+$') => [^@]+')
not null default 'a@b' => default 'a@b'
default 'a@b' => default 'a@c'
subtype_diff = float8mi => subtype_opclass = float8_ops
ticket as integer => ticket as bigint
start 10 increment => start 11 increment
increment 5 => increment 6
minvalue 10 => minvalue 9
maxvalue 1000 => maxvalue 1001
cache 3 => cache 4
1000 cache 3 cycle => 1000 cache 3
id uuid primary key => id uuid unique
id uuid primary key default gen_random_uuid(), => id uuid primary key,
name varchar(80) not null => name varchar(81) not null
name varchar(80) not null => name text not null
name varchar(80) not null => name varchar(80)
"system_user" text collate "C" => "system_user" text
"system_user" text collate "C" => "system_user" text collate "POSIX"
{"json": [1, "x y"]} => {"json": [1, "x  y"]}
line\nbreak => line break
'2000-02-29' => '2000-02-28'
seen timestamptz not null => seen timestamp not null
01-01 00:00:00+02 => 01-01 00:00:00+01
'1 day 02:00' => '1 day 02:01'
numeric(10,2) default => numeric(10,3) default
default -1.50 => default 1.50
deadbeef => deadbeee
tags text[] not null default '{}' => tags varchar[] not null default '{}'
upper(name) || => lower(name) ||
coalesce("user", '')) stored => coalesce("user", ' ')) stored
between 1 and 80 => between 1 and 81
constraint owner_kind check => constraint owner_kind check (true), constraint owner_sort check
in ('a', 'b') or name => in ('a', 'c') or name
always as identity primary => by default as identity primary
by default as identity (start 5 => always as identity (start 5
start 5 increment 2 => start 5 increment 3
code serial => code bigserial
on delete cascade, => on delete restrict,
on delete cascade, => ,
on update cascade on => on
delete set null => delete set default
deferrable initially deferred, => deferrable,
deferrable initially deferred, => ,
where status <> 'draft'; => where status > 'draft';
status app.status not null default 'draft' => status app.status not null default 'active'
period app.span, => period app.span, added text,
title text not null,¶  slug text => slug text,¶  title text not null
default current_timestamp => default now()
unique (owner_id, title) deferrable => unique (title, owner_id) deferrable
unique (owner_id, title) deferrable => unique (owner_id, title)
period with && => period with =
<> '') not valid => <> '')
is distinct from 'v' => is not distinct from 'v'
(owner_id, created_at desc => (created_at desc, owner_id
created_at desc nulls last => created_at nulls last
created_at desc nulls last => created_at desc
include (title) where => where
where status <> 'draft'; => ;
where status <> 'draft'; => where status <> 'active';
create unique index project_lower => create index project_lower
title) text_pattern_ops => title)
''::text)) collate "C" => ''::text))
fillfactor = 70 => fillfactor = 71
jsonb_path_ops => jsonb_ops
using brin (created_at) => using brin (id)
pages_per_range = 8 => pages_per_range = 9
replica identity using index project_code => replica identity full
set statistics 200 => set statistics 201
set storage external => set storage main
n_distinct = -0.5 => n_distinct = -0.6
statistics 77 => statistics 78
fillfactor = 80 => fillfactor = 81
, toast.autovacuum_enabled = false =>
cluster on project_pkey => cluster on project_code
unlogged table app.cache => table app.cache
fillfactor = 60 => fillfactor = 61
(extra integer) inherits (app.base) => (id integer, note text, extra integer)
default partition by list (region) => default partition by list (payload)
('2025-01-01 => ('2026-01-01
'it''s');¶create index => 'its');¶create index
app.log (at); => app.log (region);
typed of app.pair => typed (a integer, b text collate "C"); create table app.typed2 of app.pair
check ("json_value" > 0) => check ("json_value" >= 0)
plpgsql security definer => plpgsql
set search_path = '' as => as
set search_path = '' as => set search_path = 'app' as
:= now(); return => := null; return
b integer default 2 => b integer default 3
immutable strict parallel => stable strict parallel
immutable strict parallel => immutable parallel
parallel safe leakproof => parallel restricted leakproof
leakproof cost => cost
cost 7 => cost 8
out b text) returns setof => out b varchar) returns setof
rows 5 => rows 6
search_path = app, pg_temp => search_path = pg_temp, app
work_mem = '1MB' => work_mem = '2MB'
atomic select x + 1 => atomic select x + 2
return x * 2 => return x * 3
returns table (id integer => returns table (id bigint
/* body => /* Body
inout a integer, b => inout a bigint, b
initcond = '0' => initcond = '1'
sfunc = int4pl => sfunc = int4mi
commutator = operator(app.===) => hashes
as assignment => as implicit
before insert or update => after insert or update
before insert or update of title, slug on => before insert on
update of title, slug => update of title
distinct from 'x') execute => distinct from 'y') execute
project_after after delete => project_after after update
old table as gone for => old table as lost for
constraint trigger project_ct after insert => constraint trigger project_ct after update
deferrable initially deferred for => deferrable for
disable trigger project_after => enable replica trigger project_after
disable trigger log_t => enable trigger log_t
new.id < 0 => new.id < 1
do instead nothing => do also nothing
on ddl_command_end => on ddl_command_start
('CREATE TABLE', 'ALTER => ('CREATE VIEW', 'ALTER
alter event trigger app_evt disable; =>
note as remark, id + 1 => note as remark, id + 2
order by note limit 3 => order by note limit 4
security_invoker = true => security_invoker = false
security_invoker = true,  =>
local check option => cascaded check option
create materialized view app.m => create view app.m0 as select 1; create materialized view app.m
count(*) as n from app.base group by id => sum(id) as n from app.base group by id
alter table app.owner enable row level security; =>
force row level => no force row level
policy "read own" => policy "read Own"
for select to pgv_reader, "Odd => for update to pgv_reader, "Odd
for select to pgv_reader, "Odd Role" => for select to "Odd Role"
for select to pgv_reader, "Odd Role" => for select
select '00000000-0000-0000-0000-000000000001'::uuid => select '00000000-0000-0000-0000-000000000002'::uuid
using (owner_id = (select '00000000-0000-0000-0000-000000000001'::uuid)) => using (true)
p_all on app.project using (true) => p_all on app.project using (false)
and owner.name = current_user =>
as restrictive for => as permissive for
to public using (owner_id => to pgv_reader using (owner_id
with check (id in => with check (id not in
grant usage on schema app to pgv_reader; =>
grant usage on schema app => grant usage, create on schema app
all on app.project to pgv_writer => select on app.project to pgv_writer
all on app.project to pgv_writer => all on app.project to public
to pgv_reader with grant => to pgv_reader; --
select (id, title) => select (id)
update (title) => update (slug)
revoke insert, update, delete on => revoke insert, update on
usage on sequence app.ticket => select on sequence app.ticket
revoke execute on function app.add(integer, integer, integer[]) from public; =>
revoke all on function app.touch() from public; =>
usage on type app.status => usage on type app.span
revoke update on app.base from current_user; =>
in schema app grant select on tables => grant select on tables
grant select on tables to pgv_reader => grant insert on tables to pgv_reader
revoke execute on functions from public => revoke usage on types from public
for role pgv_writer grant => for role pgv_reader grant
derived owner to pgv_writer => derived owner to pgv_reader
schema app is 'the app' => schema app is null
comment on column app.owner.name is 'a name' => comment on column app.owner.name is 'the name'
'policy' => null
'kind' => 'sort'
'trigger' => 'a trigger'
create publication pub_none; =>
pub_all for all tables with (publish = 'insert, update') => pub_all for all tables
pub_all for all tables with (publish = 'insert, update') => pub_all with (publish = 'insert, update')
(id, title, owner_id), app.owner => (id, title, owner_id, slug), app.owner
, app.owner where (name <> 'x') =>
where (name <> 'x') => where (name <> 'y')
tables in schema app with => tables in schema public with
with (publish_via_partition_root = true) =>
(ndistinct, dependencies) on => (ndistinct) on
set statistics 55 => set statistics 56
provider = libc, locale = 'C' => provider = libc, locale = 'POSIX'
accept = false => accept = true
asciiword with app.dict, simple => asciiword with simple, app.dict
options (debug 'true') =>
type 'x' version '1' => type 'x' version '2'
host 'secret-host', port => port
server srv options (password 'secret') => server srv
options (t 'remote') => options (t 'other')
options (c 'x') => options (c 'y')
app.pair using hash as operator => app.pair using btree as operator
from iso8859_1_to_utf8 => from iso8859_1_to_utf8; drop conversion app.conv
revoke execute on function pg_catalog.pg_sleep(double precision) from public; =>
grant select on pg_catalog.pg_authid to pgv_reader; =>
depends on extension plpgsql => stable
nulls not distinct => nulls distinct
"""

SPELLINGS = r"""
name varchar(80) not null => name character varying(80) not null
"system_user" text collate "C" => "system_user" text collate pg_catalog."C"
numeric(10,2) default => decimal(10, 2) default
in ('a', 'b') or name => = any (array['a', 'b']::varchar[]) or name
immutable strict parallel => immutable returns null on null input parallel
for select to pgv_reader, "Odd Role" => for select to "Odd Role", pgv_reader
grant select, insert on app.project => grant insert, select on app.project
grant usage on schema app to pgv_reader; => grant usage on schema app to pgv_reader; grant usage on schema app to pgv_reader;
select id, note as remark => SELECT base.id, base.note AS remark
"""


def pairs(text: str) -> list[tuple[str, str]]:
    found = []
    for line in text.strip("\n").splitlines():
        old, _, new = line.replace("¶", "\n").partition(" =>")
        found.append((old, new.removeprefix(" ")))
    return found


@pytest.fixture(scope="module")
def connection(pg18: Server) -> Iterator[psycopg.Connection]:
    name = f"delta_{secrets.token_hex(4)}"
    with pg18.janitor(name), rolled_back(pg18.url(name)) as connection:
        connection.execute("savepoint start")
        yield connection


@pytest.fixture(scope="module")
def before(connection: psycopg.Connection) -> Snapshot:
    return snapshot(connection)


@pytest.fixture(scope="module")
def expected(connection: psycopg.Connection, before: Snapshot) -> tuple[str, ...]:
    return apply(connection, before, RICH)


def apply(connection: psycopg.Connection, before: Snapshot, script: str) -> tuple[str, ...]:
    connection.execute("rollback to start")
    connection.execute(script)
    return difference(before, snapshot(connection))


@pytest.mark.parametrize(("old", "new"), pairs(MUTATIONS))
def test_a_mutation_changes_the_delta(
    connection: psycopg.Connection, before: Snapshot, expected: tuple[str, ...], old: str, new: str
) -> None:
    assert RICH.count(old) == 1
    assert compare(expected, apply(connection, before, RICH.replace(old, new)))


@pytest.mark.parametrize(("old", "new"), pairs(SPELLINGS))
def test_a_spelling_does_not_change_the_delta(
    connection: psycopg.Connection, before: Snapshot, expected: tuple[str, ...], old: str, new: str
) -> None:
    assert RICH.count(old) == 1
    assert compare(expected, apply(connection, before, RICH.replace(old, new))) is None


def test_the_line_ends_of_a_file_do_not_show(
    connection: psycopg.Connection, before: Snapshot, expected: tuple[str, ...]
) -> None:
    actual = apply(connection, before, RICH.replace("\n", "\r\n"))
    assert compare(expected, actual) is None
