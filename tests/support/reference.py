"""The reference of the commands, written from what the program says of itself."""

from collections import Counter

import click

from pgvouch.cli.main import cli
from support.program import PROGRAM

_HEAD = """\
# Reference

Every command with its arguments and options, written from the program itself. What they do, and when, is told in
[Commands](commands.md).
"""


def reference() -> str:
    """Return the page."""
    pages = list(_commands(cli, PROGRAM))
    count = Counter(row for *_, command in pages for row in _rows(command))
    common = [row for row in count if count[row] > len(pages) * 0.6]
    running = [row for row in count if len(pages) * 0.3 < count[row] <= len(pages) * 0.6]
    parts = [
        _HEAD,
        _table("Nearly every command takes", common),
        _table("The commands that run SQL files take, too,", running),
    ]
    for context, page, command in pages:
        rows = _rows(command)
        own = [row for row in rows if row not in {*common, *running}]
        runs = " It takes the options of the commands that run SQL files." * ({*running} <= {*rows})
        parts.append(f"## {page}\n\n{_help(command)}{runs}\n")
        parts.append(f"```\n{_usage(command, context)}\n```\n")
        if own:
            parts.append(_table("", own))
    return "\n".join(parts)


def _commands(
    group: click.Group, context: click.Context
) -> "list[tuple[click.Context, str, click.Command]]":
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            found += _commands(command, inner)
        elif not command.hidden:
            found.append((inner, inner.command_path.removeprefix("pgvouch "), command))
    return found


def _rows(command: click.Command) -> list[str]:
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    return [_row(option) for option in options]


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag or option.count else f" `{_value(option)}`"
    said = (option.help or "").replace("|", "\\|").replace("<", "&lt;")
    return f"| {names}{value} | {said} |"


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "\\|".join(map(str, option.type.choices))
    return option.metavar or option.type.name.upper()


def _help(command: click.Command) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))


def _usage(command: click.Command, context: click.Context) -> str:
    return " ".join([context.command_path, *command.collect_usage_pieces(context)])


def _table(title: str, rows: list[str]) -> str:
    head = f"{title}\n\n" if title else ""
    return head + "\n".join(["| option | |", "|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
