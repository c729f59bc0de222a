"""What the catalog says at one moment, and what two moments differ in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pgvouch.delta.canonical import canonical


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot:
    """Every object of a database with its definition, as PostgreSQL said it."""

    objects: Mapping[str, str]
    """Definition by identity, before canonical()."""

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[str | None]]) -> "Snapshot":
        """Return the snapshot that the rows of snapshot_sql() describe.

        Args:
            rows: identity and definition of each object.

        Raises:
            ValueError: two rows have one identity, so a change of one could hide behind the other.
        """
        objects: dict[str, str] = {}
        count = 0
        for identity, definition in rows:
            objects[identity or ""] = definition or ""
            count += 1
        if len(objects) != count:
            raise ValueError(f"{count - len(objects)} catalog objects share their identity")
        return cls(MappingProxyType(objects))

    def lines(self) -> tuple[str, ...]:
        """Return the whole catalog, one line an object, sorted by code point."""
        return tuple(
            sorted(
                _line(canonical(identity), canonical(definition))
                for identity, definition in self.objects.items()
            )
        )

    def __repr__(self) -> str:
        return f"<Snapshot of {len(self.objects)} objects>"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """How a delta differs from the one that was promised."""

    missing: tuple[str, ...]
    """Lines of the file that did not happen."""
    unexpected: tuple[str, ...]
    """Lines that happened and are not in the file."""


def difference(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Return what changed from one snapshot to another, one line an object, sorted by code point.

    Args:
        before: the snapshot ahead of a migration.
        after: the one behind it, taken by the same role with the same settings.

    Returns:
        `+ kind identity definition` for what is new, `- …` for what is gone with what it was, and
        `~ kind identity definition (was: old definition)`.
    """
    old, new = before.objects, after.objects
    gone = [identity for identity in old if identity not in new]
    touched = [identity for identity, text in new.items() if old.get(identity) != text]
    # Canonical text only of what differs: a large catalog stays cheap.
    lines = [f"- {_line(canonical(identity), canonical(old[identity]))}" for identity in gone]
    for identity in touched:
        name, text = canonical(identity), canonical(new[identity])
        if identity not in old:
            lines.append(f"+ {_line(name, text)}")
        elif (was := canonical(old[identity])) != text:
            lines.append(f"~ {_line(name, text)} (was: {was or 'nothing of note'})")
    return tuple(sorted(lines))


def compare(expected: Iterable[str], actual: Iterable[str]) -> Mismatch | None:
    """Compare the delta that was promised with the one that happened.

    Returns:
        None where they are equal.
    """
    promised, happened = set(expected), set(actual)
    if promised == happened:
        return None
    return Mismatch(tuple(sorted(promised - happened)), tuple(sorted(happened - promised)))


def _line(identity: str, definition: str) -> str:
    return f"{identity} {definition}" if definition else identity
