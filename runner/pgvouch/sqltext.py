"""SQL text: places in it, the statements in it, and what a migration may not hold.

No I/O. `postgast` (PostgreSQL's own parser) is imported only when a cheap look at the text says
that structure matters, because importing it costs as much as connecting.
"""

import re
from dataclasses import dataclass

from pgvouch.errors import FileError, Place
from pgvouch.statements import (
    Statement,
    each_statement,
    statements,
    tree_of,
    without_leading_comments,
)

__all__ = [
    "GAP",
    "Statement",
    "Token",
    "each_statement",
    "excerpt",
    "is_blank",
    "line_and_column",
    "refuse_nul",
    "refuse_psql_only",
    "refuse_transaction_control",
    "statements",
    "tokens",
    "tree_of",
    "without_leading_comments",
    "without_variables",
]

_TRANSACTION_WORD = re.compile(
    r"(?:^|[\r;]|\*/)\s*(?:begin|start|commit|end|rollback|abort|prepare|savepoint|release)\b",
    re.IGNORECASE | re.MULTILINE,
)
_TRANSACTION_START = re.compile(
    r"(?:begin|start\s+transaction|commit|end|abort|prepare\s+transaction"
    r"|rollback(?!\s+(?:work\s+|transaction\s+)?to\b))\b",
    re.IGNORECASE,
)
_ANY_TRANSACTION_START = re.compile(
    r"(?:begin|start\s+transaction|commit|end|abort|prepare\s+transaction|rollback|savepoint|release)\b",
    re.IGNORECASE,
)
_COPY_STDIN = re.compile(r"\bcopy\b[^;]*\bfrom\s+stdin\b", re.IGNORECASE)

GAP = r"(?:\s|--[^\r\n]*|/\*(?:[^*]|\*(?!/))*\*/|\*/)+"
"""A pattern for what may stand between two words; it forgives the end of a nested comment."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token as PostgreSQL's scanner sees it. Offsets are in characters."""

    kind: str
    start: int
    end: int


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column (both from 1, columns in characters) of an offset in a text."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def excerpt(statement: str, limit: int = 400) -> str:
    """Return a statement short enough to be printed in an error."""
    text = statement.strip()
    return text if len(text) <= limit else f"{text[:limit].rstrip()} …"


def is_blank(text: str) -> bool:
    """Say whether a text holds nothing but blanks, comments and semicolons."""
    rest = text
    while rest := without_leading_comments(rest):
        if not rest.startswith(";"):
            return False
        rest = rest[1:]
    return True


def tokens(text: str, *, comments: bool = False) -> list[Token]:
    """Return the tokens of a text: its words, or (with `comments`) its comments instead.

    Raises:
        SyntaxError: the text cannot be scanned (an open quote or comment).
    """
    from postgast import PgQueryError, pg_query_pb2, scan

    try:
        scanned = scan(text).tokens
    except PgQueryError as exc:
        error = SyntaxError(str(exc))
        error.offset = exc.cursorpos
        raise error from exc
    raw = text.encode()
    found: list[Token] = []
    byte = char = 0
    for token in scanned:
        char += len(raw[byte : token.start].decode())
        length = len(raw[token.start : token.end].decode())
        byte = token.end
        name = pg_query_pb2.Token.Name(token.token) if token.token > 255 else chr(token.token)
        if (name in {"SQL_COMMENT", "C_COMMENT"}) is comments:
            found.append(Token(name, char, char + length))
        char += length
    return found


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
    if copy := _COPY_STDIN.search(text):
        _refuse_copy(text, copy, place)
    if "\\" in text:
        _refuse_backslash(text, place)


def _refuse_copy(text: str, copy: re.Match[str], place: Place) -> None:
    try:
        starts = {token.start for token in tokens(text) if token.kind == "COPY"}
    except SyntaxError:  # the data itself may hold an open quote
        starts = {copy.start()}
    for match in _COPY_STDIN.finditer(text):
        if match.start() in starts:
            line, column = line_and_column(text, match.start())
            raise FileError(
                "COPY … FROM STDIN needs a client that sends data; a migration is SQL alone",
                Place(place.path, line, column),
                statement=excerpt(match.group()),
                hint="write the rows as INSERT … VALUES, or load them from your application",
            )


def _refuse_backslash(text: str, place: Place) -> None:
    try:
        offset = next((t.start for t in tokens(text) if t.kind == "\\"), None)
    except SyntaxError:  # PostgreSQL itself will name the open quote
        return
    if offset is None:
        return
    line, column = line_and_column(text, offset)
    word = re.match(r"\\\S*", text[offset:])
    command = word.group() if word else "\\"
    advice = {
        "\\i": "put the other file's SQL here, or make it a migration of its own",
        "\\ir": "put the other file's SQL here, or make it a migration of its own",
        "\\copy": "write the rows as INSERT … VALUES",
        "\\set": "declare the variable in the header (-- var: name) and give it with --var",
        "\\c": "a folder is one database: put the file into the other database's folder",
        "\\connect": "a folder is one database: put the file into the other database's folder",
        "\\gexec": "write a DO block with EXECUTE format(…)",
    }.get(command, "write SQL that the server understands")
    raise FileError(
        f"{command} is a psql meta-command; the server does not know it",
        Place(place.path, line, column),
        statement=text[offset:].split("\n", 1)[0],
        hint=advice,
    )


def refuse_transaction_control(text: str, place: Place, *, savepoints: bool = True) -> None:
    """Refuse a file that would end the transaction that pgvouch runs it in.

    Args:
        text: the SQL.
        place: the file.
        savepoints: whether SAVEPOINT, RELEASE and ROLLBACK TO are allowed.

    Raises:
        FileError: with the line of the first such statement.
    """
    if not _TRANSACTION_WORD.search(text):
        return
    try:
        found = statements(text)
    except SyntaxError:  # PostgreSQL will refuse the whole message before anything runs
        return
    pattern = _TRANSACTION_START if savepoints else _ANY_TRANSACTION_START
    for statement in found:
        if match := pattern.match(statement.text):
            line, column = line_and_column(text, statement.start)
            raise FileError(
                f"{' '.join(match.group().split()).upper()} here would end the transaction that "
                "holds the migration, its checks and its ledger row together",
                Place(place.path, line, column),
                statement=excerpt(statement.text),
                hint="remove it: pgvouch begins and commits; for a statement that cannot run in a "
                "transaction, put `-- transactional: false` into the header",
            )
