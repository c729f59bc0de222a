"""One database after the other: where nothing is to be done, it is asked and no more."""

from dataclasses import replace
from types import TracebackType
from typing import Self

from pgvouch.errors import VouchError
from pgvouch.fleet.judged import cause_of, state_of
from pgvouch.fleet.look import look
from pgvouch.fleet.one_database import Order
from pgvouch.fleet.password import with_password
from pgvouch.fleet.pool import Pool
from pgvouch.fleet.target import Job, Result, State


class Work:
    """Does one thing in databases.

    To ask how a database stands takes a tenth of what a process needs to find out, and a connection
    that is wasted where there is something to do. Databases of a fleet mostly stand alike: what the
    last one was like decides how the next one is begun.
    """

    def __init__(self, order: Order, jobs: int) -> None:
        """Say what is to be done, and in how many databases at once."""
        self._order = order
        self._pool = Pool(order, jobs)
        self._asks = order.action == "migrate"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _exc: BaseException | None,
        _tb: TracebackType | None,
    ) -> None:
        self.end(at_once=kind is not None)

    def end(self, *, at_once: bool) -> None:
        """End what does it; at once: what is under way is cancelled, and rolled back."""
        self._pool.end(at_once=at_once)

    def cancel(self, name: str) -> None:
        """Have the server cancel what is under way in a database."""
        self._pool.cancel(name)

    async def do(self, job: Job) -> Result:
        """Do it in a database; what goes wrong is its result."""
        try:
            # A command that prints passwords is run by this process alone.
            job = replace(job, target=await with_password(job.target))
        except VouchError as exc:
            return Result(job.target.name, state_of(exc), cause=cause_of(exc))
        if self._asks and not job.is_again:
            order = self._order
            found = await look(job.target, order.database, order.to)
            # Where no connection was left, one may be free in a moment.
            if found is not None and found.state not in {State.PENDING, State.FULL}:
                return found
            self._asks = found is None or found.state is State.FULL
        result = await self._pool.do(job)
        self._asks = self._asks or (
            self._order.action == "migrate" and result.state is State.CURRENT
        )
        return result
