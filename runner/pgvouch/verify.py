"""Runs promises inside an open transaction and leaves nothing of them behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgvouch import sql, sqltext
from pgvouch.db import QueryError, Session
from pgvouch.errors import FileError, Place, ServerMessage
from pgvouch.message import DEFAULT_LOCK_TIMEOUT, RESET_ROLE, Message, Source, own_block
from pgvouch.promises import Check, Kind, Piece, Promises
from pgvouch.variables import Mask, Rendered
from pgvouch.wire import Result

_VERIFY = "pgvouch_verify"
_CHECK = "pgvouch_check"
BACK = (f"rollback to savepoint {_VERIFY}", f"release savepoint {_VERIFY}")
"""What takes back everything that promises did; the next message begins with it."""

_MAX_VALUE = 60


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept."""

    check: Check
    expected: str
    found: str
    place: Place
    statement: str | None = None
    server: ServerMessage | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of the promises of one file."""

    passed: int
    broken: tuple[Broken, ...]


def add_before(message: Message, promises: Promises | None) -> None:
    """Append the `before` queries of `same` pairs; they run ahead of the migration."""
    for index, check in enumerate(_same(promises)):
        assert check.before is not None
        assert promises is not None
        message.add("savepoint pgvouch_before")
        _add_piece(message, promises, check.before, f"before {index}", "digested")
        message.add("rollback to savepoint pgvouch_before", "release savepoint pgvouch_before")


def before_values(
    message: Message, results: Sequence[Result], promises: Promises | None
) -> list[Result]:
    """Return what the `before` queries gave from the results of a message."""
    return [
        message.results_of(f"before {index}", results)[-1] for index in range(len(_same(promises)))
    ]


def _same(promises: Promises | None) -> tuple[Check, ...]:
    return promises.of_kind(Kind.SAME) if promises else ()


def run(
    session: Session,
    message: Message,
    promises: Promises | None,
    before: Sequence[Result] = (),
    *,
    settings: Sequence[str] = (DEFAULT_LOCK_TIMEOUT,),
) -> tuple[tuple[Result, ...], Verdict]:
    """Send a message with all plain checks after it, then every `check error` on its own.

    Args:
        session: in the transaction whose work is to be judged.
        message: what goes ahead of the checks in the same round trip.
        promises: the checks; None sends the message alone.
        before: what the `before` queries gave, in order.
        settings: statements that set what the checks run under.

    Returns:
        The results of the message, and the verdict. The transaction is left at a savepoint: send
        BACK at the head of the next message.

    Raises:
        QueryError: the message itself failed.
    """
    message.add(*RESET_ROLE, *settings)
    message.add("set constraints all immediate", f"savepoint {_VERIFY}")
    if promises is not None:
        message.add(own_block(sql.load("restart_sequences")))
    wanted = message.counted
    plain = [] if promises is None else _add_checks(message, promises)
    try:
        results = session.run(message.text, rows_of_first=wanted, tallied=message.tallied)
    except QueryError as exc:
        broken = _failed_piece(message, exc, plain)
        if broken is None:
            raise
        return exc.done, Verdict(0, (broken,))
    if promises is None:
        return results, Verdict(0, ())
    values = iter(before)
    broken_ones = [
        found
        for index, check in enumerate(plain)
        if (
            found := _judge(
                check,
                message.results_of(f"check {index}", results)[-1],
                next(values) if check.kind is Kind.SAME else None,
                session.mask,
            )
        )
    ]
    broken_ones += _run_error_checks(session, promises)
    passed = len(promises.checks) - len(broken_ones)
    return results, Verdict(passed, tuple(broken_ones))


def _add_checks(message: Message, promises: Promises) -> list[Check]:
    if promises.setup:
        _add_piece(message, promises, promises.setup, "setup")
    message.add(f"savepoint {_CHECK}")
    plain = list(promises.of_kind(Kind.TRUE, Kind.NONE, Kind.SAME))
    for index, check in enumerate(plain):
        tallied = "digested" if check.kind is Kind.SAME else "counted"
        _add_piece(message, promises, check.query, f"check {index}", tallied)
        message.add(f"rollback to savepoint {_CHECK}")
    return plain


def _add_piece(
    message: Message, promises: Promises, piece: Piece, name: str, tallied: str = ""
) -> None:
    try:
        count = len(sqltext.statements(piece.sql))
    except SyntaxError as exc:
        offset = piece.offset + max((exc.offset or 1) - 1, 0)
        line, column = sqltext.line_and_column(promises.text, offset)
        raise FileError(str(exc.msg), Place(promises.path, line, column)) from None
    source = Source(promises.path, promises.text, Rendered(piece.sql), piece.offset)
    message.add_source(source, count, name, tallied=tallied)


def _run_error_checks(session: Session, promises: Promises) -> list[Broken]:
    broken = []
    for check in promises.of_kind(Kind.ERROR):
        message = Message().add(f"rollback to savepoint {_CHECK}")
        _add_piece(message, promises, check.query, "check")
        expected = f"an error {check.sqlstate}"
        try:
            # Deferred constraints have their say before a check is called peaceful.
            session.run(message.text, rows_of_first=0)
        except QueryError as exc:
            if exc.server.sqlstate != check.sqlstate:
                where = message.locate(exc)
                found = f"{exc.server.sqlstate}: {exc.server.primary}"
                place = where.place or check.place
                broken.append(Broken(check, expected, found, place, where.statement, exc.server))
        else:
            broken.append(Broken(check, expected, "no error", check.place))
    return broken


def _failed_piece(message: Message, exc: QueryError, plain: Sequence[Check]) -> Broken | None:
    where = message.locate(exc)
    found = f"{exc.server.sqlstate}: {exc.server.primary}"
    if where.part.name.startswith("check "):
        check = plain[int(where.part.name.removeprefix("check "))]
        place = where.place or check.place
        return Broken(check, _expectation(check), found, place, where.statement, exc.server)
    if where.part.name == "setup" and where.part.source is not None:
        path: Path = where.part.source.path
        place = where.place or Place(path)
        setup = Check(Kind.TRUE, "the setup of the checks runs", place, Piece("", 0))
        return Broken(setup, "no error", found, place, where.statement, exc.server)
    return None


def _expectation(check: Check) -> str:
    return {
        Kind.TRUE: "at least one row, true in the first column of every row",
        Kind.NONE: "no row",
        Kind.SAME: "the same rows as before the migration",
        Kind.ERROR: f"an error {check.sqlstate}",
    }[check.kind]


def _judge(check: Check, result: Result, before: Result | None, mask: Mask) -> Broken | None:
    expected = _expectation(check)
    if result.columns is None:
        found = f"{result.tag}, which returns no rows: the last statement of a check is a query"
        return Broken(check, expected, found, check.place)
    if check.kind is Kind.NONE:
        kept = not result.count
    elif before is not None:
        # Without ORDER BY the order of rows means nothing, and their number and values do.
        kept = (result.count, result.digest) == (before.count, before.digest)
        expected = f"{expected}: {show_rows(before, mask)}"
    else:
        kept = result.count > 0 and result.is_true
    return None if kept else Broken(check, expected, show_rows(result, mask), check.place)


def show_rows(result: Result, mask: Mask) -> str:
    """Return rows short enough for an error: the first few, long values cut."""
    if not result.count:
        return "no row"
    shown = [
        "(" + ", ".join(_show_value(value, mask) for value in row) + ")" for row in result.rows
    ]
    more = result.count - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _show_value(value: str | None, mask: Mask) -> str:
    if value is None:
        return "null"
    value = mask(value)
    return value if len(value) <= _MAX_VALUE else f"{value[:_MAX_VALUE]}…"
