"""What goes into the library and what comes out of it, as values."""

from dataclasses import dataclass
from typing import TypedDict

from pgvouch.config.options import Options
from pgvouch.engine.commands import Limits
from pgvouch.errors import FileError
from pgvouch.events import Finished
from pgvouch.files.migration import Migration
from pgvouch.ledger.rows import State


class Settings(TypedDict, total=False):
    """How migrations are run, as the configuration writes it; it wins over the configuration."""

    lock_timeout: str
    """How long to wait for a table, such as "2s"."""
    statement_timeout: str
    retries: int
    """How often a migration that gave way to others is tried again."""
    retry_budget: str
    """For all attempts of a migration together."""
    lock_wait: str
    """How long to wait for another runner."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One migration that `migrate` would run, and how."""

    id: str
    sql: str
    unless: str | None
    transactional: bool
    isolation: str | None
    """None where it is not transactional."""
    lock_timeout: str | None
    """`auto`: half of the server's deadlock_timeout. None: there is none."""
    statement_timeout: str | None
    has_checks: bool
    has_delta: bool
    has_rollback: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What `migrate` would do."""

    pending: tuple[Planned, ...]
    ahead: tuple[str, ...] = ()
    """Applied by a newer release, whose files are not here."""
    warnings: tuple[FileError, ...] = ()
    """What is allowed in the files but hardly meant."""
    is_role_known: bool = True
    """Whether there is a database that could say what timeouts the role has."""


@dataclass(frozen=True, slots=True)
class RollbackStep:
    """One migration that `rollback` would roll back."""

    id: str
    sql: str
    notes: tuple[str, ...]
    """The rows that would be lost, and whatever else is worth knowing before."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A non-transactional migration that was settled."""

    id: str
    state: State
    """As it was before: being applied, or being rolled back."""
    finished: tuple[Finished, ...] = ()
    """What was rolled back."""


def planned(migration: Migration, options: Options, limits: Limits | None) -> Planned:
    """Return how a migration would be run: its header over the options over the role's limits."""
    asked = migration.directives
    default = (options.lock_timeout or "auto") if asked.transactional else None
    return Planned(
        id=migration.id,
        sql=migration.sql,
        unless=asked.unless,
        transactional=asked.transactional,
        isolation=asked.isolation if asked.transactional else None,
        lock_timeout=asked.lock_timeout or default,
        statement_timeout=asked.statement_timeout
        or options.statement_timeout
        or (limits.statement_timeout if limits else None),
        has_checks=migration.verify_path is not None,
        has_delta=migration.delta_path is not None,
        has_rollback=migration.rollback_path is not None or migration.is_python,
    )
