"""verify/NNN_name.delta: the catalog delta that a migration promises, in a text people review."""

import re
from collections.abc import Iterable
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.files.folder import read_text
from pgvouch.sqltext.place import excerpt

HEADER = """\
# What this migration does to the catalog, one object a line: + new, - gone, ~ changed.
# Compared with what really happens when it is applied: any difference rolls it back.
# Not written by hand: `pgvouch accept-delta ID` rewrites it from a scratch database.
"""

_LINE = re.compile(r"[+~-] [a-z]+ \S")


def render_file(lines: Iterable[str]) -> str:
    """Return the text of a .delta file.

    Args:
        lines: what difference() gives; none at all promises that nothing changes.
    """
    return HEADER + "".join(f"{line}\n" for line in sorted(lines))


def parse_file(text: str, path: Path) -> tuple[str, ...]:
    """Return the lines that a .delta file promises, sorted.

    Args:
        text: the file's text; CRLF, a BOM and empty lines are tolerated.
        path: where it came from, for the error.

    Raises:
        FileError: a line that says neither + nor - nor ~ with an object behind it, or says what
            another line says already.
    """
    lines: dict[str, int] = {}
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        line = raw.rstrip(" \t\r")
        if not line or line.startswith("#"):
            continue
        if not _LINE.match(line):
            raise _malformed(path, number, f"is no line of a catalog delta: {excerpt(line, 80)}")
        if line in lines:
            raise _malformed(
                path, number, f"says what line {lines[line]} says: {excerpt(line, 80)}"
            )
        lines[line] = number
    return tuple(sorted(lines))


def _malformed(path: Path, number: int, what: str) -> FileError:
    return FileError(
        f"line {number} {what}",
        place=Place(path, number, 1),
        hint=f"pgvouch accept-delta {path.stem} rewrites the file",
    )


def read_delta(path: Path | None) -> tuple[str, ...] | None:
    """Return the lines of a .delta file, if there is one.

    Raises:
        FileError: it is no .delta file.
    """
    return parse_file(read_text(path), path) if path else None


def delta_of_applied(stored: str | None, path: Path | None) -> tuple[str, ...] | None:
    """Return what an applied migration did: as the ledger has it, else as its file promises.

    Args:
        stored: from the ledger; it has none of what psql or stock yoyo applied, nor of what was
            applied before there was a .delta file.
        path: the .delta file, if there is one.

    Raises:
        FileError: that file cannot be read.
    """
    return read_delta(path) if stored is None else tuple(filter(None, stored.split("\n")))
