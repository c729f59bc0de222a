"""Tries again what gave way to other sessions, with backoff and jitter."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from pgvouch.errors import ServerMessage

T = TypeVar("T")

TRANSIENT = frozenset({"55P03", "40P01", "40001"})
"""SQLSTATEs by which a statement gives way: lock timeout, deadlock, serialization failure."""

PAUSE: ContextVar[Callable[[float], None]] = ContextVar("PAUSE", default=time.sleep)
"""Waits for so many seconds. A thread hears no signal: it may set one that somebody else ends."""


def others_were_in_the_way(server: "ServerMessage | None") -> bool:
    """Say whether others were in the way, so that the same may pass a moment later."""
    return server is not None and server.sqlstate in TRANSIENT


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """How long and how often to try again. Times are in seconds."""

    budget_s: float
    """All attempts and pauses together."""
    first_s: float
    """The longest first pause; every later one may be twice as long, each drawn at random, so that
    runners that were refused together do not come back together."""
    longest_s: float
    attempts: int | None = None
    """None: as many as the budget allows."""


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """An attempt that came to nothing, and what happens next."""

    error: BaseException
    attempt: int
    """How many attempts have been made, from 1."""
    pause_s: float
    remaining_s: float


def retry(
    action: Callable[[], T],
    patience: RetryLimits,
    *,
    again: Callable[[BaseException], bool],
    tell: Callable[[FailedAttempt], None],
    revive: Callable[[], None] | None = None,
) -> T:
    """Run an action until it succeeds, fails for good, or patience is spent.

    Args:
        action: what to try; it leaves nothing behind when it fails.
        patience: the limits.
        again: whether an error may be gone at the next attempt.
        tell: called ahead of each pause.
        revive: called behind each pause: an idle session may have been ended in it.

    Returns:
        What the action returns.

    Raises:
        BaseException: the action's own last error, or that of `revive`.
    """
    began_s = time.monotonic()
    try:
        return action()
    except BaseException as exc:
        if not again(exc):
            raise
        first = exc
    spent_s = time.monotonic() - began_s
    patience = replace(patience, budget_s=max(patience.budget_s - spent_s, 0.0))
    failed = iter([first])

    def attempt() -> T:
        if error := next(failed, None):
            raise error
        return action()

    return _tried_again(attempt, patience, again, tell, revive)


def _tried_again(
    action: Callable[[], T],
    patience: RetryLimits,
    again: Callable[[BaseException], bool],
    tell: Callable[[FailedAttempt], None],
    revive: Callable[[], None] | None,
) -> T:
    from tenacity import (
        Retrying,
        retry_if_exception,
        stop_after_attempt,
        stop_before_delay,
        stop_never,
        wait_random_exponential,
    )

    def before_sleep(state: "RetryCallState") -> None:
        assert state.outcome is not None
        assert state.next_action is not None
        error = state.outcome.exception()
        assert error is not None
        remaining_s = max(patience.budget_s - (state.seconds_since_start or 0.0), 0.0)
        tell(FailedAttempt(error, state.attempt_number, state.next_action.sleep, remaining_s))

    def before(state: "RetryCallState") -> None:
        if revive and state.attempt_number > 1:
            revive()

    counted = stop_after_attempt(patience.attempts) if patience.attempts else stop_never
    return Retrying(
        sleep=PAUSE.get(),
        retry=retry_if_exception(again),
        stop=stop_before_delay(patience.budget_s) | counted,
        wait=wait_random_exponential(multiplier=patience.first_s, max=patience.longest_s),
        before=before,
        before_sleep=before_sleep,
        reraise=True,
    )(action)
