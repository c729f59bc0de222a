"""Commands for the start of a container: wait, and entrypoint, which becomes the application."""

import os
import sys
from typing import NoReturn

import click

from pgvouch import api
from pgvouch.cli import Context, running
from pgvouch.commands.running import listen, options_of
from pgvouch.errors import UsageError

_WAIT_S = 60.0
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # as a shell says it


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--for-schema", is_flag=True, help="Also until every migration here is applied.")
@running
@click.pass_obj
def wait(context: Context, databases: tuple[str, ...], for_schema: bool) -> None:
    """Wait for the server (60 s, or --wait), and for the schema that these files ask for."""
    context.wait_s = context.wait_s or _WAIT_S
    for database in context.databases(databases):
        with context.session(database, "wait") as session:
            if for_schema:
                api.wait_for_schema(session, database, context.wait_s, context.progress())
        said = "is at these files" if for_schema else "answers"
        context.tell(f"{database.name}: {said}", {"database": database.name, "ready": True})


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
    context.wait_s = context.wait_s or _WAIT_S
    options = options_of(context)
    for database in context.databases(databases):
        with context.session(database, "entrypoint") as session:
            listener = listen(session, context.progress())
            if no_migrate:
                api.wait_for_schema(session, database, context.wait_s, listener)
            else:
                api.migrate(
                    session,
                    database,
                    options,
                    listener,
                    require_promises=context.project.verify_required,
                )
    _become(command)


def _become(command: tuple[str, ...]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming it is what an entrypoint is for
    except FileNotFoundError:
        _give_up(command[0], "there is no such command", _NOT_FOUND)
    except OSError as exc:
        _give_up(command[0], exc.strerror or str(exc), _NOT_EXECUTABLE)


def _give_up(name: str, why: str, code: int) -> NoReturn:
    click.echo(f"{click.style('error:', fg='red', bold=True)} {name}: {why}", err=True)
    sys.exit(code)
