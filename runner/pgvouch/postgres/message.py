"""Messages to PostgreSQL: parts that know how many statements they hold and where they come from.

One message is one round trip. When it fails, the number of results before the error, or the
position PostgreSQL reports, leads back to the part, and from there to the author's file. How many
statements an author's text holds need not be known: a mark behind it tells where its results end.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from pgvouch.errors import Place, VouchError
from pgvouch.files.variables import Rendered
from pgvouch.postgres.result import Result
from pgvouch.postgres.session import QueryError, Session
from pgvouch.sqltext.place import excerpt, line_and_column
from pgvouch.sqltext.statements import (
    Statement,
    statement_at_index,
    statement_at_offset,
    whole_pieces,
)

_LARGEST_MESSAGE = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """Where a part's SQL was written."""

    path: Path
    text: str
    """The whole file."""
    rendered: Rendered
    """The part's SQL with its variables filled in."""
    offset: int = 0
    """Where the part begins in the file, in characters."""

    def place(self, offset: int) -> Place:
        """Return the place in the file for an offset in the part's SQL."""
        line, column = line_and_column(self.text, self.offset + self.rendered.source_offset(offset))
        return Place(self.path, line, column)

    def in_pieces(self) -> "Iterator[Source]":
        """Divide a large file: a message is held several times over, here and in libpq."""
        if self.rendered.text is not self.text:
            yield self
            return
        for start, end in whole_pieces(self.text, _LARGEST_MESSAGE):
            piece = self.text[start:end] if end - start < len(self.text) else self.text
            yield replace(self, rendered=Rendered(piece), offset=start)

    def original(self, start: int, end: int) -> str:
        """Return what the author wrote between two offsets of the part's SQL."""
        first = self.offset + self.rendered.source_offset(start)
        return self.text[first : self.offset + self.rendered.source_offset(end)]

    def written(self, statement: Statement) -> str:
        """Return a statement of the part's SQL as its author wrote it."""
        return self.original(statement.start, statement.start + len(statement.text))


@dataclass(frozen=True, slots=True)
class MessagePart:
    """Some statements of a message."""

    sql: str
    count: int | None
    """How many results it gives; None for one part, whose statements were not counted."""
    name: str = ""
    source: Source | None = None
    tallied: str = ""
    """Where its rows are not kept: `counted`, or `digested` to be compared with others."""


@dataclass(frozen=True, slots=True)
class ErrorPlace:
    """Where in a message an error belongs."""

    part: MessagePart
    place: Place | None
    statement: str | None


