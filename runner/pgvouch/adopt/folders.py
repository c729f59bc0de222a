"""Looking for the files of other tools, and cutting them in two. Nothing is run."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from pgvouch.adopt.history import Foreign
from pgvouch.errors import FileError, Place
from pgvouch.files.folder import read_text
from pgvouch.files.halves import Half, halves_of

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


def in_halves(
    path: Path,
    *,
    key: str,
    number: str,
    words: str,
    needs: str,
    noise: re.Pattern[str] | None = None,
) -> Foreign:
    """Return the migration of a file that holds both halves of it.

    Args:
        path: the file.
        key: what the tool's ledger calls it.
        number: in front of its name.
        words: the rest of its name.
        needs: the mark that the tool demands; empty: without one, all of the file goes forward.
        noise: lines that only the tool needs.

    Raises:
        FileError: the tool would refuse it, or it cannot be read without the tool.
    """
    text = read_text(path)
    halves = halves_of(text, path)
    if halves is None and needs:
        raise FileError(
            f"{path.name} has no line `{needs}`",
            Place(path),
            hint="write it above the statements, as the tool wants it; or remove the file",
        )
    up = halves.up if halves else Half(text, text)
    down = halves.down if halves else None

    def sql(half: Half) -> str:
        return noise.sub("", half.sql) if noise else half.sql

    return Foreign(
        key=key,
        path=path,
        number=number,
        words=words,
        up=sql(up),
        down=sql(down) if down else None,
        is_transactional=up.is_transactional,
        is_down_transactional=down is None or down.is_transactional,
    )


def refuse_same(found: Iterable[Foreign], title: str) -> None:
    """Refuse two migrations of one key, as the tools do.

    Raises:
        FileError: two files of one number.
    """
    seen: dict[str, Path] = {}
    for one in found:
        if (other := seen.setdefault(one.key, one.path)) != one.path:
            raise FileError(
                f"{other.name} and {one.path.name} are one migration to {title}: {one.key}",
                Place(one.path),
                hint=f"{title} refuses them too: remove or renumber the one that was never applied",
            )
