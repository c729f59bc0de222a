"""The commands: flags in, one call, a report and an exit code out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from pgvouch import __version__
from pgvouch.cli import output, render
from pgvouch.cli.output import Line
from pgvouch.config.project import Database, Project, choose, find_project
from pgvouch.errors import VouchError
from pgvouch.sqltext.duration import seconds

PENDING, DRIFT = 3, 4


@dataclass
class Context:
    """What the options before and after a command's name say."""

    environment: Mapping[str, str]
    url: str | None = None
    config: Path | None = None
    migrations: Path | None = None
    as_json: bool = False
    create: bool = False
    verbose: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    """Times and retries from the command line, by their names in the configuration."""
    wait_s: float = 0.0
    """How long to wait for the server to come up."""
    variables: dict[str, str] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        """The configuration."""
        return find_project(self.config, self.migrations)

    def databases(self, wanted: Sequence[str]) -> list[Database]:
        """The databases that the command is about."""
        return choose(self.project, wanted, self.url, self.environment)

    def resolve(self, database: Database) -> str:
        """The URL to connect to; `embedded:` starts the embedded server."""
        if not database.is_embedded:
            return database.url
        from pgvouch.embedded import resolve

        return resolve(database.url, self.project, database.name)

    @contextmanager
    def session(self, database: Database, command: str) -> Iterator[Any]:
        """Open a session on a database."""
        from pgvouch.postgres.reach import connect
        from pgvouch.postgres.result import BRIEF, FULL

        url = self.resolve(database)
        create = self.create or database.is_embedded
        name = f"pgvouch {command}"
        with connect(
            url, application_name=name, create=create, wait_s=self.wait_s, tell=self.progress()
        ) as session:
            session.sample = FULL if self.verbose else BRIEF
            yield session

    def tell(self, *lines: Line, document: dict[str, Any]) -> None:
        """Print a result now as lines of text, or keep it for the JSON document."""
        if self.as_json:
            self.document.setdefault("databases", []).append(document)
            return
        for line in lines:
            output.say(*((line,) if isinstance(line, str) else line))

    def progress(self) -> render.Progress:
        """A listener that fits the options."""
        return render.Progress(quiet=self.as_json, verbose=self.verbose)


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
        render.refuse_arguments(exc, own, as_json=as_json)
        return exc.exit_code
    except (Exception, KeyboardInterrupt) as exc:
        from pgvouch.cli.endings import error_of

        if isinstance(exc, OSError) and {"--help", "-h", "--version"} & set(own):
            with output.written_to(1):
                raise
        else:
            error, code = error_of(exc)
            render.forget_urls(error, arguments)
    _tell_end(context, error)
    if error is None and (unwritten := output.finish()):
        render.print_error(unwritten)
        return unwritten.exit_code
    return code if isinstance(code, int) else 0


def _tell_end(context: Context, error: VouchError | None) -> None:
    if context.as_json:
        told = {"error": error.as_dict()} if error else {}
        output.say_json({**context.document, **told})
    elif error:
        render.print_error(error)


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value not in (None, False, ()):
            setattr(ctx.ensure_object(Context), name, value)

    return callback


def _variables(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> None:
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise click.BadParameter("write NAME=VALUE", ctx, parameter)
        ctx.ensure_object(Context).variables[name] = text


def duration_s(ctx: click.Context, parameter: click.Parameter, value: str) -> float:
    """Return a time from the command line in seconds; a bare number means seconds.

    Raises:
        BadParameter: it is no time.
    """
    try:
        return seconds(value, unit="s")
    except ValueError:
        raise click.BadParameter("write a time such as 5s or 10min", ctx, parameter) from None


def _setting(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is None:
        return
    name = str(parameter.name)
    if name != "retries":
        duration_s(ctx, parameter, value)
    ctx.ensure_object(Context).settings[name] = str(value)


def _wait(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Context).wait_s = duration_s(ctx, parameter, value)


def _path(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    from pgvouch.config.address import looks_like_one

    if looks_like_one(value):
        raise click.BadParameter("a URL stands there; give it with --url", ctx, parameter)
    setattr(ctx.ensure_object(Context), str(parameter.name), Path(value))


_COMMON = (
    click.option(
        "--url", expose_value=False, callback=_store("url"), metavar="URL",
        help="Where to connect; otherwise DATABASE_URL_<NAME> or DATABASE_URL.",
    ),
    click.option(
        "--config", expose_value=False, callback=_path, metavar="FILE",
        help="The configuration; otherwise pgvouch.toml or pyproject.toml, looked for upwards.",
    ),
    click.option(
        "--migrations", expose_value=False, callback=_path, metavar="DIR",
        help="A folder of migrations; it needs no configuration.",
    ),
    click.option(
        "--json", "as_json", is_flag=True, expose_value=False, callback=_store("as_json"),
        help="One JSON document on stdout.",
    ),
)  # fmt: skip

_RUNNING = (
    click.option(
        "--var", multiple=True, expose_value=False, callback=_variables, metavar="NAME=VALUE",
        help="The value of a variable that a file declares; never printed, never stored.",
    ),
    click.option(
        "--lock-timeout", expose_value=False, callback=_setting, metavar="TIME",
        help="How long to wait for a table, e.g. 2s; by default half of deadlock_timeout.",
    ),
    click.option(
        "--statement-timeout", expose_value=False, callback=_setting, metavar="TIME",
        help="The longest a statement may take; a file's header overrides it.",
    ),
    click.option(
        "--retries", type=click.IntRange(min=0), expose_value=False, callback=_setting,
        metavar="N", help="How often a migration that gave way to others is tried again (10).",
    ),
    click.option(
        "--retry-budget", expose_value=False, callback=_setting, metavar="TIME",
        help="For all attempts of a migration together (10min).",
    ),
    click.option(
        "--lock-wait", expose_value=False, callback=_setting, metavar="TIME",
        help="How long to wait for another runner (5min).",
    ),
    click.option(
        "--wait", expose_value=False, callback=_wait, metavar="TIME",
        help="How long to wait for the server to come up.",
    ),
    click.option(
        "--create-database", "create", is_flag=True, expose_value=False, callback=_store("create"),
        help="Create the database where it is missing.",
    ),
    click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=_store("verbose"),
        help="Show notices, whole catalog deltas, and more of what a broken check has found.",
    ),
)  # fmt: skip


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every command has."""
    for option in reversed(_COMMON):
        function = option(function)
    return function


def running(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that run SQL files."""
    for option in reversed(_RUNNING):
        function = option(function)
    return common(function)


class Lazy(click.Group):
    """A group whose commands are imported when they are used: start-up time is a feature."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands, in the order of a day's work."""
        del ctx
        return list(_MODULES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if name not in _MODULES:
            return None
        from importlib import import_module

        command = getattr(import_module(_MODULES[name]), name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command


_MODULES = {
    "migrate": "pgvouch.cli.running",
    "rollback": "pgvouch.cli.running",
    "status": "pgvouch.cli.looking",
    "plan": "pgvouch.cli.looking",
    "verify": "pgvouch.cli.looking",
    "new": "pgvouch.cli.writing",
    "stamp": "pgvouch.cli.stamping",
    "seed": "pgvouch.cli.running",
    "accept": "pgvouch.cli.running",
    "accept-delta": "pgvouch.cli.writing",
    "repair": "pgvouch.cli.repairing",
    "wait": "pgvouch.cli.starting",
    "entrypoint": "pgvouch.cli.starting",
    "server": "pgvouch.cli.embedded",
}


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pgvouch")
def cli() -> None:
    """Raw-SQL PostgreSQL migrations that vouch for themselves."""
