"""Waiting for others without hurting them: another runner's lock, a busy table, a deadlock."""

from collections.abc import Callable
from typing import TypeVar

from pgvouch.config.options import Options
from pgvouch.errors import ConnectError, VouchError
from pgvouch.events import Listener, Waiting
from pgvouch.ledger.lock import lock_holder, look_at_runner
from pgvouch.postgres import retry
from pgvouch.postgres.blockers import Blocker
from pgvouch.postgres.retry import Patience, Refusal, patiently
from pgvouch.postgres.session import Session

T = TypeVar("T")


class LockedError(Exception):
    """Another runner holds the lock, or is at work on a non-transactional migration."""

    def __init__(self, holder: Blocker | None = None) -> None:
        super().__init__()
        self.holder = holder


def under_lock(
    session: Session, options: Options, listener: Listener, action: Callable[[], T], *, state: str
) -> T:
    """Run an action that needs the runner's lock, again and again while another runner has it.

    It never waits in the server: a waiting transaction holds a snapshot, for which CREATE INDEX
    CONCURRENTLY would wait in turn.

    Args:
        session: idle again whenever the action raises LockedError.
        options: how long to wait.
        listener: is told who holds it.
        action: tries to take the lock without waiting.
        state: what is in the database, for the error.

    Raises:
        ConnectError: the wait is spent.
    """
    holder: Blocker | None = None
    refusals = 0

    def again() -> T:
        if refusals:
            session.revive()  # an idle session may have been ended in the pause
        return action()

    def tell(refusal: Refusal) -> None:
        nonlocal holder, refusals
        refusals = refusal.attempt
        assert isinstance(refusal.error, LockedError)
        holder = refusal.error.holder or lock_holder(session) or holder
        who = f": {holder}" if holder else ""
        about = f"another runner {holder.pid if holder else ''}"
        listener(Waiting(f"another runner is at work{who}", refusal.remaining_s, about))

    try:
        return patiently(
            again,
            Patience(options.lock_wait_s, first_s=0.05, longest_s=1.0),
            again=lambda exc: isinstance(exc, LockedError),
            tell=tell,
        )
    except LockedError:
        raise ConnectError(
            f"another runner has been at work for {options.lock_wait_s:g} s",
            notes=[f"it is {holder}"] if holder else [],
            state=state,
            hint=f"see what it does: {look_at_runner(holder)}; --lock-wait 30min waits longer",
        ) from None


def persistently(
    session: Session, options: Options, listener: Listener, identifier: str, action: Callable[[], T]
) -> T:
    """Run a whole migration again when somebody else's lock, or a deadlock, has refused it.

    Each attempt gives way after lock_timeout, so that nobody queues behind it for longer.

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
                f"{identifier} gave way: {refusal.error.server.primary}; attempt {attempts} of "
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
            exc.notes.append(f"tried {attempts} times")
        raise


def is_transient(error: BaseException) -> bool:
    """Say whether a migration's failure may be gone when all of it is run again."""
    return isinstance(error, VouchError) and retry.is_transient(error.server)
