"""The document's sessions.test: who opens, reads and changes a session."""

import pytest
from psycopg import errors


def test_user_can_create_session_for_own_project(coding_sessions, ann):
    with coding_sessions.user(ann.id) as db:
        session = db.open_session(ann.id, ann.project)

    row = (
        "select user_id, project_id, status, expires_at - created_at = interval '1 hour' "
        "from public.coding_sessions where id = %s"
    )
    assert coding_sessions.rows(row, session) == [(ann.id, ann.project, "pending", True)]


def test_user_can_read_own_sessions(coding_sessions, ann, bob):
    with coding_sessions.user(ann.id) as db:
        assert db.rows("select id from public.coding_sessions") == [(ann.session,)]


def test_user_cannot_create_session_for_others_projects(coding_sessions, ann, bob):
    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.rows(
            "insert into public.coding_sessions (user_id, project_id, initial_prompt) "
            "values (%s, %s, 'Let me in')",
            ann.id,
            bob.project,
        )

    sessions = coding_sessions.rows(
        "select id from public.coding_sessions where project_id = %s", bob.project
    )
    assert sessions == [(bob.session,)]


@pytest.mark.parametrize("granted", [False, True], ids=["as it is", "with the right to"])
def test_user_cannot_move_session_to_others_projects(coding_sessions, ann, bob, granted):
    # The policy is a second fence: it holds where a careless grant has taken the first one down.
    if granted:
        coding_sessions.rows("grant update on public.coding_sessions to authenticated")

    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.rows("update public.coding_sessions set project_id = %s", bob.project)

    project = coding_sessions.value(
        "select project_id from public.coding_sessions where id = %s", ann.session
    )
    assert project == ann.project


@pytest.mark.parametrize("project_of", ["ann", "bob"])
def test_user_cannot_create_session_in_others_name(coding_sessions, ann, bob, project_of):
    project = {"ann": ann, "bob": bob}[project_of].project

    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.rows(
            "insert into public.coding_sessions (user_id, project_id, initial_prompt) "
            "values (%s, %s, 'It was Bob')",
            bob.id,
            project,
        )

    assert coding_sessions.value("select count(*) from public.coding_sessions") == 2


def test_user_cannot_take_a_session_over(coding_sessions, ann, bob):
    coding_sessions.rows("grant update on public.coding_sessions to authenticated")

    with coding_sessions.user(ann.id) as db:
        changed = db.changed(
            "update public.coding_sessions set user_id = %s, project_id = %s", ann.id, ann.project
        )

    owner = coding_sessions.value(
        "select user_id from public.coding_sessions where id = %s", bob.session
    )
    assert (changed, owner) == (1, bob.id)


def test_expired_sessions_identifiable(coding_sessions, ann, bob):
    overdue = coding_sessions.session(ann.id, ann.project, expires="-1 minute")
    finished = coding_sessions.session(ann.id, ann.project, expires="-1 minute")
    coding_sessions.rows(
        "update public.coding_sessions set status = 'completed' where id = %s", finished
    )

    with coding_sessions.service() as db:
        found = db.rows(
            "select id from public.coding_sessions "
            "where status in ('pending', 'active') and expires_at < now()"
        )

    assert found == [(overdue,)]


@pytest.mark.parametrize(
    "status", ["pending", "active", "paused", "completed", "failed", "expired"]
)
def test_user_can_change_the_status(coding_sessions, ann, bob, status):
    with coding_sessions.user(ann.id) as db:
        assert db.changed("update public.coding_sessions set status = %s", status) == 1

    row = "select status from public.coding_sessions where id = %s"
    assert coding_sessions.value(row, ann.session) == status
    assert coding_sessions.value(row, bob.session) == "pending"


SERVERS_OWN = {
    "id": "gen_random_uuid()",
    "sandbox_id": "'fly-of-B'",
    "eas_update_url": "'javascript:x'",
    "webview_url": "'javascript:x'",
    "expires_at": "'infinity'",
    "started_at": "now()",
    "completed_at": "now()",
    "error_message": "'x'",
    "metadata": "'{}'",
    "created_at": "'1900-01-01'",
    "updated_at": "'1900-01-01'",
}
"""What servers write into a session, and users do not."""


def test_the_list_of_columns_is_complete(coding_sessions):
    columns = {
        name
        for (name,) in coding_sessions.rows(
            "select attname::text from pg_attribute "
            "where attrelid = 'public.coding_sessions'::regclass and attnum > 0"
        )
    }
    assert columns == SERVERS_OWN.keys() | {"user_id", "project_id", "initial_prompt", "status"}


@pytest.mark.parametrize("column", [*SERVERS_OWN, "user_id", "project_id", "initial_prompt"])
def test_user_changes_nothing_else(coding_sessions, ann, column):
    before = coding_sessions.rows("select * from public.coding_sessions")

    for value in (SERVERS_OWN.get(column, column), "default"):
        with (
            coding_sessions.refused(errors.InsufficientPrivilege),
            coding_sessions.user(ann.id) as db,
        ):
            db.rows(f"update public.coding_sessions set {column} = {value}")

    assert coding_sessions.rows("select * from public.coding_sessions") == before


@pytest.mark.parametrize("column", [*SERVERS_OWN, "status"])
def test_user_opens_a_session_with_nothing_else(coding_sessions, ann, column):
    value = SERVERS_OWN.get(column, "'active'")

    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.rows(
            f"insert into public.coding_sessions (user_id, project_id, initial_prompt, {column}) "
            f"values (%s, %s, 'More', {value})",
            ann.id,
            ann.project,
        )

    assert coding_sessions.rows("select id from public.coding_sessions") == [(ann.session,)]


def test_server_writes_all_of_it(coding_sessions, ann):
    changes = ", ".join(f"{column} = {value}" for column, value in SERVERS_OWN.items())
    coding_sessions.rows("delete from public.coding_jobs")
    coding_sessions.rows("delete from public.session_events")

    with coding_sessions.service() as db:
        assert db.changed(f"update public.coding_sessions set {changes}") == 1

    assert coding_sessions.value("select webview_url from coding_sessions") == "javascript:x"


def test_user_cannot_delete_sessions(coding_sessions, ann):
    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.rows("delete from public.coding_sessions where id = %s", ann.session)

    assert coding_sessions.rows("select id from public.coding_sessions") == [(ann.session,)]
