"""pgvouch stamp."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pgvouch.cli import as_json, output
from pgvouch.cli.context import Context
from pgvouch.cli.options import common
from pgvouch.cli.output import Line
from pgvouch.errors import FAILED, USAGE, UsageError

if TYPE_CHECKING:
    from pgvouch.stamp.templates import Family
    from pgvouch.stamp.verdict import Stamped


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where one is not fresh.")
@click.option("--list", "listing", is_flag=True, help="Show the templates and what they give.")
@click.option("--force", is_flag=True, help="Overwrite expansions that were edited by hand.")
@common
@click.pass_obj
def stamp(
    context: Context, databases: tuple[str, ...], check: bool, listing: bool, force: bool
) -> int:
    """Expand the stamps in migrations, rollbacks and verify files."""
    if check and force:
        raise UsageError("--check writes nothing, so there is nothing to --force")
    if listing:
        for family, expansion in context.folder(None).templates():
            document = as_json.of_template(family, expansion)
            context.tell(*_described(family, expansion), document=document)
        return 0
    failed = 0
    for name in context.folder(None).stamped_folders(databases):
        with context.folder(name) as vouch:
            outcomes = vouch.stamp(check=check, force=force)
        failed += sum(not outcome.ok for outcome in outcomes)
        _tell(context, name, outcomes, check=check)
    return (FAILED if check else USAGE) if failed else 0


def _tell(context: Context, name: str, outcomes: Sequence["Stamped"], *, check: bool) -> None:
    counts = Counter[str](outcome.status for outcome in outcomes)
    words = ("fresh", "written", "stale", "edited", "applied")
    shown = ", ".join(f"{counts[word]} {word}" for word in words if counts[word])
    context.tell(
        f"{name or context.project.migrations.name}: {shown or 'no stamps'}",
        document=as_json.of_stamps(name, outcomes, check=check),
    )
    for outcome in outcomes:
        if outcome.error is not None:
            context.report(outcome.error)


def _described(family: "Family", expansion: str) -> list[Line]:
    declared = family.declaration
    lines: list[Line] = [
        (output.Styled(family.name, bold=True), f" ({family.origin}): {declared.doc}"),
        "",
    ]
    for argument in declared.parameters:
        default = "required" if argument.required else f"default {argument.default!r}"
        lines.append(f"  {argument.name:<10} {argument.type:<28} {default}")
        lines.append(f"             {argument.doc}")
    lines += ["", f"  -- stamp: {declared.sample_text}"]
    lines += [f"  {line}".rstrip() for line in expansion.strip().splitlines()]
    return [*lines, ""]
