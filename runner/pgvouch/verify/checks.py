"""Runs promises inside an open transaction and leaves nothing of them behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pgvouch.errors import FileError, Place, ServerMessage, VouchError
from pgvouch.files.promises import Check, Kind, Piece, Promises
from pgvouch.postgres.message import ErrorPlace, Message, Source
from pgvouch.postgres.pooling import RESET_ROLE
from pgvouch.postgres.result import Result
from pgvouch.postgres.retry import others_were_in_the_way
from pgvouch.postgres.session import QueryError, Session
from pgvouch.postgres.timeouts import DEFAULT_LOCK_TIMEOUT
from pgvouch.sqltext.own import Raw, literal, own_block, own_query
from pgvouch.sqltext.place import line_and_column
from pgvouch.sqltext.statements import statements

_VERIFY = "pgvouch_verify"
_CHECK = "pgvouch_check"
_EXEMPT = "exempt"
BACK = (f"rollback to savepoint {_VERIFY}", f"release savepoint {_VERIFY}")
"""What rolls back everything that promises did; the next message begins with it."""

_SHORT = 60
"""Characters that stand beside a label on a narrow terminal."""
_CANCELED = "57014"
_SERVERS_TROUBLE = {"08", "53", "58"}
"""Classes of SQLSTATEs that say nothing about a promise: another server does not answer, or this
one has run out of a resource, or cannot read its files."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as they are shown: the first few, with long values cut."""

    shown: tuple[str, ...]
    more: int = 0
    """How many there are besides."""

    def __str__(self) -> str:
        more = f" and {self.more:,} more" if self.more else ""
        return (", ".join(self.shown) or "no row") + more


