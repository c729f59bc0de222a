"""Files of other migration tools that hold the way forward and the way back in one. No I/O.

To PostgreSQL the marks between the halves are comments: run whole, such a file would make its
tables and drop them again, and nobody would see an error.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.sqltext.scan import marks

ROLLBACK = ".rollback.sql"


@dataclass(frozen=True, slots=True)
class _Tool:
    """How a tool marks the halves of a file; each pattern fits a whole comment line."""

    name: str
    back: re.Pattern[str]
    """Begins what goes back, which no migration may hold."""
    forward: re.Pattern[str] | None = None
    """Begins what goes forward, which no rollback may hold."""
    needs_both: bool = False
    """The marks are plain words: one of them alone is prose."""


def _line(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*(?P<mark>{pattern})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


_TOOLS = (
    _Tool("dbmate", _line(r"--[ \t]*migrate:down\b.*?"), _line(r"--[ \t]*migrate:up\b.*?")),
    _Tool("goose", _line(r"--[ \t]*\+goose[ \t]+down"), _line(r"--[ \t]*\+goose[ \t]+up")),
    _Tool(
        "sql-migrate",
        _line(r"--[ \t]*\+migrate[ \t]+down\b.*?"),
        _line(r"--[ \t]*\+migrate[ \t]+up\b.*?"),
    ),
    _Tool("Rambler", _line(r"--[ \t]*rambler[ \t]+down"), _line(r"--[ \t]*rambler[ \t]+up")),
    _Tool(
        "node-pg-migrate",
        _line(r"--[ \t-]*down[ \t]+migration"),
        _line(r"--[ \t-]*up[ \t]+migration"),
    ),
    _Tool("tern", _line(r"----[ \t]*create above[ \t]*/[ \t]*drop below[ \t]*----")),
    _Tool(
        "Play Evolutions",
        _line(r"(?:#[ \t]*)?--+[ \t]*!downs"),
        _line(r"#?[ \t]*--+[ \t]*!ups"),
    ),
    _Tool("MyBatis Migrations", _line(r"--[ \t]*//[ \t]*@undo\b.*?")),
    _Tool(
        "shmig",
        _line(r"--[ \t]*==+[ \t]*down[ \t]*==+"),
        _line(r"--[ \t]*==+[ \t]*up[ \t]*==+"),
    ),
    _Tool(
        "another tool's",
        _line(r"--+[ \t]*[@+!\[]?down\]?[ \t]*:?"),
        _line(r"--+[ \t]*[@+!\[]?up\]?[ \t]*:?"),
        needs_both=True,
    ),
)
# Ahead of the marks themselves, for a file may be large: one look instead of twenty.
_COMMENT = r"^[ \t]*(?:#[ \t]*)?--[^\n]*?"
_MAYBE_BACK = re.compile(
    rf"{_COMMENT}(?:down|undo|drop below|liquibase)", re.IGNORECASE | re.MULTILINE
)
_MAYBE_FORWARD = re.compile(rf"{_COMMENT}(?:up|liquibase)", re.IGNORECASE | re.MULTILINE)
_LIQUIBASE = _line(r"--[ \t]*liquibase[ \t]+formatted[ \t]+sql\b.*?")


def refuse_both_halves(text: str, path: Path) -> None:
    """Refuse a file of another tool that would go forward and back in one run.

    Args:
        text: a migration, or a rollback where the name of its file says so.
        path: the file.

    Raises:
        FileError: with the tool's name and the line of its mark.
    """
    if not (_MAYBE_FORWARD if path.name.endswith(ROLLBACK) else _MAYBE_BACK).search(text):
        return
    if (offset := _find(_LIQUIBASE, text)) is not None:
        raise FileError(
            f"{path.name} is a file of Liquibase, whose changesets, conditions and rollbacks stand "
            "in comments that pgvouch does not read",
            _place(text, offset, path),
            hint="make a migration of each changeset: its SQL in NNN_name.sql, what its --rollback "
            f"lines say in NNN_name{ROLLBACK}",
        )
    for tool in _TOOLS:
        _refuse(tool, text, path)


def _refuse(tool: _Tool, text: str, path: Path) -> None:
    is_rollback = path.name.endswith(ROLLBACK)
    wrong, right = (tool.forward, tool.back) if is_rollback else (tool.back, tool.forward)
    if wrong is None or (offset := _find(wrong, text)) is None:
        return
    if tool.needs_both and (right is None or _find(right, text) is None):
        return
    whose = tool.name if tool.needs_both else f"{tool.name}'s"
    stem = path.name.removesuffix(ROLLBACK).removesuffix(".sql")
    raise FileError(
        f"{path.name} holds both halves of a migration, in {whose} format: after the first half "
        "pgvouch would run the other one too",
        _place(text, offset, path),
        statement=text[offset : offset + 200].lstrip().splitlines()[0].strip(),
        hint=f"cut it in two at the marks: what goes forward is {stem}.sql, what goes back is "
        f"{stem}{ROLLBACK}",
    )


def _find(pattern: re.Pattern[str], text: str) -> int | None:
    """Return where a mark is that is a comment, and no part of a string or a body."""
    found = {match.start("mark") for match in pattern.finditer(text)}
    if not found:
        return None
    # Evolutions writes a # before the dashes, which PostgreSQL reads as an operator.
    begins = {text.index("-", offset): offset for offset in found}
    for kind, start, _ in marks(text):
        if kind == "comment" and start in begins:
            return begins[start]
    return None


def _place(text: str, offset: int, path: Path) -> Place:
    return Place(path, text.count("\n", 0, offset) + 1)
