"""The calendar: the days of a range, what an entry is called that day, and what outlives what."""

import pytest

from .world import statement

# As the design writes it, but for the parameters.
OF_THE_DESIGN = """
SELECT
  ws.id,
  ws.name,
  ws.started_at::date                                              AS date,
  ws.started_at,
  ws.completed_at,
  EXTRACT(EPOCH FROM (ws.completed_at - ws.started_at)) / 60      AS duration_minutes,
  COUNT(DISTINCT wse.id)                                           AS exercise_count,
  SUM(wset.weight * wset.reps) FILTER (WHERE NOT wset.is_warmup)  AS total_volume
FROM workout_sessions ws
LEFT JOIN workout_session_exercises wse ON wse.session_id = ws.id
LEFT JOIN workout_sets wset ON wset.session_exercise_id = wse.id
WHERE ws.user_id = %s
  AND ws.status = 'completed'
  AND ws.started_at::date BETWEEN %s AND %s
GROUP BY ws.id, ws.name, ws.started_at, ws.completed_at
"""
MOMENTS = [
    "2026-01-04 23:59:59.999999",
    "2026-01-05 00:00:00",
    "2026-01-05 23:59:59.999999",
    "2026-01-06 12:00:00",
    "2026-01-07 23:59:59.999999",
    "2026-01-08 00:00:00",
]
STATUS = "select public.scheduled_workout_status(%s::date, %s::uuid, %s::date)"


@pytest.fixture
def logged(workouts, ann, bob):
    """Two users with a session at each moment, of which one has exercises and sets."""
    workouts.rows("delete from public.workout_sessions")
    for person in (ann, bob):
        for moment in MOMENTS:
            workouts.workout(person.id, moment, completed_at="2026-01-09")
        workouts.workout(person.id, "2026-01-06", status="abandoned")
        workouts.insert("workout_sessions", user_id=person.id, started_at="2026-01-06")
    full = workouts.workout(ann.id, "2026-01-06 18:00", completed_at="2026-01-06 19:10")
    for place in range(3):
        done = workouts.insert(
            "workout_session_exercises",
            session_id=full,
            exercise_id=workouts.squat(),
            exercise_name="Squat",
            order_index=place,
        )
        for number in range(1, place + 2):
            workouts.insert(
                "workout_sets",
                session_exercise_id=done,
                set_number=number,
                weight=100,
                reps=5,
                is_warmup=number == 1,
            )
    return full


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("2026-01-05", "2026-01-07", 5),
        ("2026-01-05", "2026-01-05", 2),
        ("2026-01-04", "2026-01-08", 7),
        ("2026-01-08", "2026-01-31", 1),
        ("2026-01-09", "2026-01-31", 0),
        ("2026-01-07", "2026-01-05", 0),
        ("2025-12-01", "2026-01-03", 0),
    ],
)
def test_range_has_the_sessions_of_the_design(workouts, ann, logged, first, last, found):
    rows = workouts.rows(statement("calendar_sessions", user=ann.id, start=first, end=last))
    assert len(rows) == found
    assert sorted(rows) == sorted(workouts.rows(OF_THE_DESIGN, ann.id, first, last))
    assert rows == sorted(rows, key=lambda row: row[3])


def test_sets_are_added_up_and_exercises_counted_once(workouts, ann, logged):
    rows = workouts.rows(
        statement("calendar_sessions", user=ann.id, start="2026-01-06", end="2026-01-06")
    )
    ((_, _, day, _, _, minutes, exercises, volume),) = [row for row in rows if row[0] == logged]
    assert (str(day), minutes, exercises, volume) == ("2026-01-06", 70, 3, 3 * 500)
    ((*_, exercises, volume),) = [row for row in rows if row[0] != logged]
    assert (exercises, volume) == (0, None)


