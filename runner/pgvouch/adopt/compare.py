"""A tool's ledger beside its files: only where the two agree is anything adopted. Pure."""

from collections.abc import Sequence

from pgvouch.adopt.history import ForeignLedger, History, Recorded
from pgvouch.adopt.layout import LaidOut
from pgvouch.adopt.tool import Tool
from pgvouch.errors import Gathered, Place, PlanError

_STATE = "Nothing was adopted: the database and its ledgers are as they were."


def applied(
    tool: Tool, history: History, laid_out: Sequence[LaidOut], ledger: ForeignLedger
) -> list[tuple[LaidOut, Recorded]]:
    """Return what is applied, in the order of the files.

    Args:
        tool: of the project.
        history: its files.
        laid_out: the same in our layout.
        ledger: what it says.

    Raises:
        RefusedError: a migration that failed half way, an applied one without a file or with
            another text, or one that was left out between applied ones.
    """
    gathered = Gathered()
    gathered.errors += ledger.errors
    rows = {row.key: row for row in ledger.rows}
    _refuse_unknown(tool, history, ledger, gathered)
    found = [(item, rows[item.foreign.key]) for item in laid_out if item.foreign.key in rows]
    for item, row in found:
        stored = item.foreign.checksums
        if row.checksum is not None and stored and row.checksum not in stored:
            gathered.errors.append(_changed(tool, item))
    once = [item for item in laid_out if not item.foreign.is_repeatable]
    last = max((n for n, item in enumerate(once) if item.foreign.key in rows), default=0)
    for item in once[:last]:
        if item.foreign.key not in rows:
            gathered.errors.append(_left_out(tool, item, once[last]))
    gathered.refuse()
    return found


def _refuse_unknown(
    tool: Tool, history: History, ledger: ForeignLedger, gathered: Gathered
) -> None:
    unknown = [row.key for row in ledger.rows if row.key not in history.by_key]
    if not unknown:
        return
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    gathered.errors.append(
        PlanError(
            f"{ledger.table.quoted} has {', '.join(unknown[:5])}{more}, and {tool.title}'s files "
            "do not",
            Place(history.folder),
            state=_STATE,
            hint="the database is newer than these files, or a file was deleted: get the files "
            "that belong to it (git log --diff-filter=D --summary), and run this again",
        )
    )


def _changed(tool: Tool, item: LaidOut) -> PlanError:
    return PlanError(
        f"{item.foreign.path.name} is not what {tool.title} has applied: its checksum is another",
        Place(item.foreign.path),
        state=_STATE,
        hint=f"put back the text that was applied (git log -p {item.foreign.path.name}); or, if "
        f"the change does no harm, have {tool.title} accept it first",
    )


def _left_out(tool: Tool, item: LaidOut, last: LaidOut) -> PlanError:
    return PlanError(
        f"{item.foreign.path.name} is not applied, and {last.foreign.path.name}, which comes "
        "after it, is",
        Place(item.foreign.path),
        state=_STATE,
        hint=f"apply it with {tool.title}; or give it a number behind the others, so that "
        "`pgvouch migrate` applies it",
    )
