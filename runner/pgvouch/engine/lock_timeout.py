"""What lock_timeout has refused is run again, whole: a busy table makes it wait its turn."""

from collections.abc import Callable
from typing import TypeVar

from pgvouch.engine.context import RunContext
from pgvouch.errors import VouchError
from pgvouch.events import Waiting
from pgvouch.postgres.retry import FailedAttempt, RetryLimits, others_were_in_the_way, retry

T = TypeVar("T")


def run_again_when_refused(context: RunContext, name: str, action: Callable[[], T]) -> T:
    """Run a whole transaction again that another session's lock, or a deadlock, has refused.

    Each attempt gives way after lock_timeout, so that no queue forms behind it for longer.

    Args:
        context: its options say how often, and for how long; its listener is told of each pause.
        name: the migration.
        action: runs it; the session is idle again whenever it fails.

    Raises:
        VouchError: the last attempt's error; its notes say how often it was tried.
    """
    options = context.options
    attempts = 1

    def tell(refusal: FailedAttempt) -> None:
        nonlocal attempts
        attempts = refusal.attempt + 1
        assert isinstance(refusal.error, VouchError)
        assert refusal.error.server is not None
        context.listener(
            Waiting(
                f"{name} gave way: {refusal.error.server.primary}; attempt {attempts} of "
                f"{options.retries + 1} in {refusal.pause_s:.1f} s",
                refusal.remaining_s,
            )
        )

    try:
        return retry(
            action,
            RetryLimits(options.retry_budget_s, 0.5, 20.0, attempts=options.retries + 1),
            again=_is_transient,
            tell=tell,
            revive=context.session.revive,
        )
    except VouchError as exc:
        if attempts > 1:
            exc.explain(f"tried {attempts} times")
        raise


def _is_transient(error: BaseException) -> bool:
    """Say whether a migration's failure may be gone when all of it is run again."""
    return isinstance(error, VouchError) and others_were_in_the_way(error.server)
