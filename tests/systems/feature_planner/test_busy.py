"""A busy table during the move: the move gives way, the application never queues for long."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import psycopg
import pytest

from pgvouch.errors import VouchError

from .world import MOVE, TABLES, described, migrate, roll_back

WAITS = (
    "select relation::regclass::text from pg_locks as l "
    "join pg_stat_activity as a using (pid) where not granted and l.locktype = 'relation' "
    "and a.application_name like 'pgvouch%%' and a.datname = current_database()"
)
DEADLINE_S = 60


def until(db, condition, *values):
    """Look until there is something to see."""
    deadline = time.monotonic() + DEADLINE_S
    while not (found := db.rows(condition, *values)):
        assert time.monotonic() < deadline
    return found


def gave_way(attempt: Future, db):
    """Look until the move waits for nothing: it has ended for want of a lock, or will try again."""
    deadline = time.monotonic() + DEADLINE_S
    while db.rows(WAITS) and not attempt.done():
        assert time.monotonic() < deadline
    assert not attempt.done() or attempt.exception().server.sqlstate == "55P03"


@contextmanager
def moving(address, *changed):
    """The move, run beside the test."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(migrate, address, MOVE, *changed)


def finish(attempt: Future, address):
    """Nobody is in the way any more: the attempt that goes on lands, or else the next one does."""
    if isinstance(attempt.exception(DEADLINE_S), VouchError):
        migrate(address, MOVE)


def nothing_landed(db):
    assert [db.schema_of(table) for table in TABLES] == [["public"]] * len(TABLES)
    assert db.value(
        "select count(*) from pgvouch._yoyo_migration where migration_id = %s", MOVE
    ) == 0  # fmt: skip


def test_an_open_reader_makes_the_move_give_way(address_before, before):
    table = "plan_execution_logs"
    rows = before.contents("public")
    with psycopg.connect(address_before) as reader:
        reader.execute(f"select count(*) from public.{table}")
        with moving(address_before) as attempt:
            assert until(before, WAITS) == [(table,)]
            gave_way(attempt, before)

            nothing_landed(before)
            assert before.contents("public") == rows
            assert before.changed("update public.feature_plans set session_id = session_id") == 5
            reader.rollback()
            finish(attempt, address_before)

    assert before.schema_of(table) == ["feature_planner"]
    assert before.value("select count(*) from feature_planner.feature_plans") == 5


def test_the_attempt_ends_with_lock_not_available(address_before, before):
    """The file itself, as psql would run it, with the timeout in its head."""
    move = described().by_id[MOVE]
    assert move.directives.lock_timeout == "500ms"
    with (
        psycopg.connect(address_before) as reader,
        psycopg.connect(address_before) as attempt,
    ):
        reader.execute("select count(*) from public.plan_steps")
        attempt.execute(f"set local lock_timeout = '{move.directives.lock_timeout}'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            attempt.execute(move.sql)
    nothing_landed(before)


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
def test_those_who_come_behind_wait_for_the_move_only_as_long_as_it_waits(address_before, before):
    with psycopg.connect(address_before) as reader:
        reader.execute("lock table public.plan_execution_logs in access share mode")
        with moving(address_before) as attempt:
            assert until(before, WAITS) == [("plan_execution_logs",)]
            # Behind the move, which holds feature_plans by now: this waits, and then it reads.
            assert before.value("select count(*) from public.feature_plans") == 5
            nothing_landed(before)
            reader.rollback()
            finish(attempt, address_before)
    assert before.schema_of("feature_plans") == ["feature_planner"]


def test_it_is_the_move_that_lets_go_where_each_holds_what_the_other_wants(address_before, before):
    with psycopg.connect(address_before) as application:
        # It looks for deadlocks sooner than others, and would be the one to end if there were one.
        application.execute("set deadlock_timeout = '600ms'")
        # An insert takes its table first, and then looks into the parent.
        application.execute("lock table public.feature_refinements in row exclusive mode")
        with moving(address_before) as attempt:
            assert until(before, WAITS) == [("feature_refinements",)]
            assert application.execute("select id from public.feature_plans for key share")
            application.commit()
            finish(attempt, address_before)
    assert before.schema_of("feature_refinements") == ["feature_planner"]


@pytest.mark.parametrize("way", ["there", "back"])
def test_what_is_committed_while_it_waits_is_moved_as_it_is_then(address_before, before, way):
    """The rows are hashed under the lock: a write ahead of it is in both hashes, or in none."""
    schema = "public" if way == "there" else "feature_planner"
    if way == "back":
        migrate(address_before, MOVE)
    with psycopg.connect(address_before) as writer, ThreadPoolExecutor(1) as pool:
        writer.execute(f"update {schema}.feature_plans set session_id = 'in between'")
        writer.execute(f"delete from {schema}.plan_steps where step_number = 3")
        writer.execute("update public.users set display_name = 'In between'")
        attempt = pool.submit(migrate if way == "there" else roll_back, address_before)
        assert until(before, WAITS) == [(f"{schema}.feature_plans".removeprefix("public."),)]
        writer.commit()
        attempt.result(DEADLINE_S)

    (now,) = before.schema_of("feature_plans")
    assert now != schema
    assert before.value(f"select bool_and(session_id = 'in between') from {now}.feature_plans")


WRITES = (
    "update feature_plans set session_id = gen_random_uuid() where id = "
    "(select id from feature_plans order by id limit 1)",
    "insert into plan_execution_logs (plan_id, step, step_number, agent_type, start_time) "
    "select id, 'planning', 3, 'planner', now() from feature_plans limit 1",
    "update public.users set display_name = gen_random_uuid()",
)


def write_until(stop, address, statement):
    """An application that writes as fast as it can, and is never refused."""
    written = 0
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("set search_path = public, feature_planner")
        while not stop.is_set():
            connection.execute(statement)
            written += 1
    return written


def test_it_lands_there_and_back_while_everybody_writes(address_before, before):
    stop = Event()
    with ThreadPoolExecutor(len(WRITES)) as pool:
        try:
            writers = [pool.submit(write_until, stop, address_before, sql) for sql in WRITES]
            migrate(address_before, MOVE)
            assert before.schema_of("feature_plans") == ["feature_planner"]
            roll_back(address_before)
            assert before.schema_of("feature_plans") == ["public"]
            migrate(address_before, MOVE)
        finally:
            stop.set()
        assert all(writer.result(DEADLINE_S) for writer in writers)
    assert before.schema_of("feature_plans") == ["feature_planner"]
