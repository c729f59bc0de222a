"""pgvouch squash."""

from pathlib import Path

import click

from pgvouch.cli import as_text, output
from pgvouch.cli.context import Context
from pgvouch.cli.options import running


@click.command()
@click.option("--to", required=True, metavar="ID", help="The last migration to squash.")
@click.option("--name", default="squashed", metavar="NAME", help="The new file's name.")
@click.option(
    "--pg-dump", type=click.Path(path_type=Path), metavar="PROGRAM", help="Which pg_dump to run."
)
@click.option("--database", metavar="DB", help="Which database, where there are several.")
@running
@click.pass_obj
def squash(
    context: Context, to: str, name: str, pg_dump: Path | None, database: str | None
) -> None:
    """Replace many migrations with one.

    Databases that have all of the old ones have the new one.
    """
    with context.database(database) as vouch, output.kept_for_data():
        found = vouch.squash(to=to, name=name, pg_dump=pg_dump)
    lines = [f"written  {as_text.shown_path(path)}" for path in found.files]
    lines += [f"not taken over: {said}" for said in found.left_out]
    lines.append(
        f"{vouch.name}: {found.id} makes what they made, rows too, with {found.checks} of their "
        f"checks; {len(found.moved)} old files are in squashed/"
    )
    context.tell(
        *lines,
        document={
            "id": found.id,
            "files": [str(path) for path in found.files],
            "moved": [str(path) for path in found.moved],
            "checks": found.checks,
            "left_out": list(found.left_out),
        },
    )
