"""What lies in a folder of migrations and does not fit: named, never left out in silence."""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from pgvouch.errors import FileError, Place, UsageError
from pgvouch.files.migration import Migration
from pgvouch.files.other_tools import is_code, other_name
from pgvouch.files.version import ROLLBACK, stem_of

ALWAYS = "always.sql"
"""In verify/: checks that hold whatever is applied."""
KNOWN_FOLDERS = frozenset({"verify", "queries", "repeat", "squashed"})
"""Folders beside the migrations of a database that hold something else."""
_IGNORED = ((".", "~", "#", "__"), ("~", ".md", ".txt", ".orig", ".rej", ".bak", ".swp"))
"""How names begin and end that are not looked at."""
_PLAIN = re.compile(r"[0-9][\w-]*(?:\.rollback)?\.(?:sql|py|delta)\Z", re.ASCII)
_ENDING = re.compile(r"(?:\.rollback)?\.(?:sql|py|delta)\Z", re.IGNORECASE)
_NOT_A_FILE = "remove it, or rename it: what is named like a migration is never just left out"


def is_ignored(name: str) -> bool:
    """Say whether a file is what editors, version control and Python leave behind, or prose."""
    begins, ends = _IGNORED
    return name.startswith(begins) or name.lower().endswith(ends)


def is_plain(entry: "os.DirEntry[str]") -> bool:
    """Say at one look that an entry is a file with whose name nothing is wrong."""
    try:
        return entry.is_file(follow_symlinks=False) and _PLAIN.match(entry.name) is not None
    except OSError:  # `is_source` says what is wrong
        return False


def is_source(entry: "os.DirEntry[str]") -> bool:
    """Say whether an entry is a file; one that is named like ours and cannot be ours is refused.

    A migration that is silently left out would not be missed until it is too late.

    Raises:
        FileError: it cannot be read as what its name says.
    """
    try:
        is_file = entry.is_file()
    except OSError as exc:  # a symbolic link that leads back to itself
        raise FileError.unreadable(Path(entry.path), exc) from exc
    ending = _ENDING.search(entry.name)
    if ending is None:
        if is_file and is_code(entry.name):
            raise FileError(
                f"{entry.name} is a migration in code of another tool, and would be left out",
                Place(Path(entry.path)),
                hint="write it in SQL, or in Python with yoyo's steps; or move it elsewhere",
            )
        return is_file
    if not is_file:
        raise FileError(_what_it_is(entry), Place(Path(entry.path)), hint=_NOT_A_FILE)
    if not entry.name.isprintable():
        shown = entry.name.encode("ascii", "backslashreplace").decode()
        raise FileError(
            f"the name {shown} holds a character that cannot be shown, or is not UTF-8",
            Place(Path(entry.path).parent),
            hint="rename the file: mv and a tab for the name, in a shell",
        )
    if ending.group() != ending.group().lower():
        raise FileError(
            f"{entry.name} would be left out: its ending is not {ending.group().lower()}",
            Place(Path(entry.path)),
            hint="write the ending in small letters",
        )
    return True


def _what_it_is(entry: "os.DirEntry[str]") -> str:
    if entry.is_dir():
        return f"{entry.name} is a folder that is named like a file of migrations"
    if entry.is_symlink() and not Path(entry.path).exists():
        return f"{entry.name} is a symbolic link to a file that is not there"
    return f"{entry.name} is neither a file nor a link to one"


def refuse_folder(entry: "os.DirEntry[str]", known: Collection[str]) -> None:
    """Refuse a folder of SQL files inside a folder of migrations, unless it is a known one.

    Raises:
        FileError: it holds files that would never be read.
    """
    if entry.name in known or entry.name.startswith(("_", ".")) or _ENDING.search(entry.name):
        return
    if not entry.is_dir() or (inside := first_source(Path(entry.path))) is None:
        return
    raise FileError(
        f"the folder {entry.name}/ holds {inside.name}, which would be left out",
        Place(inside),
        hint=other_name(inside.name, inside.parent.name)
        or f"move its files up into {Path(entry.path).parent.name}/: a folder is one database, and "
        "its migrations stand side by side; _ in front of its name says that it holds none",
    )


