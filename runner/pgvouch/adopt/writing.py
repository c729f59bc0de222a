"""Writes a folder of migrations: into a new one beside it first, then by renaming."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pgvouch.errors import Place, UsageError

_SOURCES = {".sql", ".py"}


@contextmanager
def written(files: Mapping[str, str], into: Path) -> Iterator[Path]:
    """Give a folder with these files, which is gone afterwards unless it was put in its place.

    Args:
        files: texts by their paths in the folder.
        into: where they are to be; the folder is made beside that, on the same disk.
    """
    parent = next(path for path in into.absolute().parents if path.is_dir())
    scratch = Path(tempfile.mkdtemp(prefix=".pgvouch-adopt-", dir=parent))
    try:
        mask = os.umask(0)
        os.umask(mask)
        scratch.chmod(0o777 & ~mask)
        for name, text in files.items():
            path = scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def put_in_place(scratch: Path, into: Path) -> None:
    """Rename the folder to where it is to be; where one is there, its files, one by one."""
    into = into.absolute()
    into.parent.mkdir(parents=True, exist_ok=True)
    if not into.is_dir():
        scratch.rename(into)
        return
    for path in sorted(path for path in scratch.rglob("*") if path.is_file()):
        target = into / path.relative_to(scratch)
        target.parent.mkdir(exist_ok=True)
        path.rename(target)


def migrations_in(folder: Path) -> set[str]:
    """Return the paths of the SQL and Python files that are somewhere in a folder."""
    there = folder.rglob("*") if folder.is_dir() else ()
    return {
        str(path.relative_to(folder))
        for path in there
        if path.is_file() and path.suffix in _SOURCES
    }


def refuse_migrations(into: Path) -> None:
    """Refuse a folder in which there are migrations.

    Raises:
        UsageError: naming the first.
    """
    if there := migrations_in(into):
        raise UsageError(
            f"{into.name}/ holds migrations already, such as {min(there)}",
            Place(into),
            state="Nothing was written.",
            hint="give another folder, here and to the commands that follow: --migrations sql; "
            '`migrations = "sql"` in pgvouch.toml says it once',
        )
