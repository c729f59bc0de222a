"""The top-level statements of a text, found with PostgreSQL's own parser. No I/O.

A large text is parsed in pieces, because the parser builds a tree five times the size of its text.
It is cut where a semicolon stands outside every quote and comment; a piece that turns out to end
inside something (a BEGIN ATOMIC body) is made longer.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

_PIECE = 1 << 18
# What PostgreSQL's scanner calls a blank; Python's \s would take in a no-break space.
_SPACE = " \t\n\r\f\v"
_MARK = re.compile(r"['\"$;\\]|--|/\*")
_BLANK = re.compile(rf"[{_SPACE}]+|--[^\r\n]*")  # a lone carriage return ends a comment too
_DOLLAR = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_STAR = re.compile(r"/\*|\*/")
_ESCAPE = re.compile(r"\\.|''|'", re.DOTALL)
_WORD = re.compile(r"[\w$]")


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
    if len(text) <= _PIECE:
        yield 0, len(text), _parsed(text, 0)
        return
    start = last = 0
    wanted, whole = _PIECE, len(text)
    for end in _ends(text, strict=True):
        if end - last > _PIECE:
            # One statement of this size is data: its tree would be large, and would help nobody.
            if last > start:
                yield start, last, _parsed(text[start:last], start)
            yield last, end, _unparsed(text, last, end)
            start, wanted = end, _PIECE
        elif end - start >= wanted or end == whole:
            try:
                found = _parsed(text[start:end], start)
            except SyntaxError as exc:
                if end == whole or not _is_unfinished(exc, end):
                    raise
                wanted = 2 * (end - start)
            else:
                yield start, end, found
                start, wanted = end, _PIECE
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
    from postgast import PgQueryError, parse

    try:
        parsed = parse(statement).stmts
    except (PgQueryError, DecodeError):
        return None
    return parsed[0].stmt if len(parsed) == 1 else None


def without_leading_comments(text: str) -> str:
    """Return the text from its first character that is neither blank nor comment."""
    return text[skip_blank(text, 0) :]


def skip_blank(text: str, offset: int, stop: int | None = None) -> int:
    """Return the first offset from `offset` on that is neither blank nor in a comment."""
    stop = len(text) if stop is None else stop
    while offset < stop:
        if match := _BLANK.match(text, offset, stop):
            offset = match.end()
        elif text.startswith("/*", offset, stop):
            end = end_of_block_comment(text, offset)
            offset = min(end, stop) if end >= 0 else stop
        else:
            break
    return offset


def marks(text: str) -> Iterator[tuple[str, int, int]]:
    r"""Yield what stands in a text outside of plain words, as PostgreSQL's scanner divides it.

    Yields:
        A kind with its start and end: `;` and `\` outside quotes and comments, `quote` for a
        string, a quoted name or a dollar quote, `comment`. An open quote ends them with `open`.
    """
    offset = 0
    while match := _MARK.search(text, offset):
        start, found = match.span()[0], match.group()
        if found in {";", "\\"}:
            kind, offset = found, match.end()
        elif found == "--":
            kind = "comment"
            ending = _BLANK.match(text, start)
            offset = ending.end() if ending else match.end()
        elif found == "/*":
            kind, offset = "comment", end_of_block_comment(text, start)
        elif found == "$" and not _opens_a_dollar_quote(text, start):
            offset = start + 1
            continue
        else:
            kind, offset = "quote", _end_of_quote(text, start)
        if offset < 0:
            yield "open", start, len(text)
            return
        yield kind, start, offset


def _opens_a_dollar_quote(text: str, start: int) -> bool:
    within_a_name = start > 0 and _WORD.match(text[start - 1])
    return not within_a_name and _DOLLAR.match(text, start) is not None


def _end_of_quote(text: str, start: int) -> int:
    """Return the offset behind a quote, -1 where it is not closed."""
    if text[start] == "$":
        tag = _DOLLAR.match(text, start)
        assert tag is not None
        end = text.find(tag.group(), tag.end())
        return end + len(tag.group()) if end >= 0 else -1
    if text[start] == "'" and _has_escapes(text, start):
        found = _ESCAPE.finditer(text, start + 1)
        return next((match.end() for match in found if match.group() == "'"), -1)
    # A doubled quote is read as two quotes side by side, which comes to the same.
    return text.find(text[start], start + 1) + 1 or -1


def _has_escapes(text: str, start: int) -> bool:
    if start == 0 or text[start - 1] not in "eE":
        return False
    return start == 1 or not _WORD.match(text[start - 2])


def end_of_block_comment(text: str, offset: int) -> int:
    """Return the offset behind the nested comment that begins at one, -1 where it is open."""
    depth = 0
    for match in _STAR.finditer(text, offset):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return -1


def rough_statements(text: str) -> Iterator[Statement]:
    """Yield what stands between semicolons outside of quotes and comments; nothing need parse."""
    start = 0
    for end in _ends(text):
        yield from _unparsed(text, start, end)
        start = end


def pieces(text: str) -> Iterator[int]:
    """Yield the offsets where a text can be cut for PostgreSQL's scanner, and its end."""
    start = 0
    if len(text) > _PIECE:
        for end in _ends(text):
            if end - start >= _PIECE and end < len(text):
                yield end
                start = end
    yield len(text)


def _ends(text: str, *, strict: bool = False) -> Iterator[int]:
    """Yield the offsets behind the semicolons that may end a statement, and the text's own end."""
    for kind, start, end in marks(text):
        if kind == ";":
            yield end
        elif strict and kind == "open":
            error = SyntaxError("unterminated quote or comment")
            error.offset = start + 1
            raise error
    yield len(text)


def _unparsed(text: str, start: int, end: int) -> Iterator[Statement]:
    first = skip_blank(text, start, end)
    body = text[first:end].removesuffix(";").rstrip(_SPACE)
    if body:
        yield Statement(body, first)


def _is_unfinished(error: SyntaxError, end: int) -> bool:
    """Say whether a piece failed because it was cut too early."""
    return (error.offset or 0) > end or str(error.msg).startswith("unterminated")


def _parsed(text: str, base: int) -> list[Statement]:
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
        error.offset = base + (exc.cursorpos or 0)
        raise error from exc
    finally:
        lib.pg_query_free_split_result(result)
    return list(_statements_at(raw, spans, base))


def _statements_at(raw: bytes, spans: list[tuple[int, int]], base: int = 0) -> Iterator[Statement]:
    byte, char = 0, base
    for location, length in spans:
        char += len(raw[byte:location].decode())
        byte = location
        body = raw[location : location + length].decode()
        skipped = skip_blank(body, 0)
        yield Statement(body[skipped:].rstrip(_SPACE), char + skipped)
