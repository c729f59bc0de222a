"""pgvouch help."""

import click

from pgvouch.cli import output


@click.command()
@click.argument("command", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help(ctx: click.Context, command: tuple[str, ...]) -> None:  # noqa: A001 - the command's name
    """Show the help of a command."""
    assert ctx.parent is not None
    found = ctx.parent
    for word in command:
        if not isinstance(found.command, click.Group):
            break
        name, below, _ = found.command.resolve_command(found, [word])
        assert below is not None
        found = below.context_class(below, parent=found, info_name=name)
    output.say_drawn(found.get_help())
