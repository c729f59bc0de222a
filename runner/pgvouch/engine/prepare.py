"""Everything about a migration that can be known, and refused, before anything is sent."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.delta.file import read_delta
from pgvouch.errors import FileError, Gathered, Place, PlanError
from pgvouch.events import Doubted, Listener
from pgvouch.files import other_tools
from pgvouch.files.directives import ISOLATION, parse_directives
from pgvouch.files.folder import read_text
from pgvouch.files.migration import Migration
from pgvouch.files.promises import Kind, Promises, read_promises
from pgvouch.files.refusals import refuse_in_migration
from pgvouch.files.variables import render, without_variables
from pgvouch.plan.build import Plan
from pgvouch.postgres.message import Source
from pgvouch.sqltext.place import excerpt
from pgvouch.sqltext.scan import is_blank
from pgvouch.sqltext.statements import tree_of


@dataclass(frozen=True, slots=True)
class Script:
    """SQL that is ready to be sent, and how it wants to be run."""

    source: Source
    transactional: bool
    lock_timeout: str | None
    statement_timeout: str | None
    isolation: str = ISOLATION[0]
    lock_tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A pending migration whose every file has been read and found sound."""

    migration: Migration
    script: Script
    rollback_sql: str | None
    promises: Promises | None
    expected_delta: tuple[str, ...] | None
    warnings: tuple[FileError, ...] = ()
    """What is allowed and may not be meant; an error in a strict project."""


def prepare(
    migrations: Sequence[Migration],
    variables: Mapping[str, str],
    *,
    require_promises: bool,
    strict: bool = False,
    known: Collection[str] | None = None,
) -> list[Prepared]:
    """Read and check all files of the pending migrations, so that nothing is run for nothing.

    Args:
        migrations: what is pending.
        variables: the values of psql variables.
        require_promises: whether a migration without promises is refused.
        strict: whether warnings are errors.
        known: every migration that may retire a check; None leaves that unchecked.

    Raises:
        FileError: something in a file that a migration, a rollback or a promise may not hold.
        UsageError: a declared variable without a value.
        RefusedError: several of these.
    """
    gathered = Gathered()
    found: list[Prepared] = []
    for migration in migrations:
        with gathered.gather():
            if require_promises:
                _refuse_without_promises(migration)
        with gathered.gather():
            found.append(_prepare(migration, variables))
    if known is not None:
        gathered.errors += _unknown_until(found, known)
    if strict:
        gathered.errors += [warning for item in found for warning in item.warnings]
    gathered.refuse()
    return found


def sound(
    todo: Plan, database: Database, options: Options, *, require_promises: bool
) -> list[Prepared]:
    """Return what is pending with every file read and found sound; no server is asked.

    Raises:
        FileError: a file that `migrate` would refuse; RefusedError lists several.
    """
    return prepare(
        todo.pending,
        options.variables,
        require_promises=require_promises,
        strict=options.strict,
        known=database.by_id,
    )


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


def tell_doubts(prepared: Sequence[Prepared], listener: Listener) -> tuple[FileError, ...]:
    """Tell, and return, the warnings about files."""
    warnings = tuple(warning for item in prepared for warning in item.warnings)
    for warning in warnings:
        listener(Doubted(warning.message, warning.place))
    return warnings


def _unknown_until(prepared: Sequence[Prepared], known: Collection[str]) -> Iterator[FileError]:
    """Yield an error for every check that a migration shall retire which nobody has written."""
    stems = {name.rpartition("/")[2] for name in known}
    for item in prepared:
        for check in item.promises.checks if item.promises else ():
            if check.until is not None and check.until not in stems:
                yield FileError(f"`-- until: {check.until}` is not a migration here", check.place)


def _prepare(migration: Migration, variables: Mapping[str, str]) -> Prepared:
    gathered = Gathered()
    script = rollback = promises = delta = None
    with gathered.gather():
        script = python_script(migration) if migration.is_python else _script(migration, variables)
    with gathered.gather():
        rollback = _read_rollback(migration.rollback_path)
    with gathered.gather():
        promises = read_promises(migration.verify_path)
        if promises and not migration.directives.transactional:
            _refuse_same(promises)
    with gathered.gather():
        delta = read_delta(migration.delta_path)
    gathered.refuse()
    assert script is not None
    warnings = tuple(_empty_files(migration, rollback))
    return Prepared(migration, script, rollback, promises, delta, warnings)


