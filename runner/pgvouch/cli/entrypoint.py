"""pgvouch entrypoint: what a container starts, and what then becomes the application."""

import os
import shutil
import signal
import time
from pathlib import Path
from typing import NoReturn

import click
from click.core import ParameterSource

from pgvouch.address.where import UnnamedError
from pgvouch.cli import as_text, output
from pgvouch.cli.context import Context
from pgvouch.cli.options import running
from pgvouch.errors import NoCommandError, NotExecutableError, UsageError

_WAIT_S = 60.0
_OURS = (signal.SIGINT, signal.SIGTERM)
# Python ignores these, and what is ignored stays so behind an exec.
_PYTHONS = (signal.SIGPIPE, signal.SIGXFSZ)


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, metavar="-- CMD...")
@click.option("--database", "databases", multiple=True, metavar="DB", help="Only this one.")
@click.option("--no-migrate", is_flag=True, help="Only wait until another one has migrated.")
@running
@click.pass_obj
def entrypoint(
    context: Context, command: tuple[str, ...], databases: tuple[str, ...], no_migrate: bool
) -> None:
    """Wait for the server, migrate, then become CMD.

    CMD is the same process: it gets the signals, and its exit code is the container's.
    """
    if context.shape == "sarif":
        raise UsageError("stdout belongs to the command, so there is no SARIF here")
    if context.as_json:
        raise UsageError("stdout belongs to the command, so there is no --json here")
    if no_migrate and context.create:
        raise UsageError("--no-migrate creates nothing, so there is no --create-database with it")
    if click.get_current_context().get_parameter_source("wait") is ParameterSource.DEFAULT:
        context.wait_s = _WAIT_S
    _refuse_no_command(command[0])
    # One that came into the image by accident would have production migrate another database.
    context.no_dotenv = True
    try:
        chosen = context.databases(databases)
    except UnnamedError as exc:
        raise exc.explain("an entrypoint reads the environment alone, and no .env") from None
    if no_migrate:
        until_s = time.monotonic() + context.wait_s
        for vouch in chosen:
            vouch.wait_for_schema(max(until_s - time.monotonic(), 0.0))
    else:
        for vouch in chosen:
            with vouch, output.kept_for_data():
                outcome = vouch.migrate()
            context.tell_done(vouch.name, as_text.migrated(vouch.name, outcome))
    _become(command)


def _refuse_no_command(name: str) -> None:
    """Refuse a command that cannot be run, ahead of everything else."""
    if shutil.which(name):
        return
    hint = "nothing was waited for and nothing migrated: correct the command first"
    if shutil.which(name, mode=os.F_OK) or ("/" in name and Path(name).exists()):
        raise NotExecutableError(f"{name} cannot be executed", hint=hint)
    raise NoCommandError(f"there is no command {name}", hint=hint)


def _become(command: tuple[str, ...]) -> NoReturn:
    output.put_all()
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
