"""Which databases go together, and how many may fail. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from pgvouch.errors import UsageError
from pgvouch.fleet.target import Target

DEFAULT = ("1", "1%", "10%", "rest")
"""A canary, one in a hundred, one in ten, and all others."""
_SIZE = re.compile(r"(?P<count>\d+(?:\.\d+)?)(?P<percent>%?)\Z")


@dataclass(frozen=True, slots=True)
class Wave:
    """Databases that are migrated together, before any of the next wave."""

    name: str
    targets: tuple[Target, ...]
    may_fail: int = 0
    """How many of them may fail; one more ends the rollout."""
    is_last: bool = False
    """Whether no other wave is known to follow."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many databases may fail before a rollout stops."""

    count: float = 0.0
    is_percent: bool = False

    @classmethod
    def of(cls, text: str) -> "Budget":
        """Read `3` or `1%`.

        Raises:
            UsageError: it is neither.
        """
        count, is_percent = _size(text, "the number of failures")
        return cls(count, is_percent)

    def __str__(self) -> str:
        return f"{self.count:g}{'%' * self.is_percent}"

    def among(self, total: int) -> int:
        """Return how many of so many may fail; of a percentage at least one, but never all."""
        if not self.is_percent:
            return int(self.count)
        if not self.count or total == 1:
            return int(self.count >= 100)
        return max(1, int(total * self.count / 100))


def waves_of(targets: Sequence[Target], sizes: Sequence[str], budget: Budget) -> list[Wave]:
    """Return the waves of a rollout, none of them empty.

    Templates come first: what is made from one during the rollout then has the new migrations.
    Then those waves that targets name themselves, in the order in which they come up, but for what
    a size below names. The others are cut into pieces: `1`, `1%` of all, `rest`.

    Args:
        targets: in the order in which they are wanted.
        sizes: of the waves; what they leave over is a last one.
        budget: how many of a wave may fail; of a template and of the first piece, none.

    Raises:
        UsageError: a size that is none.
    """
    found: list[Wave] = []
    if templates := tuple(target for target in targets if target.is_template):
        found.append(Wave("template", templates))
    others = [target for target in targets if not target.is_template]
    named = dict.fromkeys(target.wave for target in others if target.wave)
    for name in named:
        members = tuple(target for target in others if target.wave == name)
        is_first = len(found) == bool(templates)
        found.append(Wave(str(name), members, 0 if is_first else budget.among(len(members))))
    rest = [target for target in others if not target.wave]
    total = len(rest)
    for size in (*sizes, "rest"):
        count = total if size == "rest" else _count(size, total)
        members, rest = tuple(rest[:count]), rest[count:]
        if members:
            is_first = len(found) == bool(templates) and bool(rest)
            found.append(Wave(_name(size, len(members), is_first=is_first), members,
                              0 if is_first else budget.among(len(members))))  # fmt: skip
    return [replace(wave, is_last=wave is found[-1]) for wave in found]


def _name(size: str, count: int, *, is_first: bool) -> str:
    if is_first and count == 1:
        return "canary"
    return size


def _count(size: str, total: int) -> int:
    count, is_percent = _size(size, "the size of a wave")
    if not count or (is_percent and count > 100):
        raise UsageError(f"a wave has at least one database, and 100% are all, not {size!r}")
    return ceil(total * count / 100) if is_percent else int(count)


def _size(text: str, what: str) -> tuple[float, bool]:
    match = _SIZE.match(text.strip())
    if match is None:
        raise UsageError(f"{what} is a number or a percentage, not {text!r}", hint="3, or 1%")
    return float(match["count"]), bool(match["percent"])
