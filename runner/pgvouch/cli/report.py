"""pgvouch report."""

from datetime import UTC, datetime
from pathlib import Path

import click

from pgvouch.cli import output
from pgvouch.cli.context import Context
from pgvouch.cli.drift import is_drift
from pgvouch.cli.options import running
from pgvouch.errors import DRIFT, FAILED, UNREACHABLE, Place, UsageError
from pgvouch.report.model import Report


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--html", metavar="FILE", help="Where the page is written.")
@click.option("--verify", is_flag=True, help="Run every promise, and compare the catalog too.")
@running
@click.pass_obj
def report(context: Context, databases: tuple[str, ...], html: str | None, verify: bool) -> int:
    """Write a page of HTML about a database.

    Its migrations, their promises and deltas, the history, and a diagram of the schema.

    The page is self-contained and runs no scripts. With --verify the exit code is that of `pgvouch
    verify`; the page is written either way.
    """
    if html is None and not context.as_json:
        raise UsageError("say where the page is to be written", hint="pgvouch report --html FILE")
    reports = []
    for vouch in context.databases(databases):
        with vouch:
            found = vouch.report(verify=verify)
        reports.append(found)
        if context.as_json:
            context.tell(document=found.as_dict())
    if html is not None:
        _write(Path(html), Report.page(reports, datetime.now(UTC)))
        if not context.as_json:
            output.say(f"written   {html}")
    if any(found.verdicts("broken") for found in reports):
        return FAILED
    compared = [found.comparison for found in reports if found.comparison]
    if any(is_drift(one, strict=False) for one in compared):
        return DRIFT
    return UNREACHABLE if any(found.verdicts("unjudged") for found in reports) else 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise UsageError(f"{path.name} cannot be written: {exc.strerror}", Place(path)) from None
