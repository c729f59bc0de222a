"""Workers, the control database or a target server are killed in the middle of a wave.

Nothing is lost, nothing is done twice, and no wave begins before the one ahead of it is done.
"""

import asyncio
import random
import signal
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from threading import Thread

import psutil
import psycopg
import pytest

from conftest import NEWEST, Server, query
from conftest import start as start_server
from faults.processes import DEADLINE_S, SLEEPING, answering, crash, until, wake
from fleet.conftest import Tenants
from fleet.test_queue import ended, fleet_of, start, workers
from pgvouch.fleet import queue
from pgvouch.fleet.on_queue import FleetQueue
from pgvouch.fleet.target import State
from pgvouch.postgres.session import OWN_PATH

COUNT = 24
FILES = {
    "001_a.sql": "create table public.done (what text);",
    "001_a.rollback.sql": "drop table public.done;",
    "002_b.sql": "insert into public.done values ('b'); select pg_sleep(0.05);",
    "002_b.rollback.sql": "delete from public.done where what = 'b';",
    "003_c.sql": "insert into public.done values ('c'); select pg_sleep(0.05);",
    "003_c.rollback.sql": "delete from public.done where what = 'c';",
}


@pytest.fixture
def many(tenants: Tenants) -> Tenants:
    for name in ("001_a.sql", "001_a.rollback.sql", "002_b.sql", "002_b.rollback.sql"):
        (tenants.root / "migrations" / name).unlink()
    tenants.write(FILES)
    tenants.make("control", *range(COUNT))
    configure(tenants, tenants.server)
    return tenants


def configure(tenants: Tenants, on: Server, waves: str = '["1", "5", "rest"]') -> None:
    query(
        tenants.url("control"),
        "create table tenants (name text, url text); insert into tenants "
        f"select '{tenants.prefix}_' || n, replace('{on.url('@')}', '%40', '{tenants.prefix}_' || n) "
        f"from generate_series(0, {COUNT - 1}) as n",
    )
    (tenants.root / "pgvouch.toml").write_text(
        '[fleet.all]\ncontrol = "CONTROL_URL"\ntargets = "select name, url from tenants order by name"\n'
        # Several such tests at once, with workers that are killed, take a server's connections.
        f"waves = {waves}\nmax_failures = 100\nper_server = 6\n"
    )


def refuse_unfinished(tenants: Tenants, on: Server) -> None:
    """Every migration of every database was done once, and no wave began ahead of its turn."""
    waves: dict[int, list[int]] = {}
    for name, wave in query(
        tenants.url("control"), "select target, wave from pgvouch_fleet.result"
    ):
        waves.setdefault(int(str(wave)), []).append(int(str(name).rpartition("_")[2]))
    assert sorted(n for wave in waves.values() for n in wave) == list(range(COUNT))
    applied: list[list[str]] = []
    for _, names in sorted(waves.items()):
        times: list[str] = []
        for n in names:
            url = on.url(f"{tenants.prefix}_{n}")
            assert query(url, "select what, count(*) from public.done group by 1 order by 1") == [
                ("b", 1),
                ("c", 1),
            ]
            log = "select migration_id, operation, count(*) from pgvouch._yoyo_log group by 1, 2 order by 1"
            assert query(url, log) == [(name, "apply", 1) for name in ("001_a", "002_b", "003_c")]
            times += [
                str(at) for (at,) in query(url, "select applied_at::text from pgvouch.migration")
            ]
        applied.append(times)
    for earlier, later in pairwise(applied):
        assert max(earlier) < min(later)


def done(tenants: Tenants) -> int:
    ((count,),) = query(
        tenants.url("control"), "select count(*) from pgvouch_fleet.result where state = 'done'"
    )
    assert isinstance(count, int)
    return count


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_workers_are_killed_at_random(many: Tenants, seed: int) -> None:
    pick = random.Random(seed)
    FleetQueue(fleet_of(many)).enqueue()
    control = many.url("control")
    running = [start(many) for _ in range(3)]
    killed = 0
    try:
        while killed < 10 and done(many) < COUNT:
            until(
                control,
                "exists (select from pgvouch_fleet.result where state = 'begun') "
                f"or (select count(*) from pgvouch_fleet.result where state = 'done') = {COUNT}",
            )
            victim = running.pop(pick.randrange(len(running)))
            if pick.random() < 0.5:  # with what it has started, or alone
                for child in psutil.Process(victim.pid).children(recursive=True):
                    child.kill()
            victim.kill()
            victim.communicate(timeout=DEADLINE_S)
            killed += 1
            running.append(start(many))
        ended(many)
    finally:
        for process in running:
            process.terminate()
            process.communicate(timeout=DEADLINE_S)
    assert killed > 2
    refuse_unfinished(many, many.server)
    assert FleetQueue(fleet_of(many)).progress().queued.rollout.outcome == "done"
    # What each rollout did is known, though some of those that did it are dead.
    finished = query(control, "select distinct finished from pgvouch_fleet.result")
    assert finished == [('["001_a", "002_b", "003_c"]',)]


def crashed(server: Server) -> None:
    """Kill a server, and wait until it is there again."""
    asked = "select pid from pg_stat_activity where backend_type = 'checkpointer'"
    url = server.url("postgres")
    before = query(url, asked)
    crash(url)
    for _ in range(DEADLINE_S * 100):
        answering(url)
        with suppress(psycopg.OperationalError):
            if query(url, asked) not in ([], before):
                return
    raise AssertionError("it does not come back")


@pytest.fixture
def mortal() -> Iterator[Server]:
    yield start_server(NEWEST, "mortal")


