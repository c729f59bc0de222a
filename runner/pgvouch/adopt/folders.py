"""Looking for the files of other tools. Nothing is run."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from pgvouch.files.folder import read_text

_MOST = 20
"""Files that are looked into before a folder counts as somebody else's."""
_NUMBER = re.compile(r"(?P<number>[0-9]+)[_.-]?(?P<words>.*)\Z")


def sql_files(folder: Path, pattern: str = "*.sql") -> list[Path]:
    """Return the SQL files of a folder, in the order of their names as text."""
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def digests(path: Path, algorithm: str) -> frozenset[str]:
    """Return the digests of a file in hex, with its line ends and with either kind of them."""
    raw = path.read_bytes()
    unix = raw.replace(b"\r\n", b"\n")
    texts = {raw, unix, unix.replace(b"\n", b"\r\n")}
    return frozenset(hashlib.new(algorithm, text).hexdigest() for text in texts)


def first_folder(project: Path, names: Iterable[str], pattern: str = "*.sql") -> Path | None:
    """Return the first of some folders that holds such a file; "." is the project's own."""
    for name in names:
        folder = project / name
        if folder.is_dir() and next(folder.glob(pattern), None) is not None:
            return folder
    return None


def with_mark(
    project: Path, names: Iterable[str], mark: re.Pattern[str], pattern: str = "*.sql"
) -> Path | None:
    """Return the first of some folders in which a file holds a mark."""
    for name in names:
        folder = project / name
        if folder.is_dir() and any(
            mark.search(read_text(path)) for path in sql_files(folder, pattern)[:_MOST]
        ):
            return folder
    return None


def numbered(stem: str) -> tuple[str, str]:
    """Return the number in front of a name, empty where there is none, and the words behind it."""
    match = _NUMBER.match(stem)
    return (match["number"], match["words"]) if match else ("", stem)
