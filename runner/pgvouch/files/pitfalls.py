"""What PostgreSQL would accept, and hardly anybody means. No I/O."""

import re
import unicodedata

from pgvouch.errors import FileError, Place
from pgvouch.sqltext.place import excerpt, line_and_column
from pgvouch.sqltext.scan import GAP, marks
from pgvouch.sqltext.statements import rough_statements

# Blanks that are none to PostgreSQL, marks that nobody sees, and quotes of a word processor.
# Joiners (U+200C, U+200D) are part of words in some scripts.
_UNSEEN = re.compile(
    "[\u0085\u00a0\u00ad\u1680\u180e\u2000-\u200b\u200e\u200f\u2018\u2019\u201c\u201d\u2028-\u202f"
    "\u205f-\u2064\u2066-\u2069\u3000\ufeff]"
)
_SETTING = re.compile(
    rf"\bset{GAP}(?:(?:session|local){GAP})?"
    r"(?:transaction|standard_conforming_strings)",
    re.IGNORECASE,
)
_SETS_TRANSACTION = re.compile(
    rf"set{GAP}(?:(?:session|local){GAP})?transaction(?:_isolation|_read_only)?\b",
    re.IGNORECASE,
)
_STRINGS_OFF = re.compile(
    rf"set{GAP}(?:(?:session|local){GAP})?standard_conforming_strings"
    r"[\s=]*(?:\bto\b)?\s*'?(?:off|false|no|0|f|n)\b",
    re.IGNORECASE,
)


def refuse_pitfalls(text: str, place: Place) -> None:
    """Refuse what would run and do something else than it seems to say.

    Raises:
        FileError: a character outside quotes that nobody sees, SET TRANSACTION, or
            standard_conforming_strings = off.
    """
    if _UNSEEN.search(text):
        _refuse_unseen(text, place)
    if _SETTING.search(text):
        _refuse_settings(text, place)


def _refuse_unseen(text: str, place: Place) -> None:
    done = 0
    for kind, start, end in [*_quoted(text), ("end", len(text), len(text))]:
        if match := _UNSEEN.search(text, done, start):
            raise _unseen(match.group(), text, match.start(), place)
        if kind == "open":  # PostgreSQL will name the place
            return
        done = end


def _quoted(text: str) -> "list[tuple[str, int, int]]":
    return [mark for mark in marks(text) if mark[0] in {"quote", "comment", "open"}]


def _unseen(character: str, text: str, offset: int, place: Place) -> FileError:
    name = unicodedata.name(character, "a control character")
    is_quote = "QUOTATION MARK" in name
    begin = text.rfind("\n", 0, offset) + 1
    line = text[begin : begin + 400].partition("\n")[0]
    return FileError(
        f"U+{ord(character):04X} ({name}) outside of quotes: PostgreSQL reads it as a letter",
        Place(place.path, *line_and_column(text, offset)),
        statement=excerpt(line),
        hint=f"write {'a plain quote' if is_quote else 'a plain blank, or nothing'} there; it came "
        "with text copied from a web page, a chat or a word processor",
    )


def _refuse_settings(text: str, place: Place) -> None:
    # A file that counts on standard_conforming_strings = off need not parse for us.
    for statement in rough_statements(text):
        if _SETS_TRANSACTION.match(statement.text):
            message = "SET TRANSACTION comes too late: pgvouch has begun the transaction"
            hint = (
                "remove it: `-- isolation: repeatable read` (or serializable) in the header begins "
                "the transaction so; it is READ COMMITTED, READ WRITE otherwise"
            )
        elif _STRINGS_OFF.match(statement.text):
            message = (
                "standard_conforming_strings = off would not hold for this file: PostgreSQL has "
                "read all of its strings before the first statement runs"
            )
            hint = "remove it, and write strings with backslash escapes as E'…'"
        else:
            continue
        raise FileError(
            message,
            Place(place.path, *line_and_column(text, statement.start)),
            statement=excerpt(statement.text),
            hint=hint,
        )