@dataclass
class Message:
    """Parts, in the order in which they are sent."""

    parts: list[MessagePart] = field(default_factory=list)
    mark: str = ""
    """The name of the column that the statement behind the uncounted part returns."""

    def add(self, *statements: str, name: str = "") -> Self:
        """Append statements of pgvouch's, one a string, without semicolons."""
        self.parts += [MessagePart(statement, 1, name) for statement in statements]
        return self

    def add_joined(self, statements: Sequence[str]) -> Self:
        """Append statements that never fail by themselves, as one part."""
        self.parts.append(MessagePart("\n;".join(statements), len(statements)))
        return self

    def add_comment(self, comment: str) -> Self:
        """Append a comment, which gives no result."""
        self.parts.append(MessagePart(comment, 0))
        return self

    def add_source(
        self, source: Source, count: int | None, name: str = "", *, tallied: str = ""
    ) -> Self:
        """Append SQL that a user wrote."""
        self.parts.append(MessagePart(source.rendered.text, count, name, source, tallied))
        return self

    def add_mark(self, expression: str, name: str = "") -> Self:
        """Append the statement that tells the results of an uncounted part from later ones.

        Args:
            expression: what it returns.
            name: of its part.
        """
        self.mark = f"pgvouch_{secrets.token_hex(8)}"
        return self.add(f'select {expression} as "{self.mark}"', name=name)

    @property
    def text(self) -> str:
        """The SQL to send."""
        # The newline closes a `--` comment at the end of a part.
        return "\n;".join(part.sql for part in self.parts)

    @property
    def counted(self) -> int:
        """How many results come from parts whose statements are counted."""
        return sum(part.count or 0 for part in self.parts)

    @property
    def tallied(self) -> dict[int, bool]:
        """The results whose rows are only counted, by their index, and which are digested."""
        found: dict[int, bool] = {}
        at = 0
        for part in self.parts:
            number = part.count or 0
            if part.tallied:
                found |= dict.fromkeys(range(at, at + number), part.tallied == "digested")
            at += number
        return found

    def send(self, session: Session) -> tuple[Result, ...]:
        """Send it; rows are read of its counted parts, or tallied.

        Raises:
            QueryError: a statement failed.
            ConnectionLost: no answer will come.
        """
        return session.run(
            self.text,
            rows_of_first=sum(part.count or 0 for part in self.parts[: self._uncounted]),
            rows_from=self.mark,
            tallied=self.tallied,
        )

    @property
    def _uncounted(self) -> int:
        """The index of the part whose statements were not counted, or the number of parts."""
        found = (at for at, part in enumerate(self.parts) if part.count is None)
        return next(found, len(self.parts))

    def results_of(
        self, name: str, results: Sequence[Result], *, failed: bool = False
    ) -> list[Result]:
        """Return the results that belong to the parts of a name.

        Args:
            name: of the parts.
            results: what came back.
            failed: whether an error ended the message, so that the last results are missing.

        Raises:
            VouchError: PostgreSQL gave another number of results than the message has
                statements, so none can be attributed.
        """
        counted, uncounted = self.counted, self._uncounted
        too_many = len(results) > counted and uncounted == len(self.parts)
        if too_many or (len(results) < counted and not failed):
            raise VouchError(
                f"PostgreSQL gave {len(results)} results for {counted} statements, "
                "so they cannot be told apart"
            )
        found: list[Result] = []
        at = 0
        for number, part in enumerate(self.parts):
            if part.name == name:
                found += results[at : at + (part.count or 0)]
            at += len(results) - counted if number == uncounted else part.count or 0
        return found

    def locate(self, error: QueryError) -> ErrorPlace:
        """Return the part, the place and the statement that an error belongs to."""
        if error.server.position is not None:
            return self._locate_position(error.server.position - 1, is_unread=not error.done)
        index, parts = len(error.done), self.parts
        if self.mark and (self.mark,) in (columns := [result.columns for result in error.done]):
            index -= columns.index((self.mark,))
            parts = parts[self._uncounted + 1 :]
        for part in parts:
            if part.count is None or index < part.count:
                return _failure_at_statement(part, index)
            index -= part.count
        return ErrorPlace(self.parts[-1], None, None)

    def _locate_position(self, offset: int, *, is_unread: bool) -> ErrorPlace:
        uncounted = self._uncounted
        for number, part in enumerate(self.parts):
            if is_unread and number > uncounted:
                # What the text of an author leaves open, PostgreSQL misses behind it.
                return _failure_at_offset(self.parts[uncounted], len(self.parts[uncounted].sql))
            if offset <= len(part.sql) or part is self.parts[-1]:
                return _failure_at_offset(part, min(offset, len(part.sql)))
            offset -= len(part.sql) + len("\n;")
        raise AssertionError("a message has at least one part")


def _failure_at_offset(part: MessagePart, offset: int) -> ErrorPlace:
    if part.source is None:
        return ErrorPlace(part, None, None)
    try:
        found = statement_at_offset(part.sql, offset)
        statement = excerpt(part.source.written(found)) if found else None
    except SyntaxError:  # the statement with the error is the one that does not parse
        line_end = part.sql.find("\n", offset)
        start = part.sql.rfind("\n", 0, offset) + 1
        end = line_end if line_end >= 0 else len(part.sql)
        statement = excerpt(part.source.original(start, end))
    return ErrorPlace(part, part.source.place(offset), statement)


def _failure_at_statement(part: MessagePart, index: int) -> ErrorPlace:
    if part.source is None:
        return ErrorPlace(part, None, None)
    try:
        found = statement_at_index(part.sql, index)
    except (SyntaxError, IndexError):
        return ErrorPlace(part, Place(part.source.path), None)
    return ErrorPlace(part, part.source.place(found.start), excerpt(part.source.written(found)))
