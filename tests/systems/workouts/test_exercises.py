"""The library: slugs, whose name is whose, and the 15 exercises of the system."""

import pytest
from psycopg import errors

from .world import SYSTEM

SEEDING = (SYSTEM / "010_seed_exercises.sql").read_text()
UNDOING = (SYSTEM / "010_seed_exercises.rollback.sql").read_text()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Goblet Squat", "goblet-squat"),
        ("  90/90  Stretch! ", "90-90-stretch"),
        ("Farmer's Walk (heavy)", "farmer-s-walk-heavy"),
        ("Übung", "bung"),
        ("スクワット", "exercise"),
        ("---", "exercise"),
        ("x" * 100, "x" * 100),
    ],
)
def test_slug_is_made_of_the_name(workouts, ann, name, slug):
    made = workouts.insert("exercises", name=name, is_system_exercise=False, created_by=ann.id)
    assert workouts.value("select slug from public.exercises where id = %s", made) == slug


def test_slug_of_a_second_one_has_a_number_in_one_statement_too(workouts, ann, bob):
    workouts.rows(
        "insert into public.exercises (name, is_system_exercise, created_by) "
        "values ('squat', false, %(a)s), ('Squat!', false, %(a)s), ('SQUAT', false, %(b)s)"
        .replace("%(a)s", "%s").replace("%(b)s", "%s"),
        ann.id, ann.id, bob.id,
    )  # fmt: skip
    assert workouts.rows(
        "select slug from public.exercises where slug ~ '^squat' order by slug"
    ) == [("squat",), ("squat-1",), ("squat-2",), ("squat-3",)]


def test_new_name_makes_a_new_slug_and_nothing_else_does(workouts, ann):
    own = ann.rows["exercises"]
    slug = "select slug from public.exercises where id = %s"
    workouts.rows("update public.exercises set name = 'Bench Press' where id = %s", own)
    assert workouts.value(slug, own) == "bench-press-1"
    workouts.rows("update public.exercises set description = 'x' where id = %s", own)
    workouts.rows("update public.exercises set name = name where id = %s", own)
    assert workouts.value(slug, own) == "bench-press-1"


@pytest.mark.parametrize("name", ["Lift of ann", "LIFT OF ANN"])
def test_a_user_has_a_name_once_deleted_or_not_and_another_user_as_well(workouts, ann, bob, name):
    workouts.rows("update public.exercises set is_deleted = true where created_by = %s", ann.id)
    with workouts.refused(errors.UniqueViolation):
        workouts.insert("exercises", name=name, is_system_exercise=False, created_by=ann.id)
    assert workouts.insert("exercises", name=name, is_system_exercise=False, created_by=bob.id)


def test_the_system_has_a_name_once(workouts):
    with workouts.refused(errors.UniqueViolation):
        workouts.insert("exercises", name="bench press")


def test_the_fifteen_are_what_the_design_counts(workouts):
    assert workouts.rows(
        "select type::text, count(*) from public.exercises group by 1 order by 1"
    ) == [("compound", 10), ("isolation", 5)]
    assert workouts.rows(
        "select movement_category::text, count(*) from public.exercises group by 1 order by 1"
    ) == [("core", 1), ("legs", 4), ("pull", 6), ("push", 4)]
    assert workouts.value(
        "select bool_and(is_system_exercise and not is_deleted and created_by is null "
        "and slug = replace(lower(name), ' ', '-') and is_compound = (type = 'compound')) "
        "from public.exercises"
    )
    assert workouts.rows(
        "select secondary_muscles, default_unit, default_reps, default_weight "
        "from public.exercises where slug = 'squat'"
    ) == [(["Glutes", "Hamstrings", "Core"], "kg", 5, None)]


def test_seeding_again_changes_nothing(workouts, ann):
    content = "select to_jsonb(e) from public.exercises as e order by id"
    before = workouts.rows(content)

    workouts.rows(SEEDING)

    assert len(before) == 16
    assert workouts.rows(content) == before


