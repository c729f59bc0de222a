"""How long our statements wait for others: less than the server lets others wait for us."""

from collections.abc import Sequence

from pgvouch.sqltext.duration import seconds
from pgvouch.sqltext.own import Raw, literal, own_block, own_query

LOCK_TIMEOUT_SHARE = 0.5
"""Of the server's deadlock_timeout, which is a second by default."""

_DEFAULT = Raw(own_query("postgres", "default_lock_timeout", share_ms=LOCK_TIMEOUT_SHARE * 1000))
"""The default: our statement gives way, and is tried again, well before another session that is in
a deadlock with it checks for one and is cancelled by the server."""

_LONGEST_LOOK_S = 1.0

_SOON_MS = 100
"""How long one waits for a second lock while it holds a first, where no lock_timeout was asked."""


def look_after_s(lock_timeout: str | None) -> float:
    """Return how long a statement waits, in s, before we look at who is in its way.

    Args:
        lock_timeout: None is half of the server's deadlock_timeout.
    """
    timeout_s = seconds(lock_timeout) if lock_timeout else LOCK_TIMEOUT_SHARE
    return min(timeout_s / 2 or _LONGEST_LOOK_S, _LONGEST_LOOK_S)


def settings_sql(lock_timeout: str | None, statement_timeout: str | None, **others: str) -> str:
    """Return the statement that sets them for a transaction, whatever its search_path is.

    Args:
        lock_timeout: None is half of the server's deadlock_timeout.
        statement_timeout: None is what the role has.
        others: further settings; a value is a text, or an expression where it is Raw.
    """
    values = {"lock_timeout": lock_timeout or _DEFAULT, **others}
    if statement_timeout:
        values["statement_timeout"] = statement_timeout
    settings = []
    for name, value in values.items():
        to = value if isinstance(value, Raw) else literal(value)
        settings.append(f"pg_catalog.set_config('{name}', {to}, true)")
    return f"select {', '.join(settings)}"


DEFAULT_LOCK_TIMEOUT = settings_sql(None, None)
"""The statement that sets it, for what runs under no task's settings."""


def locking_sql(statements: Sequence[str]) -> str:
    """Return the statement that takes locks, all of them within one lock_timeout.

    A session that queues behind the first of them waits until the last is taken, so separate
    timeouts would add up.

    Args:
        statements: `lock table …`, each for one table, in the order in which they are tried.
    """
    locks = Raw(f"array[{', '.join(map(literal, statements))}]")
    return own_block("postgres", "take_locks", locks=locks, soon_ms=_SOON_MS)
