"""The document's rls.test: row level security on every table, for each role of the API."""

import pytest
from psycopg import errors

from .world import TABLES

WRITES = {
    "insert into coding_jobs": "insert into public.coding_jobs (session_id, prompt) "
    "values (%(session)s, 'Quick')",
    "update coding_jobs": "update public.coding_jobs set priority = 100",
    "delete from coding_jobs": "delete from public.coding_jobs",
    "insert into session_events": "insert into public.session_events "
    "(session_id, event_type, data) values (%(session)s, 'completion', '{}')",
    "update session_events": "update public.session_events set data = '{}'",
    "delete from session_events": "delete from public.session_events",
}


def test_rls_enabled_on_all_tables(coding_sessions):
    assert coding_sessions.rows(
        "select relname, relrowsecurity from pg_class "
        "where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname"
    ) == [(table, True) for table in sorted(TABLES)]


def test_user_isolation_works(coding_sessions, ann, bob):
    for person in (ann, bob):
        with coding_sessions.user(person.id) as db:
            for table in TABLES:
                assert db.rows(f"select id from public.{table}") == [(person.rows[table],)]


def test_service_role_bypasses_rls(coding_sessions, ann, bob):
    with coding_sessions.service() as db:
        for table in TABLES:
            found = {row for (row,) in db.rows(f"select id from public.{table}")}
            assert found == {ann.rows[table], bob.rows[table]}


def test_service_role_writes_all_tables(coding_sessions, ann):
    with coding_sessions.service() as db:
        db.rows("update public.profiles set sessions_used = 1")
        session = db.session(ann.id, db.project(ann.id))
        job, event = db.job(session), db.event(session)
        db.rows("update public.coding_jobs set status = 'completed' where id = %s", job)
        db.rows("update public.session_events set data = '[]' where id = %s", event)
        for table, row in (("session_events", event), ("coding_jobs", job)):
            assert db.changed(f"delete from public.{table} where id = %s", row) == 1
        assert db.changed("delete from public.coding_sessions where id = %s", session) == 1
        assert db.changed("delete from public.projects where user_id = %s", ann.id) == 2
    # Profiles alone are not its to delete: they go with their account.
    coding_sessions.rows("delete from public.profiles where id = %s", ann.id)
    with coding_sessions.service() as db:
        db.rows("insert into public.profiles (id, email) values (%s, 'ann@example.test')", ann.id)


@pytest.mark.parametrize("table", ["coding_jobs", "session_events"])
def test_subquery_rls_works(coding_sessions, ann, bob, table):
    # Ann's session changes hands: what hangs on it follows its user, not the project's owner.
    coding_sessions.rows(
        "update public.coding_sessions set user_id = %s where id = %s", bob.id, ann.session
    )

    with coding_sessions.user(ann.id) as db:
        assert db.rows(f"select id from public.{table}") == []
    with coding_sessions.user(bob.id) as db:
        found = {row for (row,) in db.rows(f"select id from public.{table}")}
    assert found == {ann.rows[table], bob.rows[table]}


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES.keys())
def test_user_cannot_write_jobs_or_events(coding_sessions, ann, statement):
    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.connection.execute(statement, {"session": ann.session})

    left = coding_sessions.rows(
        "select (select count(*) from public.coding_jobs where priority = 0), "
        "(select count(*) from public.session_events where event_type = 'thinking')"
    )
    assert left == [(1, 1)]


@pytest.mark.parametrize("table", TABLES)
def test_visitor_may_nothing(coding_sessions, ann, table):
    for statement in (
        "select from public.{}",
        "insert into public.{} default values",
        "update public.{} set id = id",
        "delete from public.{}",
        "truncate public.{} cascade",
    ):
        with coding_sessions.refused(errors.InsufficientPrivilege), coding_sessions.anon() as db:
            db.rows(statement.format(table))

    assert coding_sessions.value(f"select count(*) from public.{table}") == 1


def test_token_without_a_subject_sees_nothing(coding_sessions, ann):
    with coding_sessions.acting("authenticated") as db:
        for table in TABLES:
            assert db.rows(f"select id from public.{table}") == []


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_trigger_functions_are_nobody_elses(coding_sessions, role):
    for function in ("handle_new_user", "update_updated_at"):
        for statement in (
            "select public.{}()",
            "create trigger hook before insert on bait for each row execute function public.{}()",
        ):
            with (
                coding_sessions.refused(errors.InsufficientPrivilege),
                coding_sessions.acting(role) as db,
            ):
                db.rows("create temporary table bait (id uuid, email text, updated_at timestamptz)")
                db.rows(statement.format(function))


def test_counts_are_the_documents(coding_sessions):
    assert coding_sessions.rows(
        """
        select
          c.relname,
          (select count(*) from pg_attribute
           where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
          (select count(*) from pg_policy where polrelid = c.oid) as policies,
          (select count(*) from pg_index as i where i.indrelid = c.oid
           and not exists (select from pg_constraint where conindid = i.indexrelid)) as indexes,
          (select count(*) from pg_trigger where tgrelid = c.oid and not tgisinternal) as triggers
        from pg_class as c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
        order by c.relname
        """
    ) == [
        ("coding_jobs", 12, 1, 2, 1),
        ("coding_sessions", 15, 3, 4, 1),
        ("profiles", 10, 2, 2, 1),
        ("projects", 10, 4, 3, 1),
        ("session_events", 5, 1, 2, 0),
    ]


def test_profiles_has_its_second_trigger_on_the_accounts(coding_sessions):
    assert coding_sessions.rows(
        "select tgname from pg_trigger where tgrelid = 'auth.users'::regclass and not tgisinternal"
    ) == [("on_auth_user_created",)]


def test_clients_can_subscribe_to_events_only(coding_sessions):
    assert coding_sessions.rows(
        "select schemaname, tablename from pg_publication_tables "
        "where pubname = 'supabase_realtime'"
    ) == [("public", "session_events")]
