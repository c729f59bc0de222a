"""What a migration promises: the sentences and queries of a file in verify/. No I/O."""

import re
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.files.folder import read_text
from pgvouch.files.refusals import refuse_in_checks
from pgvouch.sqltext.near import nearest
from pgvouch.sqltext.place import line_and_column
from pgvouch.sqltext.scan import is_blank, tokens

_DIRECTIVE = re.compile(
    r"--[ \t]*(?P<word>check(?:[ \t]+none|[ \t]+error(?:[ \t]+[^\s:]+)?)?|same|before|after|until)"
    r"[ \t]*:(?!:)[ \t]*(?P<value>.*)",
    re.DOTALL,
)
_COMMENT_WORD = re.compile(r"--[ \t]*(?P<word>[A-Za-z][\w \t-]*?)[ \t]*:(?!:)")
_SQLSTATE = re.compile(r"[0-9A-Z]{5}\Z")
_WORDS = ("check", "check none", "check error", "same", "before", "after", "until")


class Kind(Enum):
    """How a check passes."""

    TRUE = "check"
    """At least one row, and the first column is true in every row."""
    NONE = "check none"
    """No row."""
    ERROR = "check error"
    """Exactly this SQLSTATE."""
    SAME = "same"
    """The whole result of `after` equals that of `before`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """SQL from a verify file, with the offset in characters where it begins there."""

    sql: str
    offset: int


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a sentence, and the SQL that shows whether it holds."""

    kind: Kind
    sentence: str
    place: Place
    query: Piece
    before: Piece | None = None
    sqlstate: str | None = None
    until: str | None = None
    """The later migration that retires it."""


@dataclass(frozen=True, slots=True)
class Promises:
    """A whole verify file."""

    path: Path
    text: str
    setup: Piece | None
    checks: tuple[Check, ...]

    def in_force(self, applied: frozenset[str]) -> "Promises":
        """Leave out the checks that a migration in `applied` has retired."""
        return replace(self, checks=tuple(c for c in self.checks if c.until not in applied))

    def lasting(self, applied: frozenset[str]) -> "Promises":
        """Leave out what can only be checked in the migration's own transaction.

        A `same` pair compares with the moment before the migration, which is long gone.
        """
        there = self.in_force(applied)
        return replace(there, checks=tuple(c for c in there.checks if c.kind is not Kind.SAME))

    def of_kind(self, *kinds: Kind) -> tuple[Check, ...]:
        """Return the checks of these kinds, in order."""
        return tuple(check for check in self.checks if check.kind in kinds)


@dataclass(frozen=True, slots=True)
class _Mark:
    word: str
    value: str
    start: int
    end: int
    line: int


def parse(text: str, path: Path) -> Promises:
    """Read a verify file.

    Raises:
        FileError: no check in it, a check without a query, a near miss of a directive, a
            transaction statement, or text that PostgreSQL's scanner cannot read.
    """
    refuse_in_checks(text, Place(path))
    marks = _marks(text, path)
    checks = tuple(_checks(text, path, marks))
    if not checks:
        raise FileError(
            f"verify/{path.name} names no check, so it promises nothing",
            Place(path),
            hint="write `-- check: a sentence` above a query, or say `-- unverified: why` in the "
            "migration and remove this file",
        )
    first = marks[0].start
    setup = None if is_blank(text[:first]) else Piece(text[:first], 0)
    return Promises(path, text, setup, checks)


def _marks(text: str, path: Path) -> list[_Mark]:
    try:
        comments = tokens(text, comments=True)
    except SyntaxError as exc:
        line, column = line_and_column(text, max((exc.offset or 1) - 1, 0))
        raise FileError(str(exc.msg), Place(path, line, column)) from None
    marks = []
    for token in comments:
        comment = text[token.start : token.end]
        line, _ = line_and_column(text, token.start)
        if match := _DIRECTIVE.match(comment):
            word = " ".join(match["word"].split())
            marks.append(_Mark(word, match["value"].strip(), token.start, token.end, line))
        elif match := _COMMENT_WORD.match(comment):
            _refuse_near_miss(match["word"], Place(path, line))
    return marks


