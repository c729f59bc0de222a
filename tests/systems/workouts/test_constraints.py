"""Required columns, limits, conditions, keys and references, as those who write meet them."""

import pytest
from psycopg import errors

from .world import TABLES

OPTIONAL = {
    "users": ("password_hash", "email_verified_at", "invited_by", "last_login_at"),
    "magic_links": ("used_at", "ip_address", "user_agent"),
    "password_resets": ("used_at",),
    "sessions": ("ip_address", "user_agent"),
    "invites": ("used_by", "expires_at", "used_at", "max_uses"),
    "exercises": (
        "category",
        "description",
        "muscle_groups",
        "type",
        "movement_category",
        "primary_muscle",
        "secondary_muscles",
        "default_unit",
        "default_reps",
        "default_weight",
        "demo_image_url",
        "demo_video_url",
        "created_by",
    ),
    "workout_templates": ("description", "cloned_from"),
    "workout_template_exercises": (
        "target_weight",
        "target_weight_unit",
        "rest_seconds",
        "tempo_notes",
        "notes",
    ),
    "workout_sessions": ("template_id", "name", "notes", "completed_at"),
    "workout_session_exercises": ("rest_seconds", "notes"),
    "workout_sets": ("weight", "weight_unit", "reps", "rpe", "notes", "completed_at"),
    "max_lifts": ("workout_id",),
    "scheduled_workouts": ("template_id", "title", "notes", "completed_session_id"),
    "import_jobs": ("summary", "error"),
}
LIMITS = [
    ("users", "email", 255),
    ("users", "password_hash", 255),
    ("users", "display_name", 100),
    ("users", "invite_code", 20),
    ("magic_links", "email", 255),
    ("magic_links", "token", 255),
    ("magic_links", "ip_address", 45),
    ("password_resets", "token", 255),
    ("sessions", "token", 255),
    ("sessions", "ip_address", 45),
    ("invites", "code", 20),
    ("exercises", "name", 100),
    ("exercises", "slug", 120),
    ("exercises", "category", 50),
    ("exercises", "primary_muscle", 50),
    ("workout_templates", "name", 100),
    ("workout_template_exercises", "reps", 10),
    ("workout_template_exercises", "tempo_notes", 20),
    ("workout_sessions", "name", 150),
    ("workout_session_exercises", "exercise_name", 100),
    ("scheduled_workouts", "title", 100),
]
CONDITIONS = [
    ("users", "unit_preference", ["kg", "lb"], ["", "st", "KG"]),
    ("invites", "max_uses", [1, 1000], [0, -1]),
    ("invites", "current_uses", [0, 1000], [-1]),
    ("exercises", "type", ["compound", "isolation"], ["", "Compound", "cardio"]),
    (
        "exercises",
        "movement_category",
        ["push", "pull", "legs", "core", "cardio", "other"],
        ["", "Push", "arms"],
    ),
    ("exercises", "default_unit", ["kg", "lb"], ["st"]),
    ("exercises", "default_reps", [1], [0, -1]),
    ("exercises", "default_weight", [0, 9999.99], [-0.01]),
    ("workout_templates", "visibility", ["private", "friends"], ["", "public", "Friends"]),
    ("workout_template_exercises", "order_index", [0, 29], [-1]),
    ("workout_template_exercises", "sets", [1, 20], [0, 21]),
    ("workout_template_exercises", "target_weight", [0, 9999.99], [-0.01]),
    ("workout_template_exercises", "target_weight_unit", ["kg", "lb"], ["st"]),
    ("workout_template_exercises", "rest_seconds", [0, 600], [-1, 601]),
    ("workout_sessions", "status", ["in_progress", "completed", "abandoned"], ["", "planned"]),
    ("workout_session_exercises", "order_index", [0, 29], [-1]),
    ("workout_session_exercises", "rest_seconds", [0, 600], [-1, 601]),
    ("workout_sets", "set_number", [1, 100], [0, -1]),
    ("workout_sets", "weight", [0, 9999.99], [-0.01]),
    ("workout_sets", "weight_unit", ["kg", "lb"], ["st"]),
    ("workout_sets", "reps", [0, 999], [-1, 1000]),
    ("workout_sets", "rpe", [1, 7.5, 10], [0.5, 10.5]),
    ("max_lifts", "weight", [0.01, 9999.99], [0, -1]),
    ("max_lifts", "unit", ["kg", "lb"], ["st"]),
    ("max_lifts", "reps", [1], [0]),
    ("import_jobs", "status", ["pending", "processing", "completed", "failed"], ["", "done"]),
]
UNIQUE = [
    ("users", "email"),
    ("users", "invite_code"),
    ("magic_links", "token"),
    ("password_resets", "token"),
    ("sessions", "token"),
    ("invites", "code"),
    ("exercises", "slug"),
    ("workout_template_exercises", "template_id"),
    ("workout_session_exercises", "session_id"),
    ("max_lifts", "user_id"),
]
REFERENCES = [
    ("users", "invited_by", "users", "set null"),
    ("password_resets", "user_id", "users", "cascade"),
    ("sessions", "user_id", "users", "cascade"),
    ("invites", "created_by", "users", "cascade"),
    ("invites", "used_by", "users", "set null"),
    ("exercises", "created_by", "users", "set null"),
    ("workout_templates", "user_id", "users", "cascade"),
    ("workout_templates", "cloned_from", "workout_templates", "set null"),
    ("workout_template_exercises", "template_id", "workout_templates", "cascade"),
    ("workout_template_exercises", "exercise_id", "exercises", "restrict"),
    ("workout_sessions", "user_id", "users", "cascade"),
    ("workout_sessions", "template_id", "workout_templates", "set null"),
    ("workout_session_exercises", "session_id", "workout_sessions", "cascade"),
    ("workout_session_exercises", "exercise_id", "exercises", "restrict"),
    ("workout_sets", "session_exercise_id", "workout_session_exercises", "cascade"),
    ("max_lifts", "user_id", "users", "cascade"),
    ("max_lifts", "exercise_id", "exercises", "cascade"),
    ("max_lifts", "workout_id", "workout_sessions", "set null"),
    ("scheduled_workouts", "user_id", "users", "cascade"),
    ("scheduled_workouts", "template_id", "workout_templates", "set null"),
    ("scheduled_workouts", "completed_session_id", "workout_sessions", "set null"),
    ("import_jobs", "user_id", "users", "cascade"),
]
TOUCHED = [
    "users",
    "exercises",
    "workout_templates",
    "workout_template_exercises",
    "workout_sessions",
    "workout_sets",
    "max_lifts",
    "scheduled_workouts",
    "import_jobs",
]