def databases_in(folder: Path) -> list[str]:
    """Return the names of the databases in a folder: its folders, or "" for the folder itself.

    Raises:
        UsageError: it is not there, or cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder.name}/",
            Place(folder),
            hint="pgvouch init begins a project; pgvouch adopt FOLDER takes over that of another "
            "tool; --migrations DIR names another folder",
        )
    try:
        with os.scandir(folder) as entries:
            names = []
            for entry in entries:  # most of thousands need not be seen here
                if _stands_alone(entry.name):
                    return [""]
                names.append(entry.name)
    except OSError as exc:
        raise UsageError.unreadable(folder, exc, f"the folder {folder.name}") from exc
    return [
        name
        for name in sorted(names)
        if not name.startswith(("_", "."))
        and name not in KNOWN_FOLDERS
        and (folder / name).is_dir()
        and first_source(folder / name) is not None
    ]


def _stands_alone(name: str) -> bool:
    """Say whether a file makes its folder the only database; one without a number does too.

    It is refused when the folder is read, and would be left out in silence otherwise.
    """
    if is_ignored(name):
        return False
    lowered = name.lower()
    return lowered.endswith(".sql") or (lowered.endswith(".py") and name[0].isdigit())


def first_source(folder: Path) -> Path | None:
    """Return the first file in a folder, or below it, that is named like a migration's."""
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if _stands_alone(name):
                return Path(base, name)
    return None


def unnumbered(folder: Path, names: Iterable[str]) -> Iterator[FileError]:
    """Yield an error for every file, whose place in the order is unknown."""
    for name in names:
        stem = stem_of(name)
        what = "number, so its place in the order is unknown"
        yield FileError(
            f"{name} has no {'name behind its number' if stem.isdigit() else what}",
            Place(folder / name),
            hint=other_name(name, folder.name)
            or "name it NNN_name.sql (`pgvouch new NAME` takes the next number)",
        )


def is_migration(name: str) -> bool:
    """Say whether a file is a migration by its name, and not the rollback of one."""
    return name.endswith((".sql", ".py")) and not name.endswith(ROLLBACK)


def look_alikes(folder: Path, names: Sequence[str]) -> Iterator[FileError]:
    """Yield an error for names that are one name on some disks."""
    folded = [name.lower() if name.isascii() else _folded(name) for name in names]
    if len(set(folded)) == len(names):
        return
    first: dict[str, str] = {}
    for name, same in zip(names, folded, strict=True):
        if (other := first.setdefault(same, name)) != name:
            yield FileError(
                f"{name} differs from {other} only in case (or in how an accent is stored): some "
                "disks would hold only one of them",
                Place(folder / name),
            )


def twice(folder: Path, sources: Iterable[str], stems: Mapping[str, str]) -> Iterator[FileError]:
    """Yield an error for every migration that is there in SQL and in Python."""
    for name in sources:
        if (other := stems[stem_of(name)]) != name:
            yield FileError(f"{other} and {name} are one migration twice", Place(folder / other))


def _folded(name: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", name).casefold()


def orphans(
    folder: Path, names: Iterable[str], verify: Iterable[str], stems: Mapping[str, str]
) -> Iterator[FileError]:
    """Yield an error for every rollback, verify file or delta without its migration."""
    for name in names:
        if name.endswith(ROLLBACK) and name.removesuffix(ROLLBACK) not in stems:
            yield FileError(
                f"{name} rolls back a migration that is not here",
                Place(folder / name),
                hint=f"rename it after its migration, or add {name.removesuffix(ROLLBACK)}.sql",
            )
    for name in verify:
        stem = name.removesuffix(ROLLBACK).removesuffix(".sql").removesuffix(".delta")
        if name.endswith((".sql", ".delta")) and stem not in stems and name != ALWAYS:
            yield FileError(
                f"verify/{name} promises something for a migration that is not here",
                Place(folder / "verify" / name),
                hint="rename it after its migration; as it stands nothing would check it",
            )


def same_numbers(migrations: Iterable[Migration]) -> Iterator[FileError]:
    """Yield an error for every two neighbours of one number; the migrations are in order."""
    for first, second in pairwise(migrations):
        if first.version == second.version:
            yield FileError(
                f"{first.name} and {second.name} have the same number",
                Place(second.path),
                hint="give the newer one the next free number",
            )
