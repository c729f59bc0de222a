"""How a failed run ends: every exception as one error with its exit code."""

import os
import signal
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from pgvouch.cli import output
from pgvouch.errors import SIGNALLED, Interrupted, Place, UsageError, VouchError

TRACEBACK = "PGVOUCH_TRACEBACK"
"""The environment variable that has the traceback of an unforeseen error shown."""


def error_of(exc: BaseException, commands: Sequence[str]) -> tuple[VouchError, int]:
    """Return the error that a person reads, and the exit code.

    Args:
        exc: what a run has ended with.
        commands: every command, for who has mistyped something.
    """
    if isinstance(exc, (KeyboardInterrupt, click.Abort)):
        return _interrupted(exc)
    if signalled := _behind(exc):  # a driver or a step has made another error of it
        signalled.state = signalled.state or getattr(exc, "state", None)
        return _interrupted(signalled)
    if isinstance(exc, VouchError):
        error = exc
    elif isinstance(exc, click.ClickException):
        from pgvouch.cli.words import wrong_line

        error = wrong_line(exc, commands)
    elif isinstance(exc, OSError) and exc.filename:
        error = UsageError(f"{exc.strerror or exc}: {os.fspath(exc.filename)!s}")
    elif isinstance(exc, MemoryError):
        hint = "pgvouch status shows what is done"
        error = VouchError("there is not enough memory", hint=hint)
    else:
        error = _unforeseen(exc)
    return error, error.exit_code


def _behind(exc: BaseException | None) -> Interrupted | None:
    """Return the signal that an error came after."""
    while exc is not None and not isinstance(exc, Interrupted):
        exc = exc.__cause__ or exc.__context__
    return exc


def _interrupted(abort: BaseException) -> tuple[VouchError, int]:
    exc = abort.__cause__ or abort  # click raises its own from ours
    number = exc.signal if isinstance(exc, Interrupted) else signal.SIGINT
    error = VouchError(
        f"interrupted by {signal.Signals(number).name}",
        state=exc.state if isinstance(exc, Interrupted) else None,
        hint="the same command again goes on where this one stopped",
    )
    return error, SIGNALLED + number


def _unforeseen(exc: BaseException) -> VouchError:
    """Return the error for a mistake of ours; its text is not shown, for it may hold anything."""
    if os.environ.get(TRACEBACK):
        output.say_text("".join(traceback.format_exception(exc)).rstrip(), err=True)
    frames = list(traceback.extract_tb(exc.__traceback__))
    own = [f for f in frames if "pgvouch" in Path(f.filename).parts]
    last = next(reversed(own or frames), None)
    return VouchError(
        f"pgvouch has met something unforeseen: {type(exc).__name__}",
        Place(Path(last.filename), last.lineno) if last else None,
        hint=f"{TRACEBACK}=1 shows how it came to that: please report it; "
        "pgvouch status shows what is in the database",
    )
