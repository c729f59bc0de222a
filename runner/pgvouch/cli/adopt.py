"""pgvouch adopt."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgvouch.cli import as_text, output, table
from pgvouch.cli.context import Context
from pgvouch.cli.options import running
from pgvouch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pgvouch.adopt.layout import LaidOut
    from pgvouch.adopt.take_over import Adopted


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "tool", metavar="TOOL", help="What it is a project of.")
@click.option("--into", type=click.Path(path_type=Path), metavar="DIR", help="Where our files go.")
@click.option(
    "--in-place", is_flag=True, help="Leave the files where they are, and run them there."
)
@click.option("--files-only", is_flag=True, help="No database is looked at.")
@click.option("--ledger-only", is_flag=True, help="The files are adopted already.")
@click.option("--ledger", metavar="TABLE", help="The tool's table, where it has another name.")
@click.option("--dry-run", is_flag=True, help="Show all of it; write nothing.")
@click.option("--database", metavar="DB", help="Which database, where there are several.")
@running
@click.pass_obj
def adopt(
    context: Context,
    folder: Path,
    tool: str | None,
    into: Path | None,
    in_place: bool,
    files_only: bool,
    ledger_only: bool,
    ledger: str | None,
    dry_run: bool,
    database: str | None,
) -> None:
    """Take over a project of another migration tool, with its history."""
    if files_only and ledger_only:
        raise UsageError("--files-only and --ledger-only exclude each other")
    vouch = context.newcomer(database)
    with vouch, output.kept_for_data():
        adopted = vouch.adopt(
            folder,
            tool=tool,
            into=into,
            in_place=in_place,
            ledger=ledger,
            with_files=not ledger_only,
            with_ledger=not files_only,
            dry_run=dry_run,
        )
    _tell(context, adopted, into, dry_run=dry_run, files_only=files_only)


def _tell(
    context: Context, adopted: "Adopted", into: Path | None, *, dry_run: bool, files_only: bool
) -> None:
    adoption = adopted.adoption
    applied = {item.id for item, _ in adopted.applied}
    states = {
        item.id: "" if adopted.ledger is None else "applied" if item.id in applied else "pending"
        for item in adoption.laid_out
    }
    document = {
        "tool": adoption.tool.name,
        "folder": str(adoption.into),
        "dry_run": dry_run,
        "wrote_files": adopted.wrote_files and not dry_run,
        "ledger": adopted.ledger.table.quoted if adopted.ledger else None,
        "recorded": adopted.recorded,
        "migrations": [
            {
                "id": item.id,
                "file": str(item.foreign.path),
                "key": item.foreign.key,
                "has_rollback": item.rollback is not None,
                "has_checks": item.verify is not None,
                "transactional": item.is_transactional,
                "state": states[item.id] or None,
            }
            for item in adoption.laid_out
        ],
        "not_carried": [
            {"file": str(one.place.path), "line": one.place.line, "what": one.what}
            for one in adoption.not_carried
        ],
    }
    if not context.as_json:
        table.echo(*_table(adoption.laid_out, states))
    lines = [f"  {as_text.shown_place(one.place)}: {one.what}" for one in adoption.not_carried]
    if lines:
        lines.insert(0, "not as it was:")
    lines += _outcome(adopted, dry_run=dry_run, files_only=files_only)
    where = into or context.migrations
    given = f" --migrations {as_text.shown_path(Path(where))}" if where else ""
    lines.append(f"  next    {_next(adopted, given, dry_run=dry_run, files_only=files_only)}")
    context.tell(*lines, document=document)


def _table(
    laid_out: "Sequence[LaidOut]", states: "Mapping[str, str]"
) -> tuple[list[table.Column], list[list[str]]]:
    """Return a table of what became of each file, without columns that say nothing."""
    cells = {
        table.Column("from", shortens=True): [item.foreign.name for item in laid_out],
        table.Column("migration", shortens=True): [item.id for item in laid_out],
        table.Column("rollback", give_up=2): [_rollback(item) for item in laid_out],
        table.Column("transaction", give_up=1): [
            "" if item.is_transactional else "none" for item in laid_out
        ],
        table.Column("checks", give_up=3): ["yes" if item.verify else "" for item in laid_out],
        table.Column("state"): [states[item.id] for item in laid_out],
    }
    kept = {
        column: said
        for column, said in cells.items()
        if any(said) and not (column.title == "from" and _are_same(laid_out))
    }
    return list(kept), [list(row) for row in zip(*kept.values(), strict=True)]


def _are_same(laid_out: "Sequence[LaidOut]") -> bool:
    return all(item.foreign.path.stem == item.id for item in laid_out)


def _rollback(item: "LaidOut") -> str:
    if item.foreign.is_python:
        return "its own"
    return "none" if item.rollback is None else "yes"


def _outcome(adopted: "Adopted", *, dry_run: bool, files_only: bool) -> list[str]:
    adoption, count = adopted.adoption, len(adopted.adoption.laid_out)
    files = f"{count} migration{'s' * (count != 1)} of {adoption.tool.title}"
    are, were = ("is", "was") if count == 1 else ("are", "were")
    where = f"{as_text.shown_path(adoption.into)}/"
    if not adopted.wrote_files:
        lines = [f"{files} {were} in {where} already"]
    elif dry_run:
        lines = [f"{files} would be in {where}"]
    else:
        lines = [f"{files} {are} in {where} now"]
    if files_only:
        return [*lines, "no ledger was looked at"]
    if adopted.ledger is None:
        none = f"there is no ledger of {adoption.tool.title} in the database"
        return [*lines, f"{none}: nothing is recorded as applied"]
    number = len(adopted.applied)
    are, were = ("is", "was") if number == 1 else ("are", "were")
    name = adopted.ledger.table.quoted
    if number <= len(adopted.known):
        said = f"{number} {were} recorded as applied already"
    elif dry_run:
        said = f"{number} would be recorded as applied, as {name} says"
    else:
        said = f"{number} {are} recorded as applied, as {name} says, which stays as it is"
    lines.append(f"{said}; {count - number} pending" if number < count else said)
    return [*lines, "nothing was written"] if dry_run else lines


def _next(adopted: "Adopted", given: str, *, dry_run: bool, files_only: bool) -> str:
    """Return what to do then; `given` says where the files are, if it is not where they belong."""
    if dry_run:
        return "the same command without --dry-run"
    title, folder = adopted.adoption.tool.title, as_text.shown_path(adopted.adoption.into)
    if files_only:
        return (
            f"review {folder}/ and commit it; then the same command on each database, with "
            "--ledger-only in the place of --files-only"
        )
    if adopted.ledger is None:
        return (
            f"pgvouch migrate{given} on an empty database; where the tables are there already, "
            f"pgvouch baseline{given}, or --ledger TABLE where {title}'s has another name"
        )
    is_done = len(adopted.applied) == len(adopted.adoption.laid_out)
    what = "has nothing to do" if is_done else "applies what is pending"
    return f"commit {folder}/; pgvouch migrate{given} {what}; leave {title} out from now on"
