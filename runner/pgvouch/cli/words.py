"""The words of other tools, and what is typed here for them. Loaded when a word is not known."""

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


def unknown_option(exc: click.NoSuchOption, commands: Sequence[str]) -> click.NoSuchOption:
    """Return the error for an option that there is not, with the one thing that may be meant.

    Args:
        exc: as click has it, which names whatever is a little like it.
        commands: some are typed with dashes ahead of them.
    """
    name = exc.option_name
    if exc.ctx is None:
        return exc
    if exc.ctx.parent is None and (word := name.lstrip("-")) in commands:
        said = f"No such option '{name}'. It is a command: pgvouch {word}"
        return click.NoSuchOption(name, said, ctx=exc.ctx)
    options = [each for option in exc.ctx.command.params for each in option.opts]
    near = nearest(name, options, likeness=0.7) if name.startswith("--") else None
    return click.NoSuchOption(name, None, [near] if near else None, ctx=exc.ctx)


_LONGEST = 40
