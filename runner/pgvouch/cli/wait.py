"""pgvouch wait."""

import time

import click

from pgvouch.cli.context import Context
from pgvouch.cli.options import common, duration_s


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--for-schema", is_flag=True, help="Also until every migration here is applied.")
@click.option(
    "--wait", "wait_s", callback=duration_s, default="60s", metavar="TIME",
    help="How long, for all of it together (60s).",
)  # fmt: skip
@common
@click.pass_obj
def wait(context: Context, databases: tuple[str, ...], for_schema: bool, wait_s: float) -> None:
    """Wait for the server, or for the schema of these files."""
    until_s = time.monotonic() + wait_s
    for vouch in context.databases(databases):
        left_s = max(until_s - time.monotonic(), 0.0)
        if for_schema:
            vouch.wait_for_schema(left_s)
            said = "is at these files"
        else:
            is_there = vouch.wait_for_server(left_s)
            said = "answers" if is_there else "the server answers; there is no such database yet"
        context.tell(f"{vouch.name}: {said}", document={"database": vouch.name, "ready": True})
