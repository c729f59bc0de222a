"""Stamps in the text of a file: the call, and the expansion between its markers. No I/O.

A marker is a comment as PostgreSQL's scanner sees it, alone on its line: the same words inside a
string, a function body or a block comment are text.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pgvouch.errors import Place, StampError
from pgvouch.sqltext.near import nearest
from pgvouch.sqltext.place import excerpt, line_and_column
from pgvouch.sqltext.scan import tokens
from pgvouch.stamp.call import Call, SourceLine, parse_call

_STAMP = re.compile(r"-- stamp:[ \t]*")
_STAMPED = re.compile(r"-- stamped: (?P<name>\S+) sha256:(?P<digest>[0-9a-f]{16})(?: |\Z)")
_END = re.compile(r"-- end stamp[ \t]*\Z")
_LOOKS_LIKE_A_CALL = re.compile(r"--[ \t]*(?P<word>[A-Za-z]+)[ \t]*(?P<colon>:?)[ \t]*\w+[ \t]*\(")
_LOOKS_LIKE_A_MARKER = re.compile(r"--[ \t]*(?:stamped[ \t]*:|end[ \t]+stamp\b)", re.IGNORECASE)
_UNTIL = re.compile(r"--[ \t]*until[ \t]*:")
_SENTENCE = re.compile(r"--[ \t]*(?:check\b|same[ \t]*:)")
_DIGEST_LENGTH = 16
_ADVICE = "edit the stamp line or the template, then run pgvouch stamp"


@dataclass(frozen=True, slots=True)
class Expansion:
    """What stands between the markers."""

    template: str
    digest: str
    body: str
    """With line feeds, whatever the file has."""
    line: int
    """Of the first marker; the body begins on the next one."""
    start: int
    end: int
    """Both markers included, in characters of the text."""

    @property
    def intact(self) -> bool:
        """Whether the body is what was written there."""
        return digest(self.template, self.body) == self.digest


@dataclass(frozen=True, slots=True)
class Block:
    """A stamp with its expansion, if it has one yet."""

    call: Call
    line: int
    insert_at: int
    """Where an expansion belongs: the end of the stamp's last line, line end included."""
    newline: str
    expansion: Expansion | None


@dataclass(frozen=True, slots=True)
class _Comment:
    text: str
    column: int


def digest(template: str, body: str) -> str:
    """Return what the marker says about a body.

    The lines `-- until: …` that an author adds to a check are not part of it: a check that a later
    migration retires is still the check that was stamped.
    """
    text = f"{template}\n{without_until(body)}"
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def without_until(body: str) -> str:
    """Return a body without the author's `-- until: …` lines."""
    return "\n".join(line for line in body.split("\n") if not is_until(line))


def is_until(line: str) -> bool:
    """Say whether a line retires the check it stands in."""
    return _UNTIL.match(line) is not None


def carry_until(old: str, new: str) -> str | None:
    """Put the `-- until: …` lines of one body below the same sentences of another.

    Returns:
        The new body with them, or None when a sentence they belong to is gone.
    """
    lines = new.split("\n")
    sentence = None
    for line in old.split("\n"):
        if is_until(line):
            if sentence is None or sentence not in lines:
                return None
            lines.insert(lines.index(sentence) + 1, line)
        elif _SENTENCE.match(line):
            sentence = line
    return "\n".join(lines)


def wrap(template: str, body: str, newline: str) -> str:
    """Return a body between its markers, with the line ends of the file."""
    head = f"-- stamped: {template} sha256:{digest(template, body)}  ({_ADVICE})\n"
    return (head + body + "-- end stamp\n").replace("\n", newline)


def find(text: str, path: Path) -> list[Block]:
    """Return the stamps of a file, in order.

    Raises:
        StampError: a stamp that is no call, a marker without its stamp or its end, a near miss of
            `-- stamp:`, or text that PostgreSQL's scanner cannot read.
    """
    if "stamp" not in text.lower():
        return []
    return list(_Finder(text, path).blocks())


