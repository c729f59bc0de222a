"""pgvouch server: start, stop, url, psql."""

import os

import click

from pgvouch import embedded
from pgvouch.address.conninfo import looks_like_one
from pgvouch.cli import output
from pgvouch.cli.context import Context
from pgvouch.cli.options import common
from pgvouch.config.project import database_names
from pgvouch.errors import UsageError


@click.group()
def server() -> None:
    """Start, stop and reach the embedded PostgreSQL."""


@server.command()
@common
@click.pass_obj
def start(context: Context) -> None:
    """Start the server; the first time, create it."""
    found = embedded.ensure_running(context.project).url()
    context.tell(found, document={"url": found})


@server.command()
@common
@click.pass_obj
def stop(context: Context) -> None:
    """Stop the server; its data stays."""
    stopped = embedded.stop(context.project)
    output.say("stopped" if stopped else "it was not running", err=True)


def _refuse_url(name: str | None) -> None:
    """Refuse a URL for a name: an error about a database of that name would repeat it."""
    if name is not None and looks_like_one(name):
        raise UsageError(
            "a URL stands where the name of a database belongs",
            hint="these commands are for the embedded server alone: leave the URL out",
        )


def _only_database(context: Context) -> str | None:
    """Return the name of the project's database, where there is just one."""
    project = context.project
    names = database_names(project) if project.migrations.is_dir() else []
    return (names[0] or project.root.name) if len(names) == 1 else None


@server.command()
@click.argument("database", required=False)
@common
@click.pass_obj
def url(context: Context, database: str | None) -> None:
    """Print the URL of a database, starting the server where needed.

    Without a name: of the only one, or, where there are several, a URL for all of them.
    """
    _refuse_url(database)
    found = embedded.ensure_running(context.project).url(database or _only_database(context) or "")
    context.tell(found, document={"url": found})


@server.command(context_settings={"ignore_unknown_options": True})
@click.argument("database", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@common
@click.pass_obj
def psql(context: Context, database: str | None, arguments: tuple[str, ...]) -> None:
    """Open psql on a database; what follows its name, or `--`, goes to psql.

    Without a name: on the only one, or, where there are several, on `postgres`.
    """
    if database is not None and database.startswith("-"):  # psql's own first option
        arguments, database = (database, *arguments), None
    _refuse_url(database)
    database = database or _only_database(context) or "postgres"
    target = embedded.ensure_running(context.project).url(database)
    program = str(embedded.psql(context.project))
    os.execv(program, [program, target, *arguments])  # noqa: S606 - psql is the command
