"""SQL text: places in it, the statements in it, and what a migration may not hold.

No I/O. `postgast` (PostgreSQL's own parser) is imported only when a cheap look at the text says
that structure matters, because importing it costs as much as connecting.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pgvouch.errors import FileError, Place
from pgvouch.statements import (
    Statement,
    each_statement,
    marks,
    pieces,
    rough_statements,
    skip_blank,
    statement_at_index,
    statement_at_offset,
    statements,
    tree_of,
    whole_pieces,
    without_leading_comments,
)

__all__ = [
    "GAP",
    "Statement",
    "Token",
    "each_statement",
    "each_token",
    "excerpt",
    "is_blank",
    "line_and_column",
    "marks",
    "refuse_nul",
    "refuse_psql_only",
    "refuse_transaction_control",
    "rough_statements",
    "statement_at_index",
    "statement_at_offset",
    "statements",
    "tokens",
    "tree_of",
    "whole_pieces",
    "without_leading_comments",
    "without_variables",
]

_TRANSACTION_WORD = re.compile(
    r"(?:^|[\r;]|\*/)[^\S\n]*(?:begin|start|commit|end|rollback|abort|prepare|savepoint|release)\b",
    re.IGNORECASE | re.MULTILINE,
)
# Each part can be read in one way only, so that a run of dashes or stars is not divided in a great
# many. Possessive quantifiers would say it, and Python 3.11 up to 3.11.4 gets nested ones wrong.
GAP = r"(?:\s|--[^\r\n]*(?:[\r\n]|\Z)|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|\*/)+"
"""A pattern for what may stand between two words; it forgives the end of a nested comment."""

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
_FROM_STDIN = re.compile(rf"\bfrom{GAP}stdin\b", re.IGNORECASE)
_COMMAND = re.compile(r"\\\S*")
_COPY = re.compile(r"copy\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """One token as PostgreSQL's scanner sees it. Offsets are in characters."""

    kind: str
    start: int
    end: int


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column (both from 1, columns in characters) of an offset in a text."""
    # Without a slice: the text may be tens of megabytes.
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def excerpt(statement: str, limit: int = 400) -> str:
    """Return a statement short enough to be printed in an error."""
    text = statement.strip()
    return text if len(text) <= limit else f"{text[:limit].rstrip()} …"


def is_blank(text: str) -> bool:
    """Say whether a text holds nothing but blanks, comments and semicolons."""
    offset = skip_blank(text, 0)
    while text.startswith(";", offset):
        offset = skip_blank(text, offset + 1)
    return offset == len(text)


def tokens(text: str, *, comments: bool = False) -> list[Token]:
    """Return the tokens of a text: its words, or (with `comments`) its comments instead.

    Raises:
        SyntaxError: the text cannot be scanned (an open quote or comment).
    """
    return list(each_token(text, comments=comments))


def each_token(text: str, *, comments: bool = False) -> Iterator[Token]:
    """Yield what `tokens` returns, and hold only a piece of it in memory.

    Raises:
        SyntaxError: as `tokens` does, after the tokens before that piece.
    """
    start = 0
    for end in pieces(text):
        yield from _scanned(text[start:end], start, comments=comments)
        start = end


def _scanned(text: str, base: int, *, comments: bool) -> Iterator[Token]:
    from postgast import PgQueryError, pg_query_pb2, scan

    try:
        scanned = scan(text).tokens
    except PgQueryError as exc:
        error = SyntaxError(str(exc))
        error.offset = base + (exc.cursorpos or 0)
        raise error from exc
    raw = text.encode()
    byte, char = 0, base
    for token in scanned:
        char += len(raw[byte : token.start].decode())
        length = len(raw[token.start : token.end].decode())
        byte = token.end
        name = pg_query_pb2.Token.Name(token.token) if token.token > 255 else chr(token.token)
        if (name in {"SQL_COMMENT", "C_COMMENT"}) is comments:
            yield Token(name, char, char + length)
        char += length


def without_variables(text: str, declared: tuple[str, ...]) -> str:
    """Return a text that parses: a blank for the colon of every `:name`, `:'name'` and `:"name"`.

    Every offset stays what it is. Without this, a file with a variable would parse for nobody, and
    what cannot be in it would be found when it is run.
    """
    if not declared:
        return text
    names = "|".join(re.escape(name) for name in declared)
    return re.sub(rf":(?=(?P<quote>['\"]?)(?:{names})(?P=quote)(?!\w))(?<!::)", " ", text)


def refuse_nul(text: str, place: Place) -> None:
    """Refuse a NUL: libpq sends a C string, so everything after it would silently be cut off.

    Raises:
        FileError: with the place of the first NUL.
    """
    if (offset := text.find("\0")) >= 0:
        line, column = line_and_column(text, offset)
        raise FileError(
            "the file holds a NUL byte; PostgreSQL would see nothing of what comes after it",
            Place(place.path, line, column),
            hint="remove the byte (an editor that saved UTF-16 leaves one after every letter)",
        )


def refuse_psql_only(text: str, place: Place) -> None:
    """Refuse what only psql understands: meta-commands and data after COPY … FROM STDIN.

    Raises:
        FileError: with the line, and what to write instead.
    """
    if _FROM_STDIN.search(text):
        _refuse_copy(text, place)
    if "\\" in text:
        _refuse_backslash(text, place)


def _refuse_copy(text: str, place: Place) -> None:
    start = 0
    for kind, _, end in marks(text):
        if kind == ";":
            _refuse_copy_between(text, start, end, place)
            start = end
    _refuse_copy_between(text, start, len(text), place)


def _refuse_copy_between(text: str, start: int, end: int, place: Place) -> None:
    first = skip_blank(text, start, end)
    if not _COPY.match(text, first) or not _FROM_STDIN.search(text, first, end):
        return
    try:
        kinds = [token.kind for token in tokens(text[first:end])]
    except SyntaxError:  # PostgreSQL itself will name the open quote
        return
    if ("FROM", "STDIN") in pairwise(kinds):
        raise FileError(
            "COPY … FROM STDIN needs a client that sends data; a migration is SQL alone",
            Place(place.path, *line_and_column(text, first)),
            statement=excerpt(text[first:end]),
            hint="write the rows as INSERT … VALUES, or load them from your application",
        )


def _refuse_backslash(text: str, place: Place) -> None:
    offset = next((start for kind, start, _ in marks(text) if kind == "\\"), None)
    if offset is None:
        return
    line, column = line_and_column(text, offset)
    word = _COMMAND.match(text, offset)
    command = word.group() if word else "\\"
    advice = {
        "\\i": "put the other file's SQL here, or make it a migration of its own",
        "\\ir": "put the other file's SQL here, or make it a migration of its own",
        "\\copy": "write the rows as INSERT … VALUES",
        "\\set": "declare the variable in the header (-- var: name) and give it with --var",
        "\\c": "a folder is one database: put the file into the other database's folder",
        "\\connect": "a folder is one database: put the file into the other database's folder",
        "\\gexec": "write a DO block with EXECUTE format(…)",
        "\\restrict": "remove the line: pg_dump writes it for psql",
        "\\unrestrict": "remove the line: pg_dump writes it for psql",
    }.get(command, "write SQL that the server understands")
    raise FileError(
        f"{command} is a psql meta-command; the server does not know it",
        Place(place.path, line, column),
        statement=excerpt(text[offset : offset + 1000].splitlines()[0]),
        hint=advice,
    )


def refuse_transaction_control(
    text: str, place: Place, *, savepoints: bool = True, transactional: bool = True
) -> None:
    """Refuse a file that would end the transaction that pgvouch runs it in.

    Args:
        text: the SQL.
        place: the file.
        savepoints: whether SAVEPOINT, RELEASE and ROLLBACK TO are allowed.
        transactional: False for a file that is run statement by statement.

    Raises:
        FileError: with the line of the first such statement.
    """
    if not _TRANSACTION_WORD.search(text):
        return
    pattern = _TRANSACTION_START if savepoints else _ANY_TRANSACTION_START
    try:
        for statement in each_statement(text):
            if match := pattern.match(statement.text):
                words = " ".join(re.sub(GAP, " ", match.group()).split()).upper()
                raise _transaction_error(words, statement, text, place, transactional)
    except SyntaxError:  # PostgreSQL will refuse the whole message before anything runs
        return


def _transaction_error(
    words: str, statement: Statement, text: str, place: Place, transactional: bool
) -> FileError:
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
    return FileError(
        f"{words} {what}",
        Place(place.path, *line_and_column(text, statement.start)),
        statement=excerpt(statement.text),
        hint=hint,
    )
