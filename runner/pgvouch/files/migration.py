"""A migration is data: an identifier, its SQL, its directives, its checksum. No I/O."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.files.actors import Actors
from pgvouch.files.directives import Directives
from pgvouch.files.version import BACK, ROLLBACK, Version
from pgvouch.sqltext.place import line_and_column


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration as it stands in the folder."""

    id: str
    """What the ledger calls it: the file's stem, behind `set/` for a platform set."""
    version: Version
    folder: Path
    name: str
    """Of its file."""
    sql: str
    checksum: str
    directives: Directives = Directives()  # noqa: RUF009 - frozen
    beside: Collection[str] = field(default=frozenset(), repr=False, compare=False)
    """The files of the folder, and those of its verify/ with that in front."""
    rollback_half: str | None = None
    """Its rollback, where it is a half of the file (files.halves)."""
    actors: Actors = Actors()  # noqa: RUF009 - frozen
    """Who may act in its checks."""

    # Of thousands of migrations few are run: the others need no Path.
    @property
    def path(self) -> Path:
        """Its file."""
        return self.folder / self.name

    @property
    def rollback_path(self) -> Path | None:
        """The file that rolls it back, which may be its own, where there is one."""
        if self.rollback_half is not None:
            return self.path
        return next((path for ending in BACK if (path := self._beside(ending))), None)

    @property
    def verify_path(self) -> Path | None:
        """The checks, where there are any."""
        return self._beside(".sql", "verify/")

    @property
    def rollback_verify_path(self) -> Path | None:
        """The checks of its rollback, where there are any."""
        return self._beside(ROLLBACK, "verify/")

    @property
    def delta_path(self) -> Path | None:
        """What it does to the catalog, where that is written down."""
        return self._beside(".delta", "verify/")

    @property
    def is_python(self) -> bool:
        """Whether it is one of yoyo's Python migrations."""
        return self.name.endswith(".py")

    @property
    def stem(self) -> str:
        """What the files beside it are called."""
        return self.id.rpartition("/")[2]

    @property
    def set_name(self) -> str:
        """The platform set it belongs to, or an empty string."""
        return self.id.rpartition("/")[0]

    def _beside(self, ending: str, where: str = "") -> Path | None:
        name = f"{where}{self.stem}{ending}"
        return self.folder / name if name in self.beside else None


def checksum(text: str) -> str:
    """Return the SHA-256 of a text, so that CRLF and a BOM make no difference.

    A file that git checks out with CRLF on one machine is the same migration.
    """
    text = text.removeprefix("\ufeff")
    if "\r" in text:  # one character is found ten times as fast as two
        text = text.replace("\r\n", "\n")
    return hashlib.sha256(text.encode()).hexdigest()


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
