"""What is to be run, forwards or back: every file is read, and refused, before anything is sent."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.delta.file import delta_of_applied, read_delta
from pgvouch.errors import FileError, Gathered, Place, PlanError
from pgvouch.events import Doubted, Listener, Note, silent
from pgvouch.files.directives import Directives, parse_directives
from pgvouch.files.folder import read_rollback
from pgvouch.files.halves import refuse_both_halves
from pgvouch.files.migration import Migration
from pgvouch.files.promises import Kind, Promises, read_always, read_promises
from pgvouch.files.refusals import refuse_in_migration, refuse_unfilled
from pgvouch.files.repeatable import PREFIX
from pgvouch.files.variables import Rendered, render, without_variables
from pgvouch.ledger import ledger
from pgvouch.ledger.repeatable import Run, in_force, read_runs, text_of
from pgvouch.ledger.rows import Applied, State
from pgvouch.plan.build import Plan, begun_otherwise
from pgvouch.plan.repeat import Restored, restored
from pgvouch.plan.squashed import squashed_by
from pgvouch.postgres.message import Source
from pgvouch.postgres.session import Session
from pgvouch.sqltext.place import excerpt
from pgvouch.sqltext.scan import is_blank
from pgvouch.sqltext.statements import tree_of


@dataclass(frozen=True, slots=True)
class Task:
    """A migration to be applied or rolled back, whose every file was read and found sound."""

    id: str
    direction: Literal["migrate", "rollback"]
    source: Source
    """The SQL; of a Python migration its text, whose steps yoyo runs."""
    directives: Directives
    """What the header of that text asks for."""
    migration: Migration | None
    """None for a rollback whose migration has no file here."""
    promises: Promises | None = None
    always: tuple[Promises, ...] = ()
    """What has to hold whatever is applied, with the last migration of a run."""
    expected_delta: tuple[str, ...] | None = None
    """What it has to do to the catalog; of a rollback what the migration did, to be undone."""
    rollback_sql: str | None = None
    """Stored with a migration, for releases that do not have the file."""
    is_provided: bool = False
    """The rollback of what the database had already: only its row in the ledger goes."""
    restores: Run | None = None
    """Of a repeatable migration: what is in force, and makes room for an earlier text or none."""
    in_force: int = 0
    """Of a repeatable migration: the run that was in force when this was planned; 0: none."""
    behind: int = 0
    """With `restores`: the run behind which all are forgotten; 0 forgets all."""
    notes: tuple[str, ...] = ()
    """Facts to be reported with its outcome, good or bad."""
    warnings: tuple[FileError, ...] = ()
    """What is allowed and may not be meant; an error in a strict project."""

    @property
    def is_rollback(self) -> bool:
        """Whether a migration is rolled back."""
        return self.direction == "rollback"

    @property
    def takes_back(self) -> bool:
        """Whether it is part of a rollback."""
        return self.is_rollback or self.restores is not None

    @property
    def is_repeatable(self) -> bool:
        """Whether it is one of those that are run again when they change."""
        return self.id.startswith(PREFIX)

    @property
    def is_python(self) -> bool:
        """Whether yoyo runs it."""
        return self.source.path.suffix == ".py"

    @property
    def what(self) -> str:
        """The words for it in a sentence."""
        return f"the rollback of {self.id}" if self.is_rollback else self.id

    @property
    def unless(self) -> str | None:
        """The condition under which a migration is recorded and not run."""
        return None if self.is_rollback else self.directives.unless


def prepare(
    migrations: Sequence[Migration],
    variables: Mapping[str, str],
    *,
    require_promises: bool,
    strict: bool = False,
    of: Database | None = None,
) -> list[Task]:
    """Read and check all files of the pending migrations, so that nothing is run for nothing.

    Args:
        migrations: what is pending.
        variables: the values of psql variables.
        require_promises: whether a migration without promises is refused.
        strict: whether warnings are errors.
        of: whose migrations may retire a check; None leaves that unchecked.

    Raises:
        FileError: something in a file that a migration, a rollback or a promise may not hold.
        UsageError: a declared variable without a value.
        RefusedError: several of these.
    """
    gathered = Gathered()
    found: list[Task] = []
    for migration in migrations:
        with gathered.gather():
            if require_promises:
                _refuse_without_promises(migration)
        with gathered.gather():
            found.append(_prepare(migration, variables))
    if of is not None:
        gathered.errors += _unknown_until(found, {*of.by_id, *squashed_by(of.migrations)})
    if strict:
        gathered.errors += [warning for task in found for warning in task.warnings]
    gathered.refuse()
    return found


def sound(
    todo: Plan,
    database: Database,
    options: Options,
    *,
    require_promises: bool,
    repeated: Sequence[Migration] = (),
    runs: Sequence[Run] = (),
    prepared: Mapping[str, Task] = MappingProxyType({}),
) -> list[Task]:
    """Return what is pending with every file read and found sound; no server is asked.

    Args:
        todo: the migrations.
        database: all files.
        options: with the values of variables.
        require_promises: whether a migration without promises is refused.
        repeated: repeatable migrations that are to be run behind them.
        runs: the ledger's, of these.
        prepared: those that were read and found sound before, for another database.

    Raises:
        FileError: a file that `migrate` would refuse; RefusedError lists several.
    """
    wanted = (*todo.pending, *repeated)
    if all(migration.id in prepared for migration in wanted):
        tasks = [prepared[migration.id] for migration in wanted]
    else:
        tasks = prepare(
            wanted,
            options.variables,
            require_promises=require_promises,
            strict=options.strict,
            of=database,
        )
    known = in_force(runs)
    tasks = [replace(t, in_force=known[t.id].order) if t.id in known else t for t in tasks]
    if tasks:
        tasks[-1] = replace(tasks[-1], always=read_always(database.always))
    return tasks


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


def tell_warnings(tasks: Sequence[Task], listener: Listener) -> tuple[FileError, ...]:
    """Tell, and return, the warnings about files."""
    warnings = tuple(warning for task in tasks for warning in task.warnings)
    for warning in warnings:
        listener(Doubted(warning.message, warning.place))
    return warnings


def _unknown_until(tasks: Sequence[Task], known: Collection[str]) -> Iterator[FileError]:
    """Yield an error for every check that is to be retired by a migration that does not exist."""
    stems = {name.rpartition("/")[2] for name in known}
    for task in tasks:
        for check in task.promises.checks if task.promises else ():
            if check.until is not None and check.until not in stems:
                yield FileError(f"`-- until: {check.until}` is not a migration here", check.place)


def _prepare(migration: Migration, variables: Mapping[str, str]) -> Task:
    gathered = Gathered()
    source = rollback = promises = delta = None
    directives = migration.directives
    with gathered.gather():
        if not migration.is_python:
            directives = check_sql(migration.sql, migration.path)
        source = _source(migration.sql, migration.path, directives, variables)
    with gathered.gather():
        if directives.leaves:
            raise FileError(
                "`-- leaves:` is about a rollback, and this is none",
                Place(migration.path),
                hint="write it into the header of the rollback file",
            )
    with gathered.gather():
        rollback = read_rollback(migration)
        if rollback is not None and migration.rollback_path is not None:
            check_sql(rollback, migration.rollback_path)
    with gathered.gather():
        promises = read_promises(migration.verify_path, migration.actors)
        if promises and not directives.transactional:
            _refuse_same(promises)
    with gathered.gather():
        delta = read_delta(migration.delta_path)
    gathered.refuse()
    assert source is not None
    return Task(
        migration.id,
        "migrate",
        source,
        directives,
        migration,
        promises,
        expected_delta=delta,
        rollback_sql=rollback and rollback.lstrip("\r\n"),
        warnings=tuple(_empty_files(migration, rollback)),
    )


def _source(text: str, path: Path, directives: Directives, variables: Mapping[str, str]) -> Source:
    return Source(path, text, render(text, directives.variables, variables, Place(path)))


def _empty_files(migration: Migration, rollback: str | None) -> Iterator[FileError]:
    if not migration.is_python and is_blank(migration.sql):
        yield FileError(
            f"{migration.path.name} holds no statement: it will be recorded, and do nothing",
            Place(migration.path),
            hint="write its SQL, or `select 1;` if it is meant to do nothing",
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


def check_sql(text: str, path: Path) -> Directives:
    """Refuse what cannot be part of a migration or a rollback; return what its header asks for.

    Raises:
        FileError: both halves of another tool's file, psql meta-commands, COPY data, a statement
            that ends the transaction, or one that cannot run as the file's header asks for.
    """
    place = Place(path)
    directives = parse_directives(text, path)
    refuse_unfilled(text, path)
    refuse_both_halves(text, path)
    text = without_variables(text, directives.variables)
    refuse_in_migration(text, place, transactional=directives.transactional)
    _refuse_condition(directives.unless, place)
    return directives


def _refuse_without_promises(migration: Migration) -> None:
    if migration.verify_path or migration.delta_path or migration.directives.unverified:
        return
    raise FileError(
        f"{migration.id} promises nothing, and this project requires promises",
        Place(migration.path),
        hint=f"write verify/{migration.stem}.sql (pgvouch accept-delta {migration.id} writes "
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


def prepare_rollback(
    session: Session,
    rows: Sequence[Applied],
    files: Mapping[str, Migration],
    options: Options,
    *,
    among: Sequence[Applied] = (),
    listener: Listener = silent,
) -> list[Task]:
    """Read all rollback SQL, from the ledger before the files; refuse what cannot be rolled back.

    Args:
        session: where the ledger is.
        rows: what is to be rolled back, newest first.
        files: by identifier.
        options: whether the files win over the ledger, and the values of variables.
        among: all rows of the ledger: what repeatable migrations were before comes back first. None
            leaves these as they are.
        listener: told which of them stay as they are.

    Raises:
        PlanError: a migration without rollback SQL, or one that says it is irreversible.
        FileError: a file that is not what its name says.
    """
    stored, has_runs = ledger.rollback_texts(session, [row.id for row in rows])
    tasks = [
        _prepare_rollback(row, stored.get(row.id, ledger.Stored()), files.get(row.id), options)
        for row in rows
    ]
    found = restored(among, rows, read_runs(session)) if has_runs and among else []
    return [*_prepare_restored(session, found, options, listener), *tasks]


def _prepare_restored(
    session: Session, found: Sequence[Restored], options: Options, listener: Listener
) -> Iterator[Task]:
    """Yield the tasks that bring back what repeatable migrations were before others."""
    for item in found:
        sql, rollback = text_of(session, item.earlier or item.run)
        text = sql if item.earlier else rollback
        if text is None:
            said = "it has no earlier text, and no rollback was stored"
            listener(Note(f"{item.run.id} stays as it is: {said}"))
            continue
        path = Path(f"{item.run.id}.sql")
        directives = parse_directives(text, path)
        source = _source(text, path, directives, options.variables)
        behind = item.earlier.order if item.earlier else 0
        task = Task(item.run.id, "migrate", source, directives, None, restores=item.run)
        yield replace(task, in_force=item.run.order, behind=behind)


def _prepare_rollback(
    row: Applied, stored: ledger.Stored, migration: Migration | None, options: Options
) -> Task:
    if stored.irreversible:
        raise PlanError(
            f"{row.id} cannot be rolled back: {stored.irreversible}",
            state="Nothing was rolled back.",
            hint="restore a backup, or write a new migration that undoes what can be undone",
        )
    on_disk = migration.rollback_path if migration else None
    path = on_disk or Path(f"{row.id}.rollback.sql")
    promises = (
        read_promises(migration.rollback_verify_path, migration.actors) if migration else None
    )
    did = delta_of_applied(stored.delta, migration.delta_path if migration else None)
    if row.state is State.PROVIDED:
        nothing = Source(path, "", Rendered(""))
        directives = parse_directives("", path)
        return Task(row.id, "rollback", nothing, directives, migration, is_provided=True)
    if migration is not None and migration.is_python:
        source = Source(migration.path, migration.sql, Rendered(migration.sql))
        asked = migration.directives
        return Task(row.id, "rollback", source, asked, migration, promises, expected_delta=did)
    text, notes = _rollback_text(stored.sql, migration, is_from_file=options.rollback_from_files)
    if text is None:
        raise PlanError(
            f"{row.id} has no rollback: none was stored with it, and there is no file",
            state="Nothing was rolled back.",
            hint=f"write {path.name} beside the migration"
            if migration
            else f"its file is not here either: put it back, and write {path.name} beside it",
        )
    directives = parse_directives(text, path)
    source = _source(text, path, directives, options.variables)
    if directives.transactional and row.state is State.UNDOING and row.is_half_done:
        raise begun_otherwise(row, Place(path), "the same command")
    return Task(
        row.id, "rollback", source, directives, migration, promises, expected_delta=did, notes=notes
    )


def _rollback_text(
    stored: str | None, migration: Migration | None, *, is_from_file: bool
) -> tuple[str | None, tuple[str, ...]]:
    """Choose between the ledger's text and the file's; also return a note where they differ."""
    written = read_rollback(migration) if migration else None
    if written is None or migration is None or (path := migration.rollback_path) is None:
        return stored, ()
    is_other = stored is not None and stored.strip("\r\n") != written.strip("\r\n")
    what = path.name if migration.rollback_half is None else f"the rollback in {path.name}"
    if stored is None or is_from_file:
        check_sql(written, path)
    elif is_other:
        ahead = written[: len(written) - len(written.lstrip("\r\n"))]  # the lines of the other half
        return f"{ahead}{stored}", (f"{what} has changed since; the ledger's own text is used",)
    return written, (f"{what} has changed since; the file is used",) if is_other else ()
