"""pgvouch init."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgvouch.cli import as_text, output
from pgvouch.cli.baseline import document_of, lines_of
from pgvouch.cli.context import Context
from pgvouch.cli.options import running
from pgvouch.errors import DRIFT, UsageError

if TYPE_CHECKING:
    from pgvouch.operations.starter import Started


@click.command()
@click.option("--from-database", is_flag=True, help="Write the first migration from what is there.")
@click.option("--exclude-schema", multiple=True, metavar="SCHEMA", help="Leave a schema out.")
@click.option(
    "--accept-difference", "why", metavar="WHY", help="Although the file makes something else."
)
@click.option(
    "--pg-dump", type=click.Path(path_type=Path), metavar="PROGRAM", help="Which pg_dump to run."
)
@click.option("--no-ci", is_flag=True, help="Write no workflow for GitHub.")
@click.option("--database", metavar="DB", help="Which folder, where there are several.")
@running
@click.pass_obj
def init(
    context: Context,
    from_database: bool,
    exclude_schema: tuple[str, ...],
    why: str | None,
    pg_dump: Path | None,
    no_ci: bool,
    database: str | None,
) -> int:
    """Start a project: configuration, a first migration, a CI workflow.

    The first migration works as it stands. Files that exist are kept.
    """
    vouch = context.newcomer(database)
    if not from_database:
        if exclude_schema or why or pg_dump:
            raise UsageError("that is for a database which is there already: --from-database")
        _tell_started(context, vouch.init(ci=not no_ci))
        return 0
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


def _tell_started(context: Context, started: "Started") -> None:
    lines = [f"written   {as_text.shown_path(path)}" for path in started.written]
    lines += [f"kept      {as_text.shown_path(path)}" for path in started.kept]
    if not started.names_server:
        line = "DATABASE_URL=postgresql://user@host/name"
        has_file = any(path.name == ".env" for path in started.kept)
        lines.append(f"next      {f'add {line} to .env' if has_file else f'export {line}'}")
    lines.append("next      pgvouch migrate")
    document = {
        "written": [str(path) for path in started.written],
        "kept": [str(path) for path in started.kept],
    }
    context.tell(*lines, document=document)
