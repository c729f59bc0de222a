"""Raw-SQL PostgreSQL migrations that vouch for themselves.

    from pgvouch import Vouch

    with Vouch("postgresql://…", project="pyproject.toml") as vouch:
        outcome = vouch.migrate()

What stands in `__all__` is the library; what is in the modules may change with any release.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgvouch.api.values import Plan, Planned, Repaired, RollbackStep, Settings
    from pgvouch.api.vouch import Vouch
    from pgvouch.delta.fold import Comparison, Difference
    from pgvouch.engine.commands import Outcome
    from pgvouch.errors import (
        AuthenticationError,
        CheckError,
        ConnectError,
        DataLossError,
        DriftError,
        FileError,
        MigrationError,
        NoDatabaseError,
        NotReadyError,
        Place,
        PlanError,
        RefusedError,
        ServerMessage,
        StampError,
        StandbyError,
        TooManyConnectionsError,
        UsageError,
        VouchError,
    )
    from pgvouch.events import (
        Doubted,
        Event,
        Finished,
        Listener,
        Note,
        Notice,
        Running,
        Scheduled,
        Started,
        Waiting,
    )
    from pgvouch.ledger.rows import Applied, State
    from pgvouch.operations.accept_delta import Written
    from pgvouch.operations.explain import Explanation, Promise
    from pgvouch.operations.history import HistoryEntry
    from pgvouch.plan.status import MigrationStatus
    from pgvouch.report.model import Report
    from pgvouch.stamp.templates import Family
    from pgvouch.stamp.verdict import Stamped
    from pgvouch.verify.checks import Finding, Verdict

__version__ = "0.1.0"
__all__ = [
    "Applied", "AuthenticationError", "CheckError", "Comparison", "ConnectError", "DataLossError",
    "Difference", "Doubted", "DriftError", "Event", "Explanation", "Family", "FileError", "Finding",
    "Finished", "HistoryEntry", "Listener", "MigrationError", "MigrationStatus", "NoDatabaseError",
    "NotReadyError", "Note", "Notice", "Outcome", "Place", "Plan", "PlanError", "Planned",
    "Promise", "RefusedError", "Repaired", "Report", "RollbackStep", "Running", "Scheduled",
    "ServerMessage", "Settings", "StampError", "Stamped", "StandbyError", "Started", "State",
    "TooManyConnectionsError", "UsageError", "Verdict", "Vouch", "VouchError", "Waiting", "Written",
    "__version__",
]  # fmt: skip
_HOMES = (
    "errors", "events", "ledger.rows", "plan.status", "engine.commands", "api.values", "api.vouch",
    "verify.checks", "delta.fold", "stamp.templates", "stamp.verdict", "operations.accept_delta",
    "operations.history",
    "operations.explain",
    "report.model",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a name when it is used: the program starts without most of them."""
    if name in __all__:
        from importlib import import_module

        for home in _HOMES:
            if name in (names := vars(import_module(f"pgvouch.{home}"))):
                return names[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
