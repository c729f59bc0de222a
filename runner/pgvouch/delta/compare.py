"""The delta that was promised, beside the one that happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgvouch.errors import CheckError, Place
from pgvouch.files.variables import Mask


@dataclass(frozen=True, slots=True)
class Mismatch:
    """How a delta differs from the one that was promised."""

    missing: tuple[str, ...]
    """Lines of the file that did not happen."""
    unexpected: tuple[str, ...]
    """Lines that happened and are not in the file."""


def compare(expected: Iterable[str], actual: Iterable[str]) -> Mismatch | None:
    """Compare the delta that was promised with the one that happened.

    Returns:
        None where they are equal.
    """
    promised, happened = set(expected), set(actual)
    if promised == happened:
        return None
    return Mismatch(tuple(sorted(promised - happened)), tuple(sorted(happened - promised)))


def compare_delta(
    identifier: str, path: Path, expected: Sequence[str], delta: Sequence[str], mask: Mask
) -> None:
    """Refuse a migration that did something else to the catalog than its .delta file says.

    Args:
        identifier: the migration.
        path: of the .delta file.
        expected: its lines.
        delta: what happened.
        mask: hides what may not be shown.

    Raises:
        CheckError: naming every missing and every unexpected line.
    """
    mismatch = compare(expected, delta)
    if mismatch is None:
        return
    notes = [f"did not happen:  {mask(line)}" for line in mismatch.missing]
    notes += [f"was not promised:  {mask(line)}" for line in mismatch.unexpected]
    raise CheckError(
        f"{identifier} changed the catalog in another way than its delta promises",
        Place(path),
        notes=notes,
        hint=f"correct the migration; or, if this is what it should do, "
        f"pgvouch accept-delta {identifier} and review the file",
    )
