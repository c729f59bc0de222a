"""Directives, the leading comments of a file, and what only looks like one. No I/O."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from pgvouch.errors import FileError, Place
from pgvouch.files.lock_tables import lock_statements, table_names
from pgvouch.files.version import Version
from pgvouch.sqltext.duration import is_duration
from pgvouch.sqltext.near import nearest
from pgvouch.sqltext.scan import end_of_block_comment
from pgvouch.sqltext.statements import tree_of

ISOLATION = ("read committed", "repeatable read", "serializable")
BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_WORD = re.compile(r"[A-Za-z][\w -]*\Z")
_LONGEST_WORD = 30
_MAYBE_DIRECTIVE = re.compile(r"transactional\b|lock|statement|isolation\b")
_BLANK_LINES = re.compile(r"\n+")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


@dataclass(frozen=True, slots=True)
class Directives:
    """What the leading comments of a file ask for."""

    depends: tuple[str, ...] = ()
    transactional: bool = True
    lock_timeout: str | None = None
    """As PostgreSQL writes a duration: 2s, 500ms, 0."""
    lock_tables: tuple[str, ...] = ()
    """Statements that lock them, ahead of everything else."""
    writes: tuple[str, ...] = ()
    """Tables whose rows it may write although its .delta file does not say so; without quotes."""
    statement_timeout: str | None = None
    isolation: str = ISOLATION[0]
    unless: str | None = None
    variables: tuple[str, ...] = ()
    irreversible: str | None = None
    unverified: str | None = None
    squashes: tuple[tuple[str, ...], ...] = ()
    """The migrations in whose place it stands; a database has those of one line, or it."""
    leaves: tuple[str, ...] = ()
    """Of a rollback: what it rightly leaves otherwise than it was, as a delta names it."""


_NONE = Directives()
_NO_HEADER = re.compile(r"\s*(?!--|/\*)\S")


def parse_directives(text: str, path: Path) -> Directives:
    """Read the directives in the leading comments of a file.

    Raises:
        FileError: a value that cannot be, a directive given twice, or a near miss of a directive.
    """
    if _NO_HEADER.match(text):
        return _NONE
    found: dict[str, list[tuple[int, str]]] = {}
    for line, comment in leading_comments(text):
        word, colon, value = comment[2:].partition(":")
        word = word.strip()
        if not colon and _MAYBE_DIRECTIVE.match(word):
            _refuse_without_colon(word, Place(path, line))
        if not colon or value.startswith(":") or not _WORD.match(word):
            continue
        if word in DIRECTIVES:
            found.setdefault(word, []).append((line, value.strip()))
        elif len(word) <= _LONGEST_WORD:
            _refuse_near_miss(word, value.strip(), Place(path, line))
    return _directives(found, path) if found else _NONE


def leading_comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield the `--` comments before the first statement, each with its line."""
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
    read: dict[str, Any] = {}
    for word, values in found.items():
        _refuse_empty_or_twice(word, values, path)
        name, reader = _READERS[word]
        given = [reader(value, Place(path, line)) for line, value in values]
        read[name] = _SEVERAL[word](chain(*given)) if word in _SEVERAL else given[0]
    if not read.get("transactional", True):
        for word in sorted({"isolation", "lock_tables"} & found.keys()):
            raise FileError(
                f"`-- {word}:` is about a transaction, and this file is run without one",
                Place(path, found[word][0][0]),
                hint="remove it, or `-- transactional: false`",
            )
    return Directives(**read)


def _refuse_empty_or_twice(word: str, values: list[tuple[int, str]], path: Path) -> None:
    for line, value in values:
        if not value and word != "depends":  # `yoyo new` writes an empty one
            raise FileError(
                f"`-- {word}:` says nothing",
                Place(path, line),
                hint="write what it is to say behind the colon, or remove the line",
            )
    if len(values) > 1 and word not in _SEVERAL:
        first, second = values[0][0], values[1][0]
        raise FileError(
            f"`-- {word}:` is given twice (the first is on line {first})", Place(path, second)
        )


def _boolean(value: str, place: Place) -> bool:
    if value.lower() not in BOOLEANS:
        raise FileError(
            f"`-- transactional: {value}` is neither true nor false",
            place,
            hint="write `-- transactional: false`, or remove the line: it is true otherwise",
        )
    return BOOLEANS[value.lower()]


def _isolation(value: str, place: Place) -> str:
    if level(value) not in ISOLATION:
        raise FileError(
            f"`-- isolation: {value}` is not an isolation level",
            place,
            hint=f"write one of: {', '.join(ISOLATION)}",
        )
    return level(value)


def _duration(word: str) -> Callable[[str, Place], str]:
    def read(value: str, place: Place) -> str:
        if not is_duration(value):
            raise FileError(
                f"`-- {word}: {value}` is not a duration",
                place,
                hint=f"a number and a unit: `-- {word}: 2s` (us, ms, s, min, h, d; 24d is the "
                "longest, 0 waits forever)",
            )
        return value

    return read


