"""Tokens, quotes and comments of a text, by PostgreSQL's own rules. No I/O."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgvouch.sqltext.parser import postgast

# Each part can be read in one way only, so that a run of dashes or stars is not tried in a great
# many. Possessive quantifiers would say it, and Python 3.11 up to 3.11.4 gets nested ones wrong.
GAP = r"(?:\s|--[^\r\n]*(?:[\r\n]|\Z)|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|\*/)+"
"""A pattern for what may stand between two words; it forgives the end of a nested comment."""
PIECE = 1 << 18
"""A larger text is read in pieces of about so many characters."""
SPACE = " \t\n\r\f\v"
"""What PostgreSQL's scanner calls a blank; Python's `\\s` would take in a no-break space."""
_MARK = re.compile(r"['\"$;\\]|--|/\*")
_BLANK = re.compile(rf"[{SPACE}]+|--[^\r\n]*")  # a lone carriage return ends a comment too
_DOLLAR = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_STAR = re.compile(r"/\*|\*/")
_ESCAPE = re.compile(r"\\.|''|'", re.DOTALL)
_WORD = re.compile(r"[\w$]")


@dataclass(frozen=True, slots=True)
class Token:
    """One token as PostgreSQL's scanner sees it. Offsets are in characters."""

    kind: str
    start: int
    end: int


def tokens(text: str, *, comments: bool = False) -> list[Token]:
    """Return the tokens of a text: its words, or (with `comments`) its comments instead.

    Raises:
        SyntaxError: the text cannot be scanned (an open quote or comment).
    """
    found: list[Token] = []
    start = 0
    for end in pieces(text):
        found += _scanned(text[start:end], start, comments=comments)
        start = end
    return found


def _scanned(text: str, base: int, *, comments: bool) -> Iterator[Token]:
    parser = postgast()
    try:
        scanned = parser.scan(text).tokens
    except parser.PgQueryError as exc:
        error = SyntaxError(str(exc))
        error.offset = base + (exc.cursorpos or 0)
        raise error from exc
    raw = text.encode()
    byte, char = 0, base
    for token in scanned:
        char += len(raw[byte : token.start].decode())
        length = len(raw[token.start : token.end].decode())
        byte = token.end
        name = (
            parser.pg_query_pb2.Token.Name(token.token) if token.token > 255 else chr(token.token)
        )
        if (name in {"SQL_COMMENT", "C_COMMENT"}) is comments:
            yield Token(name, char, char + length)
        char += length


def is_blank(text: str) -> bool:
    """Say whether a text holds nothing but blanks, comments and semicolons."""
    offset = skip_blank(text, 0)
    while text.startswith(";", offset):
        offset = skip_blank(text, offset + 1)
    return offset == len(text)


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


def pieces(text: str) -> Iterator[int]:
    """Yield the offsets where a text can be cut for PostgreSQL's scanner, and its end."""
    start = 0
    if len(text) > PIECE:
        for end in ends(text):
            if end - start >= PIECE and end < len(text):
                yield end
                start = end
    yield len(text)


def ends(text: str, *, strict: bool = False) -> Iterator[int]:
    """Yield the offsets behind the semicolons that may end a statement, and the text's own end."""
    for kind, start, end in marks(text):
        if kind == ";":
            yield end
        elif strict and kind == "open":
            error = SyntaxError("unterminated quote or comment")
            error.offset = start + 1
            raise error
    yield len(text)
