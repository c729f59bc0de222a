"""Who makes the policies that a stamped check compares with: another role than the migrating one.

Supabase locks the tables of auth, storage and realtime for every policy that `postgres` makes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
import pytest

from pgvouch.stamp.templates import Target
from support.stamp_bench import PLATFORM, broken, stamp

TABLES = """
create role stamp_migrator bypassrls;
create role stamp_alone;
grant anon, authenticated, service_role to stamp_migrator;
grant create on schema public to stamp_migrator;
grant usage on schema public, auth to anon, authenticated, service_role, stamp_migrator;
create function public.tell_maker() returns event_trigger language plpgsql
  as $$ begin raise notice 'a policy by %', current_user; end $$;
create event trigger tell_maker on ddl_command_start when tag in ('CREATE POLICY')
  execute function public.tell_maker();
set session authorization stamp_migrator;
create table public.projects (id uuid primary key, user_id uuid not null);
create table public.jobs (id uuid primary key, project_id uuid not null references public.projects (id));
create index on public.projects (user_id);
create index on public.jobs (project_id);
alter table public.projects enable row level security;
alter table public.jobs enable row level security;
revoke all on public.projects, public.jobs from public, anon, authenticated, service_role;
"""
STAMPS = (
    'owner_policies(table="projects", owner="user_id", commands=["select", "update"])',
    'owner_via_policies(table="jobs", commands=["select"],'
    ' via=[{"table": "projects", "column": "project_id", "owner": "user_id"}])',
    'service_policies(table="jobs", commands=["delete"])',
)
ALONE = 'owner_policies(table="projects", owner="user_id", commands=["delete"], role="stamp_alone")'


@dataclass
class Project:
    """A database in which a role without superuser rights has stamped; all in one transaction."""

    connection: psycopg.Connection
    said: list[str] = field(default_factory=list)

    def makers(self, *lines: str, ahead: str = "") -> set[str]:
        """Stamp and check, and return who has made the policies of the checks."""
        for line in lines:
            self.connection.execute(stamp(line).encode())
        # As the server's owner: what may be done by whom is not the migrating role's to say.
        self.connection.execute(b"reset session authorization")
        self.connection.execute(ahead.encode())
        self.connection.execute(b"set session authorization stamp_migrator")
        self.said.clear()
        for line in lines:
            assert broken(self.connection, stamp(line, Target.VERIFY)) == []
        return {text.removeprefix("a policy by ") for text in self.said}


@pytest.fixture
def project(every_url: str) -> Iterator[Project]:
    with psycopg.connect(every_url) as connection:
        found = Project(connection)
        connection.add_notice_handler(
            lambda notice: found.said.append(notice.message_primary or "")
        )
        connection.execute(PLATFORM.encode())
        connection.execute(TABLES.encode())
        yield found
        connection.rollback()


def test_it_is_the_role_of_the_policies_which_need_not_see_the_table(project: Project) -> None:
    assert project.makers(*STAMPS) == {"authenticated", "service_role"}


def test_who_migrates_as_another_role_comes_back_to_it(project: Project) -> None:
    project.connection.execute(b"set local role stamp_migrator")
    assert project.makers(*STAMPS) == {"authenticated", "service_role"}


@pytest.mark.parametrize("schema", ["auth", "public"])
def test_a_role_that_may_not_look_into_a_schema_is_passed_over(
    project: Project, schema: str
) -> None:
    ahead = f"revoke usage on schema {schema} from public, authenticated, anon"
    assert project.makers(STAMPS[1], ahead=ahead) == {"service_role"}


def test_a_role_that_the_migrating_one_cannot_become_is_passed_over(project: Project) -> None:
    assert project.makers(ALONE) == {"anon"}


@pytest.mark.parametrize(
    "ahead",
    [
        "revoke anon, authenticated, service_role from stamp_migrator",
        "do $$ begin execute format('revoke temporary on database %1$I from public;"
        " grant temporary on database %1$I to stamp_migrator', current_database()); end $$",
        "revoke usage on schema auth from public, anon, authenticated, service_role",
    ],
    ids=["no member of any", "no right to temporary tables", "no right to the schema"],
)
def test_where_nobody_can_the_migrating_role_does(project: Project, ahead: str) -> None:
    assert project.makers(STAMPS[1], ahead=ahead) == {"stamp_migrator"}


def test_an_operator_of_the_migrating_roles_own_schema_is_found_again(project: Project) -> None:
    project.connection.execute(
        b"reset session authorization;"
        b"create schema stamp_migrator;"
        b"create operator stamp_migrator.= (leftarg = uuid, rightarg = uuid, function = uuid_eq);"
        b"grant usage on schema stamp_migrator to stamp_migrator, authenticated;"
        b"""set local search_path = "$user", "public", pg_catalog;"""
        b"set session authorization stamp_migrator"
    )
    assert project.makers(STAMPS[0]) == {"authenticated"}
    conditions = project.connection.execute(
        b"select bool_and(qual like '%OPERATOR(stamp_migrator.=)%') from pg_catalog.pg_policies"
        b" where schemaname = 'public' and set_config('search_path', '', true) = ''"
    ).fetchone()
    assert conditions == (True,)
