"""Reads a folder of migrations. Reading creates nothing and talks to no server."""

import os
from collections.abc import Collection
from pathlib import Path

from pgvouch.errors import FileError, Gathered, Place
from pgvouch.files import strays
from pgvouch.files.actors import Actors
from pgvouch.files.directives import Directives, parse_directives
from pgvouch.files.halves import halves_of
from pgvouch.files.migration import Migration, checksum, decode
from pgvouch.files.other_tools import ways_back
from pgvouch.files.version import BACK, ROLLBACK, Version, stem_of

MAX_BYTES = 100_000_000
"""The largest file that is read; about four times its size is held in memory."""
_PYTHON_DEPENDS = ("__depends__", "__transactional__")


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        FileError: it is not there, cannot be read, is too large, is not UTF-8 or holds a NUL.
    """
    try:
        return decode(_read(path), path)
    except OSError as exc:
        raise FileError.unreadable(path, exc) from exc


def _read(path: Path) -> bytes:
    # A file object asks the system a dozen times for a small file, and there may be thousands.
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if (size := os.fstat(file).st_size) > MAX_BYTES:
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
        rest = iter(lambda: os.read(file, MAX_BYTES), b"")  # it is being written, or is no file
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
    back = dict(ways_back(folder, dict.fromkeys(names)))
    sources = [name for name in names if strays.is_migration(name) and name not in back]
    stems = {stem_of(name): name for name in sources}
    gathered.errors += [
        *strays.unnumbered(folder, sources),
        *strays.look_alikes(folder, names),
        *filter(None, back.values()),
        *strays.orphans(folder, names, verify, stems),
    ]
    there = frozenset([*names, *(f"verify/{name}" for name in verify)])
    found = []
    for stem, name in stems.items():
        if (version := Version.of(stem)) is not None:
            with gathered.gather():
                found.append(_read_migration(folder, stem, name, version, set_name, there, actors))
    found.sort(key=lambda migration: migration.version)
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
            found = [entry for entry in entries if not strays.IGNORED.match(entry.name)]
    except OSError as exc:
        raise FileError.unreadable(folder, exc, f"the folder {folder.name}") from exc
    names = []
    for entry in sorted(found, key=lambda entry: entry.name):
        with gathered.gather():
            if strays.is_source(entry):
                names.append(entry.name)
            else:
                strays.refuse_folder(entry, known)
    return names


def _read_migration(
    folder: Path,
    stem: str,
    name: str,
    version: Version,
    set_name: str,
    there: frozenset[str],
    actors: Actors | None,
) -> Migration:
    path, is_python = folder / name, name.endswith(".py")
    text = read_text(path)
    halves = None if is_python else halves_of(text, path)
    # Without the blank lines that keep its place: the other half may grow.
    digest = checksum(halves.up.text.strip("\r\n").rstrip() + "\n" if halves else text)
    text = halves.up.text if halves else text
    read = _python_directives if is_python else parse_directives

    def beside(other: str) -> Path | None:
        return folder / other if other in there else None

    rollbacks = [folder / f"{stem}{ending}" for ending in BACK if f"{stem}{ending}" in there]
    if halves and halves.down:
        rollbacks.insert(0, path)
    if len(rollbacks) > 1:
        raise FileError(
            f"{stem} has two rollbacks, in {' and in '.join(path.name for path in rollbacks)}",
            Place(path),
            hint="remove one of them",
        )
    return Migration(
        id=f"{set_name}/{stem}" if set_name else stem,
        version=version,
        path=path,
        sql=text,
        checksum=digest,
        directives=read(text, path),
        rollback_path=rollbacks[0] if rollbacks else None,
        rollback_half=halves.down.text if halves and halves.down else None,
        verify_path=beside(f"verify/{stem}.sql"),
        rollback_verify_path=beside(f"verify/{stem}{ROLLBACK}"),
        delta_path=beside(f"verify/{stem}.delta"),
        actors=actors or Actors(),
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
