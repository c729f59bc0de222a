"""The program: a command line in, an exit code out."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from pgvouch import __version__
from pgvouch.cli import as_text, output
from pgvouch.cli.options import Context
from pgvouch.errors import VouchError


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command line and return the exit code.

    Args:
        arguments: without the program's name.
        environment: DATABASE_URL and the like.
    """
    context = Context(environment)
    code: Any = 0
    # The options are not parsed yet when they are wrong.
    # What follows `--` is for the command that an entrypoint becomes.
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    as_json = "--json" in own
    output.begin()
    error: VouchError | None = None
    try:
        code = cli.main(list(arguments), "pgvouch", standalone_mode=False, obj=context)
    except click.ClickException as exc:
        as_text.refuse_arguments(exc, own, as_json=as_json)
        return exc.exit_code
    except (Exception, KeyboardInterrupt) as exc:
        from pgvouch.cli.endings import error_of

        if isinstance(exc, OSError) and {"--help", "-h", "--version"} & set(own):
            with output.written_to(1):
                raise
        else:
            error, code = error_of(exc)
            as_text.forget_urls(error, arguments)
    if context.as_json:
        output.say_json({**context.document, **({"error": error.as_dict()} if error else {})})
    elif error:
        as_text.print_error(error)
    if error is None and (unwritten := output.finish()):
        as_text.print_error(unwritten)
        return unwritten.exit_code
    return code if isinstance(code, int) else 0


class Lazy(click.Group):
    """A group whose commands are imported when they are used: start-up time is a feature."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands, in the order of a day's work."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if name not in _COMMANDS:
            return None
        from importlib import import_module

        module = name.replace("-", "_")
        command = getattr(import_module(f"pgvouch.cli.{module}"), module)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it has drawn is gone before anything is said of its end."""
        try:
            return super().invoke(ctx)
        finally:
            output.undraw()


_COMMANDS = (
    "migrate", "rollback", "status", "plan", "verify", "drift", "new", "stamp", "lint", "dump",
    "seed", "accept", "accept-delta", "repair", "init", "adopt", "baseline", "squash",
    "wait", "entrypoint", "server",
)  # fmt: skip
"""Each in a module of its name, in the order of a day's work."""


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pgvouch")
def cli() -> None:
    """Raw-SQL PostgreSQL migrations that vouch for themselves."""
