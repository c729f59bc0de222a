"""Two requests want the last generation of a month: one gets it, whoever waits."""

import re
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import errors

from .world import SYSTEM, blocks

TAKE = (SYSTEM / "queries" / "quota_take.sql").read_text().partition("-- query:\n")[2]


def _take(user: int) -> str:
    return re.sub(r"user_id = -42\b", f"user_id = {user}", TAKE).replace("2001-02-01", "2026-01-01")


def test_the_last_one_is_taken_once(monthly_planner, address, ann):
    monthly_planner.rows("update public.generation_quota set generations_used = 2")
    with (
        ThreadPoolExecutor() as pool,
        psycopg.connect(address) as first,
        psycopg.connect(address) as second,
    ):
        assert first.execute(_take(ann.id)).fetchall() == [(3,)]
        waiting = pool.submit(lambda: second.execute(_take(ann.id)).fetchall())
        while not monthly_planner.value(
            "select exists (select from pg_locks where pid = %s and not granted)",
            second.info.backend_pid,
        ):
            assert not waiting.done()
        first.commit()
        assert waiting.result(timeout=30) == []

    assert monthly_planner.value("select generations_used from public.generation_quota") == 3


def test_many_at_once_never_overdraw(monthly_planner, address, ann, bob):
    def take(_: int) -> int:
        with psycopg.connect(address, autocommit=True) as connection:
            return connection.execute(_take(ann.id)).rowcount

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, range(10))) == 3

    used = "select generations_used from public.generation_quota where user_id = %s"
    assert monthly_planner.value(used, ann.id) == 3
    assert monthly_planner.value(used, bob.id) == 0


def test_a_request_that_reads_first_is_stopped_by_the_constraint(monthly_planner, address, ann):
    monthly_planner.rows("update public.generation_quota set generations_used = 2")
    blind = "update public.generation_quota set generations_used = generations_used + 1"
    assert monthly_planner.changed(blind) == 1
    with monthly_planner.refused(errors.CheckViolation):
        monthly_planner.rows(blind)


DOWNGRADE = next(block for block in blocks("sql") if "greatest(" in block)


def _downgrade(allowed: int) -> str:
    return DOWNGRADE.replace("dev@", "ann@").replace("greatest(0,", f"greatest({allowed},")


@pytest.mark.parametrize(
    ("used", "allowed", "then"), [(2, 0, 2), (2, 1, 2), (2, 2, 2), (0, 0, 0), (0, 1, 1), (3, 9, 9)]
)
def test_a_downgrade_leaves_what_is_used(monthly_planner, ann, bob, used, allowed, then):
    monthly_planner.rows(
        "update public.generation_quota set generations_used = %s where user_id = %s", used, ann.id
    )

    assert monthly_planner.rows(_downgrade(allowed)) == [(then - used,)]

    row = "select total_allowed, generations_used from public.generation_quota where user_id = %s"
    assert monthly_planner.rows(row, ann.id) == [(then, used)]
    assert monthly_planner.rows(row, bob.id) == [(3, 0)]
    assert len(monthly_planner.rows(_take(ann.id))) == (1 if then > used else 0)


def test_a_downgrade_and_a_request_at_once(monthly_planner, address, ann):
    with (
        ThreadPoolExecutor() as pool,
        psycopg.connect(address) as first,
        psycopg.connect(address) as second,
    ):
        assert first.execute(_take(ann.id)).fetchall() == [(1,)]
        waiting = pool.submit(lambda: second.execute(_downgrade(0)).fetchall())
        while not monthly_planner.value(
            "select exists (select from pg_locks where pid = %s and not granted)",
            second.info.backend_pid,
        ):
            assert not waiting.done()
        first.commit()
        assert waiting.result(timeout=30) == [(0,)]
        second.commit()

    row = "select total_allowed, generations_used from public.generation_quota"
    assert monthly_planner.rows(row) == [(1, 1)]


def test_lowered_further_it_is_refused(monthly_planner, ann):
    monthly_planner.rows("update public.generation_quota set generations_used = 1")
    with monthly_planner.refused(errors.CheckViolation):
        monthly_planner.rows("update public.generation_quota set total_allowed = 0")


def test_no_number_of_the_system_can_be_nan(monthly_planner):
    assert (
        monthly_planner.rows(
            "select attrelid::regclass::text, attname::text from pg_attribute "
            "join pg_class on pg_class.oid = attrelid "
            "where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 "
            "and atttypid in ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype)"
        )
        == []
    )
