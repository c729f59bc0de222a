"""The commands of the embedded server: server start, stop, url, psql."""

import os

import click

from pgvouch import output
from pgvouch import server as embedded
from pgvouch.cli import Context, common


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


@server.command()
@click.argument("database", default="postgres")
@common
@click.pass_obj
def url(context: Context, database: str) -> None:
    """Print the URL of a database, starting the server where needed."""
    found = embedded.ensure_running(context.project).url(database)
    context.tell(found, document={"url": found})


@server.command(context_settings={"ignore_unknown_options": True})
@click.argument("database", default="postgres")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@common
@click.pass_obj
def psql(context: Context, database: str, arguments: tuple[str, ...]) -> None:
    """Open psql on a database; what follows its name goes to psql."""
    target = embedded.ensure_running(context.project).url(database)
    program = str(embedded.psql(context.project))
    os.execv(program, [program, target, *arguments])  # noqa: S606 - psql is the command
