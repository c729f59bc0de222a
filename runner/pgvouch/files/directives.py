"""Directives, the leading comments of a file, and what only looks like one. No I/O."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.files.lock_tables import lock_statements
from pgvouch.files.version import Version
from pgvouch.sqltext.duration import is_duration
from pgvouch.sqltext.near import nearest
from pgvouch.sqltext.scan import end_of_block_comment
from pgvouch.sqltext.statements import tree_of

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
            refuse_without_colon(word, Place(path, line))
        if not colon or value.startswith(":") or not _WORD.match(word):
            continue
        if word in DIRECTIVES:
            found.setdefault(word, []).append((line, value.strip()))
        elif len(word) <= _LONGEST_WORD:
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


_LIKE_A_BOOLEAN = re.compile(rf"(?:{'|'.join(BOOLEANS)}|on|off|1|0)\Z", re.IGNORECASE)

_LIKE_A_TIME = re.compile(r"[0-9]+(?:\.[0-9]+)?\s*[a-z]*\Z", re.IGNORECASE)

_LIKE_QUALIFIED_NAMES = re.compile(r"\S+\.\S+(?:\s*,\s*\S+\.\S+)*\Z")

_LIKE_NAMES = re.compile(r"[A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*\Z")

_SHAPES = {
    "transactional": _LIKE_A_BOOLEAN,
    "lock_timeout": _LIKE_A_TIME,
    "lock_tables": _LIKE_QUALIFIED_NAMES,
    "statement_timeout": _LIKE_A_TIME,
    "var": _LIKE_NAMES,
}

_WITHOUT_COLON = re.compile(
    r"(?P<word>transactional|(?:lock|statement)[_-]timeout|lock[_-]tables|isolation)(?:\s*=\s*|\s+)(?P<value>\S.*)\Z"
)

_OPPOSITES = {"reversible", "verified"}
"""Words of their own that differ from a directive by two letters."""


def refuse_near_miss(word: str, value: str, place: Place) -> None:
    """Refuse a comment that is a directive with a typo in its name.

    Args:
        word: what stands before the colon; no directive.
        value: what stands behind it; where it could not be the directive's, the comment is prose.
        place: the comment.

    Raises:
        FileError: with the directive that is meant.
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


def refuse_without_colon(comment: str, place: Place) -> None:
    """Refuse a comment that is a directive but for its colon.

    Args:
        comment: without the dashes.
        place: where it is.

    Raises:
        FileError: with the directive that is meant.
    """
    match = _WITHOUT_COLON.match(comment.strip())
    if match is None:
        return
    word = match["word"].replace("-", "_")
    if _has_the_shape_of(word, match["value"]):
        raise FileError(
            f"`-- {comment.strip()}` looks like the directive `-- {word}:` and would be ignored",
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
