"""Commands that change nothing: status, plan, verify."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pgvouch.cli import output, render, table
from pgvouch.cli.main import DRIFT, PENDING, Context, common, running
from pgvouch.cli.output import Line
from pgvouch.cli.running import options_of
from pgvouch.cli.table import Column
from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.engine import commands
from pgvouch.engine.commands import Limits
from pgvouch.errors import FileError, NoDatabaseError
from pgvouch.files.directives import ISOLATION
from pgvouch.files.migration import Migration
from pgvouch.ledger.rows import Applied
from pgvouch.plan import status as states
from pgvouch.postgres.reach import connect
from pgvouch.postgres.retry import TRANSIENT
from pgvouch.postgres.session import Session

if TYPE_CHECKING:
    from pgvouch.verify.live import Finding

T = TypeVar("T")

BROKEN, UNJUDGED = 1, 5
_MARKS = {
    "applied": "✓",
    "provided": "·",
    "pending": "○",
    "incomplete": "!",
    "undoing": "«",
    "changed": "≠",
    "missing": "?",
    "ahead": "»",
}
_STATUS = (
    Column("", "green"),
    Column("migration", shortens=True),
    Column("state"),
    Column("applied", "bright_black", give_up=1),
    Column("by", "bright_black", give_up=4),
    Column("ms", "bright_black", give_up=2),
    Column("checks", "bright_black", give_up=3),
)
_PLAN = (
    Column("migration", shortens=True),
    Column("promises"),
    Column("rollback"),
    Column("lock timeout", "bright_black", give_up=2),
    Column("statement timeout", "bright_black", give_up=3),
    Column("", "yellow", give_up=1),
)


def _read(context: Context, database: Database, read: Callable[[Session], T], otherwise: T) -> T:
    """Read something over a session; a database that is not there has nothing of it."""
    url = context.resolve(database)
    try:
        with connect(url, application_name="pgvouch status", create=False) as session:
            return read(session)
    except NoDatabaseError:
        return otherwise


def _limits(session: Session) -> tuple[list[Applied], Limits | None]:
    return commands.read_ledger(session), commands.read_limits(session)


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--exit-code", is_flag=True, help="Exit with 3 where something is pending.")
@common
@click.pass_obj
def status(context: Context, databases: tuple[str, ...], exit_code: bool) -> int:
    """Show every migration and what the ledger says of it."""
    worst = 0
    for database in context.databases(databases):
        rows = states.status(database, _read(context, database, commands.read_ledger, []))
        found = {row.state for row in rows}
        if found & {"changed", "missing"}:
            worst = DRIFT
        elif found & {"pending", "incomplete", "undoing"} and exit_code:
            worst = max(worst, PENDING)
        if context.as_json:
            context.tell(document=_as_document(database, rows))
        else:
            _print_status(database, rows)
    return worst


def _print_status(database: Database, rows: Sequence[states.Row]) -> None:
    output.say(output.Styled(database.name, bold=True))
    table.echo(
        _STATUS,
        [
            (
                _MARKS[row.state],
                row.id,
                row.state,
                f"{at:%Y-%m-%d %H:%M:%S}Z"
                if (at := row.applied and row.applied.applied_at)
                else "",
                (row.applied and row.applied.applied_by) or "",
                f"{ms:.0f}" if row.applied and (ms := row.applied.duration_ms) is not None else "",
                str((row.applied and row.applied.checks) or ""),
            )
            for row in rows
        ],
    )


def _as_document(database: Database, rows: Sequence[states.Row]) -> dict[str, object]:
    return {
        "database": database.name,
        "migrations": [
            {
                "id": row.id,
                "state": row.state,
                "applied_at": at.isoformat()
                if (at := row.applied and row.applied.applied_at)
                else None,
                "applied_by": row.applied and row.applied.applied_by,
                "duration_ms": row.applied and row.applied.duration_ms,
                "checks": row.applied and row.applied.checks,
                "checksum": row.applied and row.applied.checksum,
                "file_checksum": row.migration and row.migration.checksum,
            }
            for row in rows
        ],
    }


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--to", metavar="ID", help="Stop after this migration.")
@click.option("--out-of-order", is_flag=True, help="Allow a number below the newest applied one.")
@running
@click.pass_obj
def plan(context: Context, databases: tuple[str, ...], to: str | None, out_of_order: bool) -> None:
    """Show what migrate would do: the migrations, their promises and their timeouts."""
    from pgvouch.engine.prepare import sound

    options = options_of(context)
    required = context.project.verify_required
    nothing: tuple[list[Applied], Limits | None] = ([], None)
    for database in context.databases(databases):
        rows, limits = _read(context, database, _limits, nothing)
        todo = commands.pending(database, rows, to=to, out_of_order=out_of_order)
        prepared = sound(todo, database, options, require_promises=required)
        planned = [_planned(item.migration, options, limits) for item in prepared]
        warnings = [warning for item in prepared for warning in item.warnings]
        document = {
            "database": database.name,
            "pending": planned,
            "warnings": [render.doubt_as_dict(warning) for warning in warnings],
        }
        if context.as_json:
            context.tell(document=document)
        else:
            unknown = "none" if limits else "the role's"
            _print_plan(database, planned, warnings, unknown)


def _planned(migration: Migration, options: Options, limits: Limits | None) -> dict[str, Any]:
    asked = migration.directives
    default = (options.lock_timeout or "auto") if asked.transactional else None
    return {
        "id": migration.id,
        "unless": asked.unless,
        "transactional": asked.transactional,
        "isolation": asked.isolation if asked.transactional else None,
        "lock_timeout": asked.lock_timeout or default,
        "statement_timeout": asked.statement_timeout
        or options.statement_timeout
        or (limits and limits.statement_timeout),
        "verified": migration.verify_path is not None,
        "delta": migration.delta_path is not None,
        "rollback": migration.rollback_path is not None or migration.is_python,
    }


def _print_plan(
    database: Database,
    planned: Sequence[Mapping[str, Any]],
    warnings: Sequence[FileError],
    statement_timeout: str,
) -> None:
    if not planned:
        output.say(f"{database.name}: nothing to do")
        return
    doubts = f", {len(warnings)} warning{'s' * (len(warnings) != 1)}" if warnings else ""
    output.say(output.Styled(f"{database.name}: {len(planned)} to apply{doubts}", bold=True))
    table.echo(
        _PLAN,
        [
            (
                item["id"],
                " + ".join(_promises(item)) or "none",
                "yes" if item["rollback"] else "no",
                item["lock_timeout"] or "none",
                item["statement_timeout"] or statement_timeout,
                _way(item),
            )
            for item in planned
        ],
    )
    for warning in warnings:
        render.say_doubt(warning.message, warning.place)


def _way(item: Mapping[str, Any]) -> str:
    if not item["transactional"]:
        return "statement by statement"
    return "" if item["isolation"] == ISOLATION[0] else str(item["isolation"])


def _promises(item: Mapping[str, Any]) -> list[str]:
    return [word for word, key in (("checks", "verified"), ("delta", "delta")) if item[key]]


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@running
@click.pass_obj
def verify(context: Context, databases: tuple[str, ...]) -> int:
    """Run every promise of every applied migration again, and take back what checks write."""
    from pgvouch.verify.live import verify_database

    options = options_of(context)
    codes = {0}
    for database in context.databases(databases):
        with context.session(database, "verify") as session:
            rows = commands.read_ledger(session)
            found = verify_database(session, database, rows, options, context.progress())
        broken = [(item.id, finding) for item in found for finding in item.broken]
        unjudged = [(item.id, finding) for item in found for finding in item.unjudged]
        codes.add(BROKEN if broken else UNJUDGED if unjudged else 0)
        passed = sum(item.passed for item in found)
        document = {
            "database": database.name,
            "passed": passed,
            "broken": [_finding_as_dict(*item) for item in broken],
            "unjudged": [_finding_as_dict(*item) for item in unjudged],
        }
        context.tell(*_verified(database.name, passed, broken, unjudged), document=document)
    return BROKEN if BROKEN in codes else max(codes)


_AFTER_BROKEN = (
    "see what has changed in the database since it was migrated, and take it back; what is meant "
    "to stay belongs in a migration of its own, with its promises"
)


def _verified(
    name: str,
    passed: int,
    broken: Sequence[tuple[str, "Finding"]],
    unjudged: Sequence[tuple[str, "Finding"]],
) -> list[Line]:
    from pgvouch.verify.wording import labelled, more_of

    rest = f", {len(unjudged)} could not be judged" if unjudged else ""
    lines: list[Line] = [f"{name}: {passed} checks hold, {len(broken)} broken{rest}"]
    for identifier, finding in broken:
        lines.append(("  ", output.Styled("✗", "red"), f" {identifier}: {finding.sentence}"))
        lines.append(f"      at       {render.shown_place(finding.place)}")
        lines.append(f"      expected {finding.expected}")
        lines += [f"      {line}" for line in labelled("found", finding.found)]
    together: dict[tuple[str, str], list[Finding]] = {}
    for identifier, finding in unjudged:
        together.setdefault((identifier, str(finding.found)), []).append(finding)
    for (identifier, met), findings in together.items():
        others = f" (and {len(findings) - 1} more)" if findings[1:] else ""
        sentence = f" {identifier}: {findings[0].sentence}{others}"
        lines.append(("  ", output.Styled("?", "yellow"), sentence))
        lines.append(f"      at       {render.shown_place(findings[0].place)}")
        lines.append(f"      met      {met}")
    if broken:
        more = more_of(finding.found for _, finding in broken)
        lines.append(f"  next    {render.as_typed(_AFTER_BROKEN + more)}")
    if unjudged:
        lines.append(f"  next    {render.as_typed(_again({f.sqlstate for _, f in unjudged}))}")
    return lines


def _again(states: AbstractSet[str | None]) -> str:
    """Return what to do where checks ended without an answer."""
    advice = []
    if states & TRANSIENT:
        advice.append(
            "others were in the way: run pgvouch verify again; --retries and --retry-budget keep "
            "trying for longer"
        )
    if "57014" in states:
        advice.append("a timeout or somebody has ended a check: --statement-timeout allows more")
    if states - TRANSIENT - {"57014"}:
        advice.append("a server has run out of something or did not answer: mend that first")
    return "; ".join(advice)


def _finding_as_dict(identifier: str, finding: "Finding") -> dict[str, object]:
    return {
        "id": identifier,
        "sentence": finding.sentence,
        "file": str(finding.place.path),
        "line": finding.place.line,
        "expected": finding.expected,
        "found": str(finding.found),
        "sqlstate": finding.sqlstate,
    }
