"""What is said of a check that failed, or ended without an answer."""

from collections.abc import Iterable, Sequence

from pgvouch.errors import CheckError, MigrationError
from pgvouch.files.promises import Kind
from pgvouch.postgres.advice import HINTS, NEW_ENUM_VALUE, value_in_a_check
from pgvouch.verify.checks import Finding, Rows, lines_of


def check_error(identifier: str, broken: Sequence[Finding]) -> CheckError:
    """Return the error for promises that were not kept; the first one leads."""
    first = broken[0]
    # The server's message is shown on a separate line.
    found = f"an error {first.server.sqlstate}" if first.server else first.found
    notes = [f"expected {first.expected}", *labelled("found", found)]
    for other in broken[1:]:
        notes.append(f"also broken: {other.sentence} ({other.check.place})")
        lines = [f"expected {other.expected}", *labelled("found", other.found)]
        notes += [f"  {line}" for line in lines]
    return CheckError(
        f"{identifier} does not keep its promise: {first.sentence}",
        first.place,
        first.statement,
        first.server,
        notes=notes,
        hint=_next_after(first) + more_of(item.found for item in broken),
    )


def more_of(found: Iterable[str | Rows]) -> str:
    """Return how to see all of what checks have found, where not all is shown."""
    hides = any(isinstance(rows, Rows) and rows.more for rows in found)
    return "; --verbose shows more of what was found" if hides else ""


def labelled(label: str, found: str | Rows) -> list[str]:
    """Return what a check has found as lines, the first of them with a label."""
    return [f"{'' if number else label:<8} {line}" for number, line in enumerate(lines_of(found))]


def unjudged_error(identifier: str, stopped: Finding) -> MigrationError:
    """Return the error for a check that ended without an answer: no promise is broken by that."""
    assert stopped.server is not None
    return MigrationError(
        f"the checks of {identifier} could not be judged: {stopped.server.primary}",
        stopped.place,
        stopped.statement,
        stopped.server,
        notes=[f"the check: {stopped.sentence}"],
        hint=HINTS.get(stopped.server.sqlstate or ""),
    )


def _next_after(broken: Finding) -> str:
    if broken.server and broken.server.sqlstate == NEW_ENUM_VALUE:
        return value_in_a_check(broken.server)
    if broken.check.kind is Kind.SAME:
        return (
            "if others write to what it compares, run it again; `-- lock_tables:` in the header of "
            "the file keeps them out. If no one does, correct the file (or the check)"
        )
    return "correct the migration (or the check), and run it again"
