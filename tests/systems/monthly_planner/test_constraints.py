"""Keys, conditions, limits, enums and comments of the planner, as those who write meet them."""

import pytest
from psycopg import errors

from .world import TABLES

REQUIRED = {
    "users": ("id", "name", "email", "email_verified", "created_at", "updated_at"),
    "user_goals_and_preferences": (
        "id",
        "user_id",
        "goals_text",
        "task_complexity",
        "focus_areas",
        "weekend_preference",
        "fixed_commitments_json",
        "input_saved_at",
    ),
    "generation_quota": (
        "id",
        "user_id",
        "month_year",
        "total_allowed",
        "generations_used",
        "resets_on",
    ),
    "monthly_plans": (
        "id",
        "user_id",
        "preference_id",
        "month_year",
        "ai_prompt",
        "ai_response_raw",
        "generated_at",
    ),
    "plan_tasks": (
        "id",
        "plan_id",
        "task_description",
        "focus_area",
        "start_time",
        "end_time",
        "is_completed",
    ),
    "user_activity_history": ("id", "user_id", "task_id", "was_completed", "logged_at"),
    "user_productivity_insights": (
        "id",
        "user_id",
        "insight_type",
        "insight_value_json",
        "last_updated",
    ),
}
REFERENCES = [
    ("user_goals_and_preferences", "user_id", "users"),
    ("generation_quota", "user_id", "users"),
    ("monthly_plans", "user_id", "users"),
    ("monthly_plans", "preference_id", "user_goals_and_preferences"),
    ("plan_tasks", "plan_id", "monthly_plans"),
    ("user_activity_history", "user_id", "users"),
    ("user_activity_history", "task_id", "plan_tasks"),
    ("user_productivity_insights", "user_id", "users"),
]
ENUMS = {
    ("user_goals_and_preferences", "task_complexity"): ["Simple", "Balanced", "Ambitious"],
    ("user_goals_and_preferences", "weekend_preference"): ["Work", "Rest", "Mixed"],
    ("user_productivity_insights", "insight_type"): [
        "PeakEnergy",
        "CompletionRate",
        "SessionDuration",
        "Challenges",
    ],
}
LIMITS = [
    ("user_goals_and_preferences", "focus_areas", 150),
    ("plan_tasks", "focus_area", 50),
    ("plan_tasks", "difficulty_level", 20),
    ("plan_tasks", "scheduling_reason", 100),
]
COMMENTED = {
    ("user_goals_and_preferences", "task_complexity"),
    ("user_goals_and_preferences", "focus_areas"),
    ("user_goals_and_preferences", "fixed_commitments_json"),
    ("generation_quota", "month_year"),
    ("monthly_plans", "preference_id"),
    ("monthly_plans", "ai_prompt"),
    ("monthly_plans", "ai_response_raw"),
    ("monthly_plans", "monthly_summary"),
    ("plan_tasks", "start_time"),
    ("plan_tasks", "difficulty_level"),
    ("plan_tasks", "scheduling_reason"),
    ("plan_tasks", "is_completed"),
    ("user_activity_history", "task_id"),
    ("user_activity_history", "actual_start_time"),
    ("user_activity_history", "duration_deviation"),
    ("user_activity_history", "was_completed"),
    ("user_productivity_insights", "insight_type"),
    ("user_productivity_insights", "insight_value_json"),
    ("user_productivity_insights", "last_updated"),
}


@pytest.mark.parametrize("table", TABLES)
def test_required_columns_cannot_be_empty_and_the_others_can(monthly_planner, ann, table):
    for column in REQUIRED[table]:
        with monthly_planner.refused(errors.NotNullViolation):
            monthly_planner.rows(f"update public.{table} set {column} = null")

    optional = monthly_planner.rows(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
        "and attname <> all (%s)",
        f"public.{table}",
        list(REQUIRED[table]),
    )
    for (column,) in optional:
        assert monthly_planner.changed(f"update public.{table} set {column} = null") == 1


@pytest.mark.parametrize(("table", "column", "parent"), REFERENCES)
def test_reference_leads_somewhere_and_keeps_it(monthly_planner, ann, table, column, parent):
    row = ann.rows[table]
    update = f"update public.{table} set {column} = %s where id = %s"
    # A user whom nothing else refers to, so that it is this reference that keeps the row.
    cy = monthly_planner.insert("users", name="Cy", email="cy@example.test")
    kept = cy if parent == "users" else ann.rows[parent]
    monthly_planner.rows(update, kept, row)

    with monthly_planner.refused(errors.ForeignKeyViolation):
        monthly_planner.rows(update, -1, row)
    with monthly_planner.refused(errors.ForeignKeyViolation):
        monthly_planner.rows(f"delete from public.{parent} where id = %s", kept)

    assert monthly_planner.value(f"select {column} from public.{table} where id = %s", row) == kept
    assert monthly_planner.value(f"select count(*) from public.{parent} where id = %s", kept) == 1


def test_rows_go_from_what_refers_to_what_is_referred_to(monthly_planner, ann, bob):
    for table in reversed(TABLES):
        deleted = monthly_planner.changed(
            f"delete from public.{table} where id = %s", ann.rows[table]
        )
        assert deleted == 1

    for table in TABLES:
        assert monthly_planner.rows(f"select id from public.{table}") == [(bob.rows[table],)]


