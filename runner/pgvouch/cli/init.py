"""pgvouch init."""

from pathlib import Path

import click

from pgvouch.cli import as_text, output
from pgvouch.cli.baseline import document_of, lines_of
from pgvouch.cli.options import Context, running
from pgvouch.errors import DRIFT, UsageError


@click.command()
@click.option("--from-database", is_flag=True, help="Write the first migration from what is there.")
@click.option("--exclude-schema", multiple=True, metavar="SCHEMA", help="Leave a schema out.")
@click.option(
    "--accept-difference", "why", metavar="WHY", help="Although the file makes something else."
)
@click.option(
    "--pg-dump", type=click.Path(path_type=Path), metavar="PROGRAM", help="Which pg_dump to run."
)
@click.option("--database", metavar="DB", help="Which folder, where there are several.")
@running
@click.pass_obj
def init(
    context: Context,
    from_database: bool,
    exclude_schema: tuple[str, ...],
    why: str | None,
    pg_dump: Path | None,
    database: str | None,
) -> int:
    """Begin with a database that is there: 000_baseline.sql, by pg_dump."""
    if not from_database:
        raise UsageError(
            "say what to begin with: --from-database",
            hint="where there is nothing yet, pgvouch new NAME writes the first migration",
        )
    vouch = context.newcomer(database)
    with vouch, output.kept_for_data():
        found = vouch.init_from_database(without=exclude_schema, why=why, pg_dump=pg_dump)
    word = "written" if found.is_written else "not written"
    lines = [f"{word}  {as_text.shown_path(path)}" for path in found.files]
    document = {
        **document_of(vouch.name, found.baseline),
        "files": [str(path) for path in found.files],
        "written": found.is_written,
    }
    context.tell(
        *lines, *lines_of(vouch.name, found.baseline, verbose=context.verbose), document=document
    )
    return 0 if found.is_written else DRIFT
