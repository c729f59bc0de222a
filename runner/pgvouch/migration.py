"""A migration is data: an identifier, its SQL, its directives, its checksum. No I/O."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import total_ordering
from pathlib import Path

from pgvouch.duration import is_duration
from pgvouch.errors import FileError, Place
from pgvouch.statements import end_of_block_comment

DIRECTIVES = (
    "depends",
    "transactional",
    "lock_timeout",
    "lock_tables",
    "statement_timeout",
    "isolation",
    "unless",
    "var",
    "irreversible",
    "unverified",
)
ISOLATION = ("read committed", "repeatable read", "serializable")
BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_WORD = re.compile(r"[A-Za-z][\w -]*\Z")
_LONGEST_WORD = 30
_MAYBE_DIRECTIVE = re.compile(r"transactional\b|lock|statement|isolation\b")
_BLANK_LINES = re.compile(r"\n+")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_FILE_NAME = re.compile(r"(?P<number>[0-9]+)(?:_(?P<part>[0-9]+)(?=[_-]))?[_.-].+\Z")
_DATE_DIGITS = 8


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """The number in front of a file name; 001, 0010 and 20251107120000 all sort by value.

    yoyo names its files 20251107_01_Xyz12-name: after a date the second number counts too.
    """

    number: int
    part: int = 0

    def __lt__(self, other: "Version") -> bool:
        return (self.number, self.part) < (other.number, other.part)

    @classmethod
    def of(cls, identifier: str) -> "Version | None":
        """Return the version in an identifier such as `_supabase/000_roles`, or None."""
        match = _FILE_NAME.match(identifier.rpartition("/")[2])
        if not match:
            return None
        digits, part = match["number"], match["part"]
        return cls(int(digits), int(part) if part and len(digits) == _DATE_DIGITS else 0)


@dataclass(frozen=True, slots=True)
class Directives:
    """What the leading comments of a file ask for."""

    depends: tuple[str, ...] = ()
    transactional: bool = True
    lock_timeout: str | None = None
    """As PostgreSQL writes a duration: 2s, 500ms, 0."""
    lock_tables: tuple[str, ...] = ()
    """Statements that lock them, ahead of everything else."""
    statement_timeout: str | None = None
    isolation: str = ISOLATION[0]
    unless: str | None = None
    variables: tuple[str, ...] = ()
    irreversible: str | None = None
    unverified: str | None = None


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
    verify_path: Path | None = None
    rollback_verify_path: Path | None = None
    delta_path: Path | None = None

    @property
    def is_python(self) -> bool:
        """Whether it is one of yoyo's Python migrations."""
        return self.path.suffix == ".py"

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
    from pgvouch.sqltext import refuse_nul

    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        encoding = "UTF-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "ENCODING"
        raise FileError(
            f"byte {exc.start} (0x{raw[exc.start]:02x}) is not UTF-8",
            Place(path, raw.count(b"\n", 0, exc.start) + 1),
            hint=f"save the file as UTF-8: iconv -f {encoding} -t UTF-8 {path.name}",
        ) from None
    refuse_nul(text, Place(path))
    return text.removeprefix("\ufeff")


def parse_directives(text: str, path: Path) -> Directives:
    """Read the directives in the leading comments of a file.

    Raises:
        FileError: a value that cannot be, a directive given twice, or a near miss of a directive.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for line, comment in _leading_comments(text):
        word, colon, value = comment[2:].partition(":")
        word = word.strip()
        if not colon and _MAYBE_DIRECTIVE.match(word):
            from pgvouch.nearmiss import refuse_without_colon

            refuse_without_colon(word, Place(path, line))
        if not colon or value.startswith(":") or not _WORD.match(word):
            continue
        if word in DIRECTIVES:
            found.setdefault(word, []).append((line, value.strip()))
        elif len(word) <= _LONGEST_WORD:
            from pgvouch.nearmiss import refuse_near_miss

            refuse_near_miss(word, value.strip(), Place(path, line))
    return _directives(found, path) if found else Directives()


def _leading_comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield the `--` comments before the first statement with their lines."""
    offset, line = 0, 1
    while offset < len(text):
        if blank := _BLANK_LINES.match(text, offset):
            line += blank.group().count("\n")
            offset = blank.end()
        match = _LINE.match(text, offset)
        assert match is not None
        comment = match.group().strip()
        if comment.startswith("/*"):
            end = end_of_block_comment(text, text.index("/*", offset))
            if end < 0:
                return
            line += text.count("\n", offset, end)
            offset = end
            continue
        if comment and not comment.startswith("--"):
            return
        yield line, comment
        offset = match.end()
        line += 1