def lines_of(found: str | Rows) -> list[str]:
    """Return what a check has found, a line for each row where they are long."""
    if isinstance(found, str) or len(", ".join(found.shown)) <= _SHORT:
        return [str(found)]
    return [*found.shown, *([f"and {found.more:,} more"] if found.more else [])]


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that was not kept, or that ended without an answer."""

    check: Check
    expected: str
    found: str | Rows
    place: Place
    statement: str | None = None
    server: ServerMessage | None = None

    @property
    def sentence(self) -> str:
        """What the check promises."""
        return self.check.sentence

    @property
    def sqlstate(self) -> str | None:
        """PostgreSQL's, where it ended in an error."""
        return self.server.sqlstate if self.server else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of the promises of one file."""

    passed: int
    broken: tuple[Finding, ...] = ()
    unjudged: tuple[Finding, ...] = ()
    """Checks that ended without an answer: they gave way, or the server ran out of something."""
    left: tuple[Check, ...] = ()
    """Checks that were not run, because one ahead of them met others."""
    id: str = ""
    """The migration, where those of several are verified."""


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
    marker: str = "",
) -> tuple[tuple[Result, ...], Verdict]:
    """Send a message with all plain checks after it, then every `check error` on its own.

    Args:
        session: in the transaction whose work is to be judged.
        message: what goes ahead of the checks in the same round trip.
        promises: the checks; None sends the message alone.
        before: what the `before` queries gave, in order.
        settings: statements that set what the checks run under.
        marker: a comment that every further message begins with.

    Returns:
        The results of the message, and the verdict. The transaction is left at a savepoint: send
        BACK at the head of the next message. Where checks are unjudged the transaction has failed.

    Raises:
        QueryError: the message itself failed.
    """
    message.add(*RESET_ROLE, *settings)
    message.add("set constraints all immediate", f"savepoint {_VERIFY}")
    if promises is None:
        return message.send(session), Verdict(0)
    message.add(own_block("verify", "restart_sequences"))
    _add_actors(message, promises)
    wanted = message.counted
    if promises.setup:
        _add_piece(message, promises, promises.setup, "setup")
    message.add(f"savepoint {_CHECK}")
    running = _CheckRun(session, promises, dict(zip(_same(promises), before, strict=False)), marker)
    results = running.run_plain(message, wanted)
    running.run_errors()
    return results, running.verdict()


@dataclass
class _CheckRun:
    """The checks of one file on their way to a verdict."""

    session: Session
    promises: Promises
    before: Mapping[Check, Result]
    marker: str
    passed: int = 0
    broken: list[Finding] = field(default_factory=list)
    unjudged: list[Finding] = field(default_factory=list)
    left: list[Check] = field(default_factory=list)
    is_over: bool = False
    exempt: dict[str, str] = field(default_factory=dict)
    """Roles to which row security does not apply, and why."""

    def verdict(self) -> Verdict:
        """Return what has come of them."""
        return Verdict(self.passed, tuple(self.broken), tuple(self.unjudged), tuple(self.left))

    def run_plain(self, message: Message, wanted: int) -> tuple[Result, ...]:
        """Send a message with the plain checks behind it; return the results of the message.

        What is behind a check that ends in an error is sent again without it.
        """
        todo = list(self.promises.of_kind(Kind.TRUE, Kind.NONE, Kind.SAME))
        needed = message.counted
        self._add(message, todo)
        results, stopped = self._send(message, todo, wanted)
        first = results
        for row in message.results_of(_EXEMPT, results, failed=stopped is not None):
            self.exempt = {str(role): str(why) for role, why in row.rows}
        while stopped is not None:
            if stopped.check not in todo:
                self._stop_at_setup(stopped)
                return first
            done = todo.index(stopped.check)
            self._judge(message, todo[:done], results, failed=True)
            todo = todo[done + 1 :]
            self._count_stopped(stopped, [*todo, *self.promises.of_kind(Kind.ERROR)])
            if len(first) < needed:
                # It was refused before any of it ran: there is nothing to go back to.
                self._end([*todo, *self.promises.of_kind(Kind.ERROR)])
            if self.is_over:
                return first
            message = Message().add(self._back())
            self._add(message, todo)
            results, stopped = self._send(message, todo, 0)
        self._judge(message, todo, results, failed=False)
        return first

    def run_errors(self) -> None:
        """Run every `check error`, each on its own."""
        todo = list(self.promises.of_kind(Kind.ERROR))
        while todo and not self.is_over:
            check = todo.pop(0)
            if exempt := self._exempt(check):
                self.broken.append(exempt)
                continue
            message = Message().add(self._back())
            _add_check(message, self.promises, check)
            try:
                self.session.run(message.text, rows_of_first=0)
            except QueryError as exc:
                where = message.locate(exc)
                if exc.server.sqlstate == check.sqlstate and not _is_acting(where):
                    self.passed += 1
                    continue
                self._count_stopped(_ended(check, where, exc), todo)
            else:
                self.broken.append(Finding(check, _expectation(check), "no error", check.place))

    def _back(self) -> str:
        return f"{self.marker}{' ' * bool(self.marker)}rollback to savepoint {_CHECK}"

    def _add(self, message: Message, checks: Sequence[Check]) -> None:
        for index, check in enumerate(checks):
            tallied = "digested" if check.kind is Kind.SAME else "counted"
            _add_check(message, self.promises, check, f" {index}", tallied)
            message.add(f"rollback to savepoint {_CHECK}", name=f"end of {index}")

    def _send(
        self, message: Message, checks: Sequence[Check], wanted: int
    ) -> tuple[tuple[Result, ...], Finding | None]:
        """Send a message with checks; return its results, and the check that ended it."""
        try:
            return self.session.run(
                message.text, rows_of_first=wanted, tallied=message.tallied
            ), None
        except QueryError as exc:
            stopped = _failed_piece(message, exc, checks)
            if stopped is None:
                raise
            return exc.done, stopped

    def _judge(
        self, message: Message, checks: Sequence[Check], results: Sequence[Result], *, failed: bool
    ) -> None:
        for index, check in enumerate(checks):
            ends = message.results_of(f"end of {index}", results, failed=failed)
            if [end.tag for end in ends] != ["ROLLBACK"]:
                # A rule on a table adds results; the error hides how many there were.
                raise VouchError(
                    "PostgreSQL gave other results than the checks have statements, so they cannot "
                    "be told apart",
                    check.place,
                )
            result = message.results_of(f"check {index}", results, failed=failed)[-1]
            found = self._exempt(check) or _judge(
                check, result, self.before.get(check), self.session
            )
            if found is None:
                self.passed += 1
            else:
                self.broken.append(found)

    def _exempt(self, check: Check) -> Finding | None:
        """Return what is wrong with a check whose actor row security does not apply to."""
        for actor in (turn.actor for turn in check.turns if turn.actor):
            if not actor.bypasses_rls and actor.role in self.exempt:
                why = self.exempt[actor.role]
                return Finding(
                    check,
                    f"{actor.name} to be someone to whom row security applies (`bypasses_rls = "
                    "true` says in actors.toml that it does not)",
                    f"the role {actor.role}, which {why}: such a check proves nothing",
                    check.place,
                )
        return None

    def _count_stopped(self, stopped: Finding, behind: Sequence[Check]) -> None:
        """Count a check that ended in an error."""
        if not self._is_unjudged(stopped):
            self.broken.append(stopped)
            return
        self.unjudged.append(stopped)
        if others_were_in_the_way(stopped.server):
            # Others may wait for what this transaction has locked: it ends here.
            self._end(behind)

    def _end(self, behind: Sequence[Check]) -> None:
        if not self.is_over:
            self.is_over = True
            self.left += behind

    def _stop_at_setup(self, stopped: Finding) -> None:
        self.is_over = True
        if self._is_unjudged(stopped):
            self.unjudged += [replace(stopped, check=check) for check in self.promises.checks]
        else:
            self.broken.append(stopped)

    def _is_unjudged(self, stopped: Finding) -> bool:
        state = stopped.sqlstate or ""
        if state == _CANCELED:
            # A limit that a check sets itself is part of its promise.
            setup = self.promises.setup.sql if self.promises.setup else ""
            asked = "".join(turn.query.sql for turn in stopped.check.turns)
            return "statement_timeout" not in (setup + asked).lower()
        return others_were_in_the_way(stopped.server) or state[:2] in _SERVERS_TROUBLE


def _add_actors(message: Message, promises: Promises) -> None:
    """Ask to which of the actors' roles row security does not apply."""
    turns = (turn for check in promises.checks for turn in check.turns)
    actors = (turn.actor for turn in turns if turn.actor)
    roles = sorted({str(actor.role) for actor in actors if not actor.bypasses_rls})
    if roles:
        listed = Raw(", ".join(map(literal, roles)))
        message.add("set local search_path = pg_catalog, pg_temp")
        message.add(own_query("verify", "exempt_from_row_security", roles=listed), name=_EXEMPT)
        message.add("reset search_path")


