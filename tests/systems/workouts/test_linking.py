"""A session is linked to an entry of the calendar: two want it at once, and one of them gets it."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from .world import Person, statement


@pytest.fixture
def ann(committed):
    return Person(committed, "ann")


@pytest.fixture
def bob(committed):
    return Person(committed, "bob")


def link(person, session):
    """The statement that links a session to the person's entry."""
    entry = person.rows["scheduled_workouts"]
    return statement("session_link", user=person.id, entry=entry, session=session)


def linked(db, person):
    return db.value(
        "select completed_session_id from public.scheduled_workouts where id = %s",
        person.rows["scheduled_workouts"],
    )


def wait_for_lock(db, waiting, blocking, future):
    """Wait until a connection stands behind the other one, as the server sees it."""
    deadline = time.monotonic() + 30
    while not db.value(
        "select wait_event_type is not distinct from 'Lock' and %s = any (pg_blocking_pids(pid)) "
        "from pg_stat_activity where pid = %s",
        blocking.info.backend_pid,
        waiting.info.backend_pid,
    ):
        assert not future.done(), future.result()
        assert time.monotonic() < deadline


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_of_two_at_once_the_second_waits_and_one_wins(committed, address, ann, end):
    mine = ann.rows["workout_sessions"]
    other = committed.workout(ann.id, "2026-01-05 20:00")
    with (
        ThreadPoolExecutor() as pool,
        psycopg.connect(address) as first,
        psycopg.connect(address) as second,
    ):
        assert len(first.execute(link(ann, mine)).fetchall()) == 1
        future = pool.submit(lambda: second.execute(link(ann, other)).fetchall())
        wait_for_lock(committed, second, first, future)
        getattr(first, end)()
        rows = future.result(timeout=30)
        second.commit()

    assert len(rows) == (0 if end == "commit" else 1)
    assert linked(committed, ann) == (mine if end == "commit" else other)


def test_of_two_who_lock_the_entry_first_the_second_reads_that_it_is_taken(committed, address, ann):
    mine = ann.rows["workout_sessions"]
    lock = (
        "select completed_session_id from public.scheduled_workouts "
        f"where id = '{ann.rows['scheduled_workouts']}' for update"
    )
    with (
        ThreadPoolExecutor() as pool,
        psycopg.connect(address) as first,
        psycopg.connect(address) as second,
    ):
        assert first.execute(lock).fetchall() == [(None,)]
        future = pool.submit(lambda: second.execute(lock).fetchall())
        wait_for_lock(committed, second, first, future)
        assert first.execute(link(ann, mine)).rowcount == 1
        first.commit()
        assert future.result(timeout=30) == [(mine,)]


def test_many_at_once_link_one(committed, address, ann):
    sessions = [committed.workout(ann.id, f"2026-01-05 {hour}:00") for hour in range(10, 18)]

    def start(session):
        with psycopg.connect(address, autocommit=True) as connection:
            return connection.execute(link(ann, session)).rowcount

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(start, sessions)) == 1
    assert linked(committed, ann) in sessions


def test_linking_again_changes_nothing(committed, ann):
    mine = ann.rows["workout_sessions"]
    row = "select to_jsonb(e) from public.scheduled_workouts as e"
    committed.rows("alter table public.scheduled_workouts disable trigger user")
    committed.rows("update public.scheduled_workouts set updated_at = '2026-01-01'")
    committed.rows("alter table public.scheduled_workouts enable trigger user")

    assert committed.changed(link(ann, mine)) == 1
    once = committed.rows(row)
    assert not once[0][0]["updated_at"].startswith("2026-01-01T")
    assert committed.changed(link(ann, mine)) == 0
    assert committed.changed(link(ann, committed.workout(ann.id, "2026-01-06"))) == 0
    assert committed.rows(row) == once


def test_nobody_links_the_entry_or_the_session_of_another(committed, ann, bob):
    assert committed.changed(link(ann, bob.rows["workout_sessions"])) == 0
    entry = ann.rows["scheduled_workouts"]
    session = bob.rows["workout_sessions"]
    theirs = statement("session_link", user=bob.id, entry=entry, session=session)
    assert committed.changed(theirs) == 0
    assert linked(committed, ann) is None
