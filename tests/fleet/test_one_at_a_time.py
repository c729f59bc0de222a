"""One rollout of a fleet at a time, each with a number; and what a fleet keeps of them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from conftest import query
from faults.processes import DEADLINE_S, SLEEPING, until
from fleet.conftest import Tenants
from fleet.test_queue import environment, fleet_of, queued, start, workers
from pgvouch.cli.main import run
from pgvouch.errors import PlanError, UsageError
from pgvouch.fleet.on_queue import FleetQueue
from pgvouch.fleet.target import State
from pgvouch.fleet.waves import Budget
from support.screen import Terminal

__all__ = ["queued"]
SLEEPS = {"003_c.sql": "select pg_sleep(600);", "003_c.rollback.sql": "select 1;"}
ALL = range(6)


@contextmanager
def migrating(tenants: Tenants) -> Iterator["subprocess.Popen[str]"]:
    """Have a program migrate the fleet, which waits in the canary."""
    tenants.write(SLEEPS)
    process = subprocess.Popen(
        [sys.executable, "-m", "pgvouch", "fleet", "migrate", "all"],
        cwd=tenants.root, env=environment(tenants), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        until(tenants.url(0), SLEEPING)
        yield process
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE_S)


@pytest.fixture(params=["control", "file"])
def kept(queued: Tenants, request: pytest.FixtureRequest) -> Tenants:
    """A fleet whose results are kept in its control database, or in a file."""
    if request.param == "file":
        names = "".join(f"{queued.prefix}_{n}\\n" for n in ALL)
        (queued.root / "names").write_text(names.replace("\\n", "\n"))
        (queued.root / "pgvouch.toml").write_text('[fleet.all]\nfile = "names"\nwaves = ["1"]\n')
    return queued


def test_while_a_program_is_at_one_no_other_begins(kept: Tenants) -> None:
    fleet_of(kept).migrate(to="1")
    with migrating(kept) as process:
        for begin in (fleet_of(kept).migrate, lambda: fleet_of(kept).rollback(number=1)):
            with pytest.raises(PlanError, match="under way"):
                begin()
        process.kill()  # the lock goes with whoever had it
        process.communicate(timeout=DEADLINE_S)
        until(kept.url(0), f"not {SLEEPING}")
        kept.write({"003_c.sql": "select 3;"})
        assert fleet_of(kept).migrate().count(State.DONE) == 6
    assert [kept.applied(n) for n in ALL] == [3] * 6


def test_nor_is_one_put_on_the_queue(queued: Tenants) -> None:
    with migrating(queued):
        with pytest.raises(
            PlanError, match=r"rollout 1 .* is under way: migrate by postgres"
        ) as told:
            FleetQueue(fleet_of(queued)).enqueue()
        (hint,) = re.findall(r"select pg_terminate_backend\(\d+\)", str(told.value.hint))
        query(queued.url("control"), hint)  # of a program that nobody can reach any more
        FleetQueue(fleet_of(queued)).enqueue()
        FleetQueue(fleet_of(queued)).cancel()


def test_what_is_under_way_still_is_not_rolled_back(queued: Tenants) -> None:
    queued.write(SLEEPS)
    FleetQueue(fleet_of(queued)).enqueue()
    with workers(queued, 1):
        until(queued.url(0), SLEEPING)
        FleetQueue(fleet_of(queued)).cancel()
        for begin in (fleet_of(queued).rollback, FleetQueue(fleet_of(queued)).enqueue_rollback):
            with pytest.raises(PlanError, match="rollout 1 is under way still, in 1 database"):
                begin()


def test_a_rollback_says_what_it_leaves(
    queued: Tenants, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed was mended, and the same command was run again: two rollouts are one release."""
    monkeypatch.chdir(queued.root)
    given = environment(queued)
    queued.query(0, "create table public.b ()")
    assert run(["fleet", "migrate", "all"], given) == 1
    assert "pgvouch fleet rollback all --rollout 1" in capsys.readouterr().out
    queued.query(0, "drop table public.b")
    assert run(["fleet", "migrate", "all"], given) == 0
    assert re.search(r"all: 6 done in [\d.]+ s: rollout 2\n", capsys.readouterr().out)
    assert run(["fleet", "rollback", "all"], given) == 0
    out = capsys.readouterr().out
    assert "note    what rollout 1 has applied in 1 database stays: pgvouch fleet rollback" in out
    assert [queued.applied(n) for n in ALL] == [1, 0, 0, 0, 0, 0]
    assert run(["fleet", "history", "all"], given) == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines()[-3:]]
    assert [(row[0], *row[2:4]) for row in rows] == [
        ("1", "migrate", "stopped in canary"), ("2", "migrate", "done"), ("3", "rollback of 2", "done"),
    ]  # fmt: skip


def test_it_names_what_the_list_has_no_more(queued: Tenants) -> None:
    fleet_of(queued).migrate()
    queued.query("control", f"delete from tenants where name = '{queued.prefix}_3'")
    summary = fleet_of(queued).rollback()
    assert (summary.count(State.DONE), summary.count(State.GONE)) == (5, 1)
    ((_, cause, names),) = summary.by_cause
    assert names == (f"{queued.prefix}_3",)
    assert cause == "the list of databases does not have it any more"


def test_a_fleet_of_which_nothing_is_there_is_no_success(queued: Tenants) -> None:
    gone = fleet_of(queued, targets="select name || '_typo' as name from tenants")
    summary = gone.migrate()
    assert summary.is_lost
    ((state, cause, names),) = summary.by_cause
    assert (state, cause, len(names)) == (State.GONE, "the database does not exist", 6)
    with pytest.raises(UsageError, match="the fleet all has no databases"):
        fleet_of(queued, targets="select name from tenants where false").migrate()


