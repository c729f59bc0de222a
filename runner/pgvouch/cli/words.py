"""What is wrong with a command line, and the words of other tools. Loaded when something is."""

import re
from collections.abc import Sequence

import click

from pgvouch.errors import UsageError
from pgvouch.sqltext.near import nearest

_TO_MIGRATE = "pgvouch migrate applies what is pending"
_TO_ROLL_BACK = "pgvouch rollback takes the newest migration back; --steps N, --to ID, --all"
_TO_SEE = "pgvouch status shows every migration; pgvouch current the newest that is applied"
_TO_WRITE = "pgvouch new NAME writes the files of a new migration"
_NEVER = (
    "there is deliberately no command that empties a database: pgvouch rollback --all takes every "
    "migration back, and dropdb drops the database"
)
_TO_JUDGE = (
    "pgvouch status says which applied files have changed; pgvouch verify runs every promise again"
)
WORDS = {
    **dict.fromkeys(
        ("upgrade", "apply", "deploy", "push", "run", "latest", "sync", "execute", "migrations"),
        _TO_MIGRATE,
    ),
    **dict.fromkeys(("downgrade", "revert", "undo", "back", "unapply"), _TO_ROLL_BACK),
    **dict.fromkeys(("upto", "up-to", "up-by-one", "goto"), "pgvouch migrate --to ID"),
    **dict.fromkeys(("down-to", "downto"), "pgvouch rollback --to ID, which stays"),
    **dict.fromkeys(("info", "show", "list", "ls", "heads", "head", "pending", "st"), _TO_SEE),
    **dict.fromkeys(
        ("generate", "gen", "create", "make", "revision", "add", "makemigrations"), _TO_WRITE
    ),
    **dict.fromkeys(("validate", "check", "test"), _TO_JUDGE),
    **dict.fromkeys(("clean", "drop", "reset", "fresh", "wipe", "purge", "refresh"), _NEVER),
    **dict.fromkeys(("log", "logs", "audit"), "pgvouch history shows what was done, and by whom"),
    **dict.fromkeys(("rebase", "rerun"), "pgvouch redo does the newest migration again"),
    **dict.fromkeys(("diff", "compare"), "pgvouch drift compares the database with its migrations"),
    "mark": "pgvouch baseline records what the database has already, and proves it",
    "unmark": _TO_ROLL_BACK,
    "resolve": "pgvouch repair ID settles what has stopped halfway; pgvouch accept ID --why "
    "TEXT a changed file",
    "force": "pgvouch repair ID settles what has stopped halfway",
    "version": "pgvouch current prints the newest migration that is applied; pgvouch --version "
    "the program's own version",
    "setup": "pgvouch migrate --create-database; pgvouch seed loads development data",
    "bootstrap": "pgvouch init --from-database begins with a database that is there",
    "import": "pgvouch adopt FOLDER takes another tool's project over",
    "dry-run": "pgvouch migrate --dry-run prints the SQL; pgvouch plan says what would be done",
    "rehearse": "pgvouch migrate --rehearse runs all of it and keeps nothing",
    **dict.fromkeys(("psql", "shell", "console"), "pgvouch server psql, for the embedded server"),
    "start": "pgvouch server start",
    "stop": "pgvouch server stop",
}
"""By the word of another tool; what is a command here, or an alias of one, has no entry."""
_FRAMES = ("db", "migrate", "migration", "migrations")
"""What stands ahead of a colon: `db:migrate`, `migrate:latest`."""


def unknown_command(word: str, known: Sequence[str]) -> UsageError:
    """Return the error for a word that is no command.

    Args:
        word: what stands in the place of one.
        known: every command, and every alias.
    """
    frame, _, rest = word.rpartition(":")
    plain = rest if frame.partition(":")[0] in _FRAMES else word
    shown = word if len(word) < _LONGEST else "such command"
    said = f"there is no command `{shown}`" if shown == word else f"there is no {shown}"
    if hint := WORDS.get(plain):
        return UsageError(said, hint=hint)
    if plain in known:
        return UsageError(said, hint=f"it is called pgvouch {plain}")
    near = nearest(word, known)
    if near is None and (other := nearest(word, WORDS, likeness=0.75)):
        return UsageError(said, hint=WORDS[other])
    if near:
        return UsageError(said, hint=f"did you mean pgvouch {near}?")
    return UsageError(said, hint="pgvouch help lists the commands")


def wrong_line(exc: click.ClickException, commands: Sequence[str]) -> UsageError:
    """Return what click says of a command line as an error that reads like all others.

    Args:
        exc: as click has it.
        commands: every command; some are typed with dashes ahead of them.
    """
    ctx = exc.ctx if isinstance(exc, click.UsageError) else None
    program = ctx.command_path if ctx else "pgvouch"
    hint = f"{program} --help" if ctx else None
    if isinstance(exc, click.NoSuchOption):
        return _unknown_option(exc, program, commands)
    if isinstance(exc, click.MissingParameter) and exc.param:
        return UsageError(f"{program} needs {_called(exc.param)}", hint=hint)
    if isinstance(exc, click.BadParameter) and exc.param:
        said = exc.message.rstrip(".").replace("a valid integer range", "a whole number")
        return UsageError(f"{_called(exc.param)}: {said}", hint=hint)
    said = exc.format_message().rstrip(".")
    if ctx and isinstance(ctx.command, click.Group) and (word := _NO_COMMAND.match(said)):
        near = nearest(word[1], ctx.command.list_commands(ctx))
        meant = f"did you mean {program} {near}?" if near else hint
        return UsageError(f"{program} has no command `{word[1]}`", hint=meant)
    if isinstance(exc, click.BadOptionUsage):
        said = said.replace(f"'{exc.option_name}'", exc.option_name)
    return UsageError(said[:1].lower() + said[1:], hint=hint)


def _unknown_option(exc: click.NoSuchOption, program: str, commands: Sequence[str]) -> UsageError:
    name = exc.option_name
    error = UsageError(f"{program} has no option {name}", hint=f"{program} --help lists them")
    if exc.ctx is None:
        return error
    if exc.ctx.parent is None and (word := name.lstrip("-")) in commands:
        error.hint = f"it is a command: pgvouch {word}"
    elif name.startswith("--"):
        options = [each for option in exc.ctx.command.params for each in option.opts]
        if near := nearest(name, options, likeness=0.7):
            error.hint = f"did you mean {near}?"
    return error


def _called(parameter: click.Parameter) -> str:
    """Return what a parameter is typed as."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return parameter.human_readable_name


_NO_COMMAND = re.compile("No such command '([^']*)'")
_LONGEST = 40
