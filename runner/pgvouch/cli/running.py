"""Commands that change a database: migrate, rollback, seed, accept."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from pgvouch.cli import output, render
from pgvouch.cli.main import Context, common, running
from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.engine import commands
from pgvouch.errors import MigrationError, Place, UsageError
from pgvouch.events import Listener, Notice
from pgvouch.postgres.session import QueryError, Session
from pgvouch.sqltext.duration import seconds

if TYPE_CHECKING:
    from pgvouch.engine.rollback import Undo


def options_of(context: Context, **given: Any) -> Options:
    """Return how migrations are to be run: the command line over the configuration."""
    from pgvouch.files.variables import given_variables

    settings = {**context.project.settings, **context.settings}
    for name in ("lock_wait", "retry_budget"):
        if name in settings:
            given[f"{name}_s"] = seconds(settings[name], unit="s")
    for name in ("lock_timeout", "statement_timeout"):
        if name in settings:
            given[name] = settings[name]
    if "retries" in settings:
        given["retries"] = int(settings["retries"])
    variables = given_variables(context.variables)
    return Options(variables=variables, strict=context.project.strict, **given)


def listen(session: Session, listener: Listener) -> Listener:
    """Have the server's notices told to a listener, and return it."""
    session.on_notice(lambda severity, text: listener(Notice(severity, text)))
    return listener


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--to", metavar="ID", help="Stop after this migration (identifier or number).")
@click.option("--dry-run", is_flag=True, help="Print the SQL that would run, in order.")
@click.option("--rehearse", is_flag=True, help="Run all of it and every rollback, keep nothing.")
@click.option("--single-transaction", is_flag=True, help="All or nothing.")
@click.option("--out-of-order", is_flag=True, help="Allow a number below the newest applied one.")
@running
@click.pass_obj
def migrate(
    context: Context,
    databases: tuple[str, ...],
    to: str | None,
    dry_run: bool,
    rehearse: bool,
    single_transaction: bool,
    out_of_order: bool,
) -> None:
    """Apply what is pending, each migration verified inside its own transaction."""
    options = options_of(context, single_transaction=single_transaction)
    required = context.project.verify_required
    for database in context.databases(databases):
        with context.session(database, "migrate") as session:
            if dry_run:
                _dry_run(context, session, database, to, out_of_order)
                continue
            listener = listen(session, context.progress())
            if rehearse:
                from pgvouch.engine.rehearsal import rehearse as run_rehearsal

                outcome = run_rehearsal(
                    session, database, options, listener, to=to, require_promises=required
                )
            else:
                outcome = commands.migrate(
                    session,
                    database,
                    options,
                    listener,
                    to=to,
                    out_of_order=out_of_order,
                    require_promises=required,
                )
        verb = "rehearsed" if rehearse else "applied"
        _tell(context, database, outcome, render.migrated(database.name, outcome, verb=verb))


def _tell(context: Context, database: Database, outcome: commands.Outcome, text: str) -> None:
    context.tell(
        text,
        document={
            "database": database.name,
            "migrations": [render.finished_as_dict(event) for event in outcome.finished],
            "applied": outcome.applied,
            "provided": outcome.provided,
            "ahead": list(outcome.ahead),
            "warnings": [render.doubt_as_dict(warning) for warning in outcome.warnings],
        },
    )


