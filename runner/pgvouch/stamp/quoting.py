"""Names and values as SQL text, exactly as PostgreSQL itself would quote them. No I/O.

Two layers: `quote_ident` and `quote_literal` give what the server's functions of those names give;
`identifier` and `literal` write the same name or value so that it also stays on one visible line.
"""

import re
import unicodedata
from functools import cache
from itertools import pairwise

from psycopg import sql

from pgvouch.sqltext.parser import postgast
from pgvouch.sqltext.scan import tokens
from pgvouch.sqltext.statements import expression_of

MAX_NAME_BYTES = 63
"""NAMEDATALEN - 1: PostgreSQL silently cuts what is longer."""
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Zl", "Zp"})
_SENTINELS = ("\ue000", "\ue001")


class BadValueError(ValueError):
    """A value cannot be written as SQL; the message says why in words for its author."""


def check_name(name: str) -> None:
    """Refuse what PostgreSQL cannot take as an identifier.

    Raises:
        BadValueError: it is empty, holds a NUL or half a character, or is longer than 63 bytes.
    """
    if not name:
        raise BadValueError("a name cannot be empty")
    check_text(name)
    if (length := len(name.encode())) > MAX_NAME_BYTES:
        raise BadValueError(
            f"the name {visible(name)} is {length} bytes long; PostgreSQL would cut it to "
            f"{MAX_NAME_BYTES}"
        )


def check_text(text: str) -> None:
    """Refuse what PostgreSQL cannot hold in a text.

    Raises:
        BadValueError: it holds a NUL or half of a surrogate pair.
    """
    if "\0" in text:
        raise BadValueError("PostgreSQL cannot hold a NUL character in a text or a name")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise BadValueError("half of a surrogate pair is not a character; write \\UXXXXXXXX")


def quote_ident(name: str) -> str:
    """Return a name as the server's quote_ident() does.

    See https://www.postgresql.org/docs/current/functions-string.html; a keyword is quoted unless
    the grammar reserves it nowhere (quote_identifier in ruleutils.c).
    """
    if _PLAIN.match(name) and not _is_keyword(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Return a text as the server's quote_literal() does."""
    return sql.Literal(text).as_string(None).lstrip()


def identifier(name: str) -> str:
    r"""Return a name as SQL on one line: like quote_ident, with U&"\000a" for what hides.

    A line break inside a name would change with the file's line ends, and a direction mark would
    show the reader another statement than the server reads.

    Raises:
        BadValueError: PostgreSQL cannot take the name.
    """
    check_name(name)
    if not any(map(_hides, name)):
        return quote_ident(name)
    return 'U&"' + "".join(_unicode_escape(char) for char in name) + '"'


def literal(value: str | int | None) -> str:
    r"""Return a value as an SQL constant on one line: like quote_literal, with \n for what hides.

    Raises:
        BadValueError: PostgreSQL cannot hold the text.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    check_text(value)
    if not any(map(_hides, value)):
        return quote_literal(value)
    return "E'" + "".join(_string_escape(char) for char in value) + "'"


def check_expression(text: str) -> None:
    """Refuse what is not one SQL expression on one line, without a comment.

    Raises:
        BadValueError: it is something else.
    """
    check_text(text)
    if any(map(_hides, text)):
        raise BadValueError(f"the expression {visible(text)} is not on one line")
    if expression_of(text) is None or tokens(text, comments=True):
        raise BadValueError(f"{visible(text) or 'nothing'} is not an SQL expression")


def subquery(text: str) -> str:
    """Return an expression as a subquery, which the planner evaluates once.

    Raises:
        BadValueError: it is no expression.
    """
    check_expression(text)
    tree = expression_of(text)
    kinds = postgast().pg_query_pb2
    is_one = tree is not None and tree.sub_link.sub_link_type == kinds.EXPR_SUBLINK
    return text if is_one else f"(select {text})"


def schemas_in(text: str) -> list[str]:
    """Return the names in an expression that may be schemas: those with a dot behind them."""
    found = []
    for name, dot in pairwise(tokens(text)):
        written = text[name.start : name.end]
        if dot.kind == "." and (word := written.strip('"').replace('""', '"')) not in found:
            found.append(word if written.startswith('"') else word.lower())
    return found


def visible(text: str) -> str:
    """Return a text for a sentence: on one line, with escapes for what hides.

    It is harmless in a `--` comment and nowhere else.
    """
    return "".join(f"<U+{ord(char):04X}>" if _hides(char) else char for char in text)


@cache
def _is_keyword(word: str) -> bool:
    parser = postgast()
    kind = parser.scan(word).tokens[0].keyword_kind
    kinds = parser.pg_query_pb2
    return kind not in (kinds.NO_KEYWORD, kinds.UNRESERVED_KEYWORD)


def _hides(char: str) -> bool:
    if char < "\x7f":  # most are
        return char < " "
    return char in _SENTINELS or unicodedata.category(char) in _HIDDEN_CATEGORIES


def _unicode_escape(char: str) -> str:
    if char in '"\\':
        return char * 2
    if not _hides(char):
        return char
    return f"\\{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\+{ord(char):06x}"


def _string_escape(char: str) -> str:
    if char in "'\\":
        return char * 2
    if not _hides(char):
        return char
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    wide = f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
    return named.get(char, wide)
