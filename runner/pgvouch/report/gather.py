"""All of a report, from the files, the ledger and the catalog."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pgvouch.config.project import Database
from pgvouch.delta.file import delta_of_applied, read_delta
from pgvouch.delta.fold import Comparison
from pgvouch.files.promises import Check, Kind, Promises, read_always, read_promises
from pgvouch.ledger import ledger
from pgvouch.ledger.repeatable import read_runs
from pgvouch.ledger.rows import Applied, State
from pgvouch.operations.history import read_history
from pgvouch.plan.status import MigrationStatus, status
from pgvouch.postgres.session import Session
from pgvouch.report.model import Entry, Promise, Report
from pgvouch.report.reading import read_tables
from pgvouch.report.tables import Table
from pgvouch.sqltext.own import own_query
from pgvouch.verify.checks import Finding, Verdict

_MAJOR = 10_000
_NAME = r'"(?:[^"]|"")+"|[^\s".]+'
_TABLE = re.compile(rf"[+~] table (?P<schema>{_NAME})\.(?P<name>{_NAME})")


def gather(
    session: Session | None,
    database: Database,
    verdicts: Sequence[Verdict] | None = None,
    comparison: Comparison | None = None,
) -> Report:
    """Return the report of a database.

    Args:
        session: idle; None where there is no such database yet.
        database: the files.
        verdicts: what came of the promises, where they were run for the report.
        comparison: the catalog beside the deltas, where it was compared for the report.

    Raises:
        FileError: a verify or .delta file that cannot be read.
        PlanError: the ledger is not to be believed.
    """
    rows = ledger.read(session) if session else []
    has_ledger = session is not None and rows is not None
    if session is not None and rows is None:
        rows = ledger.read_yoyo(session)
    runs, deltas, history = [], {}, []
    tables: list[Table] = []
    if session is not None:
        tables = read_tables(session)
    if session is not None and has_ledger:
        runs, history = read_runs(session), read_history(session)
        deltas = _deltas(session)
        deltas |= {run.id: run.delta for run in runs}
    found = _Findings(database.folder, verdicts, frozenset(row.id for row in rows or ()))
    entries = tuple(
        found.entry(item, deltas.get(item.id)) for item in status(database, rows or (), runs)
    )
    always = tuple(
        promise
        for promises in read_always(database.always)
        for promise in found.promises(promises, is_run=True)
    )
    return Report(
        database.name,
        _version(session.connection.info.server_version) if session else None,
        entries,
        always,
        tuple(reversed(history)),
        tuple(_own(tables, entries)),
        verdicts is not None,
        comparison,
    )


def _version(number: int) -> str:
    return f"{number // _MAJOR}.{number % _MAJOR}"


def _deltas(session: Session) -> dict[str, "str | Sequence[str] | None"]:
    (result,) = session.ask(own_query("ledger", "deltas"))
    return {str(name): delta or "" for name, delta in result.rows}


class _Findings:
    """What came of each check, by the place where it stands."""

    def __init__(
        self, folder: Path, verdicts: Sequence[Verdict] | None, applied: frozenset[str]
    ) -> None:
        self._folder = folder
        self._applied = applied
        self._is_run = verdicts is not None
        self._broken = _by_place([f for v in verdicts or () for f in v.broken])
        self._unjudged = _by_place([f for v in verdicts or () for f in v.unjudged])
        self._ids = {verdict.id for verdict in verdicts or ()}

    def entry(self, item: MigrationStatus, stored: "str | Sequence[str] | None") -> Entry:
        """Return a migration with its promises."""
        migration = item.migration
        applied = item.applied or Applied(item.id, State.APPLIED)
        promises = None
        if migration is not None:
            promises = read_promises(migration.verify_path, migration.actors)
        path = migration.delta_path if migration else None
        if isinstance(stored, str) or stored is None:
            delta = delta_of_applied(stored, path) if item.applied else read_delta(path)
        else:
            delta = tuple(stored)
        return Entry(
            item.id,
            item.state,
            applied.applied_at,
            applied.applied_by,
            applied.duration_ms,
            applied.checks,
            bool(applied.set_name),
            bool(migration and migration.rollback_path) or applied.has_rollback,
            migration.directives.irreversible if migration else None,
            self.promises(promises, is_run=item.id in self._ids) if promises else (),
            delta,
        )

    def promises(self, promises: Promises, *, is_run: bool) -> tuple[Promise, ...]:
        """Return the promises of a file."""
        return tuple(self._promise(check, is_run=is_run) for check in promises.checks)

    def _promise(self, check: Check, *, is_run: bool) -> Promise:
        key = str(check.place)
        broken, unjudged = self._broken.get(key), self._unjudged.get(key)
        verdict, is_retired = None, check.until in self._applied
        if broken or unjudged:
            verdict = "broken" if broken else "unjudged"
        elif self._is_run and is_run and check.kind is not Kind.SAME and not is_retired:
            verdict = "holds"
        finding = broken or unjudged
        kind = f"{check.kind.value} {check.sqlstate}" if check.sqlstate else check.kind.value
        actors = dict.fromkeys(turn.actor.name for turn in check.turns if turn.actor)
        return Promise(
            kind,
            check.sentence,
            tuple(actors),
            _seen_from(self._folder, check),
            check.until,
            verdict,
            str(finding.found) if finding else None,
        )


def _by_place(findings: Sequence[Finding]) -> Mapping[str, Finding]:
    return {str(finding.check.place): finding for finding in findings}


def _seen_from(folder: Path, check: Check) -> str:
    path = check.place.path
    for base in (folder, folder.parent):
        if path.is_relative_to(base):
            path = path.relative_to(base)
            break
    return f"{path.as_posix()}:{check.place.line}"


def _own(tables: Sequence[Table], entries: Sequence[Entry]) -> list[Table]:
    """Leave out the tables of the platform, and of schemas in which no migration made one.

    Where no delta tells what migrations made, all of them are shown.
    """
    made = _made([entry for entry in entries if not entry.is_of_platform])
    platform = _made([entry for entry in entries if entry.is_of_platform])
    schemas = {schema for schema, _ in made}
    return [
        table
        for table in tables
        if (table.schema, table.name) not in platform and (not schemas or table.schema in schemas)
    ]


def _made(entries: Sequence[Entry]) -> set[tuple[str, str]]:
    """Return schema and name of the tables that deltas tell of."""
    lines = [line for entry in entries for line in entry.delta or ()]
    found = filter(None, map(_TABLE.match, lines))
    return {(_unquoted(match["schema"]), _unquoted(match["name"])) for match in found}


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
