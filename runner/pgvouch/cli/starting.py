"""Commands for the start of a container: wait, and entrypoint, which becomes the application."""

import os
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

import click
from click.core import ParameterSource

from pgvouch.cli import output, render
from pgvouch.cli.main import Context, common, duration_s, running
from pgvouch.cli.running import listen, options_of
from pgvouch.config.project import Database
from pgvouch.engine import commands
from pgvouch.errors import NoDatabaseError, PlanError, UsageError
from pgvouch.events import Waiting
from pgvouch.postgres.reach import connect
from pgvouch.postgres.retry import Patience, Refusal, patiently
from pgvouch.postgres.session import Session

_WAIT_S = 60.0
_NO_RIGHT = "42501"
_OURS = (signal.SIGINT, signal.SIGTERM)
# Python ignores these, and what is ignored stays so behind an exec.
_PYTHONS = (signal.SIGPIPE, signal.SIGXFSZ)


class NoCommandError(UsageError):
    """What the entrypoint shall become is not there."""

    exit_code = 127  # as a shell says it


class NotExecutableError(UsageError):
    """What the entrypoint shall become is there, and cannot be run."""

    exit_code = 126


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--for-schema", is_flag=True, help="Also until every migration here is applied.")
@click.option(
    "--wait", "wait_s", callback=duration_s, default="60s", metavar="TIME",
    help="How long, for all of it together (60s).",
)  # fmt: skip
@common
@click.pass_obj
def wait(context: Context, databases: tuple[str, ...], for_schema: bool, wait_s: float) -> None:
    """Wait for the server (60 s, or --wait), and for the schema that these files ask for."""
    chosen = context.databases(databases)
    waiting = _Wait(context, wait_s)
    for database in chosen:
        if for_schema:
            waiting.for_schema(database)
            said = "is at these files"
        else:
            is_there = waiting.for_server(database)
            said = "answers" if is_there else "the server answers; there is no such database yet"
        context.tell(
            f"{database.name}: {said}", document={"database": database.name, "ready": True}
        )


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, metavar="-- CMD...")
@click.option("--database", "databases", multiple=True, metavar="DB", help="Only this one.")
@click.option("--no-migrate", is_flag=True, help="Only wait until another one has migrated.")
@running
@click.pass_obj
def entrypoint(
    context: Context, command: tuple[str, ...], databases: tuple[str, ...], no_migrate: bool
) -> None:
    """Wait for the server, migrate, and become CMD: same process, its signals, its exit code."""
    if context.as_json:
        raise UsageError("stdout belongs to the command, so there is no --json here")
    if no_migrate and context.create:
        raise UsageError("--no-migrate creates nothing, so there is no --create-database with it")
    if click.get_current_context().get_parameter_source("wait") is ParameterSource.DEFAULT:
        context.wait_s = _WAIT_S
    _refuse_no_command(command[0])
    chosen = context.databases(databases)
    if no_migrate:
        waiting = _Wait(context, context.wait_s)
        for database in chosen:
            waiting.for_schema(database)
    else:
        _migrate(context, chosen)
    _become(command)


def _migrate(context: Context, databases: Sequence[Database]) -> None:
    options = options_of(context)
    required = context.project.verify_required
    for database in databases:
        with context.session(database, "entrypoint") as session:
            listener = listen(session, context.progress())
            outcome = commands.migrate(
                session, database, options, listener, require_promises=required
            )
        output.say(render.migrated(database.name, outcome), err=True)


class _Wait:
    """One budget of time for everything that is waited for. It writes nothing anywhere."""

    def __init__(self, context: Context, budget_s: float) -> None:
        self.context = context
        self.listener = context.progress()
        self.until_s = time.monotonic() + budget_s

    @property
    def left_s(self) -> float:
        return max(self.until_s - time.monotonic(), 0.0)

    def open(self, database: Database) -> AbstractContextManager[Session]:
        return connect(
            self.context.resolve(database),
            application_name="pgvouch wait",
            create=False,
            wait_s=self.left_s,
            tell=self.listener,
        )

    def for_server(self, database: Database) -> bool:
        """Wait until the server answers; say whether the database is there."""
        try:
            with self.open(database):
                return True
        except NoDatabaseError:
            return False

    def for_schema(self, database: Database) -> None:
        """Wait until another runner has made the database, let us look, and applied these files.

        Raises:
            ConnectError: the time is spent.
            DriftError: an applied file has changed or is gone: waiting would not help.
            PlanError: the time is spent, and this role may not read the ledger.
        """

        def look() -> None:
            with self.open(database) as session:
                try:
                    commands.wait_for_schema(session, database, self.left_s, self.listener)
                except PlanError as exc:
                    if not _is_refused(exc):
                        raise
                    raise _may_not_read(session, exc) from None

        def tell(refusal: Refusal) -> None:
            self.listener(Waiting(str(refusal.error), refusal.remaining_s))

        # The migration that grants this role the right may still be on its way.
        patiently(
            look,
            Patience(self.left_s, first_s=0.2, longest_s=2.0),
            again=lambda exc: isinstance(exc, NoDatabaseError) or _is_refused(exc),
            tell=tell,
        )


def _is_refused(exc: BaseException) -> bool:
    server = exc.server if isinstance(exc, PlanError) else None
    return server is not None and server.sqlstate == _NO_RIGHT


def _may_not_read(session: Session, exc: PlanError) -> PlanError:
    from psycopg.sql import Identifier

    role = session.connection.info.user
    name = Identifier(role).as_string(None)
    return PlanError(
        f"the role {role} may not read the ledger, so it cannot see what is applied",
        server=exc.server,
        state="Nothing was run.",
        hint="grant it in a migration, as the owner: "
        f"grant usage on schema pgvouch to {name}; "
        f"grant select on pgvouch.ledger, pgvouch.migration, pgvouch._yoyo_migration to {name}; "
        "an application's own role needs nothing there: wait as another one",
    )


def _refuse_no_command(name: str) -> None:
    """Refuse a command that cannot be run, ahead of everything else.

    Raises:
        NoCommandError: there is none of this name.
        NotExecutableError: there is one that may not be executed.
    """
    if shutil.which(name):
        return
    hint = "nothing was waited for and nothing migrated: correct the command first"
    if shutil.which(name, mode=os.F_OK) or ("/" in name and Path(name).exists()):
        raise NotExecutableError(f"{name} cannot be executed", hint=hint)
    raise NoCommandError(f"there is no command {name}", hint=hint)


def _become(command: tuple[str, ...]) -> NoReturn:
    # What was ignored when we were started is still: it is meant for the application.
    taken = [number for number in _OURS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in (*taken, *_PYTHONS):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, _environment())  # noqa: S606 - it is what this is for
    except OSError as exc:
        raise NotExecutableError(
            f"{command[0]} cannot be executed: {exc.strerror or exc}",
            state="The schema is at these files; the command did not start.",
            hint="a script needs a first line such as #!/bin/sh, and what it names has to be there",
        ) from None


def _environment() -> dict[str, str]:
    """Return the environment as it was given: under the C locale Python adds LC_CTYPE to it."""
    found = dict(os.environ)
    try:
        given = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:  # not Linux: nothing tells what was given
        return found
    if not any(entry.startswith(b"LC_CTYPE=") for entry in given):
        found.pop("LC_CTYPE", None)
    return found
