"""What one transaction can hold: migrations of one kind, and as many locks as the server has.

Every relation that a transaction touches stays locked to its end, and the table of locks is of a
fixed size: https://www.postgresql.org/docs/current/runtime-config-locks.html. Running out of it is
noticed late, after most of the work, so it is estimated beforehand.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from pgvouch.engine.prepare import Prepared
from pgvouch.errors import Place, PlanError
from pgvouch.files.migration import Migration
from pgvouch.postgres.session import Session
from pgvouch.sqltext.own import own_sql
from pgvouch.sqltext.statements import statements

_TABLE = re.compile(r"create\s+(?:unlogged\s+)?table\b|create\s+materialized\s+view\b", re.I)
_WITH_INDEX = re.compile(r"\b(?:primary\s+key|unique|exclude)\b", re.I)
_WITH_SEQUENCE = re.compile(r"\b(?:small|big)?serial\b|\bas\s+identity\b", re.I)
_DROP = re.compile(r"drop\s+(?:table|schema|materialized\s+view)\b(?P<names>[^;]*)", re.I)
_ONE = re.compile(r"(?:create|alter|drop|comment|grant|truncate|lock)\b", re.I)
# Counted in pg_locks: a table with its toast table, that one's index and two types or so; a dropped
# one with a key and an index.
_OF_TABLE, _OF_DROP = 5, 10


def locks_needed(text: str) -> int:
    """Return about how many locks the SQL of a migration takes and keeps."""
    try:
        found = statements(text)
    except SyntaxError:  # PostgreSQL will say so
        return 0
    return sum(_locks_of(statement.text) for statement in found)


def _locks_of(statement: str) -> int:
    if _TABLE.match(statement):
        indexes = len(_WITH_INDEX.findall(statement))
        return _OF_TABLE + indexes + len(_WITH_SEQUENCE.findall(statement))
    if dropped := _DROP.match(statement):
        return _OF_DROP * (1 + dropped["names"].count(","))
    return 1 if _ONE.match(statement) else 0


def refuse_unlike(migrations: Sequence[Migration]) -> None:
    """Refuse one transaction over migrations that cannot be in one.

    Raises:
        PlanError: one is not transactional, or two ask for different isolation.
    """
    alone = next((m for m in migrations if not m.directives.transactional), None)
    if alone is not None:
        raise PlanError(
            f"{alone.id} is not transactional, so it cannot be part of one transaction",
            state="Nothing was run.",
            hint=f"stop before it with --to, then run it with a plain migrate --to {alone.id}",
        )
    for first, second in pairwise(migrations):
        levels = first.directives.isolation, second.directives.isolation
        if levels[0] != levels[1]:
            raise PlanError(
                f"{first.id} runs in {levels[0].upper()} and {second.id} in {levels[1].upper()}, "
                "so they cannot be in one transaction",
                Place(second.path),
                state="Nothing was run.",
                hint=f"stop before it with --to {first.id}; or apply that much, with a plain "
                f"migrate --to {first.id}, and then run the others",
            )


def refuse_too_many_locks(session: Session, prepared: Sequence[Prepared]) -> None:
    """Refuse one transaction over more relations than the server promises to hold locks for.

    Raises:
        PlanError: with the numbers.
    """
    needed = sum(locks_needed(item.script.source.rendered.text) for item in prepared)
    (result,) = session.ask(own_sql("engine/lock_capacity"))
    per_transaction, capacity, held = (int(value or 0) for value in result.rows[0])
    if needed <= capacity - held:
        return
    wanted = -(-per_transaction * (needed + held) // capacity)
    raise PlanError(
        f"one transaction over all {len(prepared)} migrations needs about {needed:,} locks, and "
        f"this server promises {capacity - held:,}: it would fail late, with out of shared memory",
        notes=[
            f"max_locks_per_transaction is {per_transaction}, which makes {capacity:,} locks for "
            f"all transactions together; {held:,} are held now"
        ],
        state="Nothing was run.",
        hint="leave out --single-transaction, or apply it in parts with --to; or set "
        f"max_locks_per_transaction to {wanted} and restart the server",
    )
