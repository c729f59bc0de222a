"""Reads a folder of migrations. Reading creates nothing and talks to no server."""

import os
from collections.abc import Collection
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from pgvouch.errors import FileError, Gathered, Place
from pgvouch.files import strays
from pgvouch.files.actors import Actors
from pgvouch.files.directives import Directives, parse_directives
from pgvouch.files.migration import Migration, checksum, decode
from pgvouch.files.other_tools import MAY_HAVE_HALVES, ways_back
from pgvouch.files.regular import open_regular
from pgvouch.files.version import BACK, Version, stem_of

MAX_BYTES = 100_000_000
"""The largest file that is read; about four times its size is held in memory."""
_PYTHON_DEPENDS = ("__depends__", "__transactional__")


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        FileError: it is not there, cannot be read, is too large, is not UTF-8 or holds a NUL.
    """
    return _text(path, path)


def _text(file: str | Path, path: Path) -> str:
    """Return the text of a file; `path` is where errors are said to be."""
    try:
        return decode(_read(file, path), path)
    except OSError as exc:
        raise FileError.unreadable(path, exc) from exc


def _read(name: str | Path, path: Path) -> bytes:
    # A file object asks the system a dozen times for a small file, and there may be thousands.
    file, size = open_regular(name)
    try:
        if size > MAX_BYTES:
            raise FileError(
                f"{path.name} is {size / 1e6:,.0f} MB; "
                f"{MAX_BYTES / 1e6:,.0f} MB is the most that is read",
                Place(path),
                hint="a migration changes the schema: load rows in these amounts with COPY from "
                "your application, or divide the file",
            )
        raw = os.read(file, size + 1)
        if len(raw) == size:
            return raw
        rest = iter(lambda: os.read(file, MAX_BYTES), b"")  # it is being written
        return b"".join([raw, *rest])
    finally:
        os.close(file)


def read_folder(
    folder: Path, set_name: str = "", actors: Actors | None = None
) -> tuple[Migration, ...]:
    """Read the migrations of one folder, in the order of their numbers.

    Args:
        folder: where the files are.
        set_name: the platform set's name, which then stands before every identifier.
        actors: who may act in the checks.

    Returns:
        The migrations; their rollback and verify files are named, not read.

    Raises:
        FileError: two files of one number, a file that belongs to no migration, a file that
            cannot be read as what its name says, a folder that would never be read.
    """
    gathered = Gathered()
    names = _listing(folder, gathered, strays.KNOWN_FOLDERS)
    has_promises = (folder / "verify").is_dir()
    verify = _listing(folder / "verify", gathered, ()) if has_promises else []
    beside = frozenset([*names, *(f"verify/{name}" for name in verify)])
    back = dict(ways_back(folder, dict.fromkeys(names)))
    sources = [name for name in names if strays.is_migration(name) and name not in back]
    stems = {stem_of(name): name for name in sources}
    versions = {name: Version.of(stem) for stem, name in stems.items()}
    gathered.errors += [
        *strays.unnumbered(folder, (n for n, version in versions.items() if version is None)),
        *strays.look_alikes(folder, names),
        *strays.twice(folder, sources, stems),
        *filter(None, back.values()),
        *strays.orphans(folder, names, verify, stems),
    ]
    found = []
    for name, version in versions.items():
        if version is not None:
            with gathered.gather():
                found.append(_read_migration(folder, name, version, set_name, beside, actors))
    found.sort(key=attrgetter("version"))
    gathered.errors += strays.same_numbers(found)
    gathered.refuse()
    return tuple(found)


def read_rollback(migration: Migration) -> str | None:
    """Return the text of a migration's rollback, None where it has none.

    Raises:
        FileError: its file cannot be read.
    """
    if migration.rollback_half is not None or migration.rollback_path is None:
        return migration.rollback_half
    return read_text(migration.rollback_path)


def _listing(folder: Path, gathered: Gathered, known: Collection[str]) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry for entry in entries}
    except OSError as exc:
        raise FileError.unreadable(folder, exc, f"the folder {folder.name}") from exc
    names = []
    for name in sorted(found):
        entry = found[name]
        if strays.is_plain(entry):
            names.append(name)
        elif not strays.is_ignored(name):
            with gathered.gather():
                if strays.is_source(entry):
                    names.append(name)
                else:
                    strays.refuse_folder(entry, known)
    return names


def _read_migration(
    folder: Path,
    name: str,
    version: Version,
    set_name: str,
    beside: frozenset[str],
    actors: Actors | None,
) -> Migration:
    stem = stem_of(name)
    try:
        read = _contents(f"{folder}/{name}", folder)
    except FileError:  # it says where: to make a Path takes longer than to read the file
        read = _contents(f"{folder}/{name}", folder / name)
    rollbacks = [file for ending in BACK if (file := f"{stem}{ending}") in beside]
    if len(rollbacks) + (read.rollback_half is not None) > 1:
        both = rollbacks if read.rollback_half is None else [name, *rollbacks]
        raise FileError(
            f"{stem} has two rollbacks, in {' and in '.join(both)}",
            Place(folder / name),
            hint="remove one of them",
        )
    return Migration(
        id=f"{set_name}/{stem}" if set_name else stem,
        version=version,
        folder=folder,
        name=name,
        sql=read.sql,
        checksum=read.checksum,
        directives=read.directives,
        beside=beside,
        rollback_half=read.rollback_half,
        actors=actors or Actors(),
    )


class _Read(NamedTuple):
    """What is in the file of a migration."""

    sql: str
    checksum: str
    directives: Directives
    rollback_half: str | None = None


def _contents(file: str, path: Path) -> _Read:
    text = _text(file, path)
    if file.endswith(".py"):
        return _Read(text, checksum(text), _python_directives(text, path))
    halves = None
    if MAY_HAVE_HALVES.search(text):
        from pgvouch.files.halves import halves_of

        halves = halves_of(text, path)
    if halves is None:
        return _Read(text, checksum(text), parse_directives(text, path))
    up = halves.up.text
    # Without the blank lines that keep its place: the other half may grow.
    digest = checksum(up.strip("\r\n").rstrip() + "\n")
    down = halves.down.text if halves.down else None
    return _Read(up, digest, parse_directives(up, path), down)


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
        raise FileError(f"{path.name} is not a yoyo migration: {exc}", Place(path, line)) from exc
    depends = values.get("__depends__", ())
    if isinstance(depends, str):
        depends = (depends,)
    if not isinstance(depends, (set, frozenset, list, tuple)):
        raise FileError(
            f"{path.name} is not a yoyo migration: __depends__ is no set of names", Place(path)
        )
    return Directives(
        depends=tuple(str(d) for d in depends),
        transactional=bool(values.get("__transactional__", True)),
    )
