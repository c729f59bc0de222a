"""What blocks, beside an event loop that is to go on, and to end when it is told to."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from pgvouch.fleet.between import Halted

_Found = TypeVar("_Found")
_Given = ParamSpec("_Given")


class Unfinished(Exception):  # noqa: N818 - it is no mistake
    """A job is to be done again, by whoever takes it."""


class Blocking:
    """Runs what blocks in threads, which keep no process from ending."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._waited: set[asyncio.Future[Any]] = set()
        self.is_ending = False
        """Whether what is interrupted has been so because this process ends."""

    def end_at_once(self) -> None:
        """Wait for nothing of it any more."""
        for each in self._waited:
            each.cancel()

    async def run(
        self, do: Callable[_Given, _Found], *given: _Given.args, **named: _Given.kwargs
    ) -> _Found:
        """Run it in a thread of its own.

        Raises:
            Unfinished: this process has to end, and does not wait for it.
        """
        ended: Future[_Found] = Future()

        def run() -> None:
            try:
                ended.set_result(do(*given, **named))
            except BaseException as exc:
                ended.set_exception(exc)

        ended.set_running_or_notify_cancel()
        threading.Thread(target=run, daemon=True).start()
        waited = asyncio.wrap_future(ended)
        self._waited.add(waited)
        try:
            return await waited
        except (asyncio.CancelledError, Halted):
            if self.is_ending:
                raise Unfinished from None
            raise
        finally:
            self._waited.discard(waited)
