"""One stamp judged: fresh, stale or edited by hand, and what to tell its author. No I/O."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from pgvouch.errors import Place, StampError
from pgvouch.files.version import ROLLBACK
from pgvouch.sqltext.place import excerpt
from pgvouch.stamp.blocks import Block, carry_until, digest, is_until, without_until
from pgvouch.stamp.call import Value

Freshness: TypeAlias = Literal["fresh", "written", "stale", "edited", "applied"]

_MAX_DIFFERENCES = 8


@dataclass(frozen=True, slots=True)
class Stamped:
    """What became of one stamp."""

    path: Path
    line: int
    template: str
    status: Freshness
    error: StampError | None = None
    """What to tell the author; None when there is nothing to do."""
    superseded_by: Path | None = None
    """The later migration that holds the same stamp, so that this one is history."""

    @property
    def ok(self) -> bool:
        """Whether `stamp` or `stamp --check` may succeed."""
        return self.error is None


@dataclass(frozen=True, slots=True)
class Item:
    """One stamp of a file, with what it gives now."""

    path: Path
    block: Block
    source: str
    """The stamp line as its author wrote it."""
    values: dict[str, Value]
    body: str
    only_checks: bool = False
    """Whether its family has only checks: nothing of it was ever applied."""

    @property
    def template(self) -> str:
        """The family's name."""
        return self.block.call.template

    @property
    def twin_key(self) -> tuple[str, str]:
        """What two equal stamps have in common."""
        return self.template, repr(sorted(self.values.items()))

    @property
    def state(self) -> Literal["fresh", "stale", "edited"]:
        """How the file compares with the stamp."""
        written = self.block.expansion
        if written is None:
            return "stale"
        same = without_until(written.body) == without_until(self.body)
        if same and written.intact and written.template == self.template:
            return "fresh"
        # What differs from its marker, but is what the stamp gives, loses nothing when rewritten.
        return "stale" if same or written.intact else "edited"

    @property
    def new_body(self) -> str | None:
        """What to write: the author's `-- until:` lines are kept. None when they have no place."""
        written = self.block.expansion
        return self.body if written is None else carry_until(written.body, self.body)

    @property
    def _place(self) -> Place:
        return Place(self.path, self.block.line)

    def refusal(self, *, is_applied: bool, force: bool) -> tuple[Freshness, StampError] | None:
        """Say why this stamp may not be written, if so."""
        is_applied = is_applied and not self.only_checks
        if self.state == "edited" and (is_applied or not force):
            return "edited", self.edited(is_applied=is_applied)
        if is_applied:
            return "applied", self.applied()
        if self.new_body is None and not force:
            return "edited", StampError(
                "an `-- until:` line belongs to a check that the template no longer has",
                self._place,
                notes=self._differences("written", "now"),
                hint="remove the line, or insist with `pgvouch stamp --force`",
            )
        return None

    def stale(self, hint: str) -> StampError:
        """Return the error for an expansion that is missing or no longer what the stamp gives."""
        if self.block.expansion is None:
            return StampError(f"{self.template} is not stamped yet", self._place, hint=hint)
        return StampError(
            f"the expansion of {self.template} is stale: the stamp now gives other SQL",
            self._place,
            notes=self._differences("written", "now"),
            hint=hint,
        )

    def edited(self, *, is_applied: bool) -> StampError:
        """Return the error for an expansion that was edited by hand."""
        written = self.block.expansion
        notes = self._differences("found", "stamped")
        if written is not None and digest(written.template, self.body) != written.digest:
            notes.append("compared with what the stamp gives now, which has changed too")
        message = f"the expansion of {self.template} was edited by hand"
        hint = (
            "undo the edit, or remove the stamp line and both markers to keep the SQL as your "
            "own; `pgvouch stamp --force` overwrites it"
        )
        if is_applied:
            message += ", and the migration is applied"
            hint = "undo the edit: an applied file does not change; write a new migration"
        return StampError(message, self._place, notes=notes, hint=hint)

    def applied(self) -> StampError:
        """Return the error for a stale expansion in an applied migration."""
        about = str(self.values.get("table") or self.template)
        name = re.sub(r"\W+", "_", about).strip("_").lower() or self.template
        stem = self.path.name.removesuffix(".sql").removesuffix(".rollback")
        return StampError(
            f"{stem} is applied, so its {self.template} is not stamped again",
            self._place,
            statement=self.source,
            notes=self._differences("applied", "now"),
            hint=f"`pgvouch new restamp_{name}`: drop there what {stem}{ROLLBACK} drops, put this "
            "stamp line below, and run `pgvouch stamp`; the old checks get a line `-- until: "
            "<the new migration>` each",
        )

    def _differences(self, first: str, second: str) -> list[str]:
        """Return the lines in which the file and the stamp differ, by line of the file."""
        written = self.block.expansion
        if written is None:
            return []
        numbered = enumerate(written.body.split("\n")[:-1], written.line + 1)
        there = [(number, line) for number, line in numbered if not is_until(line)]
        now = self.body.split("\n")[:-1]
        last = there[-1][0] if there else written.line
        notes = []
        matcher = difflib.SequenceMatcher(None, [line for _, line in there], now, autojunk=False)
        for tag, i, i_end, j, j_end in matcher.get_opcodes():
            for offset in range(0 if tag == "equal" else max(i_end - i, j_end - j)):
                number, old = there[i + offset] if i + offset < i_end else (None, None)
                new = now[j + offset] if j + offset < j_end else None
                at = number or (there[i_end][0] if i_end < len(there) else last + 1)
                notes.append(f"line {at}: {first} {_shown(old)}, {second} {_shown(new)}")
        if len(notes) > _MAX_DIFFERENCES:
            notes[_MAX_DIFFERENCES:] = [f"and {len(notes) - _MAX_DIFFERENCES} lines more"]
        return notes


def _shown(line: str | None) -> str:
    if line is None:
        return "nothing"
    return f"`{excerpt(line, 80)}`"