def test_the_control_database_is_killed(mortal: Server, pg18: Server, many: Tenants) -> None:
    control = f"{many.prefix}_control"
    with mortal.janitor(control):
        many.server = mortal
        try:
            configure(many, pg18)
            FleetQueue(fleet_of(many)).enqueue()
            with workers(many, 2):
                for count in (1, 4, 12):
                    until(
                        mortal.url(control),
                        f"(select count(*) from pgvouch_fleet.result where state = 'done') >= {count}",
                    )
                    crashed(mortal)
                ended(many)
            refuse_unfinished(many, pg18)
        finally:
            answering(mortal.url("postgres"))
            many.server = pg18


def test_a_target_server_is_killed(mortal: Server, pg18: Server, tenants: Tenants) -> None:
    for name in ("001_a.sql", "001_a.rollback.sql", "002_b.sql", "002_b.rollback.sql"):
        (tenants.root / "migrations" / name).unlink()
    tenants.write(FILES)
    tenants.make("control")
    tenants.server = mortal
    tenants.make(*range(COUNT))
    tenants.server = pg18
    configure(tenants, mortal, waves='["rest"]')
    FleetQueue(fleet_of(tenants)).enqueue()
    with workers(tenants, 2):
        until(
            tenants.url("control"),
            "(select count(*) from pgvouch_fleet.result where state = 'done') >= 4",
        )
        crashed(mortal)
        ended(tenants)
        progress = FleetQueue(fleet_of(tenants)).progress()
        assert progress.queued.rollout.outcome == "done"
        lost = progress.counts.get((0, State.DOWN), 0)
        assert lost + progress.counts[(0, State.DONE)] == COUNT
        # Again: what is left is done, and the rest is as it was.
        FleetQueue(fleet_of(tenants)).enqueue()
        ended(tenants)
    counts = FleetQueue(fleet_of(tenants)).progress().counts
    assert {state for _, state in counts} <= {State.DONE, State.CURRENT}
    query(tenants.url("control"), "delete from pgvouch_fleet.result where rollout = 1")
    refuse_unfinished(tenants, mortal)


def test_a_worker_that_is_to_end_ends_what_it_is_at(many: Tenants) -> None:
    many.write({"003_c.sql": "select pg_sleep(600) where exists (select from public.wait);"})
    many.query(0, "create table public.wait (); insert into public.wait default values")
    FleetQueue(fleet_of(many)).enqueue()
    process = start(many)
    until(many.url(0), SLEEPING)
    process.send_signal(signal.SIGTERM)
    query(many.url(0), "delete from public.wait")
    wake(many.url(0))
    out, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, out
    assert query(
        many.url("control"), "select count(*) from pgvouch_fleet.result where state = 'begun'"
    ) == [(0,)]


def test_what_takes_longer_than_the_grace_is_cancelled_and_done_by_another(many: Tenants) -> None:
    many.write({"003_c.sql": "select pg_sleep(600) where exists (select from public.wait);"})
    many.query(0, "create table public.wait (); insert into public.wait default values")
    FleetQueue(fleet_of(many)).enqueue()
    process = start(many, "--grace", "200ms")
    until(many.url(0), SLEEPING)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, out
    assert query(many.url(0), f"select {SLEEPING}") == [(False,)]
    assert many.applied(0) == 2
    query(many.url(0), "delete from public.wait")
    start(many, "--once").communicate(timeout=DEADLINE_S)
    told = "select state, finished from pgvouch_fleet.result where wave = 0"
    assert query(many.url("control"), told) == [("done", '["001_a", "002_b", "003_c"]')]
    assert FleetQueue(fleet_of(many)).progress().queued.rollout.outcome == "done"


def test_a_worker_that_was_asleep_does_no_harm(many: Tenants) -> None:
    """Others take its jobs over; it wakes up and goes on with them."""
    many.write({"003_c.sql": "insert into public.done values ('c'); select pg_sleep(2);"})
    FleetQueue(fleet_of(many, waves=("rest",))).enqueue()
    asleep = start(many)
    control = many.url("control")
    until(many.url(0), SLEEPING)
    tree = [psutil.Process(asleep.pid), *psutil.Process(asleep.pid).children(recursive=True)]
    for process in tree:
        process.suspend()
    with workers(many, 2):
        until(
            control,
            "exists (select from pgvouch_queue.procrastinate_jobs where attempts > 0 and status = 'doing')",
        )
        for process in tree:
            process.resume()
        ended(many)
        asleep.terminate()
        asleep.communicate(timeout=DEADLINE_S)
    refuse_unfinished(many, many.server)


def test_a_worker_that_falls_asleep_within_a_transaction_keeps_nobody_waiting(
    many: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    FleetQueue(fleet_of(many)).enqueue()
    own = f"{OWN_PATH}; set local idle_in_transaction_session_timeout = '300ms'"
    assert "idle_in_transaction_session_timeout = '10s'" in queue._OWN
    monkeypatch.setattr(queue, "_OWN", own)

    paused: list[int] = []

    def pause() -> None:
        paused.append(FleetQueue(fleet_of(many)).pause().rollout.id)

    async def fall_asleep() -> None:
        found = queue.Queue(many.url("control"), 1)
        async with found.app.open_async():
            with suppress(psycopg.errors.IdleInTransactionSessionTimeout):
                async with found.transaction() as asking:
                    await asking.find(1)  # which holds the rollout
                    other = Thread(target=pause)
                    other.start()
                    other.join(DEADLINE_S)  # nothing of this loop runs meanwhile

    asyncio.run(fall_asleep())
    assert paused == [1]