def test_scheduled_range_has_both_ends_and_says_what_became_of_it(workouts, ann, bob):
    workouts.rows("delete from public.scheduled_workouts")
    template = ann.rows["workout_templates"]
    for day in ("2026-01-04", "2026-01-05", "2026-01-07", "2026-01-08"):
        workouts.entry(ann.id, day)
        workouts.entry(bob.id, day)
    workouts.entry(
        ann.id,
        "2026-01-06",
        template_id=template,
        completed_session_id=ann.rows["workout_sessions"],
    )
    days = {"start": "2026-01-05", "end": "2026-01-07"}
    text = statement("calendar_scheduled", user=ann.id).replace("2025-03-01", days["start"])
    rows = workouts.rows(text.replace("2025-03-31", days["end"]))

    assert [(str(row[3]), *row[-3:]) for row in rows] == [
        ("2026-01-05", "untitled", None, "missed"),
        ("2026-01-06", "Leg day", "Leg day", "completed"),
        ("2026-01-07", "untitled", None, "missed"),
    ]

    workouts.rows(
        "update public.scheduled_workouts set title = 'Heavy legs' where user_id = %s", ann.id
    )
    workouts.rows("delete from public.workout_templates where id = %s", template)
    rows = workouts.rows(text.replace("2025-03-31", days["end"]))
    assert {tuple(row[-3:-1]) for row in rows} == {("Heavy legs", None)}


@pytest.mark.parametrize(
    ("day", "linked", "today", "status"),
    [
        ("2026-01-05", False, "2026-01-04", "planned"),
        ("2026-01-05", False, "2026-01-05", "planned"),
        ("2026-01-05", False, "2026-01-06", "missed"),
        ("2025-12-31", False, "2026-01-01", "missed"),
        ("2026-01-05", True, "2026-01-04", "completed"),
        ("2026-01-05", True, "2026-01-05", "completed"),
        ("2026-01-05", True, "2026-01-06", "completed"),
    ],
)
def test_status_at_the_boundary_of_a_day(workouts, ann, day, linked, today, status):
    session = ann.rows["workout_sessions"] if linked else None
    assert workouts.value(STATUS, day, session, today) == status


def test_today_is_the_day_of_the_session_that_asks(workouts):
    # The clocks of the two are 25 hours apart: no moment is on one day in both.
    status = "select public.scheduled_workout_status(%s, null)"
    workouts.rows("set local timezone = 'Pacific/Pago_Pago'")
    there = workouts.value("select current_date")
    assert workouts.value(status, there) == "planned"
    workouts.rows("set local timezone = 'Pacific/Kiritimati'")
    assert workouts.value(status, there) == "missed"


def test_a_day_may_have_several_entries_and_an_entry_no_template(workouts, ann):
    workouts.entry(ann.id, "2026-01-05", title="Rest")
    assert workouts.value(
        "select count(*) = 2 and count(template_id) = 1 from public.scheduled_workouts "
        "where user_id = %s and scheduled_date = '2026-01-05'",
        ann.id,
    )


def test_entry_outlives_its_template(workouts, ann, bob):
    template = ann.rows["workout_templates"]
    workouts.rows("update public.scheduled_workouts set template_id = %s", template)

    workouts.rows("delete from public.workout_templates where id = %s", template)

    assert workouts.rows("select template_id from public.scheduled_workouts") == [(None,)] * 2


@pytest.mark.parametrize(("ahead", "status"), [(0, "planned"), (1, "planned"), (-1, "missed")])
def test_entry_outlives_its_session_and_is_open_again(workouts, ann, ahead, status):
    session = ann.rows["workout_sessions"]
    asked = (
        "select public.scheduled_workout_status(scheduled_date, completed_session_id) "
        "from public.scheduled_workouts"
    )
    workouts.rows(
        "update public.scheduled_workouts "
        "set scheduled_date = current_date + %s::integer, completed_session_id = %s",
        ahead,
        session,
    )
    assert workouts.value(asked) == "completed"

    workouts.rows("delete from public.workout_sessions where id = %s", session)

    assert workouts.value(asked) == status
