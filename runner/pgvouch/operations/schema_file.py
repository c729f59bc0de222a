"""The schema as a file, which is reviewed beside the migrations."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.files.regular import open_regular
from pgvouch.operations.dump import dump
from pgvouch.postgres.session import Session

_HEAD = """\
-- The schema, as `pgvouch dump` writes it: to be read in review, and changed by migrations only.
set check_function_bodies = off;
set search_path = '';
"""
"""As pg_dump writes it, each name has its schema, and a function may name what comes later."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """A schema, and the file that holds it."""

    path: Path
    text: str
    difference: tuple[str, ...]
    """What was otherwise in the file, as lines of a unified diff."""
    is_written: bool

    @property
    def is_fresh(self) -> bool:
        """Whether the file held this schema already."""
        return not self.difference


def dump_schema(
    session: Session,
    url: str,
    path: Path,
    *,
    without: Iterable[str] = (),
    pg_dump: Path | None = None,
    lock_timeout: str | None = None,
    check: bool = False,
) -> Dumped:
    """Write the schema of a database into a file, without rows and without the ledger.

    The same schema gives the same text, by the same version of pg_dump.

    Args:
        session: on the database.
        url: of it.
        path: the file.
        without: schemas to leave out.
        pg_dump: the program; None finds one that is not older than the server.
        lock_timeout: how long to wait for a table that another session has locked; None: a minute.
        check: write nothing.

    Raises:
        UsageError: no pg_dump is new enough.
        ConnectError: pg_dump failed.
        FileError: the file cannot be read or written.
    """
    if path.is_symlink():
        raise FileError(
            f"{path.name} is a link, and the schema stands in a file of its own",
            Place(path),
            hint="another one in its place may be anybody's: name that with --output FILE",
        )
    dumped = dump(session, url, without=without, pg_dump=pg_dump, lock_timeout=lock_timeout)
    text = f"{_HEAD}\n{dumped}".rstrip() + "\n"
    try:
        there = _read(path)
        is_written = not check and there != text
        if is_written:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as exc:
        raise FileError(f"{path.name}: {exc.strerror or exc}", Place(path)) from None
    except UnicodeDecodeError:
        raise FileError(
            f"{path.name} is not UTF-8, so it is no schema of ours",
            Place(path),
            hint="give another file: --output FILE",
        ) from None
    lines = unified_diff(
        there.splitlines(), text.splitlines(), path.name, "the database", lineterm=""
    )
    return Dumped(path, text, tuple(lines), is_written)


def _read(path: Path) -> str:
    """Return what a file holds; nothing where it is not there."""
    try:
        with open(open_regular(path)[0], encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            return file.read()
    except FileNotFoundError:
        return ""
