"""The platform set: what a real Supabase has, and nothing where it is there already."""

import psycopg
import pytest
from psycopg import errors

from conftest import ROOT
from pgvouch.config.options import Options
from pgvouch.config.project import Database, find_project, read_database
from pgvouch.engine import commands
from pgvouch.errors import MigrationError
from pgvouch.events import silent
from pgvouch.files.directives import parse_directives
from pgvouch.postgres.session import Session
from systems.owner import migration_files
from systems.system import PLATFORM

from .world import SYSTEM, build


def holds(connection, name):
    """Whether a file of the set finds that the database has it already."""
    path = PLATFORM / f"{name}.sql"
    condition = parse_directives(path.read_text(), path).unless
    ((value,),) = connection.execute(f"select ({condition}\n)::boolean").fetchall()
    return value


@pytest.mark.parametrize("name", ["001_auth_schema", "002_default_privileges", "003_realtime"])
def test_a_plain_database_lacks_it_and_a_built_one_has_it(every_url, coding_sessions, name):
    with psycopg.connect(every_url) as plain:
        assert holds(plain, name) is False

    assert holds(coding_sessions.connection, name) is True


def test_roles_are_there_for_every_database_of_the_server(template, every_url):
    with psycopg.connect(every_url) as plain:
        assert holds(plain, "000_roles") is True


def test_roles_can_be_made_again(coding_sessions):
    roles = "select rolname, rolbypassrls, rolcanlogin, rolinherit from pg_roles order by rolname"
    before = coding_sessions.rows(roles)

    coding_sessions.rows((PLATFORM / "000_roles.sql").read_text())

    assert coding_sessions.rows(roles) == before


@pytest.mark.parametrize("claims", [None, "", "{}"])
def test_without_claims_the_caller_is_nobody(coding_sessions, claims):
    with coding_sessions.connection.transaction():
        if claims is not None:
            coding_sessions.rows("select set_config('request.jwt.claims', %s, true)", claims)
        assert coding_sessions.rows("select auth.uid(), auth.role()") == [(None, None)]


def test_claims_end_with_their_transaction(coding_sessions, ann):
    with coding_sessions.user(ann.id) as db:
        assert db.rows("select auth.uid(), auth.role()") == [(ann.id, "authenticated")]

    assert coding_sessions.rows("select auth.uid(), auth.role()") == [(None, None)]


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_api_roles_cannot_read_accounts(coding_sessions, ann, role):
    with coding_sessions.refused(errors.InsufficientPrivilege), coding_sessions.acting(role) as db:
        db.rows("select id from auth.users")

    with coding_sessions.acting(role, ann.id) as db:
        assert db.value("select auth.uid()") == ann.id


def test_a_new_table_in_public_is_open_until_row_level_security_closes_it(coding_sessions):
    coding_sessions.rows("create table public.careless (secret text)")
    coding_sessions.rows("insert into public.careless values ('seen')")

    with coding_sessions.anon() as db:
        assert db.rows("select secret from public.careless") == [("seen",)]
    coding_sessions.rows("alter table public.careless enable row level security")
    with coding_sessions.anon() as db:
        assert db.rows("select secret from public.careless") == []


@pytest.mark.parametrize("folder", [PLATFORM, SYSTEM], ids=lambda folder: folder.name)
def test_every_migration_can_be_rolled_back_and_vouches_for_itself(folder):
    files = migration_files(folder)

    assert files
    for file in files:
        assert file.with_suffix(".rollback.sql").read_text().strip()
        assert "-- check" in (folder / "verify" / file.name).read_text()


def test_half_an_auth_schema_is_waited_for(every_url):
    # As Supabase's image has it, before its auth server has run once.
    with psycopg.connect(every_url, autocommit=True) as image:
        image.execute("create schema auth")
        image.execute(
            "create table auth.users (id uuid primary key, email text, raw_user_meta_data jsonb)"
        )
        image.execute("create function auth.uid() returns uuid language sql return null::uuid")

        with pytest.raises(MigrationError) as caught:
            build(every_url)

        assert "schema auth is here, but not all of auth.users" in caught.value.message
        assert caught.value.server.sqlstate == "55000"
        assert "start the auth server first" in caught.value.server.hint
        assert caught.value.hint == "do what the hint says, and run the same command again"
        # The auth server starts.
        image.execute("drop schema auth cascade")
        image.execute((PLATFORM / "001_auth_schema.sql").read_text())
    build(every_url)


def test_a_publication_for_all_tables_is_named_as_the_cause(every_url):
    with psycopg.connect(every_url, autocommit=True) as project:
        project.execute("create publication supabase_realtime for all tables")

    with pytest.raises(MigrationError) as caught:
        build(every_url)

    assert "005_create_session_events failed" in caught.value.message
    assert 'publication "supabase_realtime" is defined as FOR ALL TABLES' in caught.value.message


def test_a_publication_that_others_use_is_not_taken_back(every_url):
    build(every_url)
    system = Database(
        SYSTEM.name,
        SYSTEM,
        every_url,
        read_database(find_project(ROOT / "pyproject.toml"), SYSTEM.name),
    )

    def roll_back():
        with Session.open(every_url) as session:
            options = Options(discard_data=True)
            commands.roll_back_steps(session, system, options, silent, steps=None, to=None)

    with psycopg.connect(every_url, autocommit=True) as project:
        project.execute("create table public.theirs (id int)")
        project.execute("alter publication supabase_realtime add table public.theirs")

        with pytest.raises(MigrationError, match="has tables in it that others have added"):
            roll_back()

        published = "select tablename from pg_publication_tables"
        assert project.execute(published).fetchall() == [("theirs",)]
        project.execute("alter publication supabase_realtime drop table public.theirs")
        roll_back()
        assert project.execute("select from pg_publication").fetchall() == []