def _read_rollback(path: Path | None) -> str | None:
    if path is None:
        return None
    text = read_text(path)
    check_sql(text, path)
    return text


def _empty_files(migration: Migration, rollback: str | None) -> Iterator[FileError]:
    if not migration.is_python and is_blank(migration.sql):
        yield FileError(
            f"{migration.path.name} holds no statement: it will be recorded, and do nothing",
            Place(migration.path),
            hint="write its SQL, or `select 1;` where it shall do nothing",
        )
    if rollback is not None and migration.rollback_path is not None and not rollback.strip():
        yield FileError(
            f"{migration.rollback_path.name} is empty: a rollback will take nothing back",
            Place(migration.rollback_path),
            hint="write its SQL, or say in a comment why there is nothing to undo",
        )


def _refuse_same(promises: Promises) -> None:
    for check in promises.of_kind(Kind.SAME):
        raise FileError(
            "a `same` pair needs one transaction from before the migration to after it, and this "
            "migration is not transactional",
            check.place,
            hint="check what is there afterwards with `-- check:`",
        )


def _script(migration: Migration, variables: Mapping[str, str]) -> Script:
    check_sql(migration.sql, migration.path)
    return make_script(migration.sql, migration.path, variables)


def make_script(text: str, path: Path, variables: Mapping[str, str]) -> Script:
    """Return the SQL of a migration or rollback with its directives read and variables filled in.

    Raises:
        FileError: a bad directive.
        UsageError: a declared variable without a value.
    """
    directives = parse_directives(text, path)
    rendered = render(text, directives.variables, variables, Place(path))
    return Script(
        Source(path, text, rendered),
        directives.transactional,
        directives.lock_timeout,
        directives.statement_timeout,
        directives.isolation,
        directives.lock_tables,
    )


def python_script(migration: Migration) -> Script:
    """Return the frame of a Python migration, whose steps yoyo runs."""
    source = Source(migration.path, migration.sql, render(migration.sql, (), {}, Place(Path())))
    return Script(source, migration.directives.transactional, None, None)


def check_sql(text: str, path: Path) -> None:
    """Refuse what cannot be part of a migration or a rollback.

    Raises:
        FileError: both halves of another tool's file, psql meta-commands, COPY data, a statement
            that ends the transaction, or one that cannot run as the file's header asks for.
    """
    place = Place(path)
    directives = parse_directives(text, path)
    other_tools.refuse_both_halves(text, path)
    text = without_variables(text, directives.variables)
    refuse_in_migration(text, place, transactional=directives.transactional)
    _refuse_condition(directives.unless, place)


def _refuse_without_promises(migration: Migration) -> None:
    if migration.verify_path or migration.delta_path or migration.directives.unverified:
        return
    raise FileError(
        f"{migration.id} promises nothing, and this project requires promises",
        Place(migration.path),
        hint=f"write verify/{migration.path.stem}.sql (pgvouch accept-delta {migration.id} writes "
        "the catalog delta beside it), or say `-- unverified: why` in its header",
    )


_CONSTANT = re.compile(
    r"(?:\s|[()=<>!:]|'[^']*'|\d|\b(?:true|false|null|not|and|or|is|select|boolean|bool)\b)+",
    re.IGNORECASE,
)


def _refuse_condition(condition: str | None, place: Place) -> None:
    if condition is None:
        return
    if _CONSTANT.fullmatch(condition):
        raise FileError(
            f"`-- unless: {excerpt(condition, 60)}` asks the database nothing",
            place,
            hint="ask for what the migration makes, as in `-- unless: to_regclass('auth.users') "
            "is not null`; a migration that is not wanted is deleted",
        )
    if ";" in condition and tree_of(f"select ({condition}\n)::boolean") is None:
        raise FileError(
            f"`-- unless: {excerpt(condition, 60)}` is not one expression",
            place,
            hint="write a boolean expression without a semicolon; a subquery is one",
        )
