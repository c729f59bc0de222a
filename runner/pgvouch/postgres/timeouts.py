"""How long our statements wait for others: less than the server lets others wait for us."""

from collections.abc import Sequence

from pgvouch.sqltext.duration import seconds
from pgvouch.sqltext.own import Raw, literal, own_block, own_query

LOCK_TIMEOUT_SHARE = 0.5
"""Of the server's deadlock_timeout, which is a second by default."""

DEFAULT_LOCK_TIMEOUT = own_block("postgres", "default_lock_timeout", share=LOCK_TIMEOUT_SHARE)
"""The default: our statement gives way, and is tried again, well before another session that is in
a deadlock with it checks for one and is cancelled by the server."""

_LONGEST_LOOK_S = 1.0


def look_after_s(lock_timeout: str | None) -> float:
    """Return how long a statement waits, in s, before we look at who is in its way.

    Args:
        lock_timeout: None is half of the server's deadlock_timeout.
    """
    timeout_s = seconds(lock_timeout) if lock_timeout else LOCK_TIMEOUT_SHARE
    return min(timeout_s / 2 or _LONGEST_LOOK_S, _LONGEST_LOOK_S)


def timeouts_sql(lock_timeout: str | None, statement_timeout: str | None) -> tuple[str, ...]:
    """Return the statements that set both for a transaction.

    Args:
        lock_timeout: None is half of the server's deadlock_timeout.
        statement_timeout: None is what the role has.
    """
    lock = f"set local lock_timeout = {literal(lock_timeout)}" if lock_timeout else None
    longest = f"set local statement_timeout = {literal(statement_timeout)}"
    return (lock or DEFAULT_LOCK_TIMEOUT, *([longest] if statement_timeout else []))


def locking_sql(statements: Sequence[str]) -> str:
    """Return the statement that takes locks one by one, all of them within one lock_timeout.

    A session that queues behind the first of them waits until the last is taken, so separate
    timeouts would add up.
    """
    rest = f"\n{own_query('postgres', 'shorten_lock_timeout')}"
    locks = rest.join(f"\n    {statement};" for statement in statements)
    return own_block("postgres", "take_locks", locks=Raw(locks))
