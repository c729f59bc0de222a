"""pgvouch dump."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgvouch.cli import as_text, output
from pgvouch.cli.context import Context
from pgvouch.cli.options import running
from pgvouch.errors import FAILED, Place, UsageError, VouchError

if TYPE_CHECKING:
    from pgvouch.api.vouch import Vouch
    from pgvouch.operations.schema_file import Dumped

_MOST = 40
_NEXT = "pgvouch dump writes it; commit it beside the migration"


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where the file differs.")
@click.option("-o", "--output", "target", metavar="FILE", help="Another file; - is stdout.")
@click.option("--exclude-schema", multiple=True, metavar="SCHEMA", help="Leave a schema out.")
@click.option(
    "--pg-dump", type=click.Path(path_type=Path), metavar="PROGRAM", help="Which pg_dump to run."
)
@running
@click.pass_obj
def dump(
    context: Context,
    databases: tuple[str, ...],
    check: bool,
    target: str | None,
    exclude_schema: tuple[str, ...],
    pg_dump: Path | None,
) -> int:
    """Write the schema to schema.sql, for review.

    Rows and the ledger are left out.
    """
    chosen = context.databases(databases)
    if target and len(chosen) > 1:
        raise UsageError("--output is one file, and there are several databases")
    to_stdout = target == "-"
    if to_stdout and check:
        raise UsageError("--check compares with a file, and - is none")
    stale = False
    for vouch in chosen:
        with vouch:
            found = vouch.dump(
                path=None if to_stdout else target,
                check=check or to_stdout,
                without=exclude_schema,
                pg_dump=pg_dump,
            )
        if to_stdout:
            context.tell_text([found.text.rstrip("\n")], document=_document(vouch.name, found))
        else:
            if check and not found.is_fresh:
                stale = True
                said = f"{found.path.name} is not the schema of the database"
                context.annotate("error", "dump", said, place=Place(found.path))
            _tell(context, vouch.name, found, check=check)
    return FAILED if stale else 0


def after_change(context: Context, vouch: "Vouch", *, done: str) -> None:
    """Write the schema behind a migration or a rollback.

    Args:
        context: of the command.
        vouch: the database.
        done: what is done already, for the error.
    """
    try:
        found = vouch.dump()
    except VouchError as exc:
        exc.state = f"{done}; the file of the schema is as it was."
        exc.hint = exc.hint or "pgvouch dump"
        raise
    if found.is_written and not context.as_json:
        output.say(f"written   {as_text.shown_path(found.path)}", err=True)


def _tell(context: Context, name: str, found: "Dumped", *, check: bool) -> None:
    word = "written" if found.is_written else "unchanged" if found.is_fresh else "differs"
    lines = [f"{word:<9} {as_text.shown_path(found.path)}"]
    if check and not found.is_fresh:
        shown = found.difference if context.verbose else found.difference[:_MOST]
        lines += [f"  {line}" for line in shown]
        if more := len(found.difference) - len(shown):
            lines.append(f"  … {more} more lines: --verbose")
        lines.append(f"  next    {as_text.as_typed(_NEXT)}")
    context.tell(*lines, document=_document(name, found))


def _document(name: str, found: "Dumped") -> dict[str, object]:
    return {
        "database": name,
        "file": str(found.path),
        "fresh": found.is_fresh,
        "written": found.is_written,
        "difference": list(found.difference),
    }
