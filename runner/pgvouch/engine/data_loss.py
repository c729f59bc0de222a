"""Rows that a rollback would lose: found by running it in a savepoint, not by reading its text.

The rollback is run, and the catalog says which tables and columns are gone, which tables have
another file, and from which rows were deleted. Mostly these were empty, and it has run only once.
Where one was not, it goes back to the savepoint, the rows are counted, and it is run again only if
there are none, or if they may be lost. What that costs grows with what a rollback touches, not with
what the database holds.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pgvouch.engine.context import RunContext
from pgvouch.errors import DataLossError
from pgvouch.files.directives import ISOLATION
from pgvouch.postgres.message import Message
from pgvouch.postgres.result import Result
from pgvouch.postgres.session import OWN_PATH, QueryError, Session
from pgvouch.sqltext.own import Raw, literal, own_query
from pgvouch.sqltext.scan import PIECE

_BACK = "rollback to savepoint pgvouch_rollback"
_HIDDEN = "42501"  # row_security = off, and a policy would have hidden rows
MOST = 1_000_000
"""Counting stops there: the tables are locked while it lasts."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows, or values of a column, that would be gone."""

    what: str
    """The table or column, qualified and quoted."""
    how: str
    """table, column or rows: what is dropped, or that rows are deleted."""
    count: int | None
    """None where row security hides the rows from this role."""
    is_foreign: bool = False
    """They are not counted, for that would run functions of the table's owner."""
    is_unseen: bool = False
    """They are not counted, for the transaction does not see what others have just committed."""

    def __str__(self) -> str:
        word = "values" if self.how == "column" else "rows"
        if self.is_foreign:
            return (
                f"{self.what}: {word} that were not counted, for functions of its owner would run"
            )
        if self.is_unseen:
            return f"{self.what}: {word} that its isolation may not show"
        if self.count is None:
            return f"{self.what}: {word} that row security hides from this role"
        if self.count == 1:
            word = word.removesuffix("s")
        many = f"more than {MOST:,}" if self.count > MOST else f"{self.count:,}"
        ways = {
            "table": "the table is dropped",
            "column": "the column is dropped",
            "rows": "deleted",
        }
        return f"{self.what}: {many} {word} ({ways[self.how]})"


@dataclass(frozen=True, slots=True)
class _Suspect:
    how: str
    relation: str
    """Its oid."""
    attribute: str = "0"
    """The column's number."""
    deleted: int = 0


def add_before(message: Message, text: str, *, is_first: bool = True) -> None:
    """Append what has to be known ahead of a rollback, and the point to go back to.

    Args:
        message: no author's SQL has run in it.
        text: the rollback's.
        is_first: whether nothing else has run in the transaction.
    """
    words = ", ".join(map(literal, sorted(_words(text))))
    before = own_query(
        "engine",
        "before_rollback",
        words=Raw(f"array[{words}]"),
        deleted=None if is_first else Raw(own_query("engine", "rows_deleted")),
    )
    message.add(before, name="before rollback")
    message.add(own_query("engine", "watch_rollback"), "savepoint pgvouch_rollback")


def add_after(message: Message) -> None:
    """Append what has to be known behind a rollback."""
    message.add_mark("pg_catalog.pg_current_snapshot()::pg_catalog.text", name=AFTER)
    message.add("fetch all from pgvouch_before", name=AFTER)
    message.add("close pgvouch_before")


AFTER = "after rollback"
"""The name of the parts that `add_after` appends."""
_NAME = re.compile(r'"((?:[^"]|"")+)"|([^\W\d][\w$]*)')
_MOST_WORDS = 500


def _words(text: str) -> set[str]:
    """Return what may be the names of tables in a text, or in its beginning where it is long."""
    found: set[str] = set()
    for match in _NAME.finditer(text, 0, PIECE):
        found.add(match[1].replace('""', '"') if match[1] else match[2].lower())
        if len(found) == _MOST_WORDS:
            break
    return found


def refuse_loss(
    context: RunContext,
    identifier: str,
    before: Result,
    after: Sequence[Result],
    again: Callable[[], None],
    *,
    hold: Callable[[str], object],
    isolation: str,
) -> tuple[Loss, ...]:
    """Find out what the rollback that has just run has lost, and refuse it if that is too much.

    Args:
        context: its session is in the rollback's transaction; its options say whether rows may be
            lost.
        identifier: the migration.
        before: the result of what `add_before` has appended.
        after: the results of what `add_after` has appended.
        again: runs the rollback once more.
        hold: sends a statement that locks what is counted.
        isolation: the transaction's.

    Returns:
        What is lost, where it may be.

    Raises:
        DataLossError: naming what would be lost; the caller ends the transaction.
    """
    session = context.session
    suspects = list(_suspects(before, after, isolation))
    if not suspects:
        return ()
    remaining = [suspect for suspect in suspects if suspect.how == "rows"]
    sees_all = isolation == ISOLATION[0]
    left = _count(session, remaining, sees_all=sees_all)
    session.run(_BACK)
    # Else a row could arrive between the count and the second run.
    there = _count(session, suspects, hold, sees_all=sees_all)
    losses = tuple(filter(None, (_loss(s, there.get(s), left.get(s)) for s in suspects)))
    if losses and not context.options.discard_data:
        raise DataLossError(
            f"the rollback of {identifier} would lose data",
            notes=[session.mask(str(loss)) for loss in losses],
            hint="save them first (pg_dump --table), then the same command with --discard-data",
        )
    again()
    return losses