def _variable(value: str, place: Place) -> list[str]:
    if not re.fullmatch(r"[A-Za-z_]\w*", value):
        raise FileError(f"`-- var: {value}`: a variable's name is letters, digits and _", place)
    return [value]


_READERS: dict[str, tuple[str, Callable[[str, Place], Any]]] = {
    "depends": ("depends", lambda value, _: value.replace(",", " ").split()),
    "squashes": ("squashes", lambda value, _: [tuple(value.replace(",", " ").split())]),
    "transactional": ("transactional", _boolean),
    "lock_timeout": ("lock_timeout", _duration("lock_timeout")),
    "lock_tables": ("lock_tables", lock_statements),
    "writes": ("writes", table_names),
    "statement_timeout": ("statement_timeout", _duration("statement_timeout")),
    "isolation": ("isolation", _isolation),
    "unless": ("unless", lambda value, _: [value]),
    "var": ("variables", _variable),
    "irreversible": ("irreversible", lambda value, _: value),
    "unverified": ("unverified", lambda value, _: value),
    "leaves": ("leaves", lambda value, _: [" ".join(value.split())]),
}
"""The field of `Directives` that each fills, and how a value is read."""
DIRECTIVES = tuple(_READERS)
_SEVERAL: dict[str, Callable[[Iterable[Any]], Any]] = {
    "depends": tuple,
    "squashes": tuple,
    "leaves": tuple,
    "lock_tables": tuple,
    "writes": tuple,
    "unless": "\n".join,
    "var": lambda names: tuple(dict.fromkeys(names)),
}
"""Those that may be given more than once, and what becomes of their values."""


_LIKE_A_TIME = re.compile(r"[0-9]+(?:\.[0-9]+)?\s*[a-z]*\Z", re.IGNORECASE)
_TABLES = re.compile(r"\S+\.\S+(?:\s*,\s*\S+\.\S+)*\Z")
_SHAPES = {
    "transactional": re.compile(rf"(?:{'|'.join(BOOLEANS)}|on|off|1|0)\Z", re.IGNORECASE),
    "lock_timeout": _LIKE_A_TIME,
    "lock_tables": _TABLES,
    "writes": _TABLES,
    "statement_timeout": _LIKE_A_TIME,
    "leaves": re.compile(r"[a-z]+(?: [a-z]+)* [\w.\"]+\Z"),
    "var": re.compile(r"[A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*\Z"),
}
"""What stands behind the colon of a directive; behind another word it is prose."""
_WITHOUT_COLON = re.compile(
    r"(?P<word>transactional|(?:lock|statement)[_-]timeout|lock[_-]tables|isolation)(?:\s*=\s*|\s+)(?P<value>\S.*)\Z"
)
_OPPOSITES = {"reversible", "verified"}
"""Words of their own that differ from a directive by two letters."""


def _refuse_near_miss(word: str, value: str, place: Place) -> None:
    """Refuse a comment that is a directive with a typo in its name.

    Where the value could not be the directive's, the comment is prose.
    """
    lowered = word.lower()
    # In capitals, or as "before:" and "after:", they are what people begin a comment with.
    if word in {"check", "same"} or lowered.startswith(("check none", "check error")):
        raise FileError(
            f"`-- {word}:` is a promise; promises live in verify/",
            place,
            hint=f"move it to verify/{place.path.name}",
        )
    if lowered == "stamp" or ("_" not in lowered and len(lowered) < len("var")):
        return
    spelled = lowered.replace("-", "_").replace(" ", "_").removesuffix("_level")
    near = nearest(spelled, DIRECTIVES, likeness=0.8)
    if near and spelled not in _OPPOSITES and _has_the_shape_of(near, value):
        raise FileError(
            f"`-- {word}:` looks like the directive `-- {near}:` and would be ignored",
            place,
            hint=f"write `-- {near}:`, or reword the comment",
        )


def _refuse_without_colon(comment: str, place: Place) -> None:
    """Refuse a comment that is a directive but for its colon."""
    match = _WITHOUT_COLON.match(comment)
    if match is None:
        return
    word = match["word"].replace("-", "_")
    if _has_the_shape_of(word, match["value"]):
        raise FileError(
            f"`-- {comment}` looks like the directive `-- {word}:` and would be ignored",
            place,
            hint=f"write `-- {word}: {match['value']}`, or reword the comment",
        )


def _has_the_shape_of(directive: str, value: str) -> bool:
    words = value.replace(",", " ").split()
    if shape := _SHAPES.get(directive):
        return shape.match(value) is not None
    if directive == "depends":
        return len(words) == 1 or (bool(words) and all(Version.of(word) for word in words))
    if directive == "isolation":
        return level(value) in ISOLATION
    if directive == "unless":
        return len(words) > 1 and tree_of(f"select ({value}\n)::boolean") is not None
    return bool(words)