def _dry_run(
    context: Context, session: Session, database: Database, to: str | None, out_of_order: bool
) -> None:
    from pgvouch.engine.prepare import sound

    rows = commands.read_ledger(session)
    todo = commands.pending(database, rows, to=to, out_of_order=out_of_order)
    required = context.project.verify_required
    sound(todo, database, options_of(context), require_promises=required)
    parts = []
    for migration in todo.pending:
        unless = migration.directives.unless
        condition = f"\n-- only unless: {unless}" if unless else ""
        parts.append(f"-- {migration.id}{condition}\n{migration.sql.rstrip()}\n")
    document = {
        "database": database.name,
        "migrations": [{"id": m.id, "sql": m.sql} for m in todo.pending],
    }
    _tell_sql(context, [f"-- {database.name}: {len(parts) or 'nothing'} to do", *parts], document)


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="How many; one by default.")
@click.option("--to", metavar="ID", help="Keep this one and roll back everything after it.")
@click.option("--all", "everything", is_flag=True, help="Roll back everything.")
@click.option("--discard-data", is_flag=True, help="Rows may be lost with it.")
@click.option("--from-files", is_flag=True, help="Use the files, not what the ledger has stored.")
@click.option("--dry-run", is_flag=True, help="Show the SQL and the rows it would lose.")
@running
@click.pass_obj
def rollback(
    context: Context,
    databases: tuple[str, ...],
    steps: int | None,
    to: str | None,
    everything: bool,
    discard_data: bool,
    from_files: bool,
    dry_run: bool,
) -> None:
    """Take migrations back, newest first; one unless told otherwise.

    Where there are several databases, name those that are meant.
    """
    if sum((steps is not None, to is not None, everything)) > 1:
        raise UsageError("--steps, --to and --all exclude each other")
    if to is None and steps is None and not everything:
        steps = 1
    options = options_of(context, discard_data=discard_data, rollback_from_files=from_files)
    chosen = context.databases(databases)
    if not databases and len(chosen) > 1:
        raise UsageError(
            "which database? There are several, and a rollback may lose rows in each",
            notes=[f"here are {', '.join(database.name for database in chosen)}"],
            hint=f"name one or more: pgvouch rollback {chosen[0].name}",
        )
    for database in chosen:
        with context.session(database, "rollback") as session:
            if dry_run:
                found = commands.look_back(session, database, options, steps=steps, to=to)
                _tell_back(context, database, found)
                continue
            listener = listen(session, context.progress())
            outcome = commands.roll_back_steps(
                session, database, options, listener, steps=steps, to=to
            )
        _tell(context, database, outcome, render.rolled_back(database.name, outcome))


def _tell_back(
    context: Context, database: Database, found: Sequence[tuple["Undo", tuple[str, ...]]]
) -> None:
    parts = [
        "\n".join([f"-- {undo.row.id}", *(f"-- {note}" for note in notes), _sql(undo), ""])
        for undo, notes in found
    ]
    document = {
        "database": database.name,
        "migrations": [
            {"id": undo.row.id, "sql": undo.script.source.text, "notes": list(notes)}
            for undo, notes in found
        ],
    }
    _tell_sql(
        context, [f"-- {database.name}: {len(parts) or 'nothing'} to roll back", *parts], document
    )


def _tell_sql(context: Context, parts: Sequence[str], document: dict[str, Any]) -> None:
    if context.as_json:
        context.tell(document=document)
    else:
        output.say_text("\n".join(parts))


def _sql(undo: "Undo") -> str:
    return undo.script.source.text.rstrip()


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@running
@click.pass_obj
def seed(context: Context, databases: tuple[str, ...]) -> None:
    """Load development data from seed/NAME.sql, in one transaction."""
    from pgvouch.engine.prepare import check_sql
    from pgvouch.files.folder import read_text

    for database in context.databases(databases):
        path = context.project.seed / f"{database.name}.sql"
        if not path.exists():
            raise UsageError(f"there is no seed for {database.name}", Place(path))
        text = read_text(path)
        check_sql(text, path)
        with context.session(database, "seed") as session:
            _run_seed(session, database, path_text=(Place(path), text))
        context.tell(
            f"{database.name}: seeded", document={"database": database.name, "seeded": True}
        )


def _run_seed(session: Session, database: Database, path_text: tuple[Place, str]) -> None:
    from pgvouch.files.variables import Rendered
    from pgvouch.postgres.message import Message, Source

    place, text = path_text
    message = Message().add("begin")
    message.add_source(Source(place.path, text, Rendered(text)), None)
    try:
        session.run(message.text, rows_of_first=0)
        session.run("commit")
    except QueryError as exc:
        session.try_run("rollback")
        where = message.locate(exc)
        raise MigrationError(
            f"the seed of {database.name} failed: {exc.server.primary}",
            where.place or place,
            where.statement,
            exc.server,
            state="Nothing of it is in the database.",
            hint="pgvouch status tells whether the database is migrated",
        ) from None


@click.command()
@click.argument("migration", metavar="ID")
@click.option("--why", required=True, metavar="TEXT", help="Why the change is harmless.")
@click.option("--database", metavar="DB", help="Which database, where there are several.")
@common
@click.pass_obj
def accept(context: Context, migration: str, why: str, database: str | None) -> None:
    """Record that the change to an applied file is harmless, and why."""
    if not why.strip():
        raise UsageError("--why says nothing")
    chosen = context.databases((database,) if database else ())
    if len(chosen) > 1:
        raise UsageError("which database?", hint=f"--database {chosen[0].name} (or another one)")
    with context.session(chosen[0], "accept") as session:
        row = commands.accept(session, chosen[0], migration, why)
    context.tell(
        f"{row.id}: the change is accepted",
        document={"database": chosen[0].name, "accepted": row.id},
    )