def _suspects(before: Result, after: Sequence[Result], isolation: str) -> Iterator[_Suspect]:
    """Yield what may have been lost: what was not empty, or may not have stayed so."""
    snapshot, empty, deleted = before.rows[0]
    now, found = after
    # Who has written into an empty table meanwhile has committed, and is not under way any more.
    # An older isolation sees no such thing.
    is_quiet = now.rows[0][0] == snapshot and isolation == ISOLATION[0]
    was_empty = set((empty or "").split()) if is_quiet else set()
    was_deleted = dict(pair.split() for pair in (deleted or "").split(";") if pair)
    for oid, state, deleted_now, columns in found.rows:
        if oid is None or oid in was_empty:
            continue
        fewer = int(deleted_now or 0) - int(was_deleted.get(oid, 0))
        if state == "gone":
            yield _Suspect("table", oid)
        elif state == "rewritten" or fewer:
            yield _Suspect("rows", oid, deleted=fewer)
        for column in (columns or "").split():
            yield _Suspect("column", oid, column)


_FOREIGN, _UNSEEN = -1, -2
_Counted = dict[_Suspect, tuple[str, int | None]]


def _count(
    session: Session,
    suspects: Sequence[_Suspect],
    hold: Callable[[str], object] | None = None,
    *,
    sees_all: bool,
) -> _Counted:
    """Return the name of each suspect and how much there is; what has no name now is left out."""
    if not suspects:
        return {}
    wanted = ", ".join(f"({s.relation}::oid, {s.attribute})" for s in suspects)
    (named,) = session.ask(own_query("engine", "table_names", wanted=Raw(wanted)))
    names = {(row[0], row[1]): (str(row[2]), row[3], row[4]) for row in named.rows}
    ours = sorted({str(row[2]) for row in named.rows if row[5] == "t"})
    if hold is not None and ours:
        hold(f"lock table {', '.join(f'only {name}' for name in ours)} in access exclusive mode")
    found = [(s, *names[key]) for s in suspects if (key := (s.relation, s.attribute)) in names]
    queries = [_counting(name, column, why, sees_all=sees_all) for _, name, column, why in found]
    counts = _run_counts(session, queries)
    return {
        suspect: (f"{table}.{column}" if column else table, count)
        for (suspect, table, column, _), count in zip(found, counts, strict=True)
    }


def _counting(table: str, column: str | None, uncounted: str | None, *, sees_all: bool) -> str:
    if uncounted:
        return f"select {_FOREIGN if uncounted == 'foreign' else 0}"
    if not sees_all:
        size = f"pg_relation_size({literal(table)})"
        return f"select case when {size} = 0 then 0 else {_UNSEEN} end"
    condition = f" where {column} is not null" if column else ""
    return f"select count(*) from (select from only {table}{condition} limit {MOST + 1}) as counted"


def _run_counts(session: Session, queries: Sequence[str]) -> list[int | None]:
    """Run queries that count, one by one where they fail together; None for hidden rows."""
    if not queries:
        return []
    inside = ["savepoint pgvouch_count", OWN_PATH, "set local row_security = off", *queries]
    try:
        results = session.run(";\n".join([*inside, "rollback to savepoint pgvouch_count"]))
    except QueryError as exc:
        if exc.server.sqlstate != _HIDDEN:
            raise
        session.run("rollback to savepoint pgvouch_count")
        return [None] if len(queries) == 1 else [_run_counts(session, [q])[0] for q in queries]
    return [int(result.rows[0][0] or 0) for result in results[3:-1]]


def _loss(
    suspect: _Suspect, there: tuple[str, int | None] | None, left: tuple[str, int | None] | None
) -> Loss | None:
    if there is None:  # a column that was dropped long before, or one that holds nothing itself
        return None
    name, count = there
    if _FOREIGN in {count, left and left[1]}:
        return Loss(name, suspect.how, None, is_foreign=True)
    if count == _UNSEEN:
        return Loss(name, suspect.how, None, is_unseen=True)
    if suspect.how != "rows" or left is None:
        return None if count == 0 else Loss(name, suspect.how, count)
    if count is None or left[1] is None:
        return Loss(name, "rows", None)
    fewer = max(count - left[1], suspect.deleted)
    return Loss(name, "rows", fewer) if fewer > 0 else None
