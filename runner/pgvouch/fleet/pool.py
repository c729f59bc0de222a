"""Processes with threads in them, each of which works on one database at a time."""

import asyncio
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pgvouch.fleet.one_database import Done, Order, serve
from pgvouch.fleet.target import Job, Result, State

THREADS = 4
"""Of a process: more of them fight for the interpreter, unless there are more jobs than that."""
_IMPORTED = ["pgvouch.fleet.one_database", "pgvouch.engine.run", "pgvouch.engine.task"]
_TRIES = 2
_END_S = 8.0
"""For processes to end: less than a program has after a signal."""


@dataclass(eq=False)
class _Process:
    """A process, and the databases that it works on."""

    process: Any
    pipe: Any
    ends: dict[int, asyncio.Future[Result | None]] = field(default_factory=dict)
    """By the number of the job; None comes where the process was killed."""
    at: dict[int, str] = field(default_factory=dict)
    """The databases, by the same. One may be there twice: a job that was taken over, and the same
    in another slot of this very program."""


class Pool:
    """Processes that do one thing in databases, started when there is something to do.

    Each has a pipe of its own, so that one that is killed takes nothing of the others with it, and
    what it was at is known.
    """

    def __init__(self, order: Order, jobs: int) -> None:
        """Say what is to be done, and in how many databases at once."""
        self._order = order
        self._done: Done | None = None
        self._most = max(min(os.cpu_count() or 1, -(-jobs // THREADS)), 1)
        self._threads = min(jobs, max(THREADS, -(-jobs // self._most)))
        self._processes: list[_Process] = []
        self._numbers = count()
        self._is_ended = self._is_cancelled = False

    def end(self, *, at_once: bool) -> None:
        """End the processes.

        Args:
            at_once: what is under way is cancelled, and rolled back by its server.
        """
        self._is_ended, self._is_cancelled = True, at_once
        for each in self._processes:
            if at_once:
                each.process.terminate()
            else:
                with suppress(OSError):
                    each.pipe.send(None)
        until_s = time.monotonic() + _END_S
        for each in self._processes:
            each.process.join(max(until_s - time.monotonic(), 0.0))
            if at_once:
                each.process.kill()  # it waits for a server that says nothing

    async def do(self, job: Job) -> Result:
        """Work on a database, in another process again where the first one is killed.

        It is left where the pool was ended meanwhile: its ledger says what has landed.

        Raises:
            VouchError: the files are not sound.
        """
        loop = asyncio.get_running_loop()
        for tried in range(_TRIES):
            if self._is_ended:
                return Result(job.target.name, State.LEFT)
            process = self._free(loop)
            number = next(self._numbers)
            ended: asyncio.Future[Result | None] = loop.create_future()
            process.ends[number], process.at[number] = ended, job.target.name
            with suppress(OSError):  # it is dead, which its pipe will say
                sent = Job(job.target, is_again=job.is_again or tried > 0)
                process.pipe.send((number, sent))
            result = await ended
            if result is not None and (result.is_well or not self._is_cancelled):
                return result
        if self._is_ended:
            return Result(job.target.name, State.LEFT)
        said = "the process that worked on it was killed, twice"
        return Result(job.target.name, State.FAILED, cause=said)

    def cancel(self, name: str) -> None:
        """Have the server cancel what is under way in a database."""
        for process in self._processes:
            if name in process.at.values():
                with suppress(OSError):
                    process.pipe.send(name)

    def _free(self, loop: asyncio.AbstractEventLoop) -> _Process:
        """Return the process with the least to do; another one, where there may be more of them."""
        free = min(self._processes, key=lambda each: len(each.ends), default=None)
        if free is not None and (not free.ends or len(self._processes) >= self._most):
            return free
        return self._start(loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> _Process:
        if self._done is None:
            # Ahead of the first database: what is not sound is refused before anything is sent.
            self._done = Done(self._order)
        import multiprocessing  # not where there is nothing to do: it takes as long as a database

        # A copy of this process has the files read already; threads would not come along.
        may_fork = sys.platform == "linux" and threading.active_count() == 1
        context: Any = multiprocessing.get_context("fork" if may_fork else "forkserver")
        if not may_fork:
            context.set_forkserver_preload(_IMPORTED)  # once, and not by each process
        ours, theirs = context.Pipe()
        others = [ours, *(each.pipe for each in self._processes)] if may_fork else []
        process = context.Process(
            target=serve, args=(self._done, theirs, self._threads, others), daemon=True
        )
        process.start()
        theirs.close()
        started = _Process(process, ours)
        self._processes.append(started)
        loop.add_reader(ours.fileno(), self._read, started, loop)
        return started

    def _read(self, process: _Process, loop: asyncio.AbstractEventLoop) -> None:
        try:
            number, found = process.pipe.recv()
            ended: dict[int, Result | None] = {number: found}
        except (EOFError, OSError):
            loop.remove_reader(process.pipe.fileno())
            process.pipe.close()
            self._processes.remove(process)
            ended = dict.fromkeys(process.ends)
        for number, result in ended.items():
            future = process.ends.pop(number)
            del process.at[number]
            if not future.done():
                future.set_result(result)
