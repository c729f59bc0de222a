"""What the deltas of the applied migrations come to: the shape that the catalog has to have."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pgvouch.delta.lines import about, beginnings, hides_values, is_shape, sides


@dataclass(frozen=True, slots=True)
class Deed:
    """An applied migration, and what it did to the catalog."""

    id: str
    delta: tuple[str, ...] | None
    """None: it is not known."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An object that is not as a delta has left it."""

    migration: str
    """The last one whose delta names the object."""
    expected: str | None
    """The line that there should be; None: the object should be gone."""
    found: str | None
    """The line that is there; None: the object is missing."""
    identity: str | None = None
    """What the line is about, with which it begins; None where the object is missing."""

    def sentence(self, *, is_applied: bool = True) -> str:
        """Return how it differs, but for the definitions of what is there in another shape."""
        if self.expected is None:
            removed = "removed" if is_applied else "removes"
            return f"there, but {self.migration} {removed} it: {self.found}"
        if self.found is None or self.identity is None:
            made = "made" if is_applied else "makes"
            return f"missing, but {self.migration} {made} it: {self.expected}"
        left = "left" if is_applied else "makes"
        return f"not as {self.migration} {left} it: {self.identity}"

    def definitions(self) -> tuple[str, str] | None:
        """Return what is expected and what is found of it, where it is there in another shape."""
        if self.expected is None or self.found is None or self.identity is None:
            return None
        expected, found = (
            line.removeprefix(self.identity).strip() or "(nothing of note)"
            for line in (self.expected, self.found)
        )
        return expected, found


@dataclass(frozen=True, slots=True)
class Comparison:
    """The catalog beside the fold."""

    differing: tuple[Difference, ...] = ()
    unjudged: tuple[Difference, ...] = ()
    """Where a later migration without a delta may have made the difference."""
    unpromised: tuple[str, ...] = ()
    """Lines of the catalog about objects that no delta names."""
    without_delta: tuple[str, ...] = ()
    """Migrations of which no delta is known."""
    deltas: int = 0
    """How many applied migrations have one."""

    def shown(self, mask: Callable[[str], str]) -> "Comparison":
        """Return it without what may not be shown."""

        def masked(found: Iterable[Difference]) -> tuple[Difference, ...]:
            return tuple(
                Difference(d.migration, *(t and mask(t) for t in (d.expected, d.found, d.identity)))
                for d in found
            )

        return replace(
            self,
            differing=masked(self.differing),
            unjudged=masked(self.unjudged),
            unpromised=tuple(map(mask, self.unpromised)),
        )


@dataclass
class Fold:
    """Deltas, one on top of the other."""

    deeds: list[Deed] = field(default_factory=list)
    there: dict[str, int] = field(default_factory=dict)
    """The lines that there should be, each with the place of the deed that has written it."""
    gone: dict[str, int] = field(default_factory=dict)
    """The lines that a deed has removed; a later one may have brought them back."""
    masked: dict[str, re.Pattern[str]] = field(default_factory=dict)
    """Lines that hide the value of a variable, with a pattern of what they may be."""

    @classmethod
    def of(cls, deeds: Iterable[Deed]) -> "Fold":
        """Return the fold of the deltas of migrations in the order of their application."""
        fold = cls()
        for deed in deeds:
            fold.add(deed)
        return fold

    @property
    def lines(self) -> tuple[str, ...]:
        """What there should be, as Snapshot.lines() has it."""
        return tuple(sorted(self.there))

    def add(self, deed: Deed) -> None:
        """Put one more delta on top."""
        self.deeds.append(deed)
        at = len(self.deeds) - 1
        written: list[str] = []
        for line in filter(is_shape, deed.delta or ()):
            sign, body = line[0], line[2:]
            if sign == "~":
                new, old = sides(body, self.find)
                written.append(new)
                self.there.pop(old or "", None)
            elif sign == "-":
                self.there.pop(self.find(body) or "", None)
                self.gone[body] = at
            else:
                written.append(body)
        # Behind what is gone: a line may move from one object to another.
        for line in written:
            self.there[line] = at
            if (pattern := hides_values(line)) is not None:
                self.masked[line] = pattern

    def find(self, line: str) -> str | None:
        """Return the line that should be there and is this one, or hides a value of it."""
        if line in self.there:
            return line
        hiding = (known for known, pattern in self.masked.items() if pattern.fullmatch(line))
        return next((known for known in hiding if known in self.there), None)

    def compare(
        self, catalog: Mapping[str, str], known: Iterable[Sequence[str]] = ()
    ) -> Comparison:
        """Compare the catalog with what the deltas come to.

        Args:
            catalog: every line of it, and the identity of its object.
            known: deltas that did not happen here and whose objects are there all the same.
        """
        missing = set(self.there)
        others = {}
        for line, identity in catalog.items():
            if (promised := self.find(line)) is None:
                others[identity] = line
            else:
                missing.discard(promised)
        found = sorted(
            self._differences(missing, others),
            key=lambda item: item[1].expected or item[1].found or "",
        )
        gaps = [at for at, deed in enumerate(self.deeds) if deed.delta is None]
        last = gaps[-1] if gaps else -1
        elsewhere = sorted({line[2:] for delta in known for line in delta} | set(_FRESH))
        return Comparison(
            tuple(difference for at, difference in found if at > last),
            tuple(difference for at, difference in found if at <= last),
            tuple(sorted(line for name, line in others.items() if about(name, elsewhere) is None)),
            tuple(self.deeds[at].id for at in gaps),
            sum(deed.delta is not None for deed in self.deeds),
        )

    def _differences(
        self, missing: Iterable[str], others: dict[str, str]
    ) -> Iterator[tuple[int, Difference]]:
        """Yield what differs, with the place of the deed; what is explained leaves the others."""
        for line in missing:
            at = self.there[line]
            identity = next((name for name in beginnings(line) if name in others), None)
            found = others.pop(identity) if identity else None
            yield at, Difference(self.deeds[at].id, line, found, identity)
        gone = sorted(self.gone)
        for identity in list(others):
            if (was := about(identity, gone)) is not None:
                at = self.gone[was]
                found = others.pop(identity)
                yield at, Difference(self.deeds[at].id, None, found, identity)


_FRESH = (
    "comment on schema public 'standard public schema'",
    "extension plpgsql schema pg_catalog",
    "schema public",
)
"""What every new database has."""
