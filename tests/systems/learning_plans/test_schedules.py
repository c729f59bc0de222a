"""The document's table at work: the cache of a plan's schedule is stored, read, replaced, dropped."""

import json
import threading

import psycopg
import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

from .world import EMPTY, INSERT, KEYS

COLUMNS = [
    ("plan_id", "uuid", True, None),
    ("schedule_json", "jsonb", True, None),
    ("inputs_hash", "text", True, None),
    ("generated_at", "timestamp with time zone", True, "now()"),
    ("timezone", "text", True, None),
    ("weekly_hours", "integer", True, None),
    ("start_date", "date", True, None),
    ("deadline", "date", False, None),
]
WEEK = {
    "weeks": [
        {
            "weekNumber": 1,
            "startDate": "2025-02-03",
            "endDate": "2025-02-09",
            "days": [{"dayNumber": 1, "date": "2025-02-03", "sessions": []}],
        }
    ],
    "totalWeeks": 1,
    "totalSessions": 0,
}


def test_the_table_has_the_documents_columns(learning_plans):
    assert (
        learning_plans.rows(
            "select attname::text, format_type(atttypid, atttypmod), attnotnull, "
            "pg_get_expr(adbin, adrelid) from pg_attribute left join pg_attrdef "
            "on adrelid = attrelid and adnum = attnum "
            "where attrelid = 'public.plan_schedules'::regclass and attnum > 0 order by attnum"
        )
        == COLUMNS
    )


def test_primary_key_is_the_foreign_key_and_cascades(learning_plans):
    assert learning_plans.rows(
        "select contype::text, conkey::text, confrelid::regclass::text, confdeltype::text, "
        "confupdtype::text from pg_constraint "
        "where conrelid = 'public.plan_schedules'::regclass and contype in ('p', 'f') order by 1"
    ) == [("f", "{1}", "learning_plans", "c", "a"), ("p", "{1}", "-", " ", " ")]


def test_owner_stores_and_reads_a_schedule(learning_plans, ann):
    plan = learning_plans.plan(ann.id)

    with learning_plans.user(ann.sub) as db:
        db.rows(INSERT, plan, Jsonb(WEEK), "test-hash-123")
        found = db.rows(
            "select schedule_json, inputs_hash, generated_at = now(), timezone, weekly_hours, "
            "start_date::text, deadline from public.plan_schedules where plan_id = %s",
            plan,
        )

    assert found == [(WEEK, "test-hash-123", True, "UTC", 10, "2025-02-03", None)]


def test_owner_upserts_twice_and_one_row_remains(learning_plans, ann):
    times = []
    for number in (1, 2):
        with learning_plans.user(ann.sub) as db:
            assert db.upsert(ann.plan, f"hash {number}", WEEK) == 1
            times.append(db.value("select generated_at from public.plan_schedules"))

    assert learning_plans.rows(
        "select plan_id, schedule_json, inputs_hash from plan_schedules"
    ) == [(ann.plan, WEEK, "hash 2")]
    assert times[0] < times[1]


def test_owner_upserts_the_first_schedule(learning_plans, ann):
    plan = learning_plans.plan(ann.id)

    with learning_plans.user(ann.sub) as db:
        assert db.upsert(plan, "first") == 1

    found = "select inputs_hash from public.plan_schedules where plan_id = %s"
    assert learning_plans.value(found, plan) == "first"


@pytest.mark.parametrize("visibility", ["private", "public"])
@pytest.mark.parametrize("stored", [True, False])
def test_upsert_fails_for_somebody_else(learning_plans, ann, bob, visibility, stored):
    learning_plans.rows("update learning_plans set visibility = %s", visibility)
    if not stored:
        learning_plans.rows("delete from plan_schedules where plan_id = %s", bob.plan)

    with (
        learning_plans.refused(errors.InsufficientPrivilege),
        learning_plans.user(ann.sub) as db,
    ):
        db.upsert(bob.plan, "taken over")

    hashes = learning_plans.rows("select inputs_hash from plan_schedules order by 1")
    assert hashes == [("hash of ann",), *([("hash of bob",)] if stored else [])]


