"""The development data: two people with rows in every table, as often as one likes."""

import pytest

from conftest import ROOT
from pgvouch.config.options import Options
from pgvouch.config.project import Database, find_project, read_database
from pgvouch.engine import commands
from pgvouch.events import silent
from pgvouch.postgres.session import Session

from .world import KEYS, SYSTEM, TABLES

SEED = ROOT / "seed" / "learning_plans.sql"
SUBS = ("user_dev_first", "user_dev_second")


@pytest.fixture
def seeded(learning_plans):
    learning_plans.rows(SEED.read_text())
    return learning_plans


def test_two_people_have_a_row_in_every_table(seeded):
    for sub in SUBS:
        with seeded.user(sub) as db:
            assert db.value("select count(*) from public.users") == 1
            user = db.value("select id from public.users")
            own = "select count(*) from public.learning_plans where user_id = %s"
            assert db.value(own, user) == 1
            assert db.value("select count(*) from public.plan_schedules") == 1


def test_first_persons_rows_are_the_documents(seeded):
    with seeded.user(SUBS[0]) as db:
        assert db.rows(
            "select plan.topic, plan.skill_level, plan.weekly_hours, plan.learning_style, "
            "plan.generation_status, schedule.inputs_hash, schedule.timezone, "
            "schedule.weekly_hours, schedule.start_date::text, schedule.deadline "
            "from public.learning_plans as plan "
            "join public.plan_schedules as schedule on schedule.plan_id = plan.id"
        ) == [
            ("Test Topic", "beginner", 10, "mixed", "ready", "test-hash-123", "UTC", 10,
             "2025-02-03", None)
        ]  # fmt: skip


def test_schedules_have_the_shape_that_is_described(seeded):
    for (schedule,) in seeded.rows("select schedule_json from plan_schedules"):
        weeks = schedule["weeks"]
        days = [day for week in weeks for day in week["days"]]
        sessions = [session for day in days for session in day["sessions"]]
        assert set(schedule) == {"weeks", "totalWeeks", "totalSessions"}
        assert (len(weeks), len(sessions)) == (schedule["totalWeeks"], schedule["totalSessions"])
        for week in weeks:
            assert set(week) == {"weekNumber", "startDate", "endDate", "days"}
        for day in days:
            assert set(day) == {"dayNumber", "date", "sessions"}
        for session in sessions:
            assert set(session) == {
                "taskId", "taskTitle", "estimatedMinutes", "moduleId", "moduleName",
            }  # fmt: skip


def test_second_persons_plan_is_public_and_its_schedule_is_not(seeded):
    with seeded.user(SUBS[0]) as db:
        topics = {topic for (topic,) in db.rows("select topic from public.learning_plans")}
        assert topics == {"Test Topic", "Watercolours"}
        assert db.rows("select inputs_hash from public.plan_schedules") == [("test-hash-123",)]


def test_running_it_again_changes_nothing(seeded):
    content = " union all ".join(f"select to_jsonb(t) from public.{t} as t" for t in TABLES)
    before = seeded.rows(content)

    seeded.rows(SEED.read_text())

    assert len(before) == 2 * len(TABLES)
    assert seeded.rows(content) == before


def test_it_leaves_other_rows_alone(learning_plans, ann):
    anns = [f"select to_jsonb(t) from {t} as t where {k} = %s" for t, k in KEYS.items()]
    before = [learning_plans.rows(sql, ann.rows[t]) for sql, t in zip(anns, TABLES, strict=True)]

    learning_plans.rows(SEED.read_text())

    after = [learning_plans.rows(sql, ann.rows[t]) for sql, t in zip(anns, TABLES, strict=True)]
    assert after == before
    assert learning_plans.value("select count(*) from users") == 3


def test_taking_the_schedules_back_keeps_people_and_plans(seeded):
    kept = [f"select to_jsonb(t) from {table} as t" for table in ("users", "learning_plans")]
    before = [seeded.rows(sql) for sql in kept]
    migrations = read_database(find_project(ROOT / "pyproject.toml"), SYSTEM.name)
    database = Database(SYSTEM.name, SYSTEM, "", migrations)

    with Session.open(seeded.connection.info.dsn) as session:
        commands.roll_back_steps(
            session, database, Options(discard_data=True), silent, steps=1, to=None
        )
        assert seeded.value("select to_regclass('plan_schedules')") is None
        assert [seeded.rows(sql) for sql in kept] == before
        commands.migrate(session, database, Options(), silent, require_promises=True)

    assert [seeded.rows(sql) for sql in kept] == before
    assert seeded.value("select count(*) from plan_schedules") == 0
