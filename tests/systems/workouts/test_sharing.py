"""Templates of friends: who sees whose, and what they see."""

import pytest
from psycopg import errors

from .world import SYSTEM, statement

# As the design writes it, but for the parameter.
OF_THE_DESIGN = """
WITH friends AS (
  SELECT invited_by AS friend_id FROM users WHERE id = %(me)s AND invited_by IS NOT NULL
  UNION ALL
  SELECT id AS friend_id FROM users WHERE invited_by = %(me)s
)
SELECT
  wt.id,
  wt.name,
  wt.description,
  wt.updated_at,
  u.display_name AS owner_name,
  (
    SELECT COUNT(*) FROM workout_template_exercises wte WHERE wte.template_id = wt.id
  ) AS exercise_count
FROM workout_templates wt
JOIN users u ON u.id = wt.user_id
WHERE wt.user_id IN (SELECT friend_id FROM friends)
  AND wt.visibility = 'friends'
  AND wt.is_archived = false
ORDER BY wt.updated_at DESC
"""


@pytest.fixture
def people(workouts):
    """Ann invited Bob, Bob invited Cy and Dee; Eve is alone. Each has a template of every kind."""
    people = {}
    for name, inviter in (
        ("ann", None), ("bob", "ann"), ("cy", "bob"), ("dee", "bob"), ("eve", None),
    ):  # fmt: skip
        invited_by = people[inviter] if inviter else None
        people[name] = user = workouts.user(name, invited_by=invited_by)
        for number, (visibility, is_archived) in enumerate(
            [("friends", False), ("friends", True), ("private", False), ("private", True)]
        ):
            template = workouts.template(
                user,
                f"{visibility} {is_archived} of {name}",
                visibility=visibility,
                is_archived=is_archived,
                updated_at=f"2026-01-{len(people)} 10:00",
            )
            for place in range(number + 2):
                workouts.insert(
                    "workout_template_exercises",
                    template_id=template,
                    exercise_id=workouts.squat(),
                    order_index=place,
                )
    return people


@pytest.mark.parametrize(
    ("me", "friends"),
    [
        ("ann", ["Bob"]),
        ("bob", ["Dee", "Cy", "Ann"]),
        ("cy", ["Bob"]),
        ("dee", ["Bob"]),
        ("eve", []),
    ],
)
def test_friends_are_who_invited_and_who_was_invited(workouts, people, me, friends):
    rows = workouts.rows(statement("templates_shared", user=people[me]))
    assert [row[4] for row in rows] == friends
    assert {row[1] for row in rows} == {f"friends False of {name.lower()}" for name in friends}
    assert {row[5] for row in rows} <= {2}


@pytest.mark.parametrize("me", ["ann", "bob", "cy", "dee", "eve"])
def test_the_list_is_that_of_the_design(workouts, people, me):
    assert workouts.rows(statement("templates_shared", user=people[me])) == (
        workouts.connection.execute(OF_THE_DESIGN, {"me": people[me]}).fetchall()
    )


def test_two_who_invited_each_other_see_a_template_once(workouts, people):
    workouts.rows(
        "update public.users set invited_by = %s where id = %s", people["bob"], people["ann"]
    )
    rows = workouts.rows(statement("templates_shared", user=people["ann"]))
    assert [row[4] for row in rows] == ["Bob"]
    assert rows == workouts.connection.execute(OF_THE_DESIGN, {"me": people["ann"]}).fetchall()


def test_friends_who_share_at_once_have_their_own(workouts, ann, bob):
    workouts.rows("update public.users set invited_by = %s where id = %s", ann.id, bob.id)
    assert workouts.changed("update public.workout_templates set visibility = 'friends'") == 2

    for me, friend in ((ann, bob), (bob, ann)):
        rows = workouts.rows(statement("templates_shared", user=me.id))
        assert [row[0] for row in rows] == [friend.rows["workout_templates"]]


def test_templates_are_private_until_they_are_shared(workouts, ann):
    assert workouts.value("select visibility from public.workout_templates") == "private"
    with workouts.refused(errors.CheckViolation):
        workouts.rows("update public.workout_templates set visibility = 'public'")


def test_sharing_writes_no_row_anew_when_it_comes(workouts, ann):
    old = "select ctid::text, xmin::text from public.workout_templates"
    workouts.rows((SYSTEM / "012_alter_workout_templates_add_visibility.rollback.sql").read_text())
    before = workouts.rows(old)

    workouts.rows((SYSTEM / "012_alter_workout_templates_add_visibility.sql").read_text())

    assert workouts.rows(old) == before
    assert workouts.rows("select visibility from public.workout_templates") == [("private",)]
