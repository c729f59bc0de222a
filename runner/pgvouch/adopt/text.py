"""Another tool's SQL as one of our files: what the runner adds is left out of it. No I/O."""

import re
from dataclasses import dataclass
from pathlib import Path

from pgvouch.errors import FileError
from pgvouch.files.directives import Directives, parse_directives
from pgvouch.files.transaction_block import WORDS, outside
from pgvouch.sqltext.scan import is_blank, marks
from pgvouch.sqltext.statements import each_statement

_BEGIN = re.compile(r"(?:begin|start\s+transaction)(?:\s+(?:work|transaction))?\Z", re.IGNORECASE)
_END = re.compile(r"(?:commit|end)(?:\s+(?:work|transaction))?\Z", re.IGNORECASE)
_CONTROL = re.compile(r"(?:begin|start|commit|end|rollback|abort)\b", re.IGNORECASE)
_WORD = re.compile(r"^([ \t]*--)([ \t]*[\w -]+:)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Text:
    """A file of ours, and what was changed on the way."""

    sql: str
    is_transactional: bool
    notes: tuple[str, ...] = ()


def as_ours(sql: str, *, is_transactional: bool = True, variables: tuple[str, ...] = ()) -> Text:
    """Return the text of a migration or a rollback.

    Args:
        sql: without the marks of the tool.
        is_transactional: False where the tool is told to run it without a transaction.
        variables: psql variables that it uses.

    Returns:
        The SQL as it was, with a header of ours where it needs one. Left out is a pair of BEGIN and
        COMMIT around all of it; comments that our parser would take for directives are quoted.
    """
    notes: list[str] = []
    sql, had_pair = _without_pair(sql)
    if had_pair:
        notes.append("BEGIN and COMMIT around it are left out: pgvouch begins and commits")
    if is_transactional and (what := _cannot_be_in_one(sql)):
        is_transactional = False
        notes.append(f"runs without a transaction, for {what} cannot be in one")
    body, quoted = _without_look_alikes(sql.strip("\r\n").rstrip())
    if quoted:
        notes.append("comments at its head that read like directives of pgvouch are quoted")
    header = [f"-- var: {name}" for name in variables]
    if not is_transactional:
        header.append("-- transactional: false")
    lines = [*header, *([""] if header and body else []), body]
    return Text("\n".join(lines).strip("\n") + "\n", is_transactional, tuple(notes))


def ended(sql: str) -> str:
    """Return SQL whose last statement ends in a semicolon, where there is a statement."""
    found = list(marks(sql))
    last = max((start for kind, start, _ in found if kind == ";"), default=0)
    if is_blank(sql[last:]):
        return sql
    kept = sql.rstrip()
    in_comment = any(kind == "comment" and end >= len(kept) for kind, _, end in found)
    return f"{kept}{chr(10) if in_comment else ''};{sql[len(kept) :]}"


def _without_pair(sql: str) -> tuple[str, bool]:
    """Return SQL without the one transaction that holds all of it."""
    if not _CONTROL.search(sql):
        return sql, False
    try:
        found = list(each_statement(sql))
    except SyntaxError:
        return sql, False
    control = [n for n, one in enumerate(found) if _CONTROL.match(one.text)]
    if control != [0, len(found) - 1] or len(found) < 2:
        return sql, False
    first, last = found[0], found[-1]
    if not (_BEGIN.match(first.text.strip()) and _END.match(last.text.strip())):
        return sql, False
    end = sql.find(";", last.start) + 1 or len(sql)
    kept = sql[: last.start] + sql[end:]
    begin_end = kept.find(";", first.start) + 1
    return kept[: first.start] + kept[begin_end:].lstrip("\r\n"), True


def _cannot_be_in_one(sql: str) -> str | None:
    """Return the command of the first statement that no transaction can hold."""
    if not WORDS.search(sql):
        return None
    try:
        found = (outside(one.text) for one in each_statement(sql))
        return next((one.words for one in found if one is not None), None)
    except SyntaxError:  # the server will name the place
        return None


def _without_look_alikes(sql: str) -> tuple[str, bool]:
    """Quote leading comments of the form `word: value` where one would be taken for a directive."""
    try:
        if parse_directives(sql, Path("migration.sql")) == Directives():
            return sql, False
    except FileError:
        pass
    match = re.match(r"(?:[ \t]*(?:--[^\n]*)?\r?\n)*(?:[ \t]*--[^\n]*)?", sql)
    assert match is not None
    return _WORD.sub(r"\1 |\2", match[0]) + sql[match.end() :], True
