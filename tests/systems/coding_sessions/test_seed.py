"""The development data: the document's rows, for two users, as often as one likes."""

import pytest

from conftest import ROOT

from .world import TABLES

SEED = ROOT / "seed" / "coding_sessions.sql"
DEV = "select id from public.profiles where email = 'dev@example.test'"


@pytest.fixture
def seeded(coding_sessions):
    coding_sessions.rows(SEED.read_text())
    return coding_sessions


def test_each_user_has_the_documents_rows(seeded):
    users = [user for (user,) in seeded.rows("select id from public.profiles")]

    assert len(users) == 2
    for user in users:
        with seeded.user(user) as db:
            rows = [db.value(f"select count(*) from public.{table}") for table in TABLES]
        assert rows == [1, 1, 1, 1, 2]


def test_texts_are_the_documents(seeded):
    with seeded.user(seeded.value(DEV)) as db:
        assert db.rows(
            "select project.name, project.description, session.initial_prompt, session.status, "
            "session.expires_at - session.created_at = interval '1 hour', job.prompt, job.status "
            "from public.projects as project "
            "join public.coding_sessions as session on session.project_id = project.id "
            "join public.coding_jobs as job on job.session_id = session.id"
        ) == [
            (
                "Test Todo App",
                "A sample todo application for testing",
                "Build a todo app with React",
                "pending",
                True,
                "Build a todo app with React",
                "pending",
            )
        ]
        assert db.rows("select event_type, data from public.session_events order by id") == [
            ("thinking", {"message": "Planning the todo app structure..."}),
            ("terminal", {"command": "npm install", "output": "Installing dependencies..."}),
        ]


def test_running_it_again_changes_nothing(seeded):
    content = " union all ".join(f"select to_jsonb(t) from public.{t} as t" for t in TABLES)
    before = seeded.rows(content)
    accounts = seeded.rows("select to_jsonb(u) from auth.users as u order by id")

    seeded.rows(SEED.read_text())

    assert seeded.rows(content) == before
    assert seeded.rows("select to_jsonb(u) from auth.users as u order by id") == accounts


def test_it_leaves_other_rows_alone(coding_sessions, ann):
    anns = "select * from public.projects where user_id = %s"
    before = coding_sessions.rows(anns, ann.id)

    coding_sessions.rows(SEED.read_text())

    assert coding_sessions.rows(anns, ann.id) == before
    assert coding_sessions.value("select count(*) from public.profiles") == 3
