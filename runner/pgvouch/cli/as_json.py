"""What `--json` prints: one document, made of these."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pgvouch.engine.commands import Outcome
from pgvouch.errors import VouchError
from pgvouch.events import Finished

if TYPE_CHECKING:
    from pgvouch.api.values import Plan, Planned, Repaired, RollbackStep
    from pgvouch.delta.fold import Comparison, Difference
    from pgvouch.ledger.rows import Applied
    from pgvouch.operations.explain import Explanation, Promise
    from pgvouch.operations.history import HistoryEntry
    from pgvouch.operations.lint import Linted
    from pgvouch.plan.status import MigrationStatus
    from pgvouch.stamp.templates import Family
    from pgvouch.stamp.verdict import Stamped
    from pgvouch.verify.checks import Finding, Verdict

Document = Mapping[str, Any]


def of_outcome(name: str, outcome: Outcome) -> Document:
    """Return what `migrate` and `rollback` print of a database."""
    return {
        "database": name,
        "migrations": of_finished(outcome.finished),
        "applied": outcome.applied,
        "provided": outcome.provided,
        "ahead": list(outcome.ahead),
        "warnings": [_warning(warning) for warning in outcome.warnings],
    }


def of_finished(events: Sequence[Finished]) -> list[Document]:
    """Return what was done with each migration."""
    return [
        {
            "id": event.id,
            "outcome": event.outcome,
            "duration_ms": round(event.duration_ms, 3),
            "checks": event.checks,
            "delta": list(event.delta) if event.delta is not None else None,
        }
        for event in events
    ]


def of_pending_sql(name: str, plan: "Plan") -> Document:
    """Return what `migrate --dry-run` prints."""
    return {"database": name, "migrations": [{"id": p.id, "sql": p.sql} for p in plan.pending]}


def of_rollback_steps(name: str, steps: Sequence["RollbackStep"]) -> Document:
    """Return what `rollback --dry-run` prints."""
    told = [{"id": step.id, "sql": step.sql, "notes": list(step.notes)} for step in steps]
    return {"database": name, "migrations": told}


def of_status(name: str, rows: Sequence["MigrationStatus"]) -> Document:
    """Return what `status` prints."""
    return {"database": name, "migrations": [_row(row) for row in rows]}


def _row(row: "MigrationStatus") -> Document:
    applied = row.applied
    at = applied and applied.applied_at
    return {
        "id": row.id,
        "state": row.state,
        "applied_at": at.isoformat() if at else None,
        "applied_by": applied and applied.applied_by,
        "duration_ms": applied and applied.duration_ms,
        "checks": applied and applied.checks,
        "checksum": applied and applied.checksum,
        "file_checksum": row.migration and row.migration.checksum,
    }


def of_history(name: str, entries: Sequence["HistoryEntry"]) -> Document:
    """Return what `history` prints."""
    return {"database": name, "history": [_entry(entry) for entry in entries]}


def _entry(entry: "HistoryEntry") -> Document:
    fields = ("id", "what", "by", "host", "role", "why")
    return {"at": entry.at.isoformat(), **{field: getattr(entry, field) for field in fields}}


def of_current(name: str, row: "Applied | None") -> Document:
    """Return what `current` prints."""
    at = row and row.applied_at
    return {
        "database": name,
        "id": row and row.id,
        "state": row and row.state.value,
        "applied_at": at.isoformat() if at else None,
    }


def of_plan(name: str, plan: "Plan") -> Document:
    """Return what `plan` prints."""
    return {
        "database": name,
        "pending": [_planned(item) for item in plan.pending],
        "warnings": [_warning(warning) for warning in plan.warnings],
    }


def _planned(item: "Planned") -> Document:
    return {
        "id": item.id,
        "unless": item.unless,
        "transactional": item.transactional,
        "isolation": item.isolation,
        "lock_timeout": item.lock_timeout,
        "statement_timeout": item.statement_timeout,
        "verified": item.has_checks,
        "delta": item.has_delta,
        "rollback": item.has_rollback,
    }


def of_verified(name: str, verified: Sequence["Verdict"]) -> Document:
    """Return what `verify` prints."""
    return {
        "database": name,
        "passed": sum(item.passed for item in verified),
        "broken": [_finding(item.id, found) for item in verified for found in item.broken],
        "unjudged": [_finding(item.id, found) for item in verified for found in item.unjudged],
    }


def of_drift(name: str, compared: "Comparison") -> Document:
    """Return what `drift` prints of a database, and `verify` under `catalog`."""
    return {
        "database": name,
        "differs": [_difference(found) for found in compared.differing],
        "unjudged": [_difference(found) for found in compared.unjudged],
        "unpromised": list(compared.unpromised),
        "without_delta": list(compared.without_delta),
    }


def _difference(found: "Difference") -> Document:
    return {
        "migration": found.migration,
        "object": found.identity,
        "expected": found.expected,
        "found": found.found,
    }


def _finding(identifier: str, finding: "Finding") -> Document:
    return {
        "id": identifier,
        "sentence": finding.sentence,
        "file": str(finding.place.path),
        "line": finding.place.line,
        "expected": finding.expected,
        "found": str(finding.found),
        "sqlstate": finding.sqlstate,
    }


def of_explanation(name: str | None, found: "Explanation") -> Document:
    """Return what `explain` prints."""
    row = found.applied
    return {
        "database": name,
        "id": found.id,
        "file": str(found.path) if found.path else None,
        "header": list(found.header),
        "promises": [_promise(promise) for promise in found.promises],
        "delta": list(found.delta) if found.delta is not None else None,
        "locks": list(found.locks),
        "rollback": {"possible": found.rollback, "why": found.rollback_why},
        "state": found.state,
        "state_why": found.state_why,
        "applied_at": row.applied_at.isoformat() if row and row.applied_at else None,
        "applied_by": row and row.applied_by,
        "duration_ms": row and row.duration_ms,
        "checks": row and row.checks,
        "history": [_entry(entry) for entry in found.history],
    }


def _promise(promise: "Promise") -> Document:
    return {
        "kind": promise.kind,
        "sentence": promise.sentence,
        "actors": list(promise.actors),
        "sqlstate": promise.sqlstate,
        "until": promise.until,
        "file": str(promise.place.path),
        "line": promise.place.line,
    }


def of_repaired(name: str, how: str, repaired: "Repaired") -> Document:
    """Return what `repair` prints."""
    migrations = of_finished(repaired.finished)
    return {"database": name, "id": repaired.id, "how": how, "migrations": migrations}


def of_linted(linted: "Linted") -> Document:
    """Return what `lint` prints of a database."""
    return {
        "database": linted.name,
        "migrations": linted.migrations,
        "checks": linted.checks,
        "warnings": [_warning(warning) for warning in linted.warnings],
    }


def of_stamps(name: str, stamps: Sequence["Stamped"], *, check: bool) -> Document:
    """Return what `stamp` prints of a folder."""
    told = [
        {
            "file": str(stamp.path),
            "line": stamp.line,
            "template": stamp.template,
            "status": stamp.status,
            "error": stamp.error.as_dict() if stamp.error else None,
        }
        for stamp in stamps
    ]
    return {"database": name, "check": check, "stamps": told}


def of_template(family: "Family", expansion: str) -> Document:
    """Return what `stamp --list` prints of a template."""
    declared = family.declaration
    return {
        "template": family.name,
        "origin": family.origin,
        "doc": declared.doc,
        "arguments": [
            {key: getattr(parameter, key) for key in ("name", "type", "required", "default", "doc")}
            for parameter in declared.parameters
        ],
        "sample": declared.sample_text,
        "expansion": expansion,
    }


def _warning(warning: VouchError) -> Document:
    known = warning.as_dict()
    return {key: known[key] for key in ("message", "file", "line", "hint")}
