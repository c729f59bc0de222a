"""pgvouch adopt."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgvouch.cli import as_text, output, table
from pgvouch.cli.options import Context, running
from pgvouch.errors import UsageError

if TYPE_CHECKING:
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
    """Make a project of another tool one of pgvouch: its files, and what is applied."""
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
    _tell(context, adopted, dry_run=dry_run, files_only=files_only)


def _tell(context: Context, adopted: "Adopted", *, dry_run: bool, files_only: bool) -> None:
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
        table.echo(_COLUMNS, [_row(item, states[item.id]) for item in adoption.laid_out])
    lines = [f"  {as_text.shown_place(one.place)}: {one.what}" for one in adoption.not_carried]
    if lines:
        lines.insert(0, "what is otherwise than it was:")
    lines.append(_outcome(adopted, dry_run=dry_run, files_only=files_only))
    context.tell(*lines, document=document)


_COLUMNS = (
    table.Column("from", shortens=True),
    table.Column("to", shortens=True),
    table.Column("rollback", give_up=3),
    table.Column("checks", give_up=2),
    table.Column("state"),
)


def _row(item: "LaidOut", state: str) -> tuple[str, ...]:
    without = "" if item.is_transactional else " (no transaction)"
    return (
        item.foreign.name,
        f"{item.id}{without}",
        "yes" if item.rollback is not None else "none",
        "yes" if item.verify is not None else "",
        state,
    )


def _outcome(adopted: "Adopted", *, dry_run: bool, files_only: bool) -> str:
    adoption, count = adopted.adoption, len(adopted.adoption.laid_out)
    files = f"{count} migration{'s' * (count != 1)} of {adoption.tool.title}"
    where = as_text.shown_path(adoption.into)
    if dry_run:
        said = f"{files} would be in {where}"
    elif adopted.wrote_files:
        said = f"{files} are in {where} now"
    else:
        said = f"{files} were in {where} already"
    if files_only:
        return f"{said}; no ledger was looked at"
    if adopted.ledger is None:
        none = f"there is no ledger of {adoption.tool.title} in the database"
        return f"{said}; {none}: nothing is applied"
    number = len(adopted.applied)
    new = number - len(adopted.known)
    table_name = adopted.ledger.table.quoted
    if dry_run:
        return (
            f"{said}; {number} would be recorded as applied, by {table_name}. Nothing was written"
        )
    if not new:
        return f"{said}; all {number} were recorded as applied already"
    return f"{said}; {number} are recorded as applied, by {table_name}, which stays as it is"
