"""As many databases at once as their servers allow."""

import asyncio
import signal
import threading
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from pgvouch.errors import VouchError
from pgvouch.fleet.password import reached
from pgvouch.fleet.target import Job, Result, State, Target
from pgvouch.postgres.reach import open_session
from pgvouch.postgres.session import QueryError
from pgvouch.sqltext.own import own_query

_Found = TypeVar("_Found")
_SHARE = 4
"""A server's free connections are divided by this: the application needs some, too."""
_ASKED_AT_ONCE = 16
_CANCEL_AGAIN_S = 0.2
_IDLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Slots:
    """How many databases are worked on at once."""

    jobs: int
    per_server: dict[str, int]


def slots_of(targets: Iterable[Target], jobs: int, per_server: int) -> Slots:
    """Return how many databases at once: of each server what it has left, shared with others.

    Args:
        targets: the databases; one of each server is asked.
        jobs: how many at most, of all servers together.
        per_server: how many at most of one.
    """
    firsts: dict[str, Target] = {}
    for target in targets:
        firsts.setdefault(target.server, target)
    if not firsts:
        return Slots(jobs, {})
    with ThreadPoolExecutor(min(len(firsts), _ASKED_AT_ONCE)) as pool:
        left = pool.map(_left, firsts.values())
        return Slots(
            jobs, {name: min(per_server, free) for name, free in zip(firsts, left, strict=True)}
        )


def _left(target: Target) -> int:
    try:
        with open_session(reached(target), application_name="pgvouch fleet") as session:
            (result,) = session.ask(own_query("fleet", "slots"))
            return max(int(result.rows[0][0] or 0) // _SHARE, 1)
    except (VouchError, QueryError):
        return 1  # what is wrong is told of each database


def run(runner: asyncio.Runner, coroutine: Coroutine[Any, Any, _Found]) -> _Found:
    """Run something in a loop of events; a signal cancels it, and is handled when it has ended.

    An exception that a handler raises within a task would be told of as that task's.
    """
    if threading.current_thread() is not threading.main_thread():
        return runner.run(coroutine)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    came: list[signal.Signals] = []

    async def main() -> _Found:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(coroutine)

        def cancel(number: signal.Signals) -> None:
            came.append(number)
            task.cancel()

        for number in before:
            loop.add_signal_handler(number, cancel, number)
        return await task

    try:
        found = runner.run(main())
    except asyncio.CancelledError:
        if not came:
            raise
    finally:
        for number, handler in before.items():
            runner.get_loop().remove_signal_handler(number)
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])
        raise asyncio.CancelledError
    return found


async def each(
    jobs: Sequence[Job],
    slots: Slots,
    do: Callable[[Job], Awaitable[Result]],
    goes_on: Callable[[Result], bool],
    idle: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Result, None]:
    """Work on databases, and yield what became of each as it ends.

    Args:
        jobs: in the order in which those of one server are begun.
        slots: how many at once.
        do: works on one.
        goes_on: is told each result; when it says no, nothing new is begun, what is under way
            ends, and the others are left.
        idle: is called whenever nothing has ended for a second.
    """
    todo: dict[str, deque[Job]] = {}
    for job in jobs:
        todo.setdefault(job.target.server, deque()).append(job)
    busy = Counter[str]()
    running: dict[asyncio.Task[Result], str] = {}
    stopped = False
    try:
        while running or (todo and not stopped):
            while not stopped and (begun := _next(todo, busy, slots)):
                busy[begun.target.server] += 1
                running[asyncio.ensure_future(do(begun))] = begun.target.server
            ended, _ = await asyncio.wait(
                running, timeout=_IDLE_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not ended:
                idle()
            for task in ended:
                busy[running.pop(task)] -= 1
                result = task.result()
                stopped = not goes_on(result) or stopped
                yield result
    finally:
        await cancel(*running)
    for waiting in todo.values():
        for job in waiting:
            yield Result(job.target.name, State.LEFT)


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, of psycopg's too, forgets that it was
    cancelled where what it waits for ends at that moment.
    """
    while under_way := [task for task in tasks if not task.done()]:
        for task in under_way:
            task.cancel()
        await asyncio.wait(under_way, timeout=_CANCEL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)


def _next(todo: dict[str, deque[Job]], busy: Counter[str], slots: Slots) -> Job | None:
    """Take the next job of a server that has a slot, of each server in turn."""
    if busy.total() >= slots.jobs:
        return None
    for server in list(todo):
        if busy[server] < slots.per_server[server]:
            waiting = todo.pop(server)
            job = waiting.popleft()
            if waiting:
                todo[server] = waiting  # behind the other servers now
            return job
    return None
