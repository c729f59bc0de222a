"""Each migration is taken back exactly, with rows in the tables, and none is lost that may stay."""

import psycopg
import pytest

from pgvouch.config.options import Options
from pgvouch.engine import commands
from pgvouch.errors import VouchError
from pgvouch.events import silent
from pgvouch.plan.build import in_order
from pgvouch.postgres.session import Session
from systems.system import dump

from .world import SEED, TABLES, Database, Person, build, described

GOES = {
    "001_create_users": {"users"},
    "002_create_auth_tables": {"magic_links", "password_resets", "sessions", "invites"},
    "003_create_exercises_base": {"exercises"},
    "005_create_workout_templates": {"workout_templates"},
    "006_create_workout_template_exercises": {"workout_template_exercises"},
    "007_create_workout_sessions": {"workout_sessions"},
    "008_create_workout_session_exercises": {"workout_session_exercises"},
    "009_create_workout_sets": {"workout_sets", "max_lifts"},
    "011_create_scheduled_workouts": {"scheduled_workouts"},
    "013_create_import_jobs": {"import_jobs"},
}
"""The tables that go with a migration, with their rows."""

ADDED_BY_004 = (
    "slug",
    "type",
    "movement_category",
    "primary_muscle",
    "secondary_muscles",
    "default_unit",
    "default_reps",
    "default_weight",
    "demo_image_url",
    "demo_video_url",
    "is_system_exercise",
    "is_deleted",
    "created_by",
)


def contents(url):
    """Every row of the tables that are there."""
    with psycopg.connect(url, autocommit=True) as connection:
        db = Database(connection)
        return {
            table: [
                row for (row,) in db.rows(f"select to_jsonb(t) from public.{table} t order by id")
            ]
            for table in TABLES
            if db.value("select to_regclass(%s) is not null", f"public.{table}")
        }


def without(rows, *columns):
    return [{key: value for key, value in row.items() if key not in columns} for row in rows]


def roll_back(url, steps):
    with Session.open(url) as session:
        done = commands.roll_back_steps(
            session, described(url), Options(discard_data=True), silent, steps=steps, to=None
        )
    return [event.id for event in done.finished]


def expected(migration, rows):
    """What is left of the rows when a migration is taken back."""
    left = {table: found for table, found in rows.items() if table not in GOES.get(migration, ())}
    if migration == "012_alter_workout_templates_add_visibility":
        left["workout_templates"] = without(rows["workout_templates"], "visibility")
    if migration == "010_seed_exercises":
        used = {
            row["exercise_id"]
            for table in ("workout_template_exercises", "workout_session_exercises", "max_lifts")
            for row in rows[table]
        }
        left["exercises"] = [
            row for row in rows["exercises"] if row["id"] in used or row["created_by"]
        ]
        assert 0 < len(left["exercises"]) < len(rows["exercises"])
    if migration == "004_extend_exercises_feature2":
        left["exercises"] = [
            row
            | {
                "category": row["category"] or row["movement_category"].title()
                if row["is_system_exercise"]
                else ": ".join(
                    filter(
                        None, ["Own", row["category"] or (row["movement_category"] or "").title()]
                    )
                )
            }
            for row in rows["exercises"]
        ]
        left["exercises"] = without(left["exercises"], "updated_at", *ADDED_BY_004)
    return left


def test_each_rollback_leaves_every_row_that_may_stay(every_server, every_url):
    system = described(every_url)
    ordered = in_order(system.migrations)
    before = {}
    with Session.open(every_url) as session:
        for migration in ordered:
            before[migration.id] = dump(every_server, every_url)
            commands.migrate(
                session, system, Options(), silent, to=migration.id, require_promises=True
            )
    with psycopg.connect(every_url, autocommit=True) as connection:
        connection.execute(SEED.read_text())
    rows = contents(every_url)
    assert all(rows.values())
    for migration in reversed(ordered):
        left = expected(migration.id, rows)
        assert roll_back(every_url, 1) == [migration.id]
        assert dump(every_server, every_url) == before[migration.id]
        rows = contents(every_url)
        if migration.id == "004_extend_exercises_feature2":
            assert without(rows["exercises"], "updated_at") == left["exercises"]
            assert {"Box Jump", "Rope Climb"} < {row["name"] for row in rows["exercises"]}
        else:
            assert rows == left
    assert rows == {}


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
def test_users_exercises_past_004_and_back_do_not_become_the_systems(every_server, every_url):
    build(every_url)
    with psycopg.connect(every_url, autocommit=True) as connection:
        connection.execute(SEED.read_text())
        connection.execute(
            "update public.exercises set category = 'Arms' where name = 'Rope Climb'"
        )
    roll_back(every_url, 10)
    stub = contents(every_url)["exercises"]
    assert {row["name"]: row["category"] for row in stub if row["category"].startswith("Own")} == {
        "Box Jump": "Own: Legs",
        "Rope Climb": "Own: Arms",
    }

    build(every_url)

    back = contents(every_url)["exercises"]
    own = {row["name"]: row for row in back if not row["is_system_exercise"]}
    assert {name: row["category"] for name, row in own.items()} == {
        "Box Jump": "Legs",
        "Rope Climb": "Arms",
    }
    assert {row["created_by"] for row in own.values()} == {None}
    assert len(back) == 17


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
def test_all_at_once_with_rows_and_again(every_server, every_url):
    empty = dump(every_server, every_url)
    build(every_url)
    full = dump(every_server, every_url)
    with psycopg.connect(every_url, autocommit=True) as connection:
        connection.execute(SEED.read_text())

    assert len(roll_back(every_url, None)) == 13
    assert dump(every_server, every_url) == empty

    build(every_url)
    assert dump(every_server, every_url) == full
    assert [table for table, rows in contents(every_url).items() if rows] == ["exercises"]