@pytest.mark.parametrize("table", TABLES)
def test_required_columns_cannot_be_empty_and_the_others_can(workouts, ann, table):
    row = ann.rows[table]
    columns = workouts.rows(
        "select attname::text from pg_attribute where attrelid = %s::regclass and attnum > 0",
        f"public.{table}",
    )
    for (column,) in columns:
        update = f"update public.{table} set {column} = null where id = %s"
        if column in OPTIONAL[table]:
            assert workouts.changed(update, row) == 1
        elif column != "updated_at":
            with workouts.refused(errors.NotNullViolation):
                workouts.rows(update, row)
    assert {name for (name,) in columns} > set(OPTIONAL[table])


@pytest.mark.parametrize("table", TOUCHED)
def test_an_update_says_when_it_was(workouts, ann, table):
    moved = workouts.value(
        f"update public.{table} set updated_at = '2000-01-01' where id = %s "
        "returning updated_at = localtimestamp",
        ann.rows[table],
    )
    assert moved


def test_those_are_all_tables_that_say_it(workouts):
    assert workouts.rows(
        "select table_name::text from information_schema.columns "
        "where table_schema = 'public' and column_name = 'updated_at' order by 1"
    ) == sorted((table,) for table in TOUCHED)


@pytest.mark.parametrize(("table", "column", "limit"), LIMITS)
def test_limit_counts_characters(workouts, ann, table, column, limit):
    update = f"update public.{table} set {column} = %s where id = %s"
    assert workouts.changed(update, "é" * limit, ann.rows[table]) == 1
    with workouts.refused(errors.StringDataRightTruncation):
        workouts.rows(update, "é" * (limit + 1), ann.rows[table])


@pytest.mark.parametrize(("table", "column", "good", "bad"), CONDITIONS)
def test_condition_lets_the_good_in_and_nothing_else(workouts, ann, table, column, good, bad):
    update = f"update public.{table} set {column} = %s where id = %s"
    for value in good:
        assert workouts.changed(update, value, ann.rows[table]) == 1
    for value in bad:
        with workouts.refused(errors.CheckViolation):
            workouts.rows(update, value, ann.rows[table])


def test_nobody_is_invited_by_themselves(workouts, ann):
    with workouts.refused(errors.CheckViolation):
        workouts.rows("update public.users set invited_by = id")


@pytest.mark.parametrize(("table", "column"), UNIQUE)
def test_what_one_has_no_other_has(workouts, ann, bob, table, column):
    with workouts.refused(errors.UniqueViolation):
        workouts.rows(
            f"update public.{table} as mine set {column} = other.{column} "
            f"from public.{table} as other where mine.id = %s and other.id = %s",
            ann.rows[table],
            bob.rows[table],
        )


def parent_of(db, person, table):
    """A row that nothing else refers to."""
    if table == "users":
        return db.user("cy")
    if table == "exercises":
        return db.insert("exercises", name="Spare", is_system_exercise=False, created_by=person.id)
    if table == "workout_templates":
        return db.template(person.id, "Spare")
    if table == "workout_sessions":
        return db.workout(person.id, "2026-01-07 18:00")
    return db.insert(
        "workout_session_exercises",
        session_id=person.rows["workout_sessions"],
        exercise_id=db.squat(),
        exercise_name="Squat",
        order_index=1,
    )


