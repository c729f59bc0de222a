"""What lock_timeout has refused is run again, whole: a busy table makes it wait its turn."""

from collections.abc import Callable
from typing import TypeVar

from pgvouch.config.options import Options
from pgvouch.errors import VouchError
from pgvouch.events import Listener, Waiting
from pgvouch.postgres import retry
from pgvouch.postgres.retry import Patience, Refusal, patiently
from pgvouch.postgres.session import Session

T = TypeVar("T")


def run_again_when_refused(
    session: Session, options: Options, listener: Listener, name: str, action: Callable[[], T]
) -> T:
    """Run a whole migration again when somebody else's lock, or a deadlock, has refused it.

    Each attempt gives way after lock_timeout, so that no queue forms behind it for longer.

    Args:
        session: idle again whenever the action fails.
        options: how often, and for how long.
        listener: is told ahead of each pause.
        name: the migration.
        action: runs it.

    Raises:
        VouchError: the last attempt's error; its notes say how often it was tried.
    """
    attempts = 1

    def tell(refusal: Refusal) -> None:
        nonlocal attempts
        attempts = refusal.attempt + 1
        assert isinstance(refusal.error, VouchError)
        assert refusal.error.server is not None
        listener(
            Waiting(
                f"{name} gave way: {refusal.error.server.primary}; attempt {attempts} of "
                f"{options.retries + 1} in {refusal.pause_s:.1f} s",
                refusal.remaining_s,
            )
        )

    def again() -> T:
        if attempts > 1:
            session.revive()
        return action()

    try:
        return patiently(
            again,
            Patience(options.retry_budget_s, 0.5, 20.0, attempts=options.retries + 1),
            again=is_transient,
            tell=tell,
        )
    except VouchError as exc:
        if attempts > 1:
            exc.explain(f"tried {attempts} times")
        raise


def is_transient(error: BaseException) -> bool:
    """Say whether a migration's failure may be gone when all of it is run again."""
    return isinstance(error, VouchError) and retry.is_transient(error.server)
