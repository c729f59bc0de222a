"""What the document refers to: people whom Clerk signs in, and their plans."""

import pytest
from psycopg import errors

NEW = "insert into public.users (clerk_user_id, email) values (%s, %s)"


def test_whoever_is_new_makes_the_own_row(learning_plans):
    with learning_plans.user("user_test_new") as db:
        db.rows(NEW, "user_test_new", "new@example.test")
        assert db.rows("select clerk_user_id, subscription_tier from public.users") == [
            ("user_test_new", None)
        ]


def test_nobody_makes_anothers_row(learning_plans):
    with (
        learning_plans.refused(errors.InsufficientPrivilege),
        learning_plans.user("user_test_new") as db,
    ):
        db.rows(NEW, "user_test_victim", "victim@example.test")

    assert learning_plans.value("select count(*) from users") == 0


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("subscription_tier", "'pro'"),
        ("id", "gen_random_uuid()"),
        ("created_at", "'2000-01-01'"),
    ],
)
def test_who_is_new_chooses_neither_tier_nor_id_nor_age(learning_plans, columns, values):
    with (
        learning_plans.refused(errors.InsufficientPrivilege),
        learning_plans.user("user_test_new") as db,
    ):
        db.rows(
            f"insert into public.users (clerk_user_id, email, {columns}) "
            f"values ('user_test_new', 'new@example.test', {values})"
        )

    assert learning_plans.value("select count(*) from users") == 0


@pytest.mark.parametrize(
    ("column", "allowed"),
    [
        ("name", True),
        ("updated_at", True),
        ("id", False),
        ("clerk_user_id", False),
        ("email", False),
        ("subscription_tier", False),
        ("created_at", False),
    ],
)
def test_user_changes_the_profile_and_no_identifier(learning_plans, ann, bob, column, allowed):
    update = f"update public.users set {column} = {column}"
    if allowed:
        with learning_plans.user(ann.sub) as db:
            assert db.changed(update) == 1
        return

    with learning_plans.refused(errors.InsufficientPrivilege), learning_plans.user(ann.sub) as db:
        db.rows(update)
    with learning_plans.service() as db:
        assert db.changed(update) == 2


def test_user_cannot_delete_anybody(learning_plans, ann):
    with learning_plans.refused(errors.InsufficientPrivilege), learning_plans.user(ann.sub) as db:
        db.rows("delete from public.users")

    assert learning_plans.value("select count(*) from users") == 1


def test_user_makes_changes_and_deletes_own_plans(learning_plans, ann, bob):
    with learning_plans.user(ann.sub) as db:
        plan = db.plan(ann.id, "Second")
        assert db.changed("update public.learning_plans set topic = 'Changed'") == 2
        assert db.changed("delete from public.learning_plans where id = %s", plan) == 1

    assert learning_plans.rows("select topic from learning_plans order by 1") == [
        ("Changed",),
        ("Test Topic",),
    ]


@pytest.mark.parametrize("visibility", ["private", "public"])
def test_anothers_plan_is_read_at_most(learning_plans, ann, bob, visibility):
    learning_plans.rows("delete from learning_plans where id = %s", ann.plan)
    learning_plans.rows("update learning_plans set visibility = %s", visibility)

    with learning_plans.user(ann.sub) as db:
        assert len(db.rows("select id from public.learning_plans")) == (visibility == "public")
        assert db.changed("update public.learning_plans set topic = 'Mine'") == 0
        assert db.changed("delete from public.learning_plans") == 0


def test_plan_is_neither_given_away_nor_made_for_somebody(learning_plans, ann, bob):
    with learning_plans.refused(errors.InsufficientPrivilege), learning_plans.user(ann.sub) as db:
        db.plan(bob.id)
    with learning_plans.refused(errors.InsufficientPrivilege), learning_plans.user(ann.sub) as db:
        db.rows("update public.learning_plans set user_id = %s", bob.id)

    assert learning_plans.value("select count(*) from learning_plans") == 2


def test_hours_are_not_negative(learning_plans, ann):
    update = "update learning_plans set weekly_hours = %s"

    assert learning_plans.changed(update, 0) == 1
    with learning_plans.refused(errors.CheckViolation):
        learning_plans.rows(update, -1)


@pytest.mark.parametrize("column", ["clerk_user_id", "email"])
def test_people_are_told_apart(learning_plans, ann, bob, column):
    with learning_plans.refused(errors.UniqueViolation):
        learning_plans.rows(f"update users set {column} = 'the_same'")

    assert learning_plans.value(f"select count(distinct {column}) from users") == 2


@pytest.mark.parametrize(
    ("type_name", "values"),
    [
        ("skill_level", ["beginner", "intermediate", "advanced"]),
        ("learning_style", ["reading", "video", "practice", "mixed"]),
        ("generation_status", ["generating", "ready", "failed"]),
    ],
)
def test_enums_in_their_order(learning_plans, ann, type_name, values):
    found = learning_plans.value(f"select enum_range(null::public.{type_name})::text[]")
    assert found == values

    with learning_plans.user(ann.sub) as db:
        for value in values:
            assert db.changed(f"update public.learning_plans set {type_name} = %s", value) == 1


REQUIRED = {
    "users": ("id", "clerk_user_id", "email", "created_at", "updated_at"),
    "learning_plans": (
        "id",
        "user_id",
        "topic",
        "skill_level",
        "weekly_hours",
        "learning_style",
        "visibility",
        "origin",
        "generation_status",
        "is_quota_eligible",
        "created_at",
        "updated_at",
    ),
    "plan_schedules": (
        "plan_id",
        "schedule_json",
        "inputs_hash",
        "generated_at",
        "timezone",
        "weekly_hours",
        "start_date",
    ),
}


@pytest.mark.parametrize("table", REQUIRED)
def test_required_columns_cannot_be_empty(learning_plans, ann, table):
    columns = learning_plans.rows(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0", table
    )

    for (column,) in columns:
        update = f"update {table} set {column} = null"
        if column in REQUIRED[table]:
            with learning_plans.refused(errors.NotNullViolation):
                learning_plans.rows(update)
        else:
            assert learning_plans.changed(update) == 1
