"""A worker that is killed takes nothing with it: what it was at is done by another."""

import asyncio
import multiprocessing
import os
import signal
from threading import Thread

from conftest import query
from faults.processes import SLEEPING, until, wake
from fleet.conftest import Tenants
from pgvouch.fleet.rollout import Began, Ended, Event
from pgvouch.fleet.target import Job, State, Target
from pgvouch.fleet.work import Work


def test_a_killed_worker_s_databases_are_done_by_another(
    tenants: Tenants,
) -> None:
    tenants.write({"003_c.sql": "select pg_sleep(600) where exists (select from public.wait);"})
    tenants.make(0, 1, 2, 3)
    for n in range(4):
        tenants.query(n, "create table public.wait (); insert into public.wait default values")
    killed: list[int] = []

    def kill() -> None:
        for n in range(4):
            until(tenants.url(n), SLEEPING)
        for n in range(4):
            query(tenants.url(n), "delete from public.wait")
        for child in multiprocessing.active_children():
            assert child.pid is not None
            killed.append(child.pid)
            os.kill(child.pid, signal.SIGKILL)
        # The server notices a client that is gone when it has something to send.
        for n in range(4):
            wake(tenants.url(n), "terminate")

    killer = Thread(target=kill)
    killer.start()
    summary = tenants.fleet(waves=()).migrate()
    killer.join()
    assert killed
    assert summary.count(State.DONE) == 4
    assert [tenants.applied(n) for n in range(4)] == [3] * 4


def test_a_server_s_slots_are_kept(tenants: Tenants) -> None:
    tenants.write({"003_c.sql": "select pg_sleep(0.2);"})
    tenants.make(*range(4))
    begun: list[Event] = []
    most = 0

    def listen(event: Event) -> None:
        nonlocal most
        begun.append(event)
        if isinstance(event, Ended):
            ((count,),) = tenants.query(
                0,
                "select count(*) from pg_stat_activity where application_name = 'pgvouch fleet' "
                f"and state = 'active' and datname like '{tenants.prefix}%'",
            )
            assert isinstance(count, int)
            most = max(most, count)

    tenants.fleet(waves=(), per_server=1, on_event=listen).migrate()
    assert [type(event) for event in begun] == [Began, *[Ended] * 4]
    assert most <= 1


def test_what_a_killed_worker_has_applied_is_rolled_back_with_the_rest(tenants: Tenants) -> None:
    """It was killed ahead of its answer: only the ledger knows what had landed."""
    tenants.make(0, 1)
    assert tenants.fleet(waves=()).migrate(to="001_a").count(State.DONE) == 2
    tenants.write({"003_c.sql": "select pg_sleep(600) where exists (select from public.wait);"})
    tenants.write({"003_c.rollback.sql": "select 1;"})
    for n in (0, 1):
        tenants.query(n, "create table public.wait (); insert into public.wait default values")

    def kill() -> None:
        for n in (0, 1):
            until(tenants.url(n), SLEEPING)
            query(tenants.url(n), "delete from public.wait")
        for child in multiprocessing.active_children():
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
        for n in (0, 1):
            wake(tenants.url(n), "terminate")

    killer = Thread(target=kill)
    killer.start()
    summary = tenants.fleet(waves=()).migrate()
    killer.join()
    assert {result.finished for result in summary.results} == {("002_b", "003_c")}
    assert tenants.fleet(waves=()).rollback().count(State.DONE) == 2
    assert [tenants.applied(n) for n in (0, 1)] == [1, 1]


def test_a_database_that_is_there_twice_is_done_twice(tenants: Tenants) -> None:
    """A job that another worker took over, and gave back, may be under way here already."""
    tenants.make(0)
    order = tenants.fleet().order("migrate")

    async def both() -> list[State]:
        # As one that is begun again: what only asks is passed over.
        job = Job(Target("same", tenants.url(0), "here"), is_again=True)
        with Work(order, 2) as work:
            return [result.state for result in await asyncio.gather(work.do(job), work.do(job))]

    assert sorted(asyncio.run(both())) == [State.CURRENT, State.DONE]
