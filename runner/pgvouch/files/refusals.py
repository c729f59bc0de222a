"""What no file may hold: rules about its statements, and about what stands outside of quotes.

Some of it only psql knows, some would end the transaction or cannot run in one, and some is hardly
ever meant although PostgreSQL would accept it. A text that does not parse is left to PostgreSQL,
which refuses the whole message before anything runs. No I/O.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.files import transaction_block
from pgvouch.files.directives import leading_comments
from pgvouch.files.transaction_block import Kind
from pgvouch.sqltext.place import excerpt, line_and_column
from pgvouch.sqltext.scan import GAP, PIECE, marks, tokens
from pgvouch.sqltext.statements import Statement, each_statement, rough_statements

_Wrong = tuple[str, str]
"""What is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One thing that a statement may not be."""

    needles: tuple[str, ...]
    """In small letters: without one of them the words are not in a text. Finding a plain text is a
    hundred times cheaper than a pattern."""
    words: re.Pattern[str]
    """A cheap look at the whole text: without them no statement need be looked at."""
    judge: Callable[[str], _Wrong | None]


def refuse_in_migration(text: str, place: Place, *, transactional: bool) -> None:
    """Refuse what cannot be in a migration or a rollback.

    Args:
        text: the SQL.
        place: the file.
        transactional: False for a file that is run statement by statement.

    Raises:
        FileError: with the line of the first such thing, and what to write instead.
    """
    _refuse_psql_only(text, place)
    # A file that counts on standard_conforming_strings = off need not parse for us.
    _refuse(rough_statements, text, place, (_SETTINGS,))
    _refuse_unseen(text, place)
    refuse_statements(text, place, transactional=transactional)


FILL_IN = "-- fill in: "
"""Begins a line of the header of a file that `pgvouch new` has written and its author has not."""


def refuse_unfilled(text: str, path: Path) -> None:
    """Refuse a file that still says what is to be written into it.

    Raises:
        FileError: with that line.
    """
    if FILL_IN not in text:
        return
    shown = f"verify/{path.name}" if path.parent.name == "verify" else path.name
    for line, comment in leading_comments(text):
        if comment.startswith(FILL_IN):
            raise FileError(
                f"{shown} is not filled in yet: {comment.removeprefix(FILL_IN)}",
                Place(path, line),
                hint="write that and remove this line; or remove the file",
            )


def refuse_in_checks(text: str, place: Place) -> None:
    """Refuse what cannot be in a verify file, whose checks run in savepoints of their own.

    Raises:
        FileError: as `refuse_in_migration` does.
    """
    _refuse_psql_only(text, place)
    _refuse(each_statement, text, place, (_control(_ANY_TRANSACTION_START, transactional=True),))


def refuse_statements(text: str, place: Place, *, transactional: bool) -> None:
    """Refuse a statement that would end the transaction, or cannot be run as its file wants it.

    Raises:
        FileError: with the line of the first one.
    """
    if transactional:
        rules = (_control(_TRANSACTION_START, transactional=True), _outside(text))
    else:
        rules = (_control(_ANY_TRANSACTION_START, transactional=False), _UNNAMED_INDEX)
    _refuse(each_statement, text, place, rules)


def _refuse_psql_only(text: str, place: Place) -> None:
    """Refuse what only psql understands: meta-commands and data after COPY … FROM STDIN."""
    _refuse(rough_statements, text, place, (_COPY_DATA,))
    if "\\" in text:
        _refuse_backslash(text, place)


def _refuse(
    split: Callable[[str], Iterator[Statement]], text: str, place: Place, rules: Iterable[_Rule]
) -> None:
    """Refuse the first statement that one of the rules finds wrong."""
    # A large text is not held twice.
    lowered = text.lower() if len(text) <= PIECE else None
    rules = [
        rule
        for rule in rules
        if (lowered is None or any(needle in lowered for needle in rule.needles))
        and rule.words.search(text)
    ]
    try:
        for statement in split(text) if rules else ():
            for rule in rules:
                if wrong := rule.judge(statement.text):
                    message, hint = wrong
                    at = _at(place, text, statement.start)
                    raise FileError(message, at, statement=excerpt(statement.text), hint=hint)
    except SyntaxError:
        return


def _at(place: Place, text: str, offset: int) -> Place:
    return Place(place.path, *line_and_column(text, offset))


_COPY = re.compile(r"copy\b", re.IGNORECASE)
_FROM_STDIN = re.compile(rf"\bfrom{GAP}stdin\b", re.IGNORECASE)


def _judge_copy(statement: str) -> _Wrong | None:
    if not _COPY.match(statement) or not _FROM_STDIN.search(statement):
        return None
    try:
        kinds = [token.kind for token in tokens(statement)]
    except SyntaxError:  # PostgreSQL itself will name the open quote
        return None
    if ("FROM", "STDIN") not in pairwise(kinds):
        return None
    return (
        "COPY … FROM STDIN needs a client that sends data; a migration is SQL alone",
        "write the rows as INSERT … VALUES, or load them from your application",
    )


_COPY_DATA = _Rule(("stdin",), _FROM_STDIN, _judge_copy)
_OTHER_FILE = "put the other file's SQL here, or make it a migration of its own"
_OTHER_DATABASE = "a folder is one database: put the file into the other database's folder"
_FOR_PSQL = "remove the line: pg_dump writes it for psql"
_INSTEAD = {
    "\\i": _OTHER_FILE,
    "\\ir": _OTHER_FILE,
    "\\copy": "write the rows as INSERT … VALUES",
    "\\set": "declare the variable in the header (-- var: name) and give it with --var",
    "\\c": _OTHER_DATABASE,
    "\\connect": _OTHER_DATABASE,
    "\\gexec": "write a DO block with EXECUTE format(…)",
    "\\restrict": _FOR_PSQL,
    "\\unrestrict": _FOR_PSQL,
}
_COMMAND = re.compile(r"\\\S*")


def _refuse_backslash(text: str, place: Place) -> None:
    offset = next((start for kind, start, _ in marks(text) if kind == "\\"), None)
    if offset is None:
        return
    word = _COMMAND.match(text, offset)
    command = word.group() if word else "\\"
    raise FileError(
        f"{command} is a psql meta-command; the server does not know it",
        _at(place, text, offset),
        statement=excerpt(text[offset : offset + 1000].splitlines()[0]),
        hint=_INSTEAD.get(command, "write SQL that the server understands"),
    )


# Blanks that are letters to PostgreSQL, invisible marks, and quotes of a word processor.
# Joiners (U+200C, U+200D) are part of words in some scripts.
_UNSEEN = re.compile(
    "[\u0085\u00a0\u00ad\u1680\u180e\u2000-\u200b\u200e\u200f\u2018\u2019\u201c\u201d\u2028-\u202f"
    "\u205f-\u2064\u2066-\u2069\u3000\ufeff]"
)


def _refuse_unseen(text: str, place: Place) -> None:
    """Refuse an invisible character outside of quotes."""
    done = 0
    for kind, start, end in _quoted(text) if _UNSEEN.search(text) else ():
        if match := _UNSEEN.search(text, done, start):
            raise _unseen(text, match.start(), place)
        if kind == "open":  # PostgreSQL will name the place
            return
        done = end


def _quoted(text: str) -> Iterator[tuple[str, int, int]]:
    yield from (mark for mark in marks(text) if mark[0] in {"quote", "comment", "open"})
    yield "end", len(text), len(text)


def _unseen(text: str, offset: int, place: Place) -> FileError:
    name = unicodedata.name(text[offset], "a control character")
    plain = "a plain quote" if "QUOTATION MARK" in name else "a plain blank, or nothing"
    begin = text.rfind("\n", 0, offset) + 1
    line = text[begin : begin + 400].partition("\n")[0]
    return FileError(
        f"U+{ord(text[offset]):04X} ({name}) outside of quotes: PostgreSQL reads it as a letter",
        _at(place, text, offset),
        statement=excerpt(line),
        hint=f"write {plain} there; it came with text copied from a web page, a chat or a word "
        "processor",
    )


_SETTING = re.compile(
    rf"\bset{GAP}(?:(?:session|local){GAP})?"
    r"(?:transaction|standard_conforming_strings)",
    re.IGNORECASE,
)
_SETS_TRANSACTION = re.compile(
    rf"set{GAP}(?:(?:session|local){GAP})?transaction(?:_isolation|_read_only)?\b", re.IGNORECASE
)
_STRINGS_OFF = re.compile(
    rf"set{GAP}(?:(?:session|local){GAP})?standard_conforming_strings"
    r"[\s=]*(?:\bto\b)?\s*'?(?:off|false|no|0|f|n)\b",
    re.IGNORECASE,
)


def _judge_setting(statement: str) -> _Wrong | None:
    if _SETS_TRANSACTION.match(statement):
        return (
            "SET TRANSACTION comes too late: pgvouch has begun the transaction",
            "remove it: `-- isolation: repeatable read` (or serializable) in the header begins "
            "the transaction so; it is READ COMMITTED, READ WRITE otherwise",
        )
    if _STRINGS_OFF.match(statement):
        return (
            "standard_conforming_strings = off would not hold for this file: PostgreSQL has "
            "read all of its strings before the first statement runs",
            "remove it, and write strings with backslash escapes as E'…'",
        )
    return None


_SETTINGS = _Rule(("transaction", "standard_conforming"), _SETTING, _judge_setting)
_TRANSACTION_NEEDLES = (
    "begin", "start", "commit", "end", "rollback", "abort", "prepare", "savepoint", "release",
)  # fmt: skip
_TRANSACTION_WORD = re.compile(
    r"(?:^|[\r;]|\*/)[^\S\n]*(?:begin|start|commit|end|rollback|abort|prepare|savepoint|release)\b",
    re.IGNORECASE | re.MULTILINE,
)
_TRANSACTION_START = re.compile(
    rf"(?:begin|start{GAP}transaction|end|abort|prepare{GAP}transaction|commit(?!{GAP}prepared\b)"
    rf"|rollback(?!{GAP}(?:(?:work|transaction){GAP})?(?:to|prepared)\b))\b",
    re.IGNORECASE,
)
_ANY_TRANSACTION_START = re.compile(
    rf"(?:begin|start{GAP}transaction|end|abort|prepare{GAP}transaction|commit(?!{GAP}prepared\b)"
    rf"|rollback(?!{GAP}prepared\b)|savepoint|release)\b",
    re.IGNORECASE,
)


def _control(pattern: re.Pattern[str], *, transactional: bool) -> _Rule:
    what, hint = (
        (
            "here would end the transaction that holds the migration, its checks and its ledger "
            "row together",
            "remove it: pgvouch begins and commits; for a statement that cannot run in a "
            "transaction, put `-- transactional: false` into the header",
        )
        if transactional
        else (
            "has no place in a file that is run statement by statement",
            "remove it; what belongs together goes into a migration without "
            "`-- transactional: false`",
        )
    )

    def judge(statement: str) -> _Wrong | None:
        if match := pattern.match(statement):
            return f"{' '.join(re.sub(GAP, ' ', match.group()).split()).upper()} {what}", hint
        return None

    return _Rule(_TRANSACTION_NEEDLES, _TRANSACTION_WORD, judge)


_SLOT_GIVEN_UP = re.compile(r"\bslot_name\s*=\s*'?none\b", re.IGNORECASE)


def _outside(text: str) -> _Rule:
    def judge(statement: str) -> _Wrong | None:
        found = transaction_block.outside(statement)
        if not found or (found.words == "DROP SUBSCRIPTION" and _SLOT_GIVEN_UP.search(text)):
            return None
        return (
            f"{found.words} cannot run in a transaction, and this file is run in one",
            "remove it: every migration begins with a clean session"
            if found.words == "DISCARD ALL"
            else "write `-- transactional: false` at the top of the file; what belongs in a "
            "transaction goes into another migration",
        )

    return _Rule(transaction_block.NEEDLES, transaction_block.WORDS, judge)


def _judge_index(statement: str) -> _Wrong | None:
    """Find CREATE INDEX CONCURRENTLY without a name.

    After a crash there would be no telling whether it was built, or which of the indexes it is.
    """
    found = transaction_block.outside(statement)
    if not found or found.kind is not Kind.CREATE_INDEX or found.name is not None:
        return None
    return (
        "CREATE INDEX CONCURRENTLY without a name: if it is interrupted, nothing tells "
        "whether the index was built",
        f"name it: create index concurrently {found.relation}_…_idx on …",
    )


_UNNAMED_INDEX = _Rule(("concurrently",), transaction_block.WORDS, _judge_index)
