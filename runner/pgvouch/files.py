"""The only reader of migrations/. Reading creates nothing and talks to no server."""

import os
import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.migration import (
    Directives,
    Migration,
    Version,
    checksum,
    decode,
    parse_directives,
)

ROLLBACK = ".rollback.sql"
_IGNORED = re.compile(r"(?:\.|~|#|__)|.*(?:~|\.(?:md|txt|orig|rej|bak|swp))\Z", re.IGNORECASE)
_ENDING = re.compile(r"(?:\.rollback)?\.(?:sql|py|delta)\Z", re.IGNORECASE)
_NOT_A_FILE = "remove it, or rename it: what is named like a migration is never just left out"
MAX_BYTES = 100_000_000
"""The largest file that is read; about four times its size is held in memory."""
_PYTHON_DEPENDS = ("__depends__", "__transactional__")


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        FileError: it is not there, cannot be read, is too large, is not UTF-8 or holds a NUL.
    """
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise FileError(
                f"is {size / 1e6:,.0f} MB; {MAX_BYTES / 1e6:,.0f} MB is the most that is read",
                Place(path),
                hint="a migration changes the schema: load rows in these amounts with COPY from "
                "your application, or divide the file",
            )
        return decode(path.read_bytes(), path)
    except OSError as exc:
        raise FileError(f"cannot be read: {exc.strerror or exc}", Place(path)) from exc


def read_folder(folder: Path, set_name: str = "") -> tuple[Migration, ...]:
    """Read the migrations of one folder, in the order of their numbers.

    Args:
        folder: where the files are.
        set_name: the platform set's name, which then stands before every identifier.

    Returns:
        The migrations; their rollback and verify files are named, not read.

    Raises:
        FileError: two files of one number, a file that belongs to no migration, a file that
            cannot be read as what its name says.
    """
    names = _listing(folder)
    stems = {
        name.rpartition(".")[0]: name
        for name in names
        if name.endswith((".sql", ".py")) and not name.endswith(ROLLBACK)
    }
    _refuse_strangers(folder, names, stems)
    verify = _listing(folder / "verify") if (folder / "verify").is_dir() else []
    _refuse_orphans(folder, names, verify, stems)
    found = sorted(
        (
            _read_migration(folder / name, stem, set_name, set(names), set(verify))
            for stem, name in stems.items()
        ),
        key=lambda migration: migration.version,
    )
    _refuse_duplicates(found)
    return tuple(found)


def _listing(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if not _IGNORED.match(entry.name)]
    except OSError as exc:
        raise FileError(f"cannot be read: {exc.strerror or exc}", Place(folder)) from exc
    return sorted(entry.name for entry in found if _is_source(entry))


def _is_source(entry: "os.DirEntry[str]") -> bool:
    """Say whether an entry is a file; one that is named like ours and cannot be ours is refused.

    A migration that is silently left out would be missed by nobody until it is too late.
    """
    ending = _ENDING.search(entry.name)
    try:
        is_file = entry.is_file()
    except OSError as exc:  # a symbolic link that leads back to itself
        raise FileError(f"cannot be read: {exc.strerror or exc}", Place(Path(entry.path))) from exc
    if ending is None:
        return is_file
    if not is_file:
        raise FileError(_what_it_is(entry), Place(Path(entry.path)), hint=_NOT_A_FILE)
    shown = entry.name.encode("ascii", "backslashreplace").decode()
    if not entry.name.isprintable():
        raise FileError(
            f"the name {shown} holds a character that cannot be shown, or is not UTF-8",
            Place(Path(entry.path).parent),
            hint="rename the file: mv and a tab for the name, in a shell",
        )
    if ending.group() != ending.group().lower():
        raise FileError(
            f"would be left out: its ending is not {ending.group().lower()}",
            Place(Path(entry.path)),
            hint="write the ending in small letters",
        )
    return True


def _what_it_is(entry: "os.DirEntry[str]") -> str:
    if entry.is_dir():
        return "is a folder that is named like a file of migrations"
    if entry.is_symlink() and not Path(entry.path).exists():
        return "is a symbolic link to a file that is not there"
    return "is neither a file nor a link to one"


def _read_migration(
    path: Path, stem: str, set_name: str, names: set[str], verify: set[str]
) -> Migration:
    text = read_text(path)
    version = Version.of(stem)
    assert version is not None  # _refuse_strangers has seen to it
    base = path.parent

    def beside(folder: Path, name: str, listing: set[str]) -> Path | None:
        return folder / name if name in listing else None

    return Migration(
        id=f"{set_name}/{stem}" if set_name else stem,
        version=version,
        path=path,
        sql=text,
        checksum=checksum(text),
        directives=_python_directives(text, path)
        if path.suffix == ".py"
        else parse_directives(text, path),
        rollback_path=beside(base, stem + ROLLBACK, names),
        verify_path=beside(base / "verify", f"{stem}.sql", verify),
        rollback_verify_path=beside(base / "verify", stem + ROLLBACK, verify),
        delta_path=beside(base / "verify", f"{stem}.delta", verify),
    )


def _refuse_strangers(folder: Path, names: Iterable[str], stems: dict[str, str]) -> None:
    for stem, name in stems.items():
        if Version.of(stem) is None:
            raise FileError(
                "has no number, so its place in the order is unknown",
                Place(folder / name),
                hint="name it NNN_name.sql (`pgvouch new NAME` takes the next number)",
            )
    lowered: dict[str, str] = {}
    for name in names:
        if (other := lowered.setdefault(_folded(name), name)) != name:
            raise FileError(
                f"differs from {other} only in case (or in how an accent is stored): some disks "
                "would hold only one of them",
                Place(folder / name),
            )
    sources: dict[str, str] = {}
    for name in names:
        if name.endswith((".sql", ".py")) and not name.endswith(ROLLBACK):
            stem = name.rpartition(".")[0]
            if (other := sources.setdefault(stem, name)) != name:
                raise FileError(f"and {other} are one migration twice", Place(folder / name))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _refuse_orphans(
    folder: Path, names: list[str], verify: list[str], stems: dict[str, str]
) -> None:
    for name in names:
        if name.endswith(ROLLBACK) and name.removesuffix(ROLLBACK) not in stems:
            raise FileError(
                "rolls back a migration that is not here",
                Place(folder / name),
                hint=f"rename it after its migration, or add {name.removesuffix(ROLLBACK)}.sql",
            )
    for name in verify:
        stem = name.removesuffix(ROLLBACK).removesuffix(".sql").removesuffix(".delta")
        if name.endswith((".sql", ".delta")) and stem not in stems:
            raise FileError(
                "promises something for a migration that is not here",
                Place(folder / "verify" / name),
                hint="rename it after its migration; as it stands nothing would check it",
            )


def _refuse_duplicates(migrations: list[Migration]) -> None:
    for first, second in pairwise(migrations):
        if first.version == second.version:
            raise FileError(
                f"and {first.path.name} have the same number",
                Place(second.path),
                hint="give the newer one the next free number",
            )


def _python_directives(text: str, path: Path) -> Directives:
    """Read yoyo's `__depends__` and `__transactional__` without running the file."""
    import ast

    values: dict[str, object] = {}
    try:
        for node in ast.parse(text).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if name in _PYTHON_DEPENDS:
                    values[name] = ast.literal_eval(node.value)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
        line = getattr(exc, "lineno", None)
        raise FileError(f"is not a yoyo migration: {exc}", Place(path, line)) from exc
    depends = values.get("__depends__", ())
    if isinstance(depends, str):
        depends = (depends,)
    if not isinstance(depends, (set, frozenset, list, tuple)):
        raise FileError("is not a yoyo migration: __depends__ is no set of names", Place(path))
    return Directives(
        depends=tuple(str(d) for d in depends),
        transactional=bool(values.get("__transactional__", True)),
    )