def test_a_plan_shows_what_is_in_trouble(tenants: Tenants) -> None:
    tenants.make(0, 1)
    tenants.fleet().migrate(to="1")
    tenants.query(1, f"alter database {tenants.prefix}_1 connection limit 0")
    tenants.write({"001_a.sql": "create table public.a (id bigint);"})
    ran = tenants("plan")
    assert ran.code == 1
    assert re.search(r"canary +1 +0 +1 +0\n", ran.out), ran.out
    assert "drifted: 001_a" in ran.out


def test_a_migration_that_is_none_is_a_mistake_and_no_rollout(queued: Tenants) -> None:
    with pytest.raises(PlanError, match="there is no migration 009"):
        fleet_of(queued).migrate(to="009")
    with pytest.raises(PlanError, match="there is no migration 009"):
        FleetQueue(fleet_of(queued)).enqueue(to="009")
    assert fleet_of(queued).store.history(5) == []


def test_one_cause_is_one_line_whatever_the_database(tenants: Tenants) -> None:
    tenants.make("control")
    names = [f"{tenants.prefix}_{n}" for n in (1, 2)]
    (tenants.root / "urls").write_text(
        "".join(f"postgresql://nobody@127.0.0.1:1/{name}\n" for name in names)
    )
    summary = tenants.fleet(pattern=None, file="urls").status()
    assert summary.by_cause == [
        (State.DOWN, "no connection to 127.0.0.1:1: Connection refused", tuple(names))
    ]


def test_a_worker_says_that_a_rollout_is_for_other_files(queued: Tenants) -> None:
    FleetQueue(fleet_of(queued)).enqueue()
    queued.write({"004_d.sql": "select 4;"})
    out, _ = start(queued, "--once").communicate(timeout=DEADLINE_S)
    assert "rollout 1 of all is under way with other files, or another list of databases" in out


def test_whoever_watches_a_rollout_stays_with_it(queued: Tenants) -> None:
    """Though the control database is away for a while, and another one is the last then."""
    FleetQueue(fleet_of(queued)).enqueue()
    control, given = queued.url("control"), environment(queued)
    with Terminal("fleet", "watch", "all", columns=100, environment=given) as terminal:
        terminal.until(lambda text: "rollout 1  canary  0 of 6" in text)
        name = f"{queued.prefix}_control"
        with psycopg.connect(queued.server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"alter database {name} allow_connections false".encode())
            terminal.until(lambda text: "tried again" in text)
            connection.execute(f"alter database {name} allow_connections true".encode())
        FleetQueue(fleet_of(queued)).cancel()
        FleetQueue(fleet_of(queued)).enqueue()
        assert terminal.ended() == 1
        assert "rollout 1: cancelled" in terminal.text
    assert query(control, "select count(*) from pgvouch_fleet.rollout") == [(2,)]


def test_a_rollout_goes_on_when_nobody_watches_it(queued: Tenants) -> None:
    FleetQueue(fleet_of(queued)).enqueue()
    given = environment(queued)
    with Terminal("fleet", "watch", "all", columns=100, environment=given) as terminal:
        terminal.until(lambda text: "rollout 1  canary" in text)
        os.kill(terminal.process.pid, signal.SIGINT)
        assert terminal.ended() == 130
        assert "Rollout 1 goes on without being watched." in terminal.text


def test_without_a_delta_there_is_no_drift_to_be_found(tenants: Tenants) -> None:
    tenants.make(0, 1)
    tenants.fleet().migrate()
    for n in (0, 1):
        tenants.query(n, "update pgvouch.migration set delta = null")
    tenants.query(0, "drop table public.b")
    ran = tenants("drift")
    assert (
        "2 current: no applied migration has a delta, so there is nothing to compare with"
        in ran.out
    )


def test_workers_name_it_too(queued: Tenants) -> None:
    fleet_of(queued).migrate()
    queued.query("control", f"delete from tenants where name = '{queued.prefix}_3'")
    FleetQueue(fleet_of(queued)).enqueue_rollback()
    start(queued, "--once").communicate(timeout=DEADLINE_S)
    progress = FleetQueue(fleet_of(queued)).progress()
    assert progress.queued.rollout.outcome == "done"
    ((state, cause, count, names),) = progress.causes
    assert (state, count, names) == (State.GONE, 1, (f"{queued.prefix}_3",))
    assert cause == "the list of databases does not have it any more"


def test_no_queue_of_a_stranger_is_asked_whether_it_is_at_work(queued: Tenants) -> None:
    fleet_of(queued).migrate()
    role = f"{queued.prefix}_stranger"
    queued.query(
        "control",
        f"create role {role}; create schema pgvouch_queue authorization {role}; "
        "create table pgvouch_queue.procrastinate_workers ()",
    )
    try:
        with pytest.raises(PlanError, match="the queue belongs to another role"):
            fleet_of(queued).rollback()
    finally:
        queued.query("control", f"drop schema pgvouch_queue cascade; drop role {role}")


def test_a_rollout_that_has_done_nothing_points_to_the_one_that_has(queued: Tenants) -> None:
    queued.query(3, "create table public.b ()")
    given = fleet_of(queued, waves=("rest",), budget=Budget(1))
    assert given.migrate().count(State.DONE) == 5
    assert given.migrate().count(State.DONE) == 0
    assert given.rollback().count(State.CURRENT) == 1
    assert given.kept(2) == [(1, 6)]