def _refuse_near_miss(word: str, place: Place) -> None:
    spelled = " ".join(word.lower().replace("-", " ").replace("_", " ").split())
    near = nearest(spelled, _WORDS, likeness=0.8)
    if spelled.startswith("check") and len(spelled.split()) <= 3:
        near = near or "check"
    if near:
        raise FileError(
            f"`-- {word}:` looks like the directive `-- {near}:` and would check nothing",
            place,
            hint=f"write `-- {near}:`, or reword the comment",
        )


def _checks(text: str, path: Path, marks: list[_Mark]) -> list[Check]:
    groups: list[list[_Mark]] = []
    for mark in marks:
        if mark.word in {"before", "after", "until"}:
            if not groups:
                raise FileError(f"`-- {mark.word}:` belongs to no check", Place(path, mark.line))
            groups[-1].append(mark)
        else:
            groups.append([mark])
    ends = [group[0].start for group in groups[1:]] + [len(text)] * bool(groups)
    return [_check(text, path, group, end) for group, end in zip(groups, ends, strict=True)]


def _check(text: str, path: Path, group: list[_Mark], end: int) -> Check:
    head = group[0]
    place = Place(path, head.line)
    if not head.value and is_blank(text[head.end : end]):
        raise FileError(
            f"verify/{path.name} is not filled in yet: a `-- {head.word}:` has neither a sentence "
            "nor a query",
            place,
            hint="write what holds afterwards, and a query below it that shows it: `-- check: the "
            "table is there`, `select to_regclass('public.notes') is not null;`; or remove it",
        )
    if not head.value:
        raise FileError(f"`-- {head.word}:` has no sentence", place, hint="say what it promises")
    ends = [mark.start for mark in group[1:]] + [end]
    pieces = {
        mark.word: Piece(text[mark.end : stop], mark.end)
        for mark, stop in zip(group, ends, strict=True)
    }
    until = next((mark.value for mark in group if mark.word == "until"), None)
    if until is not None and not re.fullmatch(r"[^\s;]+", until):
        raise FileError("`-- until:` names one migration", place)
    if head.word == "same":
        before, after = (_piece(pieces, word, place) for word in ("before", "after"))
        return Check(Kind.SAME, head.value, place, after, before=before, until=until)
    if {"before", "after"} & pieces.keys():
        raise FileError("`-- before:` and `-- after:` belong to `-- same:`", place)
    # `-- until:` may stand above or below the query it retires.
    query = pieces[head.word]
    if "until" in pieces and is_blank(query.sql):
        query = pieces["until"]
    elif "until" in pieces and not is_blank(pieces["until"].sql):
        query = Piece(text[query.offset : end], query.offset)
    if is_blank(query.sql):
        raise FileError(f"the check “{head.value}” has no query", place)
    kind, sqlstate = _kind(head.word, place)
    return Check(kind, head.value, place, query, sqlstate=sqlstate, until=until)


def _piece(pieces: dict[str, Piece], word: str, place: Place) -> Piece:
    piece = pieces.get(word)
    if piece is None or is_blank(piece.sql):
        raise FileError(f"`-- same:` needs a query under `-- {word}:`", place)
    return piece


def _kind(word: str, place: Place) -> tuple[Kind, str | None]:
    if not word.startswith("check error"):
        return Kind(word), None
    sqlstate = word.removeprefix("check error").strip()
    if not _SQLSTATE.match(sqlstate):
        raise FileError(
            f"`-- {word}:` needs a SQLSTATE of five digits and capitals",
            place,
            hint="for example `-- check error 42501: …` (insufficient privilege)",
        )
    return Kind.ERROR, sqlstate


def read_promises(path: Path | None) -> Promises | None:
    """Return the promises in a verify file, if there is one.

    Raises:
        FileError: it is not a verify file.
    """
    return parse(read_text(path), path) if path else None