def test_seeding_leaves_what_somebody_has_put_there_before(workouts, ann):
    workouts.rows("delete from public.max_lifts")
    workouts.rows("delete from public.workout_session_exercises")
    workouts.rows("delete from public.workout_template_exercises")
    workouts.rows("delete from public.exercises where is_system_exercise")
    before = workouts.insert("exercises", name="SQUAT", type="isolation")
    theirs = workouts.insert("exercises", name="Plank", is_system_exercise=False, created_by=ann.id)

    workouts.rows(SEEDING)
    assert workouts.value("select count(*) from public.exercises where is_system_exercise") == 15
    assert workouts.rows("select slug from public.exercises where name = 'Plank' order by 1") == [
        ("plank",),
        ("plank-1",),
    ]

    workouts.rows(UNDOING)
    assert set(workouts.rows("select id from public.exercises")) == {
        (before,),
        (theirs,),
        (ann.rows["exercises"],),
    }


def test_what_somebody_has_changed_is_neither_taken_nor_changed_back(workouts, ann):
    workouts.rows("delete from public.max_lifts")
    workouts.rows("delete from public.workout_session_exercises")
    workouts.rows("delete from public.workout_template_exercises")
    workouts.rows("update public.exercises set name = 'Back Squat' where slug = 'squat'")
    workouts.rows("update public.exercises set is_deleted = true where slug = 'plank'")
    workouts.rows("update public.exercises set description = 'Slowly' where slug = 'deadlift'")
    system = "select to_jsonb(e) from public.exercises as e where is_system_exercise order by id"
    changed = [
        row
        for row in workouts.rows(system)
        if row[0]["slug"] in ("back-squat", "plank", "deadlift")
    ]
    assert len(changed) == 3

    workouts.rows(UNDOING)
    assert workouts.rows(system) == changed

    workouts.rows(SEEDING)
    assert len(workouts.rows(system)) == 15
    assert [row for row in workouts.rows(system) if row in changed] == changed
    assert workouts.value("select count(*) from public.exercises where name = 'Squat'") == 0


def test_a_row_of_somebody_elses_making_under_an_id_of_the_migration_stays(workouts, ann):
    workouts.rows("delete from public.max_lifts")
    workouts.rows("delete from public.workout_session_exercises")
    workouts.rows("delete from public.workout_template_exercises")
    workouts.rows("delete from public.exercises where is_system_exercise")
    theirs = workouts.insert(
        "exercises", id="ec5e0000-0000-4000-8000-000000000001", name="Box Squat"
    )
    row = workouts.rows("select to_jsonb(e) from public.exercises as e where id = %s", theirs)
    for statement in (SEEDING, UNDOING):
        workouts.rows(statement)
        found = "select to_jsonb(e) from public.exercises as e where id = %s"
        assert workouts.rows(found, theirs) == row


@pytest.mark.parametrize(
    "table", ["workout_template_exercises", "workout_session_exercises", "max_lifts"]
)
def test_undoing_takes_what_nobody_uses_and_never_a_users(workouts, ann, table):
    for other in {"workout_template_exercises", "workout_session_exercises", "max_lifts"} - {table}:
        workouts.rows(f"delete from public.{other}")

    # Right before the ids of the fifteen, and right after them.
    for name, end in (("Front Squat", "0000"), ("Split Squat", "0016")):
        workouts.insert(
            "exercises",
            id=f"ec5e0000-0000-4000-8000-00000000{end}",
            name=name,
            is_system_exercise=False,
            created_by=ann.id,
        )

    workouts.rows(UNDOING)

    left = {name for (name,) in workouts.rows("select name from public.exercises")}
    assert left == {"Squat", "Lift of ann", "Front Squat", "Split Squat"}
    assert workouts.value(f"select count(*) from public.{table}") == 1
    workouts.rows(SEEDING)
    assert workouts.value("select count(*) from public.exercises where is_system_exercise") == 15
