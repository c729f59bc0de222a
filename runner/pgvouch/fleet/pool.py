"""Processes with threads in them: as many databases at once as their servers allow."""

import multiprocessing
import os
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self

from pgvouch.fleet.look import Slots
from pgvouch.fleet.target import Result, State
from pgvouch.fleet.worker import Job, Order, serve

THREADS = 4
"""Of a process: more of them fight for the interpreter."""
_TRIES = 2
_END_S = 10


@dataclass(eq=False)
class _Worker:
    """A process, and the databases that it works on."""

    process: Any
    pipe: Any
    jobs: dict[str, Job] = field(default_factory=dict)


class Pool:
    """Processes that work on the databases of a fleet, started when there is something to do.

    Each has a pipe of its own, so that one that is killed takes nothing of the others with it, and
    what it was at is known.
    """

    def __init__(self, order: Order, slots: Slots) -> None:
        """Say what is to be done, and how many databases at once."""
        self._order = order
        self._slots = slots
        # A copy of this process has the files read already; threads would not come along.
        may_fork = sys.platform == "linux" and threading.active_count() == 1
        self._context: Any = multiprocessing.get_context("fork" if may_fork else "spawn")
        self._workers: list[_Worker] = []
        self._threads = min(THREADS, slots.jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _exc: BaseException | None,
        _tb: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            if kind is None:
                with suppress(OSError):
                    worker.pipe.send(None)
            else:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_END_S)

    def run(self, jobs: Sequence[Job], goes_on: Callable[[Result], bool]) -> Iterator[Result]:
        """Work on databases, and yield what became of each as it ends.

        Args:
            jobs: in the order in which they are begun.
            goes_on: is told each result; when it says no, nothing new is begun.
        """
        todo = deque(jobs)
        busy, tries = Counter[str](), Counter[str]()
        stopped = False
        while (todo and not stopped) or any(worker.jobs for worker in self._workers):
            while not stopped and (job := self._next(todo, busy)) is not None:
                worker = self._free_worker(len(todo) + 1)
                busy[job.target.server] += 1
                tries[job.target.name] += 1
                worker.jobs[job.target.name] = job
                with suppress(OSError):  # it is dead, which is noticed below
                    worker.pipe.send(job)
            for job, result in self._results(tries):
                busy[job.target.server] -= 1
                if result is None:
                    todo.appendleft(job)
                    continue
                stopped = not goes_on(result) or stopped
                yield result
        for job in todo:
            yield Result(job.target.name, State.LEFT)

    @property
    def _forks(self) -> bool:
        """Whether a process begins with our ends of the pipes, which it has to close."""
        return bool(self._context.get_start_method() == "fork")

    def _next(self, todo: deque[Job], busy: Counter[str]) -> Job | None:
        if busy.total() >= self._slots.jobs:
            return None
        for number, job in enumerate(todo):
            if busy[job.target.server] < self._slots.per_server[job.target.server]:
                del todo[number]
                return job
        return None

    def _free_worker(self, jobs: int) -> _Worker:
        """Return the worker with the least to do; another one, where there may be more of them."""
        free = min(self._workers, key=lambda worker: len(worker.jobs), default=None)
        most = min(os.cpu_count() or 1, -(-self._slots.jobs // self._threads))
        if free is not None and (not free.jobs or len(self._workers) >= min(most, jobs)):
            return free
        ours, theirs = self._context.Pipe()
        others = [ours, *(worker.pipe for worker in self._workers)] if self._forks else []
        process = self._context.Process(
            target=serve, args=(self._order, theirs, self._threads, others), daemon=True
        )
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))
        return self._workers[-1]

    def _results(self, tries: Counter[str]) -> Iterator[tuple[Job, Result | None]]:
        """Wait for something to end; None is the result of what a killed process was at."""
        by_pipe = {worker.pipe: worker for worker in self._workers if worker.jobs}
        for pipe in wait(list(by_pipe)):
            worker = by_pipe[pipe]
            try:
                result = worker.pipe.recv()
                yield worker.jobs.pop(result.target), result
            except (EOFError, OSError):
                self._workers.remove(worker)
                for name, job in worker.jobs.items():
                    again = tries[name] < _TRIES
                    said = "the process that worked on it was killed, twice"
                    yield job, None if again else Result(name, State.FAILED, cause=said)
