"""Each stock check holds for what was stamped, and fails when any of it is otherwise."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgvouch.files import promises
from pgvouch.stamp.templates import Target
from support.stamp_bench import PLATFORM, broken, failing, stamp

TABLES = """
create function public.update_updated_at() returns trigger language plpgsql
  set search_path = '' as $$ begin new.updated_at = now(); return new; end $$;
create function public.hollow() returns trigger language plpgsql as $$ begin return new; end $$;
create table public.projects (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  other_id uuid not null,
  title varchar(20) not null,
  updated_at timestamptz not null default now()
);
create index projects_user_id_idx on public.projects (user_id);
create table public.sessions (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references public.projects (id),
  user_id uuid not null
);
create index sessions_project_id_idx on public.sessions (project_id);
create index sessions_user_id_idx on public.sessions (user_id);
create table public.jobs (
  id uuid primary key default gen_random_uuid(),
  session_id uuid not null references public.sessions (id),
  user_id uuid not null
);
create index jobs_session_id_idx on public.jobs (session_id);
create index jobs_user_id_idx on public.jobs (user_id, id);
alter table public.projects enable row level security;
alter table public.jobs enable row level security;
alter table public.sessions enable row level security;
create role stamp_member;
create role stamp_stranger;
grant stamp_member to authenticated;
"""

OWNER = (
    'owner_policies(table="projects", owner="user_id",'
    ' commands=["select", "insert", "update", "delete"],'
    ' names={"select": "Users can view own projects"}, beside=["shared ones"])'
)
VIA = (
    'owner_via_policies(table="jobs", own="user_id", commands=["select", "update"], via=['
    '{"table": "sessions", "column": "session_id"},'
    ' {"table": "projects", "column": "project_id", "owner": "user_id"}])'
)
BY_SETTING = (
    'owner_via_policies(table="sessions", commands=["all"],'
    ' via=[{"table": "projects", "column": "project_id", "owner": "user_id"}],'
    " caller=\"nullif(current_setting('app.user', true), '')::uuid\")"
)
SERVICE = 'service_policies(table="projects", commands=["select", "update"])'
TRIGGER = 'updated_at_trigger(table="projects")'
GRANTS = (
    'grants(table="projects",'
    ' to={"authenticated": ["select", "insert"], "service_role": ["select"]},'
    ' columns={"authenticated": {"update": ["title", "other_id"]}})'
)
STAMPS = {
    "owner": OWNER,
    "via": VIA,
    "setting": BY_SETTING,
    "service": SERVICE,
    "trigger": TRIGGER,
    "grants": GRANTS,
}

UID = "(select auth.uid())"
VIEW = '"Users can view own projects" on projects'
HOPS = (
    "select parent.id from public.projects as parent2"
    " join public.sessions as parent on parent.project_id = parent2.id"
    f" where parent2.user_id = {UID}"
)
JOBS = f"user_id = {UID} and session_id = any (array({HOPS}))"

MUTANTS: list[tuple[str, str, set[str]]] = [
    # Row level security.
    ("owner", "alter table projects disable row level security", {"rls"}),
    ("via", "alter table jobs disable row level security", {"rls"}),
    ("service", "alter table projects disable row level security", {"rls"}),
    # Who is asking is another.
    ("setting", "alter policy sessions_own on sessions using (true)", {"policies"}),
    (
        "setting",
        "alter policy sessions_own on sessions with check (project_id = any (array(select parent.id"
        f" from public.projects as parent where parent.user_id = {UID})))",
        {"policies"},
    ),
    (
        "setting",
        "create policy more on sessions for select to authenticated using (true)",
        {"policies"},
    ),
    # A policy is missing or has another name.
    ("owner", f"drop policy {VIEW}", {"policies"}),
    ("owner", "drop policy projects_insert_own on projects", {"policies"}),
    ("owner", "drop policy projects_update_own on projects", {"policies"}),
    ("owner", "drop policy projects_delete_own on projects", {"policies"}),
    ("owner", f"alter policy {VIEW} rename to view", {"policies"}),
    ("via", "drop policy jobs_select_own on jobs", {"policies"}),
    ("via", "drop policy jobs_update_own on jobs", {"policies"}),
    ("service", "drop policy projects_select_service on projects", {"policies"}),
    # The condition is another.
    ("owner", f"alter policy {VIEW} using (true)", {"policies"}),
    ("owner", f"alter policy {VIEW} using (other_id = {UID})", {"policies"}),
    ("owner", f"alter policy {VIEW} using (user_id <> {UID})", {"policies"}),
    ("owner", f"alter policy {VIEW} using (user_id = auth.uid())", {"policies"}),
    ("owner", f"alter policy {VIEW} using (user_id = {UID} or true)", {"policies"}),
    ("owner", f"alter policy {VIEW} using (user_id = {UID} or title = 'x')", {"policies"}),
    ("owner", f"alter policy {VIEW} using (user_id = {UID} or {UID} is null)", {"policies"}),
    ("owner", f"alter policy {VIEW} using (user_id::text = {UID}::text)", {"policies"}),
    ("owner", f"alter policy {VIEW} using (user_id = (select user_id))", {"policies"}),
    ("owner", "alter policy projects_insert_own on projects with check (true)", {"policies"}),
    ("owner", "alter policy projects_update_own on projects using (true)", {"policies"}),
    ("owner", "alter policy projects_update_own on projects with check (true)", {"policies"}),
    ("owner", "alter policy projects_delete_own on projects using (true)", {"policies"}),
    ("via", "alter policy jobs_select_own on jobs using (true)", {"policies"}),
    ("via", f"alter policy jobs_select_own on jobs using (user_id = {UID})", {"policies"}),
    (
        "via",
        f"alter policy jobs_select_own on jobs using (session_id = any (array({HOPS})))",
        {"policies"},
    ),
    (
        "via",
        f"alter policy jobs_select_own on jobs using ({JOBS.replace(' and ', ' or ')})",
        {"policies"},
    ),
    (
        "via",
        "alter policy jobs_select_own on jobs using"
        f" ({JOBS.replace('parent2.user_id', 'parent.user_id')})",
        {"policies"},
    ),
    (
        "via",
        "alter policy jobs_select_own on jobs using"
        f" ({JOBS.replace('= parent2.id', '= parent.project_id')})",
        {"policies"},
    ),
    (
        "via",
        f"alter policy jobs_select_own on jobs using ({JOBS.replace('parent.id', 'parent2.id')})",
        {"policies"},
    ),
    ("via", "alter policy jobs_update_own on jobs using (true)", {"policies"}),
    ("via", "alter policy jobs_update_own on jobs with check (true)", {"policies"}),
    ("service", "alter policy projects_select_service on projects using (false)", {"policies"}),
    (
        "service",
        "alter policy projects_update_service on projects with check (false)",
        {"policies"},
    ),
    # The role is another.
    ("owner", f"alter policy {VIEW} to public", {"policies"}),
    ("owner", f"alter policy {VIEW} to anon", {"policies"}),
    ("owner", f"alter policy {VIEW} to authenticated, anon", {"policies"}),
    ("owner", f"alter policy {VIEW} to service_role", {"policies"}),
    ("owner", "alter policy projects_insert_own on projects to public", {"policies"}),
    ("via", "alter policy jobs_select_own on jobs to public", {"policies"}),
    ("service", "alter policy projects_select_service on projects to public", {"policies"}),
    ("service", "alter policy projects_select_service on projects to authenticated", {"policies"}),
    # The command is another, or the policy restrictive.
    (
        "owner",
        f"drop policy {VIEW};"
        f" create policy {VIEW} for all to authenticated using (user_id = {UID})",
        {"policies"},
    ),
    (
        "owner",
        "drop policy projects_delete_own on projects; create policy projects_delete_own on projects"
        f" for select to authenticated using (user_id = {UID})",
        {"policies"},
    ),
    (
        "owner",
        f"drop policy {VIEW}; create policy {VIEW} as restrictive for select to authenticated"
        f" using (user_id = {UID})",
        {"policies"},
    ),
    (
        "owner",
        "drop policy projects_update_own on projects; create policy projects_update_own on projects"
        f" for update to authenticated using (user_id = {UID})",
        {"policies"},
    ),
    # Another policy opens the same command.
    ("owner", "create policy x on projects for select to authenticated using (true)", {"policies"}),
    ("owner", "create policy x on projects for select to public using (true)", {"policies"}),
    ("owner", "create policy x on projects for select to anon using (true)", {"policies"}),
    ("owner", "create policy x on projects for all to authenticated using (true)", {"policies"}),
    ("owner", "create policy x on projects for delete to authenticated using (true)", {"policies"}),
    ("owner", "create policy x on projects for insert to anon with check (true)", {"policies"}),
    ("owner", "create policy x on projects for select to stamp_member using (true)", {"policies"}),
    (
        "owner",
        "create policy x on projects as restrictive for select to authenticated using (false)",
        {"policies"},
    ),
    ("via", "create policy x on jobs for update to authenticated using (true)", {"policies"}),
    ("via", "create policy x on jobs to public using (true)", {"policies"}),
    ("service", "create policy x on projects for select to public using (true)", {"policies"}),
    (
        "service",
        "create policy x on projects as restrictive for update to service_role using (false)",
        {"policies"},
    ),
    # A column has no index of its own.
    ("owner", "drop index projects_user_id_idx", {"index"}),
    (
        "owner",
        "drop index projects_user_id_idx; create index on projects (other_id, user_id)",
        {"index"},
    ),
    (
        "owner",
        "drop index projects_user_id_idx; create index on projects (user_id) where title > ''",
        {"index"},
    ),
    (
        "owner",
        "drop index projects_user_id_idx; create index on projects (lower(user_id::text))",
        {"index"},
    ),
    (
        "owner",
        "drop index projects_user_id_idx; create schema elsewhere;"
        " create table elsewhere.projects (user_id uuid primary key)",
        {"index"},
    ),
    (
        "owner",
        "update pg_index set indisvalid = false"
        " where indexrelid = 'projects_user_id_idx'::regclass",
        {"index"},
    ),
    ("via", "drop index jobs_user_id_idx", {"index"}),
    ("via", "drop index jobs_session_id_idx", {"index"}),
    ("via", "drop index sessions_project_id_idx", {"index"}),
    ("via", "drop index projects_user_id_idx", {"index"}),
    (
        "via",
        "alter table jobs drop constraint jobs_session_id_fkey;"
        " alter table sessions drop constraint sessions_pkey",
        {"index"},
    ),
    # The table is gone.
    ("owner", "alter table projects rename to gone", {"rls", "policies", "index"}),
    ("service", "drop table projects cascade", {"rls", "policies"}),
    ("trigger", "alter table projects rename to gone", {"trigger"}),
    ("grants", "alter table projects rename to gone", {"grants"}),
    # The trigger is another.
    ("trigger", "drop trigger projects_updated_at on projects", {"trigger"}),
    ("trigger", "alter table projects disable trigger projects_updated_at", {"trigger"}),
    ("trigger", "alter table projects enable replica trigger projects_updated_at", {"trigger"}),
    ("trigger", "alter trigger projects_updated_at on projects rename to x", {"trigger"}),
    *(
        (
            "trigger",
            "drop trigger projects_updated_at on projects;"
            f" create trigger projects_updated_at {wrong}",
            {"trigger"},
        )
        for wrong in (
            "after update on projects for each row execute function update_updated_at()",
            "before insert on projects for each row execute function update_updated_at()",
            "before insert or update on projects for each row execute function update_updated_at()",
            "before update on projects for each statement execute function update_updated_at()",
            "before update of title on projects for each row execute function update_updated_at()",
            "before update on projects for each row when (new.title > '')"
            " execute function update_updated_at()",
            "before update on projects for each row execute function hollow()",
            "before update on sessions for each row execute function update_updated_at()",
        )
    ),
    (
        "trigger",
        "create or replace function update_updated_at() returns trigger language plpgsql"
        " as $$ begin return new; end $$",
        {"trigger"},
    ),
    (
        "trigger",
        "create or replace function update_updated_at() returns trigger language plpgsql"
        " as $$ begin return null; end $$",
        {"trigger"},
    ),
    (
        "trigger",
        "create or replace function update_updated_at() returns trigger language plpgsql"
        " as $$ begin new.updated_at = old.updated_at; return new; end $$",
        {"trigger"},
    ),
    (
        "trigger",
        "create or replace function update_updated_at() returns trigger language plpgsql"
        " as $$ begin new.updated_at = greatest(now(), old.updated_at); return new; end $$",
        {"trigger"},
    ),
    (
        "trigger",
        "create or replace function update_updated_at() returns trigger language plpgsql"
        " as $$ begin new.updated_at = '2000-01-01'; return new; end $$",
        {"trigger"},
    ),
    ("trigger", "alter table projects drop column updated_at", {"trigger"}),
    # A privilege is missing, or there is one more.
    ("grants", "revoke select on projects from authenticated", {"grants"}),
    ("grants", "revoke update (title) on projects from authenticated", {"grants"}),
    ("grants", "revoke select on projects from service_role", {"grants"}),
    ("grants", "grant delete on projects to authenticated", {"grants"}),
    ("grants", "grant update on projects to authenticated", {"grants"}),
    ("grants", "grant update (id) on projects to authenticated", {"grants"}),
    ("grants", "grant select (id) on projects to anon", {"grants"}),
    ("grants", "grant select on projects to anon", {"grants"}),
    ("grants", "grant select on projects to public", {"grants"}),
    ("grants", "grant references (id) on projects to public", {"grants"}),
    ("grants", "grant truncate on projects to service_role", {"grants"}),
    ("grants", "grant select on projects to authenticated with grant option", {"grants"}),
]

EQUIVALENT = [
    ("owner", "create policy x on projects for select to service_role using (true)"),
    ("owner", "create policy x on projects for select to stamp_stranger using (true)"),
    ("owner", 'create policy "shared ones" on projects for select to authenticated using (true)'),
    (
        "owner",
        "alter policy projects_update_own on projects"
        f" using ((user_id) = ((select auth.uid()))) with check (user_id = {UID})",
    ),
    ("owner", "set local search_path = ''"),
    ("owner", "set local search_path = auth, public"),
    ("owner", "set local search_path = public, pg_catalog; create table pg_policy (polname text)"),
    ("owner", "alter table projects force row level security"),
    ("owner", "alter table projects add column extra int, drop column title"),
    (
        "owner",
        "insert into projects (user_id, other_id, title)"
        " values (gen_random_uuid(), gen_random_uuid(), 'x')",
    ),
    ("owner", "set local role authenticated; reset role"),
    ("owner", "drop index projects_user_id_idx; create index on projects (user_id, title)"),
    ("owner", "drop index projects_user_id_idx; create index on projects using hash (user_id)"),
    ("via", "create policy x on jobs for insert to authenticated with check (true)"),
    ("via", "set local search_path = ''"),
    ("via", "set local search_path = auth, public"),
    ("service", "create policy x on projects for select to authenticated using (true)"),
    ("service", "drop index projects_user_id_idx"),
    ("trigger", "set local search_path = ''"),
    ("trigger", "alter table projects alter column updated_at type timestamp"),
    ("trigger", "alter table projects alter column updated_at type date"),
    ("trigger", "alter table projects add column twice int generated always as (2) stored"),
    ("grants", "set local search_path = ''"),
    ("grants", "grant select on projects to stamp_stranger"),
]


@pytest.fixture
def stamped(every_url: str) -> Iterator[psycopg.Connection]:
    """A database with everything stamped, in a transaction that ends with the test."""
    with psycopg.connect(every_url) as connection:
        # A role is of the whole server: it must not outlive the transaction.
        connection.execute(PLATFORM.encode())
        connection.execute(TABLES.encode())
        for line in STAMPS.values():
            connection.execute(stamp(line).encode())
        yield connection
        connection.rollback()


def test_what_was_stamped_keeps_every_promise(stamped: psycopg.Connection) -> None:
    for line in STAMPS.values():
        assert broken(stamped, stamp(line, Target.VERIFY)) == []


def test_every_mutant_is_killed_by_the_checks_it_concerns(stamped: psycopg.Connection) -> None:
    checks = {name: stamp(line, Target.VERIFY) for name, line in STAMPS.items()}
    survivors = []
    for name, mutation, expected in MUTANTS:
        with stamped.transaction(force_rollback=True):
            stamped.execute(mutation.encode())
            found = failing(broken(stamped, checks[name]))
        if found != expected:
            survivors.append((name, mutation, found))
    assert survivors == []


def test_what_changes_nothing_breaks_nothing(stamped: psycopg.Connection) -> None:
    checks = {name: stamp(line, Target.VERIFY) for name, line in STAMPS.items()}
    found = []
    for name, change in EQUIVALENT:
        with stamped.transaction(force_rollback=True):
            stamped.execute(change.encode())
            found += [(name, change, s) for s in broken(stamped, checks[name])]
    assert found == []


def test_the_checks_leave_nothing_behind(stamped: psycopg.Connection) -> None:
    query = "select count(*) from pg_class union all select count(*) from pg_policy"
    before = stamped.execute(query).fetchall()
    for line in STAMPS.values():
        broken(stamped, stamp(line, Target.VERIFY))
    assert stamped.execute(query).fetchall() == before


def test_a_broken_promise_says_what_is_wrong(stamped: psycopg.Connection) -> None:
    stamped.execute(f"alter policy {VIEW} to public".encode())
    stamped.execute(b"alter policy projects_insert_own on projects with check (true)")
    stamped.execute(b"drop policy projects_delete_own on projects")
    stamped.execute(b"create policy x on projects to anon using (true)")
    stamped.execute(b"alter policy projects_update_own on projects to service_role")
    text = stamp(OWNER, Target.VERIFY)
    check = promises.parse(text, Path("verify/001_a.sql")).checks[1]
    cursor = stamped.cursor()
    cursor.execute(check.turns[0].query.sql.encode())
    while cursor.nextset():
        pass
    assert cursor.fetchall() == [
        (False, "Users can view own projects", "to public"),
        (False, "projects_delete_own", "missing"),
        (False, "projects_insert_own", "with check true"),
        (False, "projects_update_own", "to service_role"),
        (False, "x", "opens the same command"),
    ]
