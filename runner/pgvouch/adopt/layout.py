"""Where the files of another tool's project go in ours, and what is written into them. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pgvouch.adopt.history import Foreign, History, NotCarried
from pgvouch.adopt.text import Text, as_ours
from pgvouch.errors import FileError, Place
from pgvouch.files.migration import checksum
from pgvouch.files.repeatable import PREFIX
from pgvouch.files.version import ROLLBACK, Version

_LEAST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A migration of another tool as one of ours."""

    foreign: Foreign
    id: str
    """The file's stem, as our ledger calls it."""
    sql: str
    rollback: str | None
    verify: str | None
    is_transactional: bool
    digest: str = ""
    """Its checksum, where the file holds more than `sql`."""

    @property
    def checksum(self) -> str:
        """As our ledger keeps it."""
        return self.digest or checksum(self.sql)

    @property
    def files(self) -> dict[str, str]:
        """The texts by their paths in the folder."""
        ending = ".py" if self.foreign.is_python else ".sql"
        found = {f"{self.id}{ending}": self.sql}
        if self.rollback is not None:
            found[f"{self.id}{ROLLBACK}"] = self.rollback
        if self.verify is not None:
            folder, slash, stem = self.id.rpartition("/")
            found[f"{folder}{slash}verify/{stem}.sql"] = self.verify
        return found


def lay_out(history: History) -> tuple[list[LaidOut], list[NotCarried]]:
    """Return the files of a project in our layout, and what of it is otherwise there.

    Names and order are kept. Numbers are, where they sort by value as the tool sorts them, and no
    two are the same; otherwise the migrations are numbered anew.

    Raises:
        FileError: two files of one name.
    """
    once = [m for m in history.migrations if not m.is_repeatable]
    again = [m for m in history.migrations if m.is_repeatable]
    stems = _stems(once)
    notes = list(history.not_carried)
    if any(stem != _own_stem(m) for m, stem in zip(once, stems, strict=True)):
        said = "the migrations are numbered anew, in the order in which they were applied"
        notes.append(NotCarried(Place(history.folder), said))
    found = [_lay_out(migration, stem, notes) for migration, stem in zip(once, stems, strict=True)]
    names = [_words(migration.words) for migration in again]
    if names != sorted(names):  # we go by the name where nothing else is said
        digits = len(str(len(names)))
        names = [f"{place:0{digits}}_{name}" for place, name in enumerate(names, start=1)]
    found += [_lay_out(m, f"{PREFIX}{name}", notes) for m, name in zip(again, names, strict=True)]
    _refuse_same(found)
    return found, notes


def _lay_out(foreign: Foreign, stem: str, notes: list[NotCarried]) -> LaidOut:
    if foreign.is_python or foreign.is_ours:
        return LaidOut(
            foreign, stem, foreign.up, foreign.down, foreign.verify, foreign.is_transactional
        )
    place = Place(foreign.path, foreign.line if foreign.line > 1 else None)
    up = as_ours(foreign.up, is_transactional=foreign.is_transactional, variables=foreign.variables)
    if foreign.is_repeatable and not up.is_transactional:
        raise FileError(
            f"{foreign.name} cannot be run in a transaction, as all in {PREFIX} is",
            place,
            hint="make it a migration with a version, which is run once",
        )
    notes += [NotCarried(place, note) for note in up.notes]
    down: Text | None = None
    if foreign.down is not None and foreign.down.strip():
        down = as_ours(
            foreign.down,
            is_transactional=foreign.is_down_transactional,
            variables=foreign.down_variables,
        )
        at = replace(place, path=foreign.down_path or foreign.path)
        notes += [NotCarried(at, f"the rollback: {note}") for note in down.notes]
    rollback = down.sql if down else None
    return LaidOut(foreign, stem, up.sql, rollback, foreign.verify, up.is_transactional)


def _stems(migrations: Sequence[Foreign]) -> list[str]:
    own = [_own_stem(migration) for migration in migrations]
    versions = [Version.of(stem) for stem in own]
    if None not in versions and versions == sorted(set(filter(None, versions))):
        return own
    digits = max(_LEAST_DIGITS, len(str(len(migrations))))
    return [
        f"{place:0{digits}}_{_words(migration.words or migration.number)}"
        for place, migration in enumerate(migrations, start=1)
    ]


def _own_stem(migration: Foreign) -> str:
    """Return the name that a file has already, where it is one of ours."""
    stem = migration.path.stem.removesuffix(".up")
    if migration.number and stem.startswith(migration.number) and Version.of(stem):
        return stem
    return f"{migration.number}_{_words(migration.words)}"


def _words(text: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in text)
    return kept.strip("_.-") or "migration"


def _refuse_same(found: Sequence[LaidOut]) -> None:
    seen: dict[str, Path] = {}
    for item in found:
        for name in item.files:
            if name in seen:
                raise FileError(
                    f"{item.foreign.name} and {seen[name].name} would both be {name}",
                    Place(item.foreign.path),
                    hint="rename one of them for the time of the adoption",
                )
            seen[name] = item.foreign.path
