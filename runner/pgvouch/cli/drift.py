"""pgvouch drift."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from pgvouch.api.vouch import Vouch
from pgvouch.cli import as_json, as_text, output
from pgvouch.cli.context import Context
from pgvouch.cli.options import running
from pgvouch.cli.output import Line
from pgvouch.errors import DRIFT, Place

if TYPE_CHECKING:
    from pgvouch.delta.fold import Comparison, Difference

_MOST = 40
"""Lines that no delta names, unless all of them are asked for."""

strict_option = click.option(
    "--strict", is_flag=True, help="What is in the database and in no delta is a finding too."
)


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@strict_option
@running
@click.pass_obj
def drift(context: Context, databases: tuple[str, ...], strict: bool) -> int:
    """Show where the database differs from what its migrations made.

    No check is run; verify does both.
    """
    worst = 0
    for vouch in context.databases(databases):
        with vouch:
            compared = vouch.drift()
        if is_drift(compared, strict=strict):
            worst = DRIFT
        annotate(context, vouch, compared, strict=strict)
        document = {**as_json.of_drift(vouch.name, compared), "strict": strict}
        lines = [f"{vouch.name}: {_headline(compared)}", *lines_of(compared, strict=strict)]
        lines += unpromised(compared, None if context.verbose else _MOST)
        context.tell(*lines, document=document)
    return worst


def is_drift(compared: "Comparison", *, strict: bool) -> bool:
    """Say whether the database differs in a way that is a finding."""
    return bool(compared.differing or (strict and compared.unpromised))


def annotate(context: Context, vouch: Vouch, compared: "Comparison", *, strict: bool) -> None:
    """Give what differs to those who show it beside the code: at its line of a .delta file."""
    for found in compared.differing:
        more = [f"expected {found.expected}"] if found.expected else []
        more += [f"found {found.found}"] if found.found else []
        said = f"{found.migration}: {found.identity or found.expected or found.found} differs"
        place = _place(vouch, found.migration, found.expected)
        context.annotate("error", "drift", said, *more, place=place)
    if strict:
        for line in compared.unpromised:
            context.annotate("error", "drift", f"in no delta: {line}")


def _place(vouch: Vouch, migration: str, line: str | None) -> Place | None:
    """Return where a delta is promised, if that can be found."""
    folder, _, stem = migration.rpartition("/")
    root = vouch.project.migrations
    for base in (root / folder,) if folder else (root / vouch.name, root):
        path = base / "verify" / f"{stem}.delta"
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            return Place(path, lines.index(f"+ {line}") + 1 if f"+ {line}" in lines else None)
    return None


def lines_of(compared: "Comparison", *, strict: bool) -> list[Line]:
    """Return what differs, for people, and what to do about it."""
    lines = differences(compared)
    lines += _differences(compared.unjudged, output.Styled("?", "yellow"))
    if compared.unjudged:
        names = ", ".join(compared.without_delta)
        lines.append(f"      what is marked ? may be the work of {names}: without a delta")
    if is_drift(compared, strict=strict):
        lines.append(f"  next    {as_text.as_typed(_NEXT)}")
    return lines


_NEXT = (
    "undo what was changed by hand; if a change is to stay, put it into a new migration, so that "
    "every database gets it: pgvouch new NAME"
)


def differ(number: int, *, is_applied: bool = True) -> str:
    """Return that so many objects differ."""
    what = "from what the migrations made" if is_applied else "from what the migrations make"
    return f"{_objects(number)} differ{'s' * (number == 1)} {what}"


def are_unpromised(number: int, *, is_applied: bool = True) -> str:
    """Return that so many objects are in no delta."""
    where = "in no delta" if is_applied else "made by none of them"
    return f"{_objects(number)} {'is' if number == 1 else 'are'} {where}"


def _objects(number: int) -> str:
    return f"{number:,} object{'s' * (number != 1)}"


def _headline(compared: "Comparison") -> str:
    if compared.differing:
        return differ(len(compared.differing))
    if compared.deltas:
        return "the database is what its migrations made"
    return (
        "no applied migration has a delta, so there is nothing to compare with (pgvouch "
        "accept-delta writes them)"
    )


def differences(compared: "Comparison", *, is_applied: bool = True) -> list[Line]:
    """Return what is otherwise than the migrations made it, or than they would make it."""
    return list(_differences(compared.differing, output.Styled("✗", "red"), is_applied=is_applied))


def _differences(
    differing: Iterable["Difference"], mark: output.Styled, *, is_applied: bool = True
) -> Iterable[Line]:
    for item in differing:
        yield ("  ", mark, f" {item.sentence(is_applied=is_applied)}")
        if found := item.definitions():
            yield from (f"      expected {found[0]}", f"      found    {found[1]}")


def unpromised(compared: "Comparison", most: int | None, *, is_applied: bool = True) -> list[Line]:
    """Return what is in no delta, at most so many lines of it."""
    if not (lines := compared.unpromised):
        return []
    told: list[Line] = [f"  {are_unpromised(len(lines), is_applied=is_applied)}:"]
    told += [("  ", output.Styled("+", "yellow"), f" {line}") for line in lines[:most]]
    if most is not None and len(lines) > most:
        told.append(f"    … and {len(lines) - most:,} more: --verbose shows all of them")
    return told
