"""Whether a command line that a document shows is one that pgvouch takes; nothing is run."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import click

from pgvouch.cli.main import Context, cli
from support.program import PROGRAM


def refuse_unknown(words: Sequence[str], *, whole: bool = True) -> None:
    """Have click read a command line.

    Args:
        words: with the program's name.
        whole: False where a document names a command without its arguments.

    Raises:
        ClickException: there is no such command, option or argument.
    """
    assert words[0] == "pgvouch", words
    if len(words) == 1 or words[1:] == ["--help"]:
        return
    command = cli.get_command(PROGRAM, words[1])
    if command is None:
        raise click.NoSuchOption(words[1])
    try:
        command.make_context(words[1], list(words[2:]), parent=PROGRAM, obj=Context({}))
    except click.MissingParameter:
        if whole:
            raise


def commands_in(value: Any) -> Iterator[list[str]]:
    """Every pgvouch command in a YAML document: a list of words, or a step's `run`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "run" and inner.startswith("pgvouch"):
                yield shlex.split(inner)
            yield from commands_in(inner)
    elif isinstance(value, list):
        if value and value[0] == "pgvouch":
            yield value
        for inner in value:
            yield from commands_in(inner)