def level(value: str) -> str:
    """Return an isolation level as it is written in `ISOLATION`."""
    return " ".join(value.lower().replace("_", " ").split())


def _directives(found: dict[str, list[tuple[int, str]]], path: Path) -> Directives:
    for word, values in found.items():
        for line, value in values:
            if not value and word != "depends":  # `yoyo new` writes an empty one
                raise FileError(
                    f"`-- {word}:` says nothing",
                    Place(path, line),
                    hint="write what it is to say behind the colon, or remove the line",
                )
        if len(values) > 1 and word not in {"depends", "var", "unless", "lock_tables"}:
            first, second = values[0][0], values[1][0]
            raise FileError(
                f"`-- {word}:` is given twice (the first is on line {first})", Place(path, second)
            )
    return Directives(
        depends=tuple(_words(found.get("depends", []))),
        transactional=_boolean(found.get("transactional"), path),
        lock_timeout=_duration("lock_timeout", found.get("lock_timeout"), path),
        lock_tables=_lock_tables(found, path),
        statement_timeout=_duration("statement_timeout", found.get("statement_timeout"), path),
        isolation=_isolation(found, path),
        unless="\n".join(value for _, value in found.get("unless", [])) or None,
        variables=_variable_names(found.get("var", []), path),
        irreversible=_single(found.get("irreversible")),
        unverified=_single(found.get("unverified")),
    )


def _single(values: list[tuple[int, str]] | None) -> str | None:
    return values[0][1] if values else None


def _words(values: list[tuple[int, str]]) -> list[str]:
    return [word for _, value in values for word in value.replace(",", " ").split()]


def _boolean(values: list[tuple[int, str]] | None, path: Path) -> bool:
    if not values:
        return True
    line, value = values[0]
    if value.lower() not in BOOLEANS:
        raise FileError(
            f"`-- transactional: {value}` is neither true nor false",
            Place(path, line),
            hint="write `-- transactional: false`, or remove the line: it is true otherwise",
        )
    return BOOLEANS[value.lower()]


def _isolation(found: dict[str, list[tuple[int, str]]], path: Path) -> str:
    if "isolation" not in found:
        return ISOLATION[0]
    line, value = found["isolation"][0]
    if level(value) not in ISOLATION:
        raise FileError(
            f"`-- isolation: {value}` is not an isolation level",
            Place(path, line),
            hint=f"write one of: {', '.join(ISOLATION)}",
        )
    if not _boolean(found.get("transactional"), path):
        raise FileError(
            "`-- isolation:` is about a transaction, and this file is run without one",
            Place(path, line),
            hint="remove it, or `-- transactional: false`",
        )
    return level(value)


def _lock_tables(found: dict[str, list[tuple[int, str]]], path: Path) -> tuple[str, ...]:
    if "lock_tables" not in found:
        return ()
    from pgvouch.locks import lock_statements

    if not _boolean(found.get("transactional"), path):
        raise FileError(
            "`-- lock_tables:` is about a transaction, and this file is run without one",
            Place(path, found["lock_tables"][0][0]),
            hint="remove it, or `-- transactional: false`",
        )
    return tuple(
        statement
        for line, value in found["lock_tables"]
        for statement in lock_statements(value, Place(path, line))
    )


def _duration(word: str, values: list[tuple[int, str]] | None, path: Path) -> str | None:
    if not values:
        return None
    line, value = values[0]
    if not is_duration(value):
        raise FileError(
            f"`-- {word}: {value}` is not a duration",
            Place(path, line),
            hint=f"a number and a unit: `-- {word}: 2s` (us, ms, s, min, h, d; 24d is the longest, "
            "0 waits forever)",
        )
    return value


def _variable_names(values: list[tuple[int, str]], path: Path) -> tuple[str, ...]:
    for line, value in values:
        if not re.fullmatch(r"[A-Za-z_]\w*", value):
            raise FileError(
                f"`-- var: {value}`: a variable's name is letters, digits and _", Place(path, line)
            )
    return tuple(dict.fromkeys(value for _, value in values))
