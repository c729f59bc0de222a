"""The lock that keeps runners apart: a row of the ledger, taken as a migration begins."""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from pgvouch.config.options import Options
from pgvouch.errors import ConnectError, PlanError
from pgvouch.events import Listener, Waiting
from pgvouch.postgres.session import QueryError, Session
from pgvouch.sqltext.own import Raw, own_query

if TYPE_CHECKING:
    from pgvouch.postgres.blockers import Blocker
    from pgvouch.postgres.retry import FailedAttempt

T = TypeVar("T")


class LockedError(Exception):
    """Another runner holds the lock, or is at work on a non-transactional migration."""

    def __init__(self, holder: "Blocker | None" = None) -> None:
        super().__init__()
        self.holder = holder


class LedgerMovedError(Exception):
    """Another runner has applied or rolled back this migration in the meantime."""


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
    from pgvouch.postgres.blockers import look_at
    from pgvouch.postgres.retry import RetryLimits, retry

    holder: Blocker | None = None

    def tell(refusal: "FailedAttempt") -> None:
        nonlocal holder
        assert isinstance(refusal.error, LockedError)
        holder = refusal.error.holder or lock_holder(session) or holder
        who = f": {holder}" if holder else ""
        about = f"another runner {holder.pid if holder else ''}"
        listener(Waiting(f"another runner is at work{who}", refusal.remaining_s, about))

    try:
        return retry(
            action,
            RetryLimits(options.lock_wait_s, first_s=0.05, longest_s=1.0),
            again=lambda exc: isinstance(exc, LockedError),
            tell=tell,
            revive=session.revive,
        )
    except LockedError:
        query = (
            look_at([holder])
            if holder
            else "select * from pg_stat_activity where backend_xid is not null order by xact_start"
        )
        raise ConnectError(
            f"another runner has been at work for {options.lock_wait_s:g} s",
            notes=[f"it is {holder}"] if holder else [],
            state=state,
            hint=f"see what it does: {query}; --lock-wait 30min waits longer",
        ) from None


def lock_holder(session: Session) -> "Blocker | None":
    """Return the runner that holds the lock, or None where it has just let go."""
    from pgvouch.postgres.blockers import Blocker

    for query in ("lock_holder", "creator"):
        with suppress(QueryError):
            (result,) = session.ask(own_query("ledger", query))
            return Blocker.of(result.rows[0]) if result.rows else None
    return None


def guard_sql(
    migration_id: str, *, applied: bool, recorded: int | None = None, written_by: str = ""
) -> tuple[str, str]:
    """Return the statements that take the runner's lock, and read the ledger again under it.

    Where one fails, `guard_error` says why; they never wait. Names are resolved in pg_catalog: the
    caller has set the search_path. The second one returns what `guard_found` reads.

    Args:
        migration_id: the migration.
        applied: whether it has to be applied (and the newest one), or must not be.
        recorded: how many migrations the ledger has to have; None: they are not counted.
        written_by: the transaction that has changed the ledger last as far as we know, so that
            nothing need be counted if that is so.
    """

    def condition(name: str, **values: object) -> Raw:
        return Raw(own_query("ledger", name, **values))

    hashed = sha256(migration_id.encode()).hexdigest()  # as yoyo does
    moved = condition("is_gone" if applied else "is_applied", id=migration_id, hash=hashed)
    other = Raw("false")
    if applied:
        other = condition("has_newer", id=migration_id)
    elif recorded is not None:
        other = condition("has_other_count", recorded=recorded)
    return _guard(moved, other, written_by)


def guard_run_sql(
    name: str,
    *,
    in_force: int,
    checksum: str | None = None,
    behind: int = 0,
    recorded: int | None = None,
) -> tuple[str, str]:
    """Return the same for a repeatable migration: the run that was planned with is in force.

    Args:
        name: its identifier.
        in_force: that run; 0: there was none.
        checksum: of what is to be run; None: an earlier text comes back.
        behind: then the run that is to be in force.
        recorded: as for a migration.
    """

    def is_in_force(run: int) -> str:
        return own_query("ledger", "is_in_force", id=name, run_order=run)

    other = f"not {is_in_force(in_force)}"
    if recorded is not None:
        other += f" or {own_query('ledger', 'has_other_count', recorded=recorded)}"
    moved = is_in_force(behind)
    if checksum is not None:
        moved = own_query("ledger", "is_run", id=name, in_force=in_force, checksum=checksum)
    return _guard(Raw(moved), Raw(f"({other})"), "")


def _guard(moved: Raw, other: Raw, written_by: str) -> tuple[str, str]:
    guard = own_query("ledger", "guard", moved=moved, other=other, written_by=written_by)
    return own_query("ledger", "lock"), guard


def guard_error(exc: QueryError) -> Exception | None:
    """Return what the guard has found, or None where it failed for another reason."""
    match exc.word:
        case "locked":
            return LockedError()
        case "moved":
            return LedgerMovedError()
        case "other":
            return PlanError(
                "another runner has applied or rolled back something in the meantime",
                hint="run the same command again: it plans anew",
            )
        case "no_row":
            return PlanError(
                "pgvouch.ledger has lost its row, so runners cannot keep each other out",
                state="Nothing was run.",
                hint="find out who has deleted it; then: insert into pgvouch.ledger (version) "
                "values (1)",
            )
    return None
