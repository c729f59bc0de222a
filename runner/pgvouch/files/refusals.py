"""What no migration may hold: what only psql knows, and what would end its transaction. No I/O."""

import re
from itertools import pairwise

from pgvouch.errors import FileError, Place
from pgvouch.sqltext.place import excerpt, line_and_column
from pgvouch.sqltext.scan import GAP, marks, skip_blank, tokens
from pgvouch.sqltext.statements import Statement, each_statement

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

_FROM_STDIN = re.compile(rf"\bfrom{GAP}stdin\b", re.IGNORECASE)

_COMMAND = re.compile(r"\\\S*")

_COPY = re.compile(r"copy\b", re.IGNORECASE)


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
