"""A rollout on the queue: workers take its jobs, judge its waves, and may be killed at any time."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import pytest

from conftest import query
from faults.processes import DEADLINE_S, until
from fleet.conftest import Tenants
from pgvouch.errors import PlanError, UsageError
from pgvouch.fleet import on_queue
from pgvouch.fleet.fleet import Fleet
from pgvouch.fleet.target import State

ALL = "select name, wave from tenants order by name"


@pytest.fixture
def queued(tenants: Tenants) -> Tenants:
    """Six databases and a control database, known to the configuration."""
    tenants.make("control", *range(6))
    tenants.query(
        "control",
        "create table tenants (name text, wave text); insert into tenants "
        f"select '{tenants.prefix}_' || n from generate_series(0, 5) as n",
    )
    (tenants.root / "pgvouch.toml").write_text(
        f'[fleet.all]\ncontrol = "CONTROL_URL"\ntargets = "{ALL}"\nwaves = ["1", "2", "rest"]\n'
    )
    return tenants


def environment(tenants: Tenants) -> dict[str, str]:
    return {
        "CONTROL_URL": tenants.url("control"),
        "DATABASE_URL": tenants.server.url("postgres"),
        "NO_COLOR": "1",
        "PATH": "/usr/bin:/bin",
    }


def fleet_of(tenants: Tenants, **given: object) -> Fleet:
    return Fleet("all", environment=environment(tenants), project=tenants.root / "pgvouch.toml", **given)


def start(tenants: Tenants, *arguments: str) -> "subprocess.Popen[str]":
    """Start a worker as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "pgvouch", "fleet", "worker", "all", "--dead-after", "2s", *arguments],
        cwd=tenants.root,
        env=environment(tenants),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def workers(tenants: Tenants, count: int, *arguments: str) -> Iterator[Sequence["subprocess.Popen[str]"]]:
    started = [start(tenants, *arguments) for _ in range(count)]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait(DEADLINE_S)
            assert process.stdout is not None
            process.stdout.close()


def ended(tenants: Tenants) -> None:
    """Wait for the last rollout to end."""
    until(
        tenants.url("control"),
        "not exists (select from pgvouch_fleet.rollout where queue is not null and ended_at is null) "
        "and not exists (select from pgvouch_fleet.result where state = 'begun')",
    )


def test_workers_do_what_is_enqueued(queued: Tenants) -> None:
    rollout, waves = on_queue.enqueue(fleet_of(queued))
    assert [(wave.name, len(wave.targets)) for wave in waves] == [("canary", 1), ("2", 2), ("rest", 3)]
    process = start(queued, "--once")
    out, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, out
    assert [queued.applied(n) for n in range(6)] == [2] * 6
    progress = on_queue.progress(fleet_of(queued))
    assert progress.queued.rollout.id == rollout.id
    assert progress.queued.rollout.outcome == "done"
    assert progress.counts == {(0, State.DONE): 1, (1, State.DONE): 2, (2, State.DONE): 3}