def test_upsert_needs_all_three_policies(learning_plans, ann):
    for command in ("select", "insert", "update"):
        with learning_plans.refused(errors.InsufficientPrivilege):
            learning_plans.rows(f"drop policy plan_schedules_{command}_own on plan_schedules")
            with learning_plans.user(ann.sub) as db:
                db.upsert(ann.plan, "new")

    with learning_plans.user(ann.sub) as db:
        assert db.upsert(ann.plan, "new") == 1


def test_stale_schedule_is_told_by_its_hash(learning_plans, ann):
    fresh = "select count(*) from public.plan_schedules where plan_id = %s and inputs_hash = %s"

    with learning_plans.user(ann.sub) as db:
        assert db.value(fresh, ann.plan, "hash of ann") == 1
        assert db.value(fresh, ann.plan, "hash of the plan as it is now") == 0


def test_second_row_of_a_plan_is_refused(learning_plans, ann):
    with learning_plans.refused(errors.UniqueViolation), learning_plans.user(ann.sub) as db:
        db.rows(INSERT, ann.plan, Jsonb(EMPTY), "again")

    assert learning_plans.value("select count(*) from plan_schedules") == 1


def test_plan_that_is_not_there(learning_plans, ann):
    nowhere = "00000000-0000-4000-8000-000000000000"

    with learning_plans.refused(errors.ForeignKeyViolation):
        learning_plans.rows(INSERT, nowhere, Jsonb(EMPTY), "lost")
    # A user does not learn whether it is there: the policy refuses before the key is looked at.
    with learning_plans.refused(errors.InsufficientPrivilege), learning_plans.user(ann.sub) as db:
        db.rows(INSERT, nowhere, Jsonb(EMPTY), "lost")

    assert learning_plans.value("select count(*) from plan_schedules") == 1


@pytest.mark.parametrize(
    ("deleted", "gone"),
    [
        ("users", ("users", "learning_plans", "plan_schedules")),
        ("learning_plans", ("learning_plans", "plan_schedules")),
        ("plan_schedules", ("plan_schedules",)),
    ],
)
def test_delete_cascades_down_to_the_schedule(learning_plans, ann, bob, deleted, gone):
    learning_plans.rows(f"delete from {deleted} where {KEYS[deleted]} = %s", ann.rows[deleted])

    for table, key in KEYS.items():
        left = {row for (row,) in learning_plans.rows(f"select {key} from {table}")}
        assert left == {bob.rows[table]} | (set() if table in gone else {ann.rows[table]})


def test_owner_who_deletes_the_plan_deletes_the_schedule(learning_plans, ann, bob):
    with learning_plans.user(ann.sub) as db:
        assert db.changed("delete from public.learning_plans where id = %s", ann.plan) == 1

    assert learning_plans.rows("select plan_id from plan_schedules") == [(bob.plan,)]


def test_two_upserts_at_once_leave_one_row(learning_plans, ann):
    plan = learning_plans.plan(ann.id)
    claims = json.dumps({"sub": ann.sub, "role": "authenticated"})
    done: list[int] = []

    def second():
        with psycopg.connect(learning_plans.connection.info.dsn) as other:
            other.execute("select set_config('role', 'authenticated', true)")
            other.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
            done.append(type(learning_plans)(other).upsert(plan, "second"))

    waiting = (
        "select exists (select from pg_stat_activity where datname = current_database() "
        "and wait_event_type = 'Lock')"
    )
    with (
        psycopg.connect(learning_plans.connection.info.dsn, autocommit=True) as watcher,
        learning_plans.user(ann.sub) as db,
    ):
        assert db.upsert(plan, "first") == 1
        thread = threading.Thread(target=second)
        thread.start()
        while watcher.execute(waiting).fetchone() == (False,):
            assert thread.is_alive()
    thread.join()

    assert done == [1]
    found = "select inputs_hash from public.plan_schedules where plan_id = %s"
    assert learning_plans.rows(found, plan) == [("second",)]