@pytest.mark.parametrize(("table", "column", "parent", "action"), REFERENCES)
def test_reference_leads_somewhere_and_follows_a_delete(
    workouts, ann, table, column, parent, action
):
    kept = parent_of(workouts, ann, parent)
    row = ann.rows[table]
    update = f"update public.{table} set {column} = %s where id = %s"
    workouts.rows(update, kept, row)

    with workouts.refused(errors.ForeignKeyViolation):
        workouts.rows(update, "00000000-0000-4000-8000-000000000000", row)

    delete = f"delete from public.{parent} where id = %s"
    found = f"select {column} from public.{table} where id = %s"
    if action == "restrict":
        # From PostgreSQL 18 on a restricting reference has an error of its own.
        with workouts.refused((errors.ForeignKeyViolation, errors.RestrictViolation)):
            workouts.rows(delete, kept)
        assert workouts.value(found, row) == kept
    else:
        assert workouts.changed(delete, kept) == 1
        assert workouts.rows(found, row) == ([] if action == "cascade" else [(None,)])


def test_those_are_all_references_and_each_has_an_index(workouts):
    listed = workouts.rows(
        "select conrelid::regclass::text, attname::text, confrelid::regclass::text, case "
        "confdeltype when 'c' then 'cascade' when 'n' then 'set null' when 'r' then 'restrict' end "
        "from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1] "
        "where contype = 'f' and connamespace = 'public'::regnamespace"
    )
    assert sorted(listed) == sorted(REFERENCES)
    assert (
        workouts.rows(
            "select conname from pg_constraint as c where contype = 'f' "
            "and connamespace = 'public'::regnamespace and not exists ("
            "select from pg_index as i where i.indrelid = c.conrelid and i.indisvalid "
            "and i.indpred is null and i.indkey[0] = c.conkey[1])"
        )
        == []
    )


def test_a_user_is_in_one_workout_at_a_time(workouts, ann, bob):
    first = workouts.insert("workout_sessions", user_id=ann.id)
    workouts.insert("workout_sessions", user_id=bob.id)
    with workouts.refused(errors.ExclusionViolation):
        workouts.insert("workout_sessions", user_id=ann.id)

    workouts.rows("update public.workout_sessions set status = 'completed' where id = %s", first)
    assert workouts.insert("workout_sessions", user_id=ann.id) != first


@pytest.mark.parametrize(
    ("table", "parent"),
    [("workout_template_exercises", "template_id"), ("workout_session_exercises", "session_id")],
)
def test_one_statement_puts_exercises_into_another_order(workouts, ann, table, parent):
    first = ann.rows[table]
    again = workouts.value(
        f"insert into public.{table} select (jsonb_populate_record(t, "
        "jsonb_build_object('id', gen_random_uuid(), 'order_index', 1))).* "
        f"from public.{table} as t where id = %s returning id",
        first,
    )
    workouts.rows(
        f"update public.{table} set order_index = 1 - order_index where id in (%s, %s)",
        first,
        again,
    )
    assert workouts.rows(
        f"select id from public.{table} where id in (%s, %s) order by order_index", first, again
    ) == [(again,), (first,)]


def test_invite_code_is_made_where_none_is_given(workouts):
    made = [workouts.user(f"user{n}") for n in range(20)]
    codes = {
        code
        for (code,) in workouts.rows(
            "select invite_code from public.users where id = any(%s)", made
        )
    }
    assert len(codes) == 20
    assert all(len(code) == 8 and set(code) <= set("0123456789ABCDEF") for code in codes)

    given = workouts.user("given", invite_code="COME-IN")
    assert workouts.value("select invite_code from public.users where id = %s", given) == "COME-IN"


def test_all_that_is_a_users_goes_with_the_user(workouts, ann, bob):
    workouts.rows("update public.users set invited_by = %s where id = %s", ann.id, bob.id)
    shared = workouts.template(bob.id, "Copy", cloned_from=ann.rows["workout_templates"])

    workouts.rows("delete from public.users where id = %s", ann.id)

    left = {
        table: workouts.value(
            f"select count(*) from public.{table} where id = any(%s)",
            [ann.rows[table], bob.rows[table]],
        )
        for table in TABLES
    }
    # A link knows an address only; an exercise may be in what others have done.
    assert left == dict.fromkeys(TABLES, 1) | {"magic_links": 2, "exercises": 2}
    assert workouts.rows(
        "select created_by, is_system_exercise from public.exercises where id = %s",
        ann.rows["exercises"],
    ) == [(None, False)]
    assert workouts.value("select cloned_from is null from workout_templates where id = %s", shared)
    assert workouts.value("select invited_by is null from public.users where id = %s", bob.id)