@pytest.mark.parametrize(("table", "column"), ENUMS)
def test_enums_have_their_values_in_order_and_no_other(monthly_planner, ann, table, column):
    values = ENUMS[table, column]
    update = f"update public.{table} set {column} = %s"
    for value in values:
        assert monthly_planner.changed(update, value) == 1
    for value in ("", "Other", values[0].lower(), values[0].upper(), f"{values[0]} "):
        with monthly_planner.refused(errors.InvalidTextRepresentation):
            monthly_planner.rows(update, value)

    assert monthly_planner.value(f"select {column}::text from public.{table}") == values[-1]
    assert (
        monthly_planner.value(f"select enum_range({column})::text[] from public.{table}") == values
    )


@pytest.mark.parametrize(("table", "column", "limit"), LIMITS)
def test_limit_counts_characters(monthly_planner, ann, table, column, limit):
    update = f"update public.{table} set {column} = %s"
    assert monthly_planner.changed(update, "é" * limit) == 1
    with monthly_planner.refused(errors.StringDataRightTruncation):
        monthly_planner.rows(update, "é" * (limit + 1))


@pytest.mark.parametrize(
    ("used", "allowed", "fits"),
    [(0, 0, True), (0, 3, True), (3, 3, True), (4, 3, False), (-1, 3, False), (0, -1, False)],
)
def test_used_lies_between_nothing_and_what_is_allowed(monthly_planner, ann, used, allowed, fits):
    update = "update public.generation_quota set generations_used = %s, total_allowed = %s"
    if fits:
        assert monthly_planner.changed(update, used, allowed) == 1
    else:
        with monthly_planner.refused(errors.CheckViolation):
            monthly_planner.rows(update, used, allowed)


@pytest.mark.parametrize(
    ("day", "error"),
    [
        ("2026-01-01", errors.UniqueViolation),
        ("2026-01-02", errors.CheckViolation),
        ("2026-01-31", errors.CheckViolation),
        ("infinity", errors.CheckViolation),
    ],
)
def test_user_has_one_quota_a_month(monthly_planner, ann, bob, day, error):
    again = (
        "insert into public.generation_quota (user_id, month_year, total_allowed, resets_on) "
        "values (%s, %s, 100, '2026-02-01')"
    )
    with monthly_planner.refused(error):
        monthly_planner.rows(again, ann.id, day)
    assert monthly_planner.changed(again, ann.id, "2026-02-01") == 1


@pytest.mark.parametrize("end", ["2026-01-05 07:00", "2026-01-05 06:59:59", "2026-01-04 08:00"])
def test_task_ends_after_it_starts(monthly_planner, ann, end):
    with monthly_planner.refused(errors.CheckViolation):
        monthly_planner.rows("update public.plan_tasks set end_time = %s", end)

    with monthly_planner.refused(errors.CheckViolation):
        monthly_planner.rows("update public.plan_tasks set start_time = end_time")


def test_month_can_be_planned_again(monthly_planner, ann):
    again = monthly_planner.insert(
        "monthly_plans",
        user_id=ann.id,
        preference_id=ann.rows["user_goals_and_preferences"],
        month_year="2026-01-01",
        ai_prompt="Plan January",
        ai_response_raw="{}",
    )
    assert again > ann.rows["monthly_plans"]


def test_address_and_kind_of_insight_are_unique(monthly_planner, ann, bob):
    with monthly_planner.refused(errors.UniqueViolation):
        monthly_planner.rows("update public.users set email = 'same@example.test'")
    with monthly_planner.refused(errors.UniqueViolation):
        monthly_planner.rows(
            "update public.user_productivity_insights set user_id = %s where user_id = %s",
            ann.id,
            bob.id,
        )


def test_defaults(monthly_planner, ann):
    assert monthly_planner.rows(
        "select u.email_verified, u.image, q.generations_used, t.is_completed, t.difficulty_level, "
        "m.monthly_summary, h.duration_deviation from public.users as u "
        "cross join public.generation_quota as q cross join public.plan_tasks as t "
        "cross join public.monthly_plans as m cross join public.user_activity_history as h"
    ) == [(False, None, 0, False, None, None, None)]
    for table, column in (
        ("users", "created_at"),
        ("users", "updated_at"),
        ("user_goals_and_preferences", "input_saved_at"),
        ("monthly_plans", "generated_at"),
        ("user_activity_history", "logged_at"),
        ("user_productivity_insights", "last_updated"),
    ):
        recent = f"select {column} between localtimestamp - interval '1 minute' and localtimestamp"
        assert monthly_planner.value(f"{recent} from public.{table}")


def test_every_column_that_the_design_explains_says_so(monthly_planner):
    found = monthly_planner.rows(
        "select attrelid::regclass::text, attname::text from pg_attribute "
        "where attrelid::regclass::text = any (%s) and attnum > 0 "
        "and col_description(attrelid, attnum) <> ''",
        list(TABLES),
    )
    assert set(found) == COMMENTED
    for table in TABLES:
        assert monthly_planner.value("select obj_description(%s::regclass)", f"public.{table}")


def test_nobody_but_the_owner_gets_in(monthly_planner):
    assert (
        monthly_planner.rows(
            "select relname, relacl from pg_class where relnamespace = 'public'::regnamespace "
            "and relkind in ('r', 'S') and (relacl is not null or relrowsecurity)"
        )
        == []
    )
    assert monthly_planner.rows("select policyname from pg_policies") == []
    assert monthly_planner.rows("select tgname from pg_trigger where not tgisinternal") == []
