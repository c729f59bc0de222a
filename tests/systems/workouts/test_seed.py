"""The development data: two users with rows in every table, as often as one likes."""

import pytest

from .world import SEED, TABLES, statement

CONTENT = " union all ".join(f"select '{t}', to_jsonb(t) from public.{t} as t" for t in TABLES)
OWNED = {
    "users": "id = %s",
    "magic_links": "email = (select email from public.users where id = %s)",
    "invites": "created_by = %s",
    "exercises": "created_by = %s",
    "workout_template_exercises": "template_id in "
    "(select id from public.workout_templates where user_id = %s)",
    "workout_session_exercises": "session_id in "
    "(select id from public.workout_sessions where user_id = %s)",
    "workout_sets": "session_exercise_id in (select e.id from public.workout_session_exercises e "
    "join public.workout_sessions s on s.id = e.session_id where s.user_id = %s)",
}


@pytest.fixture
def seeded(workouts):
    workouts.rows(SEED.read_text())
    return workouts


def test_each_user_has_rows_in_every_table(seeded):
    users = seeded.rows("select id, email from public.users order by email")
    assert [email for _, email in users] == ["dev@example.test", "second@example.test"]
    for user, _ in users:
        for table in TABLES:
            owned = OWNED.get(table, "user_id = %s")
            assert seeded.value(f"select count(*) > 0 from public.{table} where {owned}", user)


def test_all_rows_of_a_chain_are_one_users(seeded):
    assert seeded.value(
        "select bool_and(e.user_id = s.user_id and coalesce(t.user_id = s.user_id, true)) "
        "from public.scheduled_workouts as e "
        "join public.workout_sessions as s on s.id = e.completed_session_id "
        "left join public.workout_templates as t on t.id = e.template_id"
    )
    assert seeded.value(
        "select bool_and(l.user_id = s.user_id) from public.max_lifts as l "
        "join public.workout_sessions as s on s.id = l.workout_id"
    )


def test_running_it_again_changes_nothing(seeded):
    before = seeded.rows(CONTENT)

    seeded.rows(SEED.read_text())

    assert seeded.rows(CONTENT) == before
    assert len(before) > 40


def test_it_leaves_other_rows_alone(workouts, ann):
    before = set(map(str, workouts.rows(CONTENT)))

    workouts.rows(SEED.read_text())

    assert before <= set(map(str, workouts.rows(CONTENT)))
    assert workouts.value("select count(*) from public.users") == 3


def test_the_calendar_has_one_of_each_and_a_friend_shares(seeded):
    assert seeded.rows(
        "select public.scheduled_workout_status(scheduled_date, completed_session_id) as status "
        "from public.scheduled_workouts as e join public.users as u on u.id = e.user_id "
        "where u.email = 'dev@example.test' order by status"
    ) == [("completed",), ("missed",), ("planned",)]
    dev = seeded.value("select id from public.users where email = 'dev@example.test'")
    rows = seeded.rows(statement("templates_shared", user=dev))
    assert [(row[1], row[4], row[5]) for row in rows] == [("Pull day", "Second", 1)]
