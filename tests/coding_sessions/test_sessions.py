"""The document's sessions.test: who opens, reads and changes a session."""

import pytest
from psycopg import errors


def test_user_can_create_session_for_own_project(coding_sessions, ann):
    with coding_sessions.user(ann.id) as db:
        session = db.session(ann.id, ann.project)

    row = "select user_id, project_id, status from public.coding_sessions where id = %s"
    assert coding_sessions.rows(row, session) == [(ann.id, ann.project, "pending")]


def test_user_can_read_own_sessions(coding_sessions, ann, bob):
    with coding_sessions.user(ann.id) as db:
        assert db.rows("select id from public.coding_sessions") == [(ann.session,)]


def test_user_cannot_create_session_for_others_projects(coding_sessions, ann, bob):
    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.rows(
            "insert into public.coding_sessions (user_id, project_id, initial_prompt, expires_at) "
            "values (%s, %s, 'Let me in', now())",
            ann.id,
            bob.project,
        )

    sessions = coding_sessions.rows(
        "select id from public.coding_sessions where project_id = %s", bob.project
    )
    assert sessions == [(bob.session,)]


def test_user_cannot_move_session_to_others_projects(coding_sessions, ann, bob):
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
            "insert into public.coding_sessions (user_id, project_id, initial_prompt, expires_at) "
            "values (%s, %s, 'It was Bob', now())",
            bob.id,
            project,
        )

    assert coding_sessions.value("select count(*) from public.coding_sessions") == 2


def test_user_cannot_take_a_session_over(coding_sessions, ann, bob):
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


def test_user_can_change_status_expiry_and_metadata(coding_sessions, ann):
    with coding_sessions.user(ann.id) as db:
        changed = db.changed(
            "update public.coding_sessions set status = 'paused', "
            """expires_at = now() + interval '1 day', metadata = '{"files": 3}' where id = %s""",
            ann.session,
        )

    row = "select status, metadata from public.coding_sessions where id = %s"
    assert changed == 1
    assert coding_sessions.rows(row, ann.session) == [("paused", {"files": 3})]


def test_user_cannot_delete_sessions(coding_sessions, ann):
    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.rows("delete from public.coding_sessions where id = %s", ann.session)

    assert coding_sessions.rows("select id from public.coding_sessions") == [(ann.session,)]
