"""The options that commands share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import click

from pgvouch.cli.context import Context
from pgvouch.config.options import SETTINGS, Setting
from pgvouch.sqltext.duration import seconds

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


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


def _setting_option(setting: Setting) -> Decorator:
    is_count = setting.measure == "count"
    return click.option(
        setting.option,
        type=click.IntRange(min=0) if is_count else str,
        metavar="N" if is_count else "TIME",
        expose_value=False,
        callback=_setting,
        help=setting.doc,
    )


def _wait(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Context).wait_s = duration_s(ctx, parameter, value)


def _path(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    from pgvouch.address.conninfo import looks_like_one

    if looks_like_one(value):
        raise click.BadParameter("a URL stands there; give it with --url", ctx, parameter)
    setattr(ctx.ensure_object(Context), str(parameter.name), Path(value))


def _shape(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Context).shape = value


def _log_format(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Context).log_format = value


_COMMON: tuple[Decorator, ...] = (
    click.option(
        "--url", expose_value=False, callback=_store("url"), metavar="URL",
        help="Where to connect; otherwise DATABASE_URL_<NAME>, DATABASE_URL or PGDATABASE.",
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
        "--no-dotenv", is_flag=True, expose_value=False, callback=_store("no_dotenv"),
        help="Do not read .env.",
    ),
    click.option(
        "--json", "as_json", is_flag=True, expose_value=False, callback=_store("as_json"),
        help="One JSON document on stdout.",
    ),
    click.option(
        "--format", type=click.Choice(["text", "github", "sarif"]), expose_value=False,
        callback=_shape, metavar="FORMAT",
        help="text; github: errors and findings as annotations, too; sarif: as SARIF on stdout.",
    ),
)  # fmt: skip

_RUNNING: tuple[Decorator, ...] = (
    click.option(
        "--var", multiple=True, expose_value=False, callback=_variables, metavar="NAME=VALUE",
        help="The value of a variable that a file declares; never printed, never stored.",
    ),
    *map(_setting_option, SETTINGS.values()),
    click.option(
        "--wait", expose_value=False, callback=_wait, metavar="TIME",
        help="How long to wait for the server to come up.",
    ),
    click.option(
        "--create-database", "create", is_flag=True, expose_value=False, callback=_store("create"),
        help="Create the database where it is missing.",
    ),
    click.option(
        "--log-format", type=click.Choice(["text", "json"]), expose_value=False,
        callback=_log_format, metavar="FORMAT",
        help="Progress on stderr as text, or as json: an object a line.",
    ),
    click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=_store("verbose"),
        help="Show notices, whole catalog deltas, and more of what a broken check has found.",
    ),
)  # fmt: skip


def _made_of(decorators: Sequence[Decorator]) -> tuple[click.Option, ...]:
    command = click.Command("", callback=lambda: None)
    for decorate in decorators:
        decorate(command)
    # For a page of help rich has put classes of its own in the place of click's.
    return tuple(cast("list[click.Option]", command.params))


SHARED = _made_of((*_COMMON, *_RUNNING))
"""The options that commands share, and that may stand ahead of a command."""


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every command has."""
    return _added(_COMMON, function, "Options of every command")


def running(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that run SQL files."""
    return common(_added(_RUNNING, function, "Options of commands that run SQL"))


def _added(
    options: Sequence[Decorator], function: Callable[..., Any], panel: str
) -> Callable[..., Any]:
    """Add options under a heading of their own, which rich_click looks for on a page of help."""
    for option in reversed(options):
        function = option(function)
        function.__click_params__[-1].panel = panel  # type: ignore[attr-defined]
    return function
