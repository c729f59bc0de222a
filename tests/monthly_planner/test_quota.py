"""Two requests want the last generation of a month: one gets it, whoever waits."""

import re
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import errors

from .conftest import SYSTEM

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
