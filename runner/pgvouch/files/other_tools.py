"""Files as other migration tools write them, by their names and by the marks in them. No I/O.

Some hold a migration and its rollback in one. To PostgreSQL the marks between the halves are
comments: run whole, such a file would make its tables and drop them again, without an error.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from pgvouch.errors import FileError, Place
from pgvouch.files.version import ROLLBACK, Version

_EACH_LINE = re.IGNORECASE | re.MULTILINE


class _Tool(NamedTuple):
    """How a tool marks the halves of a file; each pattern fits a whole comment line."""

    name: str
    back: str
    """Begins the half that rolls back, which no migration may hold."""
    forward: str | None = None
    """Begins the half that migrates, which no rollback may hold."""
    needs_both: bool = False
    """The marks are plain words: one of them alone is prose."""


_TOOLS = (
    _Tool("dbmate", r"--[ \t]*migrate:down\b.*?", r"--[ \t]*migrate:up\b.*?"),
    _Tool("goose", r"--[ \t]*\+goose[ \t]+down", r"--[ \t]*\+goose[ \t]+up"),
    _Tool("sql-migrate", r"--[ \t]*\+migrate[ \t]+down\b.*?", r"--[ \t]*\+migrate[ \t]+up\b.*?"),
    _Tool("Rambler", r"--[ \t]*rambler[ \t]+down", r"--[ \t]*rambler[ \t]+up"),
    _Tool("node-pg-migrate", r"--[ \t-]*down[ \t]+migration", r"--[ \t-]*up[ \t]+migration"),
    _Tool("tern", r"----[ \t]*create above[ \t]*/[ \t]*drop below[ \t]*----"),
    _Tool("Play Evolutions", r"(?:#[ \t]*)?--+[ \t]*!downs", r"#?[ \t]*--+[ \t]*!ups"),
    _Tool("MyBatis Migrations", r"--[ \t]*//[ \t]*@undo\b.*?"),
    _Tool("shmig", r"--[ \t]*==+[ \t]*down[ \t]*==+", r"--[ \t]*==+[ \t]*up[ \t]*==+"),
    _Tool(
        "another tool's",
        r"--+[ \t]*[@+!\[]?down\]?[ \t]*:?",
        r"--+[ \t]*[@+!\[]?up\]?[ \t]*:?",
        needs_both=True,
    ),
)
# Ahead of the marks themselves, for a file may be large: one look instead of twenty.
_COMMENT = r"^[ \t]*(?:#[ \t]*)?--[^\n]*?"
_MAYBE_BACK = rf"{_COMMENT}(?:down|undo|drop below|liquibase)"
_MAYBE_FORWARD = rf"{_COMMENT}(?:up|liquibase)"
_LIQUIBASE = r"--[ \t]*liquibase[ \t]+formatted[ \t]+sql\b.*?"


def refuse_both_halves(text: str, path: Path) -> None:
    """Refuse a file of another tool that would go forward and back in one run.

    Args:
        text: a migration, or a rollback where the name of its file says so.
        path: the file.

    Raises:
        FileError: with the tool's name and the line of its mark.
    """
    maybe = _MAYBE_FORWARD if path.name.endswith(ROLLBACK) else _MAYBE_BACK
    if not re.search(maybe, text, _EACH_LINE):
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


def _find(mark: str, text: str) -> int | None:
    """Return where a mark is that is a comment, and no part of a string or a body."""
    lines = re.finditer(rf"^[ \t]*(?P<mark>{mark})[ \t]*\r?$", text, _EACH_LINE)
    found = {match.start("mark") for match in lines}
    if not found:
        return None
    # Evolutions writes a # before the dashes, which PostgreSQL reads as an operator.
    begins = {text.index("-", offset): offset for offset in found}
    from pgvouch.sqltext.scan import marks

    for kind, start, _ in marks(text):
        if kind == "comment" and start in begins:
            return begins[start]
    return None


def _place(text: str, offset: int, path: Path) -> Place:
    return Place(path, text.count("\n", 0, offset) + 1)


_CODE = re.compile(
    r"[0-9].*\.(?:go|rb|php|exs?|[cm]?[jt]s|cs|fs|java|kts?|scala|rs|pl|sh)\Z", re.IGNORECASE
)
"""What goose, Rails, Laravel, Ecto, Knex and their like run as migrations."""
_FLYWAY = re.compile(r"(?P<kind>[VUB])(?P<number>[0-9][0-9._]*)__(?P<name>.+)\.sql\Z")
_BACK = re.compile(r"(?P<stem>.+)(?P<mark>[._-])(?P<word>down|undo)\Z", re.IGNORECASE)
_BACK_ENDINGS = ("down.sql", "undo.sql")
_FORWARD = {"down": "up", "undo": "do"}
_OF_A_FOLDER = {"up.sql": "Diesel", "down.sql": "Diesel", "migration.sql": "Prisma"}


def is_code(name: str) -> bool:
    """Say whether a file is a migration in the language of another tool, by its name."""
    return _CODE.match(name) is not None


def other_name(name: str, folder: str) -> str | None:
    """Return what to do with a file that is named as another tool wants it."""
    if match := _FLYWAY.match(name):
        number = "_".join(part.zfill(3) for part in re.split(r"[._]", match["number"]) if part)
        stem = f"{number}_{match['name']}"
        if match["kind"] == "U":
            return f"it is Flyway's, and rolls a migration back: name it {stem}{ROLLBACK}"
        return f"it is Flyway's: name it {stem}.sql, with a number of its own"
    if name.startswith("post-apply"):
        return (
            "it is yoyo's hook, which yoyo runs after each apply and pgvouch does not: move it "
            "out of the folder, and run it yourself (psql -f); or make a migration of it"
        )
    if name.startswith("R__"):
        return "it is Flyway's, to be run at each change: make it a migration, with a number"
    if tool := _OF_A_FOLDER.get(name):
        ending = ROLLBACK if name == "down.sql" else ".sql"
        stem = folder if Version.of(folder) else f"NNN_{folder}"
        return f"it is {tool}'s: name it {stem}{ending}, and put it one folder up"
    return None


def ways_back(folder: Path, names: Collection[str]) -> Iterator[tuple[str, FileError]]:
    """Yield every file that is another tool's rollback (`.down.sql`), with an error for it."""
    for name in names:
        if not name.lower().endswith(_BACK_ENDINGS):
            continue
        match = _BACK.match(name.removesuffix(".sql"))
        if not match or not name.endswith(".sql"):
            continue
        stem, mark = match["stem"], match["mark"]
        forward = f"{stem}{mark}{_FORWARD[match['word'].lower()]}.sql"
        if forward in names:
            wrong = (
                f"{forward} and {name} are the two halves of one migration, named as "
                "golang-migrate and others do it"
            )
            hint = f"name them {stem}.sql and {stem}{ROLLBACK}"
        elif mark == ".":
            wrong = f"{name} rolls a migration back, by its name, and would be run as one"
            hint = f"name it {stem}{ROLLBACK}"
        else:
            continue
        yield name, FileError(wrong, Place(folder / name), hint=hint)
