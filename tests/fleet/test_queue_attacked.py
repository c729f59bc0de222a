"""A rollout on the queue, and what a stranger, a tired operator or a bad day does to it."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import psutil
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from conftest import query
from faults.processes import AT_WORK, DEADLINE_S, SLEEPING, until, wake
from fleet.conftest import Tenants
from fleet.test_queue import (
    ended,
    environment,
    fleet_of,
    queued,
    start,
    workers,
)
from pgvouch.errors import MigrationError, PlanError
from pgvouch.fleet.fleet import Fleet
from pgvouch.fleet.on_queue import FleetQueue
from pgvouch.fleet.queue import Queue
from pgvouch.fleet.target import Result, State
from support.screen import Terminal

__all__ = ["queued"]
WAIT = "select pg_sleep(600) where exists (select from public.wait);"


def waiting(tenants: Tenants, *names: object) -> None:
    """Have a migration wait in some databases until the row is gone."""
    tenants.write({"003_c.sql": WAIT})
    for n in range(6):
        tenants.query(n, "create table public.wait ()")
    for name in names:
        tenants.query(name, "insert into public.wait default values")


def begun_by_a_dead_worker(tenants: Tenants, **given: object) -> None:
    """Have the first database begun by a worker that is killed with all its processes."""
    waiting(tenants, 0)
    FleetQueue(fleet_of(tenants, **given)).enqueue()
    with workers(tenants, 1) as (process,):
        until(tenants.url(0), SLEEPING)
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait(DEADLINE_S)
    tenants.query(0, "delete from public.wait")
    wake(tenants.url(0), "terminate")


def watched(tenants: Tenants) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pgvouch", "fleet", "watch", "all"],
        capture_output=True, text=True, env=environment(tenants), timeout=DEADLINE_S, check=False,
    )  # fmt: skip


def states(tenants: Tenants) -> list[tuple[object, ...]]:
    return query(
        tenants.url("control"), "select target, state, cause from pgvouch_fleet.result order by 1"
    )


def test_the_jobs_of_another_queue_keep_nobody_waiting(queued: Tenants) -> None:
    """Workers of a release that is gone have left a job, and a rollout that nobody works on."""
    begun_by_a_dead_worker(queued, per_server=1)
    FleetQueue(fleet_of(queued)).cancel()
    queued.write({"004_d.sql": "create table public.d ();"})
    FleetQueue(fleet_of(queued, per_server=1)).enqueue()
    process = start(queued, "--once")
    out, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, out
    assert [queued.applied(n) for n in range(6)] == [4] * 6


@pytest.mark.parametrize("payload", ["garbage", "abort"])
def test_a_stranger_s_notification_neither_aborts_nor_stops_anything(
    queued: Tenants, payload: str
) -> None:
    """Whoever may connect may notify any channel."""
    waiting(queued, 0)
    control = queued.url("control")
    FleetQueue(fleet_of(queued)).enqueue()
    with workers(queued, 1) as (process,):
        until(queued.url(0), SLEEPING)
        ((worker,),) = query(control, "select id from pgvouch_queue.procrastinate_workers")
        ((job, queue),) = query(
            control,
            "select id, queue_name from pgvouch_queue.procrastinate_jobs where status = 'doing'",
        )
        said = {
            "garbage": "garbage",
            "abort": json.dumps({"type": "abort_job_requested", "job_id": job}),
        }[payload]
        with psycopg.connect(control, autocommit=True) as stranger:
            stranger.execute("select pg_notify(%s, %s)", [f"procrastinate_queue_v1#{queue}", said])
        beat = "(select last_heartbeat from pgvouch_queue.procrastinate_workers"
        # It lives on, and is the same.
        query(control, "create table public.seen as select clock_timestamp() as at")
        until(
            control,
            f"{beat} where id = {worker}) > (select at + interval '1 s' from public.seen)",
        )
        until(queued.url(0), SLEEPING)
        queued.query(0, "delete from public.wait")
        wake(queued.url(0))
        until(control, "exists (select from pgvouch_fleet.result where state = 'failed')")
        process.terminate()
        assert process.wait(DEADLINE_S) == 0


def test_a_signal_while_it_starts_ends_it(queued: Tenants) -> None:
    FleetQueue(fleet_of(queued)).enqueue()
    control = queued.url("control")
    with psycopg.connect(control) as held:
        held.execute("lock table pgvouch_fleet.queue_migration in access exclusive mode")
        with workers(queued, 1) as (process,):
            until(
                queued.server.url("postgres"),
                "exists (select from pg_stat_activity where wait_event_type = 'Lock' "
                f"and datname = '{queued.prefix}_control')",
            )
            process.send_signal(signal.SIGTERM)
            until(queued.server.url("postgres"), "pg_sleep(0.2) is not null")
            held.rollback()
            assert process.wait(DEADLINE_S) == 0


def gate_that_sleeps(tenants: Tenants) -> str:
    """Have a command asked behind each wave that does not end; return the file without it."""
    text = (tenants.root / "pgvouch.toml").read_text()
    (tenants.root / "pgvouch.toml").write_text(
        f'{text}gate_command = ["sh", "-c", "touch asked; sleep 600"]\n'
    )
    return text


def gates_of(tenants: Tenants, process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """Return what a worker asks behind the first wave, once it is asked."""
    control = tenants.url("control")
    until(control, "(select state = 'done' from pgvouch_fleet.result where wave = 0)")
    while not (tenants.root / "asked").exists():
        until(control, "pg_sleep(0.01) is not null")
    children = psutil.Process(process.pid).children(recursive=True)
    gates = [child for child in children if "sleep" in " ".join(child.cmdline())]
    assert gates
    return gates


def test_what_is_asked_ends_with_a_rollout_that_is_cancelled_now(queued: Tenants) -> None:
    gate_that_sleeps(queued)
    FleetQueue(fleet_of(queued)).enqueue()
    with workers(queued, 1) as (process,):
        gates = gates_of(queued, process)
        _, doing = FleetQueue(fleet_of(queued)).cancel(now=True)
        assert doing == 1
        _, alive = psutil.wait_procs(gates, timeout=DEADLINE_S)
        assert not alive
        assert process.poll() is None
    assert {state for _, state, _ in states(queued)} == {"done", "left"}


def test_a_signal_while_a_gate_is_asked_ends_both(queued: Tenants) -> None:
    text = gate_that_sleeps(queued)
    FleetQueue(fleet_of(queued)).enqueue()
    with workers(queued, 1, "--grace", "200ms") as (process,):
        gates = gates_of(queued, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
        psutil.wait_procs(gates, timeout=DEADLINE_S)
        assert not any(gate.is_running() for gate in gates)
    # Nobody has said yes or no: it is asked again.
    (queued.root / "pgvouch.toml").write_text(text)
    start(queued, "--once").communicate(timeout=DEADLINE_S)
    assert FleetQueue(fleet_of(queued)).progress().queued.rollout.outcome == "done"


def test_what_a_dead_worker_was_at_is_not_under_way_for_ever(queued: Tenants) -> None:
    """The rollout was cancelled meanwhile, so that nobody begins it again."""
    begun_by_a_dead_worker(queued)
    FleetQueue(fleet_of(queued)).cancel()
    with workers(queued, 1):
        ended(queued)
    progress = FleetQueue(fleet_of(queued)).progress()
    assert progress.counts == {(0, State.FAILED): 1, (1, State.LEFT): 2, (2, State.LEFT): 3}
    ((_, cause, _, _),) = progress.causes
    assert "killed" in cause


def test_nobody_watches_a_dead_worker_for_ever(queued: Tenants) -> None:
    """It was the last one of its release: no other looks after what it was at."""
    begun_by_a_dead_worker(queued)
    FleetQueue(fleet_of(queued)).cancel()
    queued.query(
        "control",
        "update pgvouch_queue.procrastinate_workers set last_heartbeat = now() - interval '1 h'",
    )
    ran = watched(queued)
    assert ran.returncode == 1, ran
    assert "rollout 1: cancelled" in ran.stdout
    assert "✗ 1 begun by a worker that is silent: pgvouch fleet status" in ran.stdout


def test_whoever_watches_sees_what_takes_its_time(queued: Tenants) -> None:
    waiting(queued, 0)
    FleetQueue(fleet_of(queued)).enqueue()
    with workers(queued, 1):
        until(queued.url(0), SLEEPING)
        progress = FleetQueue(fleet_of(queued)).progress()
        assert (progress.at_work, progress.count(State.BEGUN)) == (1, 1)
        queued.query(
            "control",
            "update pgvouch_fleet.result set at = at - interval '5 min 3 s'",
        )
        with Terminal(
            "fleet", "watch", "all", columns=100, environment=environment(queued)
        ) as terminal:
            terminal.until(lambda text: "canary  0 of 6  1 under way" in text)
            assert "the longest for 5 min 0" in terminal.text
            FleetQueue(fleet_of(queued)).cancel(now=True)
            assert terminal.ended() == 1
            assert "the longest" not in terminal.text


def test_what_still_runs_after_a_cancel_is_cancelled_with_now(queued: Tenants) -> None:
    waiting(queued, 0)
    FleetQueue(fleet_of(queued)).enqueue()
    with workers(queued, 1):
        until(queued.url(0), SLEEPING)
        FleetQueue(fleet_of(queued)).cancel()
        _, doing = FleetQueue(fleet_of(queued)).cancel(now=True)
        assert doing == 1
        ended(queued)
    assert FleetQueue(fleet_of(queued)).progress().counts[(0, State.FAILED)] == 1


def test_what_waits_for_another_runner_is_cancelled_with_now(queued: Tenants) -> None:
    """Its server has nothing to cancel meanwhile: it is asked again and again."""
    fleet_of(queued).migrate(to="001_a")
    FleetQueue(fleet_of(queued)).enqueue()
    with psycopg.connect(queued.url(0)) as other, workers(queued, 1):
        other.execute("select from pgvouch.ledger for update")
        until(queued.url(0), AT_WORK)
        FleetQueue(fleet_of(queued)).cancel(now=True)
        ended(queued)
    assert FleetQueue(fleet_of(queued)).progress().counts[(0, State.FAILED)] == 1
    assert queued.applied(0) == 1


def test_a_list_that_cannot_be_read_is_said_and_marks_nothing(queued: Tenants) -> None:
    control = queued.url("control")
    FleetQueue(fleet_of(queued)).enqueue()
    query(control, "alter table tenants rename to tenants_")
    with workers(queued, 1) as (process,):
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "the query for the databases fails" in line:
                break
        assert 'tenants" does not exist' in said
        assert {state for _, state, _ in states(queued)} <= {"queued", "begun"}
        query(control, "alter table tenants_ rename to tenants")
        ended(queued)
    assert [queued.applied(n) for n in range(6)] == [2] * 6


@pytest.mark.parametrize(
    "setting",
    ["default_transaction_isolation = serializable", "default_transaction_read_only = on"],
)
def test_what_transactions_are_by_default_does_not_matter(queued: Tenants, setting: str) -> None:
    FleetQueue(fleet_of(queued)).enqueue()
    queued.query("control", f"alter database {queued.prefix}_control set {setting}")
    with workers(queued, 3, "--once") as running:
        said = [process.communicate(timeout=DEADLINE_S)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 3, said
    assert not [text for text in said if "the control database" in text]
    assert FleetQueue(fleet_of(queued)).progress().queued.rollout.outcome == "done"
    assert [queued.applied(n) for n in range(6)] == [2] * 6


@pytest.mark.parametrize("there", [True, False])
def test_a_role_that_may_not_is_told_so(queued: Tenants, there: bool) -> None:
    role = f"{queued.prefix}_role"
    if there:
        FleetQueue(fleet_of(queued)).enqueue()
    queued.query("control", f"create role {role} login; grant select on tenants to {role}")
    try:
        url = make_conninfo(queued.url("control"), user=role)
        given = {**environment(queued), "CONTROL_URL": url}
        fleet = Fleet("all", environment=given, project=queued.root / "pgvouch.toml")
        for do in (FleetQueue.enqueue, FleetQueue.pause, lambda queue: queue.work(print)):
            with pytest.raises(MigrationError, match="permission denied"):
                do(FleetQueue(fleet))
    finally:
        queued.query("control", f"drop owned by {role}; drop role {role}")


def test_a_database_that_was_missing_in_the_list_for_a_while_is_done_at_the_end(
    queued: Tenants,
) -> None:
    control = queued.url("control")
    name = f"{queued.prefix}_1"
    FleetQueue(fleet_of(queued)).enqueue(pauses=True)
    with workers(queued, 1):
        until(control, "(select paused and wave = 1 from pgvouch_fleet.rollout)")
    query(control, f"delete from tenants where name = '{name}'")
    FleetQueue(fleet_of(queued)).resume()
    with workers(queued, 1):  # another one: a list is taken to be true for a while
        until(control, "(select paused and wave = 2 from pgvouch_fleet.rollout)")
    assert (name, "gone", "the list of databases does not have it any more") in states(queued)
    query(control, f"insert into tenants values ('{name}')")
    FleetQueue(fleet_of(queued)).resume()
    with workers(queued, 1):
        until(control, "(select paused and wave = 3 from pgvouch_fleet.rollout)")
        FleetQueue(fleet_of(queued)).resume()
        ended(queued)
    assert [queued.applied(n) for n in range(6)] == [2] * 6
    progress = FleetQueue(fleet_of(queued)).progress()
    assert [wave for wave, _ in progress.queued.waves] == ["canary", "2", "rest", "new"]
    assert progress.counts[(3, State.DONE)] == 1


def test_a_list_that_is_empty_marks_nothing_as_gone(queued: Tenants) -> None:
    control = queued.url("control")
    FleetQueue(fleet_of(queued)).enqueue()
    query(control, "create table kept as table tenants; truncate tenants")
    with workers(queued, 1) as (process,):
        assert process.stdout is not None
        assert any("the list of databases is empty" in line for line in process.stdout)
        assert {state for _, state, _ in states(queued)} <= {"queued", "begun"}
        query(control, "insert into tenants table kept")
        ended(queued)
    assert [queued.applied(n) for n in range(6)] == [2] * 6


def test_a_queue_that_a_stranger_has_made_anew_is_not_used(queued: Tenants) -> None:
    """Somebody has dropped it, and the functions that are there now would run as the worker."""
    role = f"{queued.prefix}_stranger"
    FleetQueue(fleet_of(queued)).enqueue()
    queued.query("control", f"create role {role}; alter schema pgvouch_queue owner to {role}")
    try:
        for do in (FleetQueue.pause, FleetQueue.cancel, lambda queue: queue.work(print)):
            with pytest.raises(PlanError, match=f"the queue belongs to another role, {role}"):
                do(FleetQueue(fleet_of(queued)))
    finally:
        queued.query("control", f"reassign owned by {role} to postgres; drop role {role}")


def test_it_goes_on_when_nobody_reads_what_it_says(queued: Tenants) -> None:
    FleetQueue(fleet_of(queued)).enqueue()
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody:
        ran = subprocess.run(
            [sys.executable, "-m", "pgvouch", "fleet", "worker", "all", "--once"],
            cwd=queued.root, env=environment(queued), stdin=subprocess.DEVNULL, stdout=nobody,
            stderr=subprocess.PIPE, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip
    assert "failed" not in ran.stderr
    assert FleetQueue(fleet_of(queued)).progress().queued.rollout.outcome == "done"
    assert [queued.applied(n) for n in range(6)] == [2] * 6


def test_what_others_have_taken_over_is_theirs_to_tell(queued: Tenants) -> None:
    """A worker that was taken for dead comes back with a failure of its own."""
    rollout, _ = FleetQueue(fleet_of(queued, waves=("rest",))).enqueue()

    async def claim_twice() -> list[str]:
        told: list[str] = []
        asked = Queue(queued.url("control"), 1)
        async with asked.app.open_async(), asked.transaction() as asking:
            known = await asking.find(rollout.id)
            (server,) = known.said.per_server
            (name,) = first = await asking.claim(known, server, 7, 1)
            again = await asking.claim(known, server, 7, 1)
            assert again[name].is_again
            for claim, state in ((first, State.DOWN), (again, State.DONE)):
                await asking.give_back(rollout.id, first)
                await asking.put(known, [(Result(name, state), claim[name])])
                told += [str(r.state) for r in await asking.wave_results(known) if r.target == name]
        return told

    assert asyncio.run(claim_twice()) == ["begun", "done"]


@pytest.mark.parametrize("said", ["bad\\000x", "bad\\355\\240\\200", "x" * 5000])
def test_what_no_database_can_keep_stops_no_rollout(queued: Tenants, said: str) -> None:
    text = (queued.root / "pgvouch.toml").read_text()
    script = f"printf '{said}' >&2; exit 1"
    (queued.root / "pgvouch.toml").write_text(
        f"{text}gate_command = {json.dumps(['sh', '-c', script])}\n"
    )
    FleetQueue(fleet_of(queued)).enqueue()
    out, _ = start(queued, "--once").communicate(timeout=DEADLINE_S)
    outcome = FleetQueue(fleet_of(queued)).progress().queued.rollout.outcome
    assert outcome is not None, out
    assert outcome.startswith("stopped in canary: gate_command says no (exit code 1): ")
    assert len(outcome) < 2500


@pytest.mark.parametrize("said", ["bad \\x00", "bad \\udcff", "x" * 5000])
def test_nor_does_it_keep_a_failure_from_being_written_down(queued: Tenants, said: str) -> None:
    queued.write(
        {
            "003_c.py": f"from yoyo import step\n\n\ndef apply(c):\n    raise ValueError('{said}')\n\n\nsteps = [step(apply)]\n"
        }
    )
    FleetQueue(fleet_of(queued)).enqueue()
    start(queued, "--once").communicate(timeout=DEADLINE_S)
    progress = FleetQueue(fleet_of(queued)).progress()
    assert progress.counts[(0, State.FAILED)] == 1
    assert all(len(cause) < 2500 for _, cause, _, _ in progress.causes)
    summary = fleet_of(queued).migrate()
    assert summary.stopped_in == "canary"
