"""The program: a command line in, an exit code out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from pgvouch import __version__
from pgvouch.cli import as_text, output
from pgvouch.cli.context import Context
from pgvouch.cli.options import SHARED, common
from pgvouch.errors import UsageError, VouchError


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command line and return the exit code.

    Args:
        arguments: without the program's name.
        environment: DATABASE_URL and the like.
    """
    code: Any = 0
    # The options are not parsed yet when they are wrong.
    # What follows `--` is for the command that an entrypoint becomes.
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    as_json, shape = "--json" in own, _given(own, "--format")
    context = Context(
        environment,
        shape=shape if shape == "github" or (shape == "sarif" and not as_json) else "text",
        log_format=_given(own, "--log-format"),
    )
    output.begin(guarded=shape == "github", data_alone=shape == "sarif")
    error: VouchError | None = None
    try:
        _refuse_two_documents(as_json=as_json, shape=shape)
        # Shells that ask what can follow have had their answer in `__main__`.
        code = cli.main(
            list(arguments), "pgvouch", complete_var="", standalone_mode=False, obj=context
        )
    except _NO_ARGUMENTS as exc:
        exc.show()
        return exc.exit_code
    except (Exception, KeyboardInterrupt) as exc:
        from pgvouch.cli.endings import error_of

        if isinstance(exc, OSError) and {"--help", "-h", "--version"} & set(own):
            with output.written_to(1):
                raise
        else:
            error, code = error_of(exc, _COMMANDS)
    if error:
        as_text.forget_urls(error, arguments)
        context.as_json |= as_json  # it may have come ahead of the options
        context.report(error, code)
    if context.as_lines and error:
        output.say_json({"event": "error", "error": error.as_dict()}, indent=None)
    elif context.as_json and not context.as_lines:
        output.say_json({**context.document, **({"error": error.as_dict()} if error else {})})
    context.finish()
    if error is None and (unwritten := output.finish()):
        as_text.print_error(unwritten)
        return unwritten.exit_code
    return code if isinstance(code, int) else 0


def _refuse_two_documents(*, as_json: bool, shape: str) -> None:
    if as_json and shape == "sarif":
        raise UsageError("--json and --format sarif both want stdout", hint="leave one out")


def _given(own: Sequence[str], option: str) -> str:
    """Return the value of an option before it is parsed."""
    for number, argument in enumerate(own):
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2]
        if argument == option:
            return own[number + 1] if own[number + 1 :] else ""
    return ""


class Lazy(click.Group):
    """A group whose commands are imported when they are used: start-up time is a feature.

    Options may stand ahead of the command too: they are read as if they stood right behind it, so
    that one which the command does not have is refused, and one behind it wins.
    """

    teach: Callable[[click.Command], None] | None = None
    """Called with each command that is imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands, in the order of a day's work."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        name = ALIASES.get(name, name)
        if name not in _COMMANDS:
            return None
        from importlib import import_module

        module = name.replace("-", "_")
        command = getattr(import_module(f"pgvouch.cli.{module}"), module)
        assert isinstance(command, click.Command)
        if self.teach is not None:
            self.teach(command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it has drawn is gone before anything is said of its end."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as exc:  # of which click would write, past what `output` keeps
            raise click.Abort from exc
        finally:
            output.undraw()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant.

        Raises:
            UsageError: there is none of that name, with the one that is meant instead.
        """
        word = args[0]
        if (command := self.get_command(ctx, word)) is not None:
            return command.name, command, args[1:]
        if ctx.resilient_parsing or word.startswith("-"):
            return super().resolve_command(ctx, args)
        from pgvouch.cli.words import unknown_command

        raise unknown_command(word, [*_COMMANDS, *ALIASES])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options of the program itself, and put those of the command behind it."""
        return super().parse_args(ctx, self._behind_the_command(ctx, args))

    def _behind_the_command(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = {name: option for option in SHARED for name in option.opts}
        end = 0
        while end < len(args):
            name, equals, _ = args[end].partition("=")
            if (option := options.get(name)) is None:
                break
            takes_next = not (option.is_flag or equals)
            end += 1 + takes_next
        ahead, rest = args[:end], args[end:]
        if not ahead or not rest or rest[0].startswith("-") or rest[0] == "help":
            return args
        words = 1
        command = self.get_command(ctx, rest[0])
        if isinstance(command, click.Group) and rest[1:] and rest[1] in command.commands:
            words = 2
            command = command.commands[rest[1]]
        if command is not None and command.context_settings.get("ignore_unknown_options"):
            known = {name for parameter in command.params for name in parameter.opts}
            given = [word.partition("=")[0] for word in ahead]
            strange = [name for name in given if name in options and name not in known]
            if strange and not ctx.resilient_parsing:
                raise click.NoSuchOption(strange[0], ctx=ctx)
        return [*rest[:words], *ahead, *rest[words:]]


_NO_ARGUMENTS: tuple[type[click.ClickException], ...] = tuple(
    filter(None, [getattr(click.exceptions, "NoArgsIsHelpError", None)])  # from click 8.2 on
)
_COMMANDS = (
    "migrate", "rollback", "redo", "status", "current", "history", "plan", "explain", "verify",
    "drift", "report", "new", "stamp", "lint", "dump", "seed", "accept", "accept-delta", "repair",
    "init", "adopt", "baseline", "squash", "wait", "entrypoint", "server", "fleet", "completion",
    "help",
)  # fmt: skip
"""Each in a module of its name, in the order of a day's work."""
ALIASES = {"up": "migrate", "down": "rollback"}
"""What people type from habit, and is not listed."""


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pgvouch")
@common
def cli() -> None:
    """Raw-SQL PostgreSQL migrations that vouch for themselves.

    A command's options may also come before it.
    """
