"""pgvouch new."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pgvouch.cli import as_text
from pgvouch.cli.context import Context
from pgvouch.cli.options import common
from pgvouch.errors import UsageError


@click.command()
@click.argument("name")
@click.option("--sql", metavar="TEXT", help="Its statements; - reads them from stdin.")
@click.option(
    "--stamp",
    "stamps",
    multiple=True,
    metavar="TEMPLATE",
    help="A template to begin with, as in --stamp 'updated_at_trigger(table=\"notes\")'.",
)
@click.option("--timestamp", is_flag=True, help="Number it by the time (UTC).")
@click.option("--edit", is_flag=True, help="Open the files in $VISUAL or $EDITOR.")
@click.option("--database", metavar="DB", help="Which folder, where there are several.")
@common
@click.pass_obj
def new(
    context: Context,
    name: str,
    sql: str | None,
    stamps: tuple[str, ...],
    timestamp: bool,
    edit: bool,
    database: str | None,
) -> None:
    """Write the files of a new migration.

    It gets the next number; in a folder numbered by time, the time now (UTC).
    """
    editor = _editor(context) if edit else []
    if sql == "-":
        sql = _from_stdin()
    paths = context.folder(database).new(name, sql=sql, stamps=stamps, timestamp=timestamp)
    for path in paths:
        context.tell(as_text.shown_path(path), document={"file": str(path)})
    if editor:
        _open([*editor, *map(str, paths)])


def _from_stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as exc:
        raise UsageError(f"what stdin holds is not UTF-8, from byte {exc.start} on") from None


def _editor(context: Context) -> list[str]:
    named = context.environment.get("VISUAL") or context.environment.get("EDITOR") or "vi"
    if not sys.stdin.isatty():
        raise UsageError("--edit needs a terminal", hint="leave it out, and edit the files")
    return shlex.split(named)


def _open(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, check=False)  # noqa: S603 - the editor that its user has named
    except OSError as exc:
        said = exc.strerror or exc
    else:
        said = f"exit code {done.returncode}" if done.returncode else ""
    if said:
        raise UsageError(
            f"the editor {Path(command[0]).name} failed: {said}",
            state="The files are written.",
            hint="set EDITOR",
        )