class _Finder:
    def __init__(self, text: str, path: Path) -> None:
        self._text = text
        self._path = path
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._comments = self._own_line_comments()

    def _own_line_comments(self) -> dict[int, _Comment]:
        try:
            comments = tokens(self._text, comments=True)
        except SyntaxError as exc:
            offset = max((exc.offset or 1) - 1, 0)
            place = Place(self._path, *line_and_column(self._text, offset))
            raise StampError(str(exc.msg), place) from None
        found = {}
        for token in comments:
            line = bisect_right(self._starts, token.start)
            line_start = self._starts[line - 1]
            if token.kind == "SQL_COMMENT" and not self._text[line_start : token.start].strip():
                comment = self._text[token.start : token.end]
                found[line] = _Comment(comment, token.start - line_start + 1)
        return found

    def blocks(self) -> Iterator[Block]:
        done = 0
        for line, comment in self._comments.items():
            if line <= done:
                continue
            if _STAMP.match(comment.text):
                block = self._block(line)
                done = block.call.last_line
                if block.expansion is not None:
                    done = self._text.count("\n", 0, block.expansion.end - 1) + 1
                yield block
            elif _LOOKS_LIKE_A_MARKER.match(comment.text):
                raise StampError(
                    f"`{excerpt(comment.text, 40)}` without a stamp above it",
                    Place(self._path, line, comment.column),
                    hint="put its `-- stamp: …` line right above the markers, or remove both "
                    "markers and keep the SQL as your own",
                )
            else:
                self._refuse_near_miss(line, comment)

    def _block(self, line: int) -> Block:
        call = parse_call(self._source(line), self._path)
        following = call.last_line + 1
        at = self._offset(following)
        ended = self._text[:at].endswith("\n")
        newline = "\r\n" if "\r\n" in (self._text[at - 2 : at] if ended else self._text) else "\n"
        comment = self._comments.get(following)
        expansion = None
        if comment and _LOOKS_LIKE_A_MARKER.match(comment.text):
            expansion = self._expansion(following, comment)
        return Block(call, line, at, newline, expansion)

    def _source(self, line: int) -> Iterator[SourceLine]:
        comment = self._comments[line]
        skipped = re.match(_STAMP, comment.text)
        offset = skipped.end() if skipped else 0
        while True:
            yield SourceLine(comment.text[offset:], line, comment.column + offset)
            line += 1
            following = self._comments.get(line)
            if following is None or re.match(r"--[ \t]*(?:stamp|end stamp)", following.text):
                return
            comment, offset = following, len("--")

    def _expansion(self, line: int, head: _Comment) -> Expansion:
        match = _STAMPED.match(head.text)
        place = Place(self._path, line, head.column)
        if match is None:
            raise StampError(
                f"the marker `{excerpt(head.text, 40)}` is damaged",
                place,
                hint="remove the expansion and both markers, then run pgvouch stamp",
            )
        for end, comment in self._comments.items():
            if end <= line:
                continue
            if _END.match(comment.text):
                body = self._text[self._offset(line + 1) : self._offset(end)]
                start, stop = self._offset(line), self._offset(end + 1)
                body = body.replace("\r\n", "\n")
                return Expansion(match["name"], match["digest"], body, line, start, stop)
            if _STAMP.match(comment.text) or _LOOKS_LIKE_A_MARKER.match(comment.text):
                break
        raise StampError(
            "the expansion that begins here has no `-- end stamp`",
            place,
            hint="put `-- end stamp` on a line of its own below the expansion, then run "
            "pgvouch stamp",
        )

    def _refuse_near_miss(self, line: int, comment: _Comment) -> None:
        match = _LOOKS_LIKE_A_CALL.match(comment.text)
        if match is None:
            return
        word = match["word"].lower()
        misspelled = match["colon"] and nearest(word, ["stamp"], likeness=0.75)
        if misspelled or (word == "stamp" and not match["colon"]):
            raise StampError(
                f"`{excerpt(comment.text, 40)}` looks like a stamp and would stamp nothing",
                Place(self._path, line, comment.column),
                hint="write `-- stamp: template(…)`, or reword the comment",
            )

    def _offset(self, line: int) -> int:
        return self._starts[line - 1] if line <= len(self._starts) else len(self._text)
