"""The top-level statements of a text, found with PostgreSQL's own parser. No I/O."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# A lone carriage return ends a comment for PostgreSQL too.
_COMMENT_OR_SPACE = re.compile(r"\s+|--[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Statement:
    """One top-level statement and where it stands, in characters of the text."""

    text: str
    start: int


def statements(text: str) -> list[Statement]:
    """Split a text into its top-level statements with PostgreSQL's own parser.

    Returns the statements in order; none for a text of blanks and comments.

    Raises:
        SyntaxError: the text does not parse; its offset attribute counts characters from 1.
    """
    # postgast.split() returns texts without their places, and parse() builds a tree of 2.5 kB a
    # statement only to give the places: the result behind split() has both.
    from postgast import PgQueryError
    from postgast.errors import check_error
    from postgast.native import lib

    raw = text.encode()
    result: Any = lib.pg_query_split_with_parser(raw)
    try:
        check_error(result)
        spans = [
            (s.contents.stmt_location, s.contents.stmt_len)
            for s in (result.stmts[i] for i in range(result.n_stmts))
        ]
    except PgQueryError as exc:
        error = SyntaxError(str(exc))
        error.offset = exc.cursorpos
        raise error from exc
    finally:
        lib.pg_query_free_split_result(result)
    return list(_statements_at(raw, spans))


def each_statement(text: str) -> Iterator[Statement]:
    """Yield the top-level statements of a text.

    Raises:
        SyntaxError: as `statements` does.
    """
    yield from statements(text)


def _statements_at(raw: bytes, spans: list[tuple[int, int]]) -> Iterator[Statement]:
    byte = char = 0
    for location, length in spans:
        char += len(raw[byte:location].decode())
        byte = location
        body = raw[location : location + length].decode()
        skipped = len(body) - len(without_leading_comments(body))
        yield Statement(body[skipped:].rstrip(), char + skipped)


def tree_of(statement: str) -> Any | None:
    """Return the parse tree of one statement.

    Returns:
        None for text that is not one statement, does not parse, or is nested too deeply to be read
        into Python (an expression of some 50 operands); the server has the last word on those.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from postgast import PgQueryError, parse

    try:
        parsed = parse(statement).stmts
    except (PgQueryError, DecodeError):
        return None
    return parsed[0].stmt if len(parsed) == 1 else None


def without_leading_comments(text: str) -> str:
    """Return the text from its first character that is neither blank nor comment."""
    offset = 0
    while offset < len(text):
        if match := _COMMENT_OR_SPACE.match(text, offset):
            offset = match.end()
        elif text.startswith("/*", offset):
            offset = _end_of_block_comment(text, offset)
        else:
            break
    return text[offset:]


def _end_of_block_comment(text: str, offset: int) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(text, offset):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)
