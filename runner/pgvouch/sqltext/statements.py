"""The top-level statements of a text, found with PostgreSQL's own parser. No I/O.

A large text is parsed in pieces, because the parser builds a tree five times the size of its text.
It is cut where a semicolon stands outside every quote and comment; a piece that turns out to end
inside something (a BEGIN ATOMIC body) is made longer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pgvouch.sqltext import scan
from pgvouch.sqltext.parser import postgast
from pgvouch.sqltext.scan import SPACE, ends, skip_blank


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
    return list(each_statement(text))


def each_statement(text: str) -> Iterator[Statement]:
    """Yield the top-level statements of a text, and hold only a piece of them in memory.

    Raises:
        SyntaxError: as `statements` does, after the statements before that piece.
    """
    for _, _, found in _parsed_pieces(text):
        yield from found


def whole_pieces(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Divide a large text where a statement ends, for sending it in several messages.

    Args:
        text: SQL.
        size: the least length of a piece in characters; a shorter text is one piece.

    Yields:
        Start and end of each piece; what does not parse is the rest of the text, in one.
    """
    begin = 0
    try:
        for _, end, _ in _parsed_pieces(text) if len(text) > size else ():
            if end - begin >= size:
                yield begin, end
                begin = end
    except SyntaxError:  # the server names the place
        pass
    if begin < len(text) or not text:
        yield begin, len(text)


def _parsed_pieces(text: str) -> Iterator[tuple[int, int, Iterable[Statement]]]:
    if len(text) <= scan.PIECE:
        yield 0, len(text), _parsed(text, 0)
        return
    start = last = 0
    wanted, whole = scan.PIECE, len(text)
    for end in ends(text, strict=True):
        if end - last > scan.PIECE:
            # One statement of this size is data: its tree would be large and of no use.
            if last > start:
                yield start, last, _parsed(text[start:last], start)
            yield last, end, _unparsed(text, last, end)
            start, wanted = end, scan.PIECE
        elif end - start >= wanted or end == whole:
            try:
                found = _parsed(text[start:end], start)
            except SyntaxError as exc:
                if end == whole or not _is_unfinished(exc, end):
                    raise
                wanted = 2 * (end - start)
            else:
                yield start, end, found
                start, wanted = end, scan.PIECE
        last = end


def statement_at_index(text: str, index: int) -> Statement:
    """Return what `statements(text)[index]` returns, without holding all the others.

    Raises:
        SyntaxError: the text before it, or it itself, does not parse.
        IndexError: there are not so many.
    """
    for statement in islice(each_statement(text), index, None):
        return statement
    raise IndexError(index)


def statement_at_offset(text: str, offset: int) -> Statement | None:
    """Return the statement that an offset in characters points into, or None.

    Raises:
        SyntaxError: the text before it, or it itself, does not parse.
    """
    for statement in each_statement(text):
        if offset <= statement.start + len(statement.text):
            return statement if statement.start <= offset else None
    return None


def tree_of(statement: str) -> Any | None:
    """Return the parse tree of one statement.

    Returns:
        None for text that is not one statement, does not parse, or is nested too deeply to be read
        into Python (an expression of some 50 operands); the server has the last word on those.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    parser = postgast()
    try:
        parsed = parser.parse(statement).stmts
    except (parser.PgQueryError, DecodeError):
        return None
    return parsed[0].stmt if len(parsed) == 1 else None


def expression_of(text: str) -> Any | None:
    """Return the parse tree of an expression, None for a text that is not one and nothing else."""
    select = getattr(tree_of(f"select {text}"), "select_stmt", None)
    if select is None or {part.name for part, _ in select.ListFields()} != _ONE_TARGET:
        return None
    targets = [target.res_target for target in select.target_list]
    return targets[0].val if len(targets) == 1 and not targets[0].name else None


_ONE_TARGET = {"target_list", "limit_option", "op"}
"""What the tree of a SELECT has that is an expression alone."""


def rough_statements(text: str) -> Iterator[Statement]:
    """Yield what stands between semicolons outside of quotes and comments; nothing need parse."""
    start = 0
    for end in ends(text):
        yield from _unparsed(text, start, end)
        start = end


def _unparsed(text: str, start: int, end: int) -> Iterator[Statement]:
    first = skip_blank(text, start, end)
    body = text[first:end].removesuffix(";").rstrip(SPACE)
    if body:
        yield Statement(body, first)


def _is_unfinished(error: SyntaxError, end: int) -> bool:
    """Say whether a piece failed because it was cut too early."""
    return (error.offset or 0) > end or str(error.msg).startswith("unterminated")


def _parsed(text: str, base: int) -> list[Statement]:
    # postgast.split() returns texts without their places, and parse() builds a tree of 2.5 kB a
    # statement only to give the places: the result behind split() has both.
    lib = postgast("native").lib
    raw = text.encode()
    result: Any = lib.pg_query_split_with_parser(raw)
    try:
        postgast("errors").check_error(result)
        spans = [
            (s.contents.stmt_location, s.contents.stmt_len)
            for s in (result.stmts[i] for i in range(result.n_stmts))
        ]
    except postgast().PgQueryError as exc:
        error = SyntaxError(str(exc))
        error.offset = base + (exc.cursorpos or 0)
        raise error from exc
    finally:
        lib.pg_query_free_split_result(result)
    found = []
    byte, char = 0, base
    for location, length in spans:
        char += len(raw[byte:location].decode())
        byte = location
        body = raw[location : location + length].decode()
        skipped = skip_blank(body, 0)
        found.append(Statement(body[skipped:].rstrip(SPACE), char + skipped))
    return found
