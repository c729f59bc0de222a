"""Every rule of verify/always.sql can fail: what breaks it is done, and verify names it."""

import secrets
from collections.abc import Iterator

import pytest

from conftest import ROOT, Server
from pgvouch.config.options import Options
from pgvouch.engine import commands
from pgvouch.events import silent
from pgvouch.files.actors import Actors
from pgvouch.files.promises import read_promises
from pgvouch.postgres.message import Message
from pgvouch.postgres.session import Session
from pgvouch.verify import checks
from systems.system import SYSTEMS, System

ROLES = "a role of the API"
OWNERS = "a table or sequence that somebody else"
T = {
    "coding_sessions": "projects",
    "learning_plans": "users",
    "monthly_planner": "plan_tasks",
    "workouts": "invites",
}
"""A table of each system that has its tables in public."""
BREAKING: dict[str, list[tuple[str, str]]] = {
    "_supabase": [
        ("alter role anon createrole", f"{ROLES} with more rights"),
        ("alter role authenticated bypassrls", f"{ROLES} with more rights"),
        ("alter role anon login", f"{ROLES} with more rights"),
        ("grant authenticated to anon", f"{ROLES} that may become"),
        ("grant pg_read_all_data to anon", f"{ROLES} that may become"),
        ("create role other; grant other to authenticator", f"{ROLES} that may become"),
        ("grant anon to authenticator with admin option", f"{ROLES} that may become"),
        ("alter role authenticator inherit; revoke anon from authenticator; grant anon to authenticator", f"{ROLES} that may become"),
        ("alter table public.projects owner to authenticated", f"something that {ROLES} owns"),
        ("alter schema public owner to authenticator", f"something that {ROLES} owns"),
        ("do $$ begin execute format('alter database %I owner to anon', current_database()); end $$", f"something that {ROLES} owns"),
        ("alter role authenticator set row_security = off", "a setting of the database"),
        ("alter role anon set search_path = mine", "a setting of the database"),
        ("do $$ begin execute format('alter database %I set request.jwt.claims = %L', current_database(), '{}'); end $$", "a setting of the database"),
        ("create table public.leak (n int primary key)", "a table without row level security"),
        ("create table public.leak (n int); revoke all on public.leak from anon, authenticated; grant update (n) on public.leak to authenticated", "a table without row level security"),
        ("create view public.leak as select * from public.projects", "a view with its owner's rights"),
        ("create materialized view public.leak as select * from public.projects", "a view with its owner's rights"),
        ("grant select on public.projects to public", "a table, a view or a sequence that is open"),
        ("grant update (name) on public.projects to authenticator", "a table, a view or a sequence that is open"),
        ("grant select on public.projects to authenticated with grant option", "a right that a role of the API may pass on"),
        ("alter function public.handle_new_user() reset search_path", "a function with its owner's rights whose"),
        ("create function public.promote() returns int language sql security definer set search_path = '' as 'select 1'", "a function with its owner's rights that everybody"),
        ("grant create on schema public to authenticated", "a schema, or this database"),
        ("do $$ begin execute format('grant create on database %I to anon', current_database()); end $$", "a schema, or this database"),
        ("alter default privileges in schema public grant select on tables to public", "default privileges"),
        ("alter default privileges in schema public grant select on tables to authenticator", "default privileges"),
        ("grant select on auth.users to authenticated", "a right of users or visitors on"),
        ("grant select on pg_authid to anon", "a right of users or visitors on"),
        ("grant select (migration_id) on pgvouch.migration to anon", "a right of users or visitors on"),
        ("create publication leak for all tables", "a publication of every table"),
        ("create publication leak for tables in schema public", "a publication of every table"),
        ("alter table public.projects disable trigger projects_updated_at", "a table whose triggers"),
        ("alter table public.projects disable trigger all", "a table whose triggers"),
        ("create rule kept as on delete to public.projects do instead nothing", "a table whose triggers"),
        ("alter table public.coding_jobs set unlogged", "a table whose triggers"),
    ],
    "coding_sessions": [
        ("grant insert on public.session_events to anon", "a right of visitors"),
        ("create function public.how_many() returns int language sql as 'select 1'", "a function that anybody"),
        ("grant execute on function public.update_updated_at() to service_role", "a function that anybody"),
        ("alter publication supabase_realtime add table public.profiles", "a table that Realtime sends out"),
        ("alter table public.projects alter expo_config type text", "a column of a type"),
        ("alter table public.coding_jobs alter max_retries type smallint", "a column of a type"),
    ],
    "learning_plans": [
        ("grant insert on public.learning_plans to anon", "a right of visitors"),
        ("grant select (name) on public.users to anon", "a right of visitors"),
        ("create function public.how_many() returns int language sql as 'select 1'", "a function, for"),
        ("alter publication supabase_realtime add table public.users", "a table that is sent out"),
    ],
    "monthly_planner": [
        ("grant select on public.plan_tasks to public", "a right of everybody"),
        ("grant update (id) on public.plan_tasks to public", "a right of everybody"),
    ],
    "workouts": [
        ("create trigger surplus before insert on public.exercises for each row execute function public.generate_exercise_slug()", OWNERS),
        ("create trigger update_invites_updated_at before update on public.invites for each row execute function public.generate_exercise_slug()", OWNERS),
    ],
    "feature_planner": [
        ("grant select on feature_planner.plan_steps to service_role", "a right of visitors or servers"),
        ("grant truncate on feature_planner.plan_steps to authenticated", "a right of users to empty"),
        ("create function feature_planner.how_many() returns int language sql as 'select 1'", "a function that users may call"),
        ("create function public.f() returns int language sql security definer set search_path = '' as 'select 1'", "a function with its owner's rights in the site's"),
        ("create view feature_planner.v as select 1 as a", "a copy of rows"),
        ("alter publication supabase_realtime add table feature_planner.plan_steps", "a table of the planner's"),
        ("create table feature_planner.bare (n int)", "a table without a primary key"),
        ("alter table feature_planner.plan_steps add constraint u unique (id) deferrable", "a constraint that is not"),
        ("alter table feature_planner.plan_steps add constraint u check (true) not valid", "a constraint that is not"),
        ("alter table feature_planner.plan_steps alter created_at type timestamp(0)", "a column of a type"),
        ('alter table feature_planner.plan_steps alter title type varchar(255) collate "C"', "a column of a type"),
    ],
}  # fmt: skip
PLATFORM = [
    ("create schema internal", "a schema beside public"),
    ("grant truncate on public.{t} to service_role", "a right of users or servers to empty"),
    ("create view public.v as select 1 as a", "a copy of rows"),
    ("create table public.bare (n int)", "a table without a primary key"),
    ("alter table public.{t} add constraint u unique (id) deferrable", "a constraint that is not"),
    ("alter table public.{t} add constraint u check (true) not valid", "a constraint that is not"),
    ("alter table public.{t} alter created_at type timestamptz(0)", "a column of a type"),
    ('alter table public.{t} alter name type text collate "C"', "a column of a type"),
    ("alter table public.{t} alter name type varchar(100)", "a column of a type"),
]
PLAIN = [
    ("create schema internal", "a schema beside public"),
    ("create role other; grant create on schema public to other; alter table public.{t} owner to other", OWNERS),
    ("create role other; grant create on schema public to other; create sequence public.s; alter sequence public.s owner to other", OWNERS),
    ("create role other; grant select on public.{t} to other", OWNERS),
    ("grant select on public.{t} to public", OWNERS),
    ("grant update (id) on public.{t} to public", OWNERS),
    ("create sequence public.s; grant usage on sequence public.s to public", OWNERS),
    ("create role other; grant update (id) on public.{t} to other", OWNERS),
    ("create function public.f() returns trigger language plpgsql as 'begin return null; end'; create trigger f after insert on public.{t} for each statement execute function public.f()", OWNERS),
    ("alter table public.{t} enable row level security", OWNERS),
    ("create policy everything on public.{t}", OWNERS),
    ("create trigger same before update on public.{t} for each row execute function suppress_redundant_updates_trigger()", OWNERS),
    ("create function public.f() returns int language sql set search_path = '' as 'select 1'", "a function that everybody"),
    ("create function public.f() returns int language sql as 'select 1'; revoke execute on function public.f() from public", "a function that everybody"),
    ("create function public.f() returns int language sql security definer set search_path = '' as 'select 1'; revoke execute on function public.f() from public", "a function that everybody"),
    ("grant create on schema public to public", "a schema, or this database"),
    ("do $$ begin execute format('grant create on database %I to public', current_database()); end $$", "a schema, or this database"),
    ("alter default privileges in schema public grant select on tables to public", "a schema, or this database"),
    ("do $$ begin execute format('alter database %I set app.user_id = %L', current_database(), '1'); end $$", "a setting of the database"),
    ("create materialized view public.v as select 1 as a", "a view, a copy"),
    ("create publication leak for table public.{t}", "a view, a copy"),
    ("create publication leak for all tables", "a view, a copy"),
    ("create table public.bare (n int)", "a table without a primary key"),
    ("create unlogged table public.bare (n int primary key)", "a table without a primary key"),
    ("alter table public.{t} disable trigger all", "a trigger or a foreign key"),
    ("create rule kept as on delete to public.{t} do instead nothing", "a trigger or a foreign key"),
    ("alter table public.{t} add constraint u unique (id) deferrable initially deferred", "a constraint that is not"),
    ("alter table public.{t} add constraint u check (true) not valid", "a constraint that is not"),
    ("create sequence public.s maxvalue 1000 cycle", "a sequence that comes around"),
    ("create sequence public.s maxvalue 1000", "a sequence that comes around"),
    ("alter table public.{t} add done_at timestamp(0)", "a column of a type"),
    ("alter table public.{t} add done_at timestamptz", "a column of a type"),
    ("alter table public.{t} add n numeric(5)", "a column of a type"),
    ("alter table public.{t} add a text collate \"C\", add b smallint", "a column of a type"),
]  # fmt: skip
for name, table in T.items():
    common = PLATFORM if name in {"coding_sessions", "learning_plans"} else PLAIN
    own = [(sql.replace("{t}", table), said) for sql, said in common]
    BREAKING[name] = BREAKING.get(name, []) + own