def _add_check(
    message: Message, promises: Promises, check: Check, suffix: str = "", tallied: str = ""
) -> None:
    for number, turn in enumerate(check.turns):
        if turn.actor is not None:
            # Who is set aside may not take another's place.
            begin = ("reset role",) if number else ()
            message.add(*begin, *turn.actor.acting_sql, name=f"as {turn.actor.name}{suffix}")
        _add_piece(message, promises, turn.query, f"check{suffix}", tallied)


def _add_piece(
    message: Message, promises: Promises, piece: Piece, name: str, tallied: str = ""
) -> None:
    try:
        count = len(statements(piece.sql))
    except SyntaxError as exc:
        offset = piece.offset + piece.filled.source_offset(max((exc.offset or 1) - 1, 0))
        line, column = line_and_column(promises.text, offset)
        raise FileError(str(exc.msg), Place(promises.path, line, column)) from None
    source = Source(promises.path, promises.text, piece.filled, piece.offset)
    message.add_source(source, count, name, tallied=tallied)


def _failed_piece(message: Message, exc: QueryError, plain: Sequence[Check]) -> Finding | None:
    where = message.locate(exc)
    if where.part.name.startswith(("check ", "as ")):
        return _ended(plain[int(where.part.name.rpartition(" ")[2])], where, exc)
    if where.part.name == "setup" and where.part.source is not None:
        place = where.place or Place(where.part.source.path)
        setup = Check(Kind.TRUE, "the setup of the checks runs", place, ())
        return replace(_ended(setup, where, exc), expected="no error")
    return None


def _is_acting(where: ErrorPlace) -> bool:
    return where.part.name.startswith("as ")


def _ended(check: Check, where: ErrorPlace, exc: QueryError) -> Finding:
    found = f"{exc.server.sqlstate}: {exc.server.primary}"
    place = where.place or check.place
    expected = _expectation(check)
    if _is_acting(where):
        name = where.part.name.split(" ")[1]
        actor = next(t.actor for t in check.turns if t.actor and t.actor.name == name)
        place = actor.place
        expected = f"{name} to act as the role {actor.role}"
    return Finding(check, expected, found, place, where.statement, exc.server)


def _expectation(check: Check) -> str:
    return {
        Kind.TRUE: "at least one row, true in the first column of every row",
        Kind.NONE: "no row",
        Kind.SAME: "the same rows as before the migration",
        Kind.ERROR: f"an error {check.sqlstate}",
    }[check.kind]


def _judge(check: Check, result: Result, before: Result | None, session: Session) -> Finding | None:
    expected = _expectation(check)
    if result.columns is None:
        found = f"{result.tag}, which returns no rows: the last statement of a check is a query"
        return Finding(check, expected, found, check.place)
    if check.kind is Kind.NONE:
        kept = not result.count
    elif before is not None:
        # Without ORDER BY the order of rows means nothing, and their number and values do.
        kept = (result.count, result.digest) == (before.count, before.digest)
        expected = f"{expected}: {_rows(before, session)}"
    else:
        kept = result.count > 0 and result.is_true
    return None if kept else Finding(check, expected, _rows(result, session), check.place)


def _rows(result: Result, session: Session) -> Rows:
    shown = tuple(
        "(" + ", ".join("null" if value is None else _shown(value, session) for value in row) + ")"
        for row in result.rows
    )
    return Rows(shown, result.count - len(shown))


def _shown(value: str, session: Session) -> str:
    # No excerpt, which trims: blanks at the end of a value may be what is wrong with it.
    value, most = session.mask(value), session.sample.characters
    return value if len(value) <= most else f"{value[:most]}…"