def test_sharing_comes_again_with_every_template_private(committed, address):
    Person(committed, "ann")
    committed.rows("update public.workout_templates set visibility = 'friends'")
    roll_back(address, 2)

    build(address)

    assert committed.rows("select visibility from public.workout_templates") == [("private",)]


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
def test_library_becomes_one_list_again_and_loses_none(every_url):
    build(every_url)
    with psycopg.connect(every_url, autocommit=True) as connection:
        db = Database(connection)
        ann, bob = db.user("ann"), db.user("bob")
        own = [
            db.insert(
                "exercises",
                name=name,
                is_system_exercise=False,
                created_by=user,
                movement_category=category,
                created_at=day,
            )
            for name, user, category, day in (
                ("Plank", ann, "core", "2001-01-01"),
                ("Plank", bob, "core", "2001-01-02"),
                ("Atlas Stone", bob, None, "2001-01-02"),
                ("Atlas Stone", ann, "other", "2001-01-01"),
                ("x" * 100, ann, "cardio", "2001-01-01"),
                ("x" * 100, bob, "cardio", "2001-01-02"),
            )
        ]
        areas = [": Core", ": Core", "", ": Other", ": Cardio", ": Cardio"]
        # Somebody's template keeps an exercise of the system from going with 010.
        plank = db.value("select id from public.exercises where slug = 'plank'")
        db.insert(
            "workout_template_exercises",
            template_id=db.template(ann, "Core"),
            exercise_id=plank,
            order_index=0,
        )

        roll_back(every_url, 10)

        def tail(row):
            return f" ({str(row)[:8]})"

        assert dict(db.rows("select id, name from public.exercises")) == {
            plank: "Plank",
            own[0]: "Plank" + tail(own[0]),
            own[1]: "Plank" + tail(own[1]),
            own[2]: "Atlas Stone" + tail(own[2]),
            own[3]: "Atlas Stone",
            own[4]: "x" * 100,
            own[5]: "x" * 89 + tail(own[5]),
        }
        assert dict(db.rows("select id, category from public.exercises where id <> %s", plank)) == (
            dict(zip(own, [f"Own{area}" for area in areas], strict=True))
        )

        build(every_url)

        assert db.value("select count(*) from public.exercises where is_system_exercise") == 15
        assert db.value("select count(distinct slug) from public.exercises") == 21


OLD = """
insert into public.exercises (name, category, is_compound, muscle_groups)
values
  ('Front Squat', 'Legs', true, '["Quadriceps"]'),
  ('front squat', 'Legs', true, null),
  ('Leg Curl', 'Legs', false, '["Hamstrings"]')
"""


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
def test_old_exercises_get_what_is_new(every_url):
    with Session.open(every_url) as session:
        commands.migrate(
            session, described(every_url), Options(), silent, to="003_create_exercises_base"
        )
        with psycopg.connect(every_url, autocommit=True) as connection:
            connection.execute(OLD.replace("'front squat'", "'Front  Squat'"))
        commands.migrate(session, described(every_url), Options(), silent)
    with psycopg.connect(every_url) as connection:
        assert connection.execute(
            "select slug, type, secondary_muscles, is_system_exercise, created_by "
            "from public.exercises where category = 'Legs' and name ~ 'Front|Curl' order by slug"
        ).fetchall() == [
            ("front-squat", "compound", ["Quadriceps"], True, None),
            ("front-squat-1", "compound", None, True, None),
            ("leg-curl", "isolation", ["Hamstrings"], True, None),
        ]


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
def test_old_exercises_whose_names_differ_in_case_only_are_refused(every_url):
    with Session.open(every_url) as session:
        commands.migrate(
            session, described(every_url), Options(), silent, to="003_create_exercises_base"
        )
        with psycopg.connect(every_url, autocommit=True) as connection:
            connection.execute(OLD)
        with pytest.raises(VouchError, match="idx_exercises_system_name"):
            commands.migrate(session, described(every_url), Options(), silent)
    assert [row["name"] for row in contents(every_url)["exercises"]] != []


def test_default_privileges_that_open_new_tables_are_refused(every_url):
    with psycopg.connect(every_url, autocommit=True) as connection:
        connection.execute(
            "alter default privileges in schema public grant select on tables to public"
        )

    with pytest.raises(VouchError, match="001_create_users"):
        build(every_url)

    assert contents(every_url) == {}