CASES = [(name, sql, said) for name, breaking in BREAKING.items() for sql, said in breaking]


@pytest.fixture(scope="module")
def addresses(pg18: Server) -> Iterator[dict[str, str]]:
    """Where each system is, as its migrations made it; nothing of a test is committed."""
    made = {name: pg18.janitor(f"always_{secrets.token_hex(6)}") for name in SYSTEMS}
    for name, janitor in made.items():
        janitor.init()
        with Session.open(pg18.url(janitor.name)) as session:
            commands.migrate(session, System(name, ()).described(), Options(), silent)
    try:
        yield {name: pg18.url(janitor.name) for name, janitor in made.items()}
    finally:
        for janitor in made.values():
            janitor.drop()


def broken(address: str, name: str, sql: str) -> list[str]:
    promises = read_promises(ROOT / "migrations" / name / "verify" / "always.sql", Actors())
    with Session.open(address) as session:
        session.run("begin")
        session.run(sql)
        _, verdict = checks.run(session, Message(), promises)
        session.run("rollback")
    assert not verdict.unjudged
    return [finding.sentence for finding in verdict.broken]


@pytest.mark.parametrize(("name", "sql", "said"), CASES)
def test_it_is_named(addresses: dict[str, str], name: str, sql: str, said: str) -> None:
    address = addresses["coding_sessions" if name == "_supabase" else name]
    assert broken(address, name, "select 1") == []
    assert [sentence for sentence in broken(address, name, sql) if sentence.startswith(said)]


@pytest.mark.parametrize("name", BREAKING)
def test_every_rule_is_broken_by_a_case(name: str) -> None:
    promises = read_promises(ROOT / "migrations" / name / "verify" / "always.sql", Actors())
    assert promises
    said = tuple(said for _, said in BREAKING[name])
    assert [c.sentence for c in promises.checks if not c.sentence.startswith(said)] == []
