"""A migration is data: an identifier, its SQL, its directives, its checksum. No I/O."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.files.actors import Actors
from pgvouch.files.directives import Directives
from pgvouch.files.version import Version
from pgvouch.sqltext.place import line_and_column


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration as it stands in the folder."""

    id: str
    """What the ledger calls it: the file's stem, behind `set/` for a platform set."""
    version: Version
    path: Path
    sql: str
    checksum: str
    directives: Directives = field(default_factory=Directives)
    rollback_path: Path | None = None
    """Where its rollback is, which may be its own file."""
    rollback_half: str | None = None
    """That rollback, where it is a half of the file (files.halves)."""
    verify_path: Path | None = None
    rollback_verify_path: Path | None = None
    delta_path: Path | None = None
    actors: Actors = field(default_factory=Actors)
    """Who may act in its checks."""

    @property
    def is_python(self) -> bool:
        """Whether it is one of yoyo's Python migrations."""
        return self.path.suffix == ".py"

    @property
    def stem(self) -> str:
        """What the files beside it are called."""
        return self.id.rpartition("/")[2]

    @property
    def set_name(self) -> str:
        """The platform set it belongs to, or an empty string."""
        return self.id.rpartition("/")[0]


def checksum(text: str) -> str:
    """Return the SHA-256 of a text, so that CRLF and a BOM make no difference.

    A file that git checks out with CRLF on one machine is the same migration.
    """
    return hashlib.sha256(text.removeprefix("\ufeff").replace("\r\n", "\n").encode()).hexdigest()


def decode(raw: bytes, path: Path) -> str:
    """Return the text of a file, without its BOM.

    Raises:
        FileError: it is not UTF-8 (with the byte offset), or it holds a NUL.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        encoding = "UTF-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "ENCODING"
        raise FileError(
            f"byte {exc.start} (0x{raw[exc.start]:02x}) is not UTF-8",
            Place(path, raw.count(b"\n", 0, exc.start) + 1),
            hint=f"save the file as UTF-8: iconv -f {encoding} -t UTF-8 {path.name}",
        ) from None
    if (offset := text.find("\0")) >= 0:  # libpq sends a C string
        raise FileError(
            "the file holds a NUL byte; PostgreSQL would see nothing of what comes after it",
            Place(path, *line_and_column(text, offset)),
            hint="remove the byte (an editor that saved UTF-16 leaves one after every letter)",
        )
    return text.removeprefix("\ufeff")
