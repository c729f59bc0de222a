"""The history out of the database 500 rows at a time, and into it in a few round trips."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from support.proxy import recording

from .world import SYSTEM, Person, statement

IMPORT = sorted((SYSTEM / "queries" / "import").glob("*.sql"))
# As the design writes it, but for the parameters.
OF_THE_DESIGN = """
SELECT
  ws.started_at::date                          AS date,
  ws.name                                      AS session_name,
  wse.exercise_name,
  wset.set_number,
  wset.is_warmup,
  wset.weight,
  wset.weight_unit,
  wset.reps,
  wset.rpe,
  wset.notes,
  EXTRACT(EPOCH FROM (ws.completed_at - ws.started_at)) / 60 AS session_duration_min
FROM workout_sessions ws
JOIN workout_session_exercises wse ON wse.session_id = ws.id
JOIN workout_sets wset ON wset.session_exercise_id = wse.id
WHERE ws.user_id = %(user)s
  AND ws.status = 'completed'
  AND (%(from)s::date IS NULL OR ws.started_at::date >= %(from)s)
  AND (%(to)s::date   IS NULL OR ws.started_at::date <= %(to)s)
ORDER BY ws.started_at ASC, wse.order_index ASC, wset.set_number ASC
"""


def fill(db, user, sessions):
    """Sessions of five exercises of four sets, one a day."""
    db.rows(
        """
        with session as (
          insert into public.workout_sessions (user_id, name, status, started_at, completed_at)
          select %s, 'Workout ' || n, 'completed', timestamp '2025-12-31 22:00' + n * interval '25 h',
            timestamp '2025-12-31 23:10' + n * interval '25 h'
          from generate_series(1, %s) as n
          returning id
        ),
        done as (
          insert into public.workout_session_exercises
            (session_id, exercise_id, exercise_name, order_index)
          select session.id, exercise.id, exercise.name, place
          from session, generate_series(0, 4) as place
          join public.exercises as exercise
            on exercise.id = ('ec5e0000-0000-4000-8000-00000000000' || place + 1)::uuid
          returning id, order_index
        )
        insert into public.workout_sets
          (session_exercise_id, set_number, weight, weight_unit, reps, rpe, notes, is_warmup)
        select done.id, number, 20 + order_index * 10 + number, 'kg', 8, 7.5,
          case number when 4 then 'Last, "really"' end, number = 1
        from done, generate_series(1, 4) as number
        """,
        user,
        sessions,
    )


def export(connection, user, since=None, until=None):
    """The pages of an export, as an application reads them."""
    text = statement("export_history", user=user, since=since, until=until)
    with connection.transaction():
        connection.execute("set local statement_timeout = '30s'")
        connection.execute(text)
        while page := connection.execute("fetch 500 from export_cursor").fetchall():
            yield page
        connection.execute("close export_cursor")


@pytest.mark.parametrize(
    ("since", "until", "pages"),
    [
        (None, None, [500, 500, 200]),
        ("2026-01-05", None, [500, 500, 140]),
        (None, "2026-01-25", [480]),
        ("2026-01-05", "2026-01-25", [420]),
        ("2026-01-03", "2026-01-03", [20]),
        ("2027-01-01", None, []),
    ],
)
def test_export_has_every_set_once_and_in_order(workouts, ann, bob, since, until, pages):
    workouts.rows("delete from public.workout_sessions")
    fill(workouts, ann.id, 60)
    fill(workouts, bob.id, 5)
    workouts.workout(ann.id, "2026-01-05 12:00", name="Without a set")
    unfinished = workouts.workout(ann.id, "2026-01-06 12:00", status="abandoned")
    workouts.rows(
        "update public.workout_session_exercises set session_id = %s where session_id = ("
        "select id from public.workout_sessions where user_id = %s order by started_at limit 1)",
        unfinished,
        bob.id,
    )
    of_the_design = workouts.connection.execute(
        OF_THE_DESIGN, {"user": ann.id, "from": since, "to": until}
    ).fetchall()

    read = list(export(workouts.connection, ann.id, since, until))

    assert [len(page) for page in read] == pages
    assert [row for page in read for row in page] == of_the_design


def test_sessions_that_start_at_once_do_not_mix(workouts, ann):
    workouts.rows("delete from public.workout_sessions")
    fill(workouts, ann.id, 10)
    workouts.rows(
        "update public.workout_sessions set started_at = '2026-01-01', completed_at = '2026-01-02'"
    )
    (page,) = export(workouts.connection, ann.id)
    assert len(page) == 200
    assert [len(list(rows)) for _, rows in groupby(page, key=lambda row: row[1])] == [20] * 10


def bring(connection, user, rows):
    """Import rows of an export: four statements with an array for each column, one transaction."""
    files = [file.read_text() for file in IMPORT]
    with connection.transaction(), psycopg.RawCursor(connection) as cursor:
        cursor.execute(files[0], [user, sorted({row[2] for row in rows})])
        known = {name: exercise for name, exercise, _ in cursor.fetchall()}
        sessions, done, sets = [], [], []
        for (day, name, minutes), of_session in groupby(rows, key=lambda r: (r[0], r[1], r[-1])):
            session = uuid4()
            sessions.append((session, name, None, day, minutes))
            exercises = groupby(of_session, key=lambda row: row[2])
            for place, (exercise, of_exercise) in enumerate(exercises):
                one = uuid4()
                name_there = known[exercise.strip().lower()]
                done.append((one, session, name_there, exercise, place, None, None))
                sets += [(one, *row[3:4], *row[5:10], row[4], None) for row in of_exercise]
        ids, names, notes, days, minutes = map(list, zip(*sessions, strict=True))
        starts = [f"{day} 22:00" for day in days]
        ends = [
            f"{day} {22 + int(m) // 60}:{int(m) % 60:02}"
            for day, m in zip(days, minutes, strict=True)
        ]
        cursor.execute(files[1], [user, ids, names, notes, starts, ends])
        cursor.execute(files[2], [user, *(list(column) for column in zip(*done, strict=True))])
        cursor.execute(files[3], [user, *(list(column) for column in zip(*sets, strict=True))])


def through(wire, url):
    return f"postgresql://postgres@127.0.0.1:{wire.port}/{conninfo_to_dict(url)['dbname']}?sslmode=disable"


@pytest.mark.parametrize("sessions", [1, 200])
def test_import_takes_six_round_trips_whatever_its_size(committed, address, every_server, sessions):
    ann, bob = Person(committed, "ann"), Person(committed, "bob")
    committed.rows("delete from public.workout_sessions")
    fill(committed, ann.id, sessions)
    rows = [row for page in export(committed.connection, ann.id) for row in page]
    assert len(rows) == sessions * 20

    path = f"{every_server.running.socket_folder}/.s.PGSQL.{every_server.running.port}"
    with recording(path) as wire, psycopg.connect(through(wire, address)) as connection:
        wire.clear()
        bring(connection, bob.id, rows)
        # Each message of the simple protocol, and each Sync of the extended one, waits for an answer.
        round_trips = len(wire.queries) + wire.other.count("S")

    assert round_trips == 6
    dated = [(row[0], *row[1:]) for row in rows]
    assert [row for page in export(committed.connection, bob.id) for row in page] == dated
    assert committed.value("select count(*) from public.exercises") == 15 + 2


def test_import_finds_exercises_by_any_case_and_makes_the_rest_the_users_own(workouts, ann, bob):
    names = ["SQUAT", "bench press", "Lift of ANN", "Lift of bob", "Atlas Stone", "atlas stone"]
    with psycopg.RawCursor(workouts.connection) as cursor:
        found = {
            name: (exercise, is_new)
            for name, exercise, is_new in cursor.execute(
                IMPORT[0].read_text(), [ann.id, names]
            ).fetchall()
        }
        again = cursor.execute(IMPORT[0].read_text(), [ann.id, names]).fetchall()

    assert {name for name, (_, is_new) in found.items() if is_new} == {"atlas stone", "lift of bob"}
    assert found["squat"] == (workouts.squat(), False)
    assert found["lift of ann"] == (ann.rows["exercises"], False)
    assert found["lift of bob"][0] != bob.rows["exercises"]
    assert sorted(again) == sorted((name, exercise, False) for name, (exercise, _) in found.items())
    assert workouts.rows(
        "select name, slug, is_system_exercise, created_by from public.exercises where id = %s",
        found["atlas stone"][0],
    ) in (
        [("Atlas Stone", "atlas-stone", False, ann.id)],
        [("atlas stone", "atlas-stone", False, ann.id)],
    )


def test_import_takes_the_users_own_deleted_exercise_for_its_name_is_taken(workouts, ann):
    workouts.rows("update public.exercises set is_deleted = true where created_by = %s", ann.id)
    with psycopg.RawCursor(workouts.connection) as cursor:
        cursor.execute(IMPORT[0].read_text(), [ann.id, ["lift of ann"]])
        assert cursor.fetchall() == [("lift of ann", ann.rows["exercises"], False)]


def test_the_same_file_twice_is_imported_once(workouts, ann, bob):
    workouts.rows("delete from public.workout_sessions")
    fill(workouts, ann.id, 4)
    rows = [row for page in export(workouts.connection, ann.id) for row in page]
    counts = (
        "select (select count(*) from public.workout_sessions), "
        "(select count(*) from public.workout_session_exercises), "
        "(select count(*) from public.workout_sets), (select count(*) from public.exercises)"
    )
    bring(workouts.connection, bob.id, rows[:20])
    assert workouts.rows(counts) == [(5, 25, 100, 17)]
    bring(workouts.connection, bob.id, rows)
    once = workouts.rows(counts)
    assert once == [(8, 40, 160, 17)]

    bring(workouts.connection, bob.id, rows)

    assert workouts.rows(counts) == once


def test_of_two_imports_at_once_the_second_waits_and_finds_it_done(committed, address):
    ann, bob = Person(committed, "ann"), Person(committed, "bob")
    committed.rows("delete from public.workout_sessions")
    fill(committed, ann.id, 2)
    rows = [row for page in export(committed.connection, ann.id) for row in page]
    waits = (
        "select pid from pg_stat_activity where wait_event_type = 'Lock' "
        "and datname = current_database()"
    )
    with psycopg.connect(address) as first, psycopg.connect(address) as second:
        first.execute("select 1")  # the import is part of a transaction that is still open
        bring(first, bob.id, rows)
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(bring, second, bob.id, rows)
            deadline = time.monotonic() + 60
            while not committed.rows(waits):
                assert not other.done()
                assert time.monotonic() < deadline
            first.commit()
            other.result(60)
        second.commit()
    mine = "select count(*) from public.workout_sessions where user_id = %s"
    assert committed.value(mine, bob.id) == 2


def test_blank_names_and_blanks_around_names_make_no_exercise(workouts, ann):
    names = ["", "  ", "\t\n", "\u3000\u200b", "squat ", "\tSquat", "\u00a0Rope\u3000", "rope"]
    with psycopg.RawCursor(workouts.connection) as cursor:
        found = cursor.execute(IMPORT[0].read_text(), [ann.id, names]).fetchall()
    assert {name: is_new for name, _, is_new in found} == {"squat": False, "rope": True}
    assert workouts.rows("select name from public.exercises where lower(name) = 'rope'") in (
        [("Rope",)],
        [("rope",)],
    )
    for name in names[:4]:
        with workouts.refused(psycopg.errors.CheckViolation):
            workouts.insert("exercises", name=name, is_system_exercise=False, created_by=ann.id)


def test_an_import_writes_into_no_session_of_anybody_elses(workouts, ann, bob):
    (foreign,) = workouts.rows("select id from public.workout_sessions where user_id = %s", bob.id)
    (done,) = workouts.rows(
        "select id from public.workout_session_exercises where session_id = %s", foreign[0]
    )
    files = [file.read_text() for file in IMPORT]
    counts = "select (select count(*) from {0}_session_exercises), (select count(*) from {0}_sets)"
    before = workouts.rows(counts.format("public.workout"))
    with psycopg.RawCursor(workouts.connection) as cursor:
        cursor.execute(
            files[2],
            [ann.id, [uuid4()], [foreign[0]], [workouts.squat()], ["x"], [7], [None], [None]],
        )
        cursor.execute(
            files[3], [ann.id, [done[0]], [9], [1], ["kg"], [1], [None], [None], [False], [None]]
        )
        # And no exercise of anybody else's into the own.
        (own,) = cursor.execute(
            "select id from public.workout_sessions where user_id = $1", [ann.id]
        ).fetchall()
        theirs = [bob.rows["exercises"]]
        cursor.execute(files[2], [ann.id, [uuid4()], [own[0]], theirs, ["x"], [7], [None], [None]])
    assert workouts.rows(counts.format("public.workout")) == before


def test_import_that_fails_leaves_nothing(committed):
    ann = Person(committed, "ann")
    committed.rows("delete from public.workout_sessions")
    fill(committed, ann.id, 3)
    rows = [list(row) for page in export(committed.connection, ann.id) for row in page]
    committed.rows("delete from public.workout_sessions")
    rows[-1][2], rows[-1][7] = "Never Seen", 1000

    with pytest.raises(psycopg.errors.CheckViolation):
        bring(committed.connection, ann.id, rows)

    assert committed.value("select count(*) from public.workout_sessions") == 0
    assert committed.value("select count(*) from public.exercises where name = 'Never Seen'") == 0
