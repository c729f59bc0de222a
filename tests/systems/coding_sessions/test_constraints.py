"""Keys, conditions, defaults and triggers, as those who write meet them."""

import pytest
from psycopg import errors

from .world import TABLES

TIMES = ("created_at", "updated_at")
VALUES = {
    ("profiles", "tier"): ("free", "starter", "pro", "enterprise"),
    ("projects", "status"): ("active", "archived", "deleted"),
    ("coding_sessions", "status"): (
        "pending",
        "active",
        "paused",
        "completed",
        "failed",
        "expired",
    ),
    ("coding_jobs", "status"): ("pending", "processing", "completed", "failed"),
    ("session_events", "event_type"): (
        "thinking",
        "terminal",
        "file_change",
        "preview_ready",
        "completion",
        "error",
    ),
}
REQUIRED = {
    "profiles": ("id", "email", "tier", "sessions_used", "sessions_limit", *TIMES),
    "projects": ("id", "user_id", "name", "status", *TIMES),
    "coding_sessions": (
        "id",
        "user_id",
        "project_id",
        "status",
        "initial_prompt",
        "expires_at",
        *TIMES,
    ),
    "coding_jobs": (
        "id",
        "session_id",
        "prompt",
        "status",
        "priority",
        "retry_count",
        "max_retries",
        *TIMES,
    ),
    "session_events": ("id", "session_id", "event_type", "data", "created_at"),
}
REFERENCES = [
    ("profiles", "id"),
    ("projects", "user_id"),
    ("coding_sessions", "user_id"),
    ("coding_sessions", "project_id"),
    ("coding_jobs", "session_id"),
    ("session_events", "session_id"),
]


@pytest.mark.parametrize(("table", "column"), VALUES)
def test_listed_values_are_accepted_and_no_other(coding_sessions, ann, table, column):
    update = f"update public.{table} set {column} = %s"
    for value in VALUES[table, column]:
        assert coding_sessions.changed(update, value) == 1

    for value in ("", "Active", "unheard-of"):
        with coding_sessions.refused(errors.CheckViolation):
            coding_sessions.rows(update, value)

    last = coding_sessions.value(f"select {column} from public.{table}")
    assert last == VALUES[table, column][-1]


@pytest.mark.parametrize("table", TABLES)
def test_required_columns_cannot_be_empty(coding_sessions, ann, table):
    # An updated_at is filled in by its trigger whatever is said: ask while it is off.
    coding_sessions.rows(f"alter table public.{table} disable trigger user")

    for column in REQUIRED[table]:
        with coding_sessions.refused(errors.NotNullViolation):
            coding_sessions.rows(f"update public.{table} set {column} = null")

    optional = coding_sessions.rows(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
        "and not attnotnull",
        f"public.{table}",
    )
    for (column,) in optional:
        assert coding_sessions.changed(f"update public.{table} set {column} = null") == 1
        assert column not in REQUIRED[table]


@pytest.mark.parametrize(("table", "column"), REFERENCES)
def test_reference_to_nothing_is_refused(coding_sessions, ann, table, column):
    if table == "profiles":
        statement = (
            "insert into public.profiles (id, email) values (gen_random_uuid(), 'x@example.test')"
        )
    else:
        statement = f"update public.{table} set {column} = gen_random_uuid()"

    with coding_sessions.refused(errors.ForeignKeyViolation):
        coding_sessions.rows(statement)

    assert coding_sessions.value(f"select count(*) from public.{table}") == 1


@pytest.mark.parametrize(
    ("deleted", "gone"),
    [
        ("auth.users", TABLES),
        ("public.profiles", TABLES),
        ("public.projects", TABLES[1:]),
        ("public.coding_sessions", TABLES[2:]),
    ],
)
def test_delete_cascades_down_to_the_events(coding_sessions, ann, bob, deleted, gone):
    row = ann.rows.get(deleted.removeprefix("public."), ann.id)
    coding_sessions.rows(f"delete from {deleted} where id = %s", row)

    for table in TABLES:
        left = {row for (row,) in coding_sessions.rows(f"select id from public.{table}")}
        assert left == {bob.rows[table]} | (set() if table in gone else {ann.rows[table]})


def test_session_goes_with_its_user_even_on_anothers_project(coding_sessions, ann, bob):
    guest = coding_sessions.session(ann.id, bob.project)

    coding_sessions.rows("delete from public.profiles where id = %s", ann.id)

    assert coding_sessions.rows("select id from public.coding_sessions") == [(bob.session,)]
    assert guest != bob.session


@pytest.mark.parametrize("table", TABLES[:-1])
def test_updated_at_grows_and_created_at_stays(coding_sessions, ann, table):
    times = f"select created_at, updated_at from public.{table}"
    ((created, updated),) = coding_sessions.rows(times)
    assert created <= updated

    # Each statement is a transaction, and now() is the time a transaction begins.
    coding_sessions.rows(f"update public.{table} set updated_at = '2000-01-01', id = id")

    ((created_after, updated_after),) = coding_sessions.rows(times)
    assert updated_after > updated
    assert created_after == created


def test_events_have_no_updated_at(coding_sessions):
    columns = coding_sessions.rows(
        "select attname from pg_attribute "
        "where attrelid = 'public.session_events'::regclass and attnum > 0"
    )

    assert [name for (name,) in columns] == ["id", "session_id", "event_type", "data", "created_at"]


def test_defaults_of_a_session_and_its_job(coding_sessions, ann):
    session = (
        "select status, sandbox_id, eas_update_url, webview_url, started_at, completed_at, "
        "error_message, metadata from public.coding_sessions"
    )
    job = (
        "select status, priority, retry_count, max_retries, started_at, completed_at, "
        "error_message from public.coding_jobs"
    )

    assert coding_sessions.rows(session) == [("pending", *[None] * 7)]
    assert coding_sessions.rows(job) == [("pending", 0, 0, 3, None, None, None)]


def test_two_workers_never_claim_one_job(coding_sessions, ann):
    urgent = coding_sessions.job(ann.session)
    coding_sessions.rows("update public.coding_jobs set priority = 10 where id = %s", urgent)
    claim = (
        "select id from public.coding_jobs where status = 'pending' "
        "order by priority desc, created_at limit 1 for update skip locked"
    )

    with coding_sessions.service() as first:
        taken = first.value(claim)
        with type(first.connection).connect(first.connection.info.dsn) as second:
            also_taken = second.execute(claim).fetchone()

    assert (taken, also_taken) == (urgent, (ann.job,))
