"""Ctrl-C ends a rollout: what runs is rolled back by its server, and no process is left."""

import signal
import subprocess
import sys

import psutil
import psycopg
import pytest

from conftest import query
from faults.processes import AT_WORK, DEADLINE_S, SLEEPING, until
from fleet.conftest import Tenants


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_and_says_so(tenants: Tenants, number: signal.Signals) -> None:
    tenants.write({"003_c.sql": "select pg_sleep(600);"})
    tenants.make(0, 1)
    process = subprocess.Popen(
        [sys.executable, "-m", "pgvouch", "fleet", "migrate", "--wave", "rest",
         "--url", tenants.server.url("postgres"), "--pattern", f"{tenants.prefix}_*"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for n in (0, 1):
        until(tenants.url(n), SLEEPING)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 128 + number
    assert f"interrupted by {number.name}" in err
    assert "rollout 1: 0 of 2 databases done, 2 under way or not begun; what ran was" in err
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(children, timeout=DEADLINE_S)
    assert alive == []
    for n in (0, 1):
        assert query(tenants.url(n), f"select {SLEEPING}") == [(False,)], "it was cancelled"
        assert tenants.applied(n) == 2
    tenants.write({"003_c.sql": "select 1;"})
    assert tenants("migrate").code == 0
    assert [tenants.applied(n) for n in (0, 1)] == [3, 3]


@pytest.mark.parametrize("held", ["select from pgvouch.ledger for update", "lock table public.a"])
def test_it_ends_between_two_attempts(tenants: Tenants, held: str) -> None:
    """Nothing runs in the servers then that could be cancelled."""
    tenants.make(0, 1)
    tenants.fleet(waves=("rest",)).migrate(to="001_a")
    tenants.write({"002_b.sql": "alter table public.a add b int;"})
    with psycopg.connect(tenants.url(0)) as one, psycopg.connect(tenants.url(1)) as two:
        for other in (one, two):
            other.execute(held)
        process = subprocess.Popen(
            [sys.executable, "-m", "pgvouch", "fleet", "migrate", "--wave", "rest",
             "--lock-timeout", "50ms", "--url", tenants.server.url("postgres"),
             "--pattern", f"{tenants.prefix}_*"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        for n in (0, 1):
            until(tenants.url(n), AT_WORK)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 128 + signal.SIGINT
        assert "2 under way or not begun; what ran was rolled back" in err, err
        _, alive = psutil.wait_procs(children, timeout=DEADLINE_S)
        assert alive == []
    assert [tenants.applied(n) for n in (0, 1)] == [1, 1]


def test_no_worker_outlives_a_program_that_was_killed(tenants: Tenants) -> None:
    tenants.write({"003_c.sql": "select pg_sleep(600);"})
    tenants.make(*range(6))
    process = subprocess.Popen(
        [sys.executable, "-m", "pgvouch", "fleet", "migrate", "--wave", "rest", "--jobs", "6",
         "--url", tenants.server.url("postgres"), "--pattern", f"{tenants.prefix}_*"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for n in range(6):
        until(tenants.url(n), SLEEPING)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.kill()
    process.wait(DEADLINE_S)
    _, alive = psutil.wait_procs(children, timeout=DEADLINE_S)
    assert alive == []
    for n in range(6):
        assert query(tenants.url(n), f"select {SLEEPING}") == [(False,)]
        assert tenants.applied(n) == 2


def test_a_migration_that_catches_its_cancellation_is_ended_too(tenants: Tenants) -> None:
    catches = "do $$ begin perform pg_sleep(600); exception when query_canceled then null; end $$;"
    tenants.write({"003_c.sql": f"{catches}\nselect pg_sleep(600);"})
    tenants.make(0)
    process = subprocess.Popen(
        [sys.executable, "-m", "pgvouch", "fleet", "migrate", "--wave", "rest",
         "--url", tenants.server.url("postgres"), "--pattern", f"{tenants.prefix}_*"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(tenants.url(0), SLEEPING)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE_S) == 128 + signal.SIGTERM
    _, alive = psutil.wait_procs(children, timeout=DEADLINE_S)
    assert alive == []
    assert query(tenants.url(0), f"select {SLEEPING}") == [(False,)], "it was cancelled"
    assert tenants.applied(0) == 2
