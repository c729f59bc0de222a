"""Commands that write files: new, stamp, accept-delta."""

import click

from pgvouch import authoring
from pgvouch.cli import render
from pgvouch.cli.main import Context, common, running
from pgvouch.cli.running import options_of
from pgvouch.config.project import database_names, read_database
from pgvouch.errors import UsageError


@click.command()
@click.argument("name")
@click.option("--database", metavar="DB", help="Which folder, where there are several.")
@common
@click.pass_obj
def new(context: Context, name: str, database: str | None) -> None:
    """Write the files of a new migration, under the next number."""
    project = context.project
    names = database_names(project) if project.migrations.is_dir() else [""]
    if database is not None and database not in names and names == [""]:
        raise UsageError(f"there is no database {database} here")
    if database is None and len(names) > 1:
        raise UsageError("which database?", hint=f"--database {names[0]} (or another one)")
    chosen = database if database is not None else (names or [""])[0]
    folder = project.migrations / chosen
    there = read_database(project, chosen) if folder.is_dir() else ()
    for path in authoring.new_migration(folder, there, name):
        context.tell(render.shown_path(path), document={"file": str(path)})


@click.command(name="accept-delta")
@click.argument("migration", required=False, metavar="[ID]")
@click.option("--database", metavar="DB", help="Which database, where there are several.")
@running
@click.pass_obj
def accept_delta(context: Context, migration: str | None, database: str | None) -> None:
    """Write verify/ID.delta from a scratch database; review it like code."""
    chosen = context.databases((database,) if database else ())
    if migration is not None and len(chosen) > 1:
        raise UsageError("which database?", hint=f"--database {chosen[0].name} (or another one)")
    for item in chosen:
        written = authoring.accept_deltas(
            item, context.resolve(item), migration, options_of(context), context.progress()
        )
        for file in written:
            word = "written" if file.changed else "unchanged"
            context.tell(
                f"{word:<9} {render.shown_path(file.path)} ({file.lines} lines)",
                document={
                    "file": str(file.path),
                    "changed": file.changed,
                    "lines": file.lines,
                },
            )
