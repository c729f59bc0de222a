"""pgvouch completion, and what a shell asks for at each tab.

What is completed is known by its metavar: DB, ID, TEMPLATE, FILE, DIR. Only files are read, and no
server is asked.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from pgvouch.cli import output
from pgvouch.cli.context import Context
from pgvouch.cli.main import cli
from pgvouch.config.project import Project, database_names, find_project, migration_names

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_PGVOUCH_COMPLETE"
"""In the environment where a shell asks: `__main__` looks for it ahead of everything else."""
_NOTHING_TO_A_SHELL = re.compile(r"\w[\w.@%+=:,/-]*\Z")
"""What is put into a command line as it is: a name of a checkout may hold `$(…)`."""
Given = Callable[[click.Context, str], Iterable[str | CompletionItem]]


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    It completes commands, options, databases and migrations.
    """
    output.say_drawn(_script(shell).rstrip("\n"))


def complete(instruction: str) -> int:
    """Answer a shell: print what can follow, or nothing where anything at all is wrong.

    Args:
        instruction: such as `bash_complete`.

    Returns:
        The exit code.
    """
    shell, _, what = instruction.partition("_")
    sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - what is said there breaks the prompt
    try:
        if what == "source":
            click.echo(_script(shell), nl=False)
        else:
            cli.teach = _teach
            click.echo(_asked(shell).complete())
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt):
        return 1
    return 0


def _asked(shell: str) -> ShellComplete:
    kind = get_completion_class(shell)
    assert kind is not None
    return kind(cli, {"obj": Context(os.environ)}, "pgvouch", _VARIABLE)


def _script(shell: str) -> str:
    # Not its own source(): that of bash asks a bash for its version.
    return ShellComplete.source(_asked(shell))


class _Completed(click.ParamType):  # type: ignore[type-arg]
    """A value that is completed; it is not converted."""

    name = "text"

    def __init__(self, given: Given) -> None:
        self._given = given

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return what can follow."""
        there = ctx.params.get(str(param.name)) if param.nargs == -1 or param.multiple else ()
        items = [
            item if isinstance(item, CompletionItem) else CompletionItem(item)
            for item in self._given(ctx, incomplete)
        ]
        return [
            item
            for item in items
            if item.type != "plain"
            or (
                item.value.startswith(incomplete)
                and item.value not in (there or ())
                and _NOTHING_TO_A_SHELL.match(item.value)
            )
        ]


def _databases(ctx: click.Context, _incomplete: str) -> list[str]:
    return [name for name in database_names(_project(ctx)) if name]


def _migrations(ctx: click.Context, _incomplete: str) -> Iterable[str]:
    project = _project(ctx)
    there = database_names(project)
    said = ctx.params.get("databases") or ctx.params.get("database") or ()
    # Ahead of an option without its value, click leaves the names as they are.
    named = [name for name in there if name in (*ctx.args, *([said] if said in there else said))]
    for name in named or there:
        yield from migration_names(project, name)


def _templates(ctx: click.Context, _incomplete: str) -> list[str]:
    from pgvouch.stamp.templates import Templates

    return Templates(_project(ctx).templates).names()


def _commands(ctx: click.Context, _incomplete: str) -> list[str]:
    return cli.list_commands(ctx)


def _files(_ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]


def _folders(_ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="dir")]


def _project(ctx: click.Context) -> Project:
    given = ctx.find_object(Context)
    assert given is not None
    return find_project(given.config, given.migrations)


_COMPLETED: dict[str, Given] = {
    "DB": _databases,
    "ID": _migrations,
    "TEMPLATE": _templates,
    "COMMAND": _commands,
    "FILE": _files,
    "PROGRAM": _files,
    "DIR": _folders,
    "FOLDER": _folders,
}


def _teach(command: click.Command) -> None:
    """Have the parameters of a command completed, and those of its subcommands."""
    for parameter in command.params:
        shown = parameter.metavar or (parameter.name or "").upper()
        if given := _COMPLETED.get(shown.strip("[]. ")):
            parameter.type = _Completed(given)
        elif shown == "DATABASE":
            parameter.type = _Completed(_databases)
        elif "CMD" in shown:
            parameter.type = _Completed(_files)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _teach(below)
