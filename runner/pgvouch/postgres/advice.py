"""What to do about an error where nothing better is known, by its SQLSTATE. No I/O.

The codes are those of https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

import re
from collections.abc import Sequence

from pgvouch.errors import CheckError, MigrationError, ServerMessage, VouchError
from pgvouch.postgres.message import Source
from pgvouch.sqltext.own import literal
from pgvouch.sqltext.place import line_and_column
from pgvouch.sqltext.scan import GAP
from pgvouch.sqltext.statements import rough_statements

_NOT_THERE = "it is not there: is it in another schema, or made by a later migration?"
_CAUSES = {
    "42P01": _NOT_THERE,
    "42703": _NOT_THERE,
    "42704": _NOT_THERE,
    "42883": _NOT_THERE,
    "3F000": _NOT_THERE,
    "2BP01": "something depends on it: drop that first, or write CASCADE",
    "23": "existing rows violate it: correct them first, here or by hand",
}
"""By SQLSTATE, or by its class."""
_PASSING = {
    "08": "another server that it asks did not answer: run the same command again",
    "40": "others were in its way: run the same command again",
    "53": "the server has run out of something: make room, and run the same command again",
    "58": "the server's log says more: fix the cause, and run the same command again",
    "XX": "the server's log says more: fix the cause, and run the same command again",
}
"""Classes of errors that no file has caused."""
_NOT_READY = "55000"
_THERE = {
    "42P07": "to_regclass({}) is not null",
    "42P06": "to_regnamespace({}) is not null",
    "42701": "<a condition that is true where it is there>",
    "42710": "<a condition that is true where it is there>",
    "42723": "<a condition that is true where it is there>",
}
NEW_ENUM_VALUE = "55P04"
_ALWAYS = {
    NEW_ENUM_VALUE: "a new enum value can be used once its migration has been committed: in the "
    "next one, or in a file with `-- transactional: false` in its header"
}
_OUT_OF_LOCKS = "53200"
_LOCKS_TOGETHER = (
    "every relation that one transaction touches stays locked to its end: leave out "
    "--single-transaction, or apply it in parts with --to; or raise max_locks_per_transaction and "
    "restart the server"
)
_LOCKS_ALONE = (
    "divide it into several migrations; or raise max_locks_per_transaction and restart the server"
)
_QUOTED = re.compile(r'"([^"]+)"')
_VALUE_OF = re.compile(r'"(?P<value>.+)" of enum type (?P<type>.+)\Z', re.DOTALL)
_ADDS_VALUE = re.compile(
    rf"alter{GAP}type\b.*?\badd{GAP}value{GAP}(?:if{GAP}not{GAP}exists{GAP})?"
    r"'(?P<value>(?:[^']|'')*)'",
    re.IGNORECASE | re.DOTALL,
)


def _is_out_of_locks(server: ServerMessage) -> bool:
    """Say whether the table of locks is full; memory of other kinds has the same SQLSTATE."""
    return server.sqlstate == _OUT_OF_LOCKS and "max_locks_per_transaction" in (server.hint or "")


def next_step(error: MigrationError, verb: str, *, is_first: bool) -> str | None:
    """Return what to do about an error, or None where the server was not asked.

    Args:
        error: what PostgreSQL said of a migration or a rollback.
        verb: `migrate` or `rollback`.
        is_first: whether nothing is recorded in the database yet.
    """
    if error.server is None or error.server.sqlstate is None:
        return None
    state = error.server.sqlstate
    if _is_out_of_locks(error.server):
        return _LOCKS_ALONE
    if said := _ALWAYS.get(state) or _PASSING.get(state[:2]):
        return said
    if state == _NOT_READY and error.server.hint:
        return "do what the hint says, and run the same command again"
    if verb == "migrate" and state in _THERE:
        return _already_there(error, state, is_first=is_first)
    cause = _CAUSES.get(state) or _CAUSES.get(state[:2])
    return f"{cause}; {_correct(error, verb)}" if cause else _correct(error, verb)


def _correct(error: MigrationError, verb: str) -> str:
    name = error.place.path.name if error.place else "the file"
    if verb == "rollback":
        return (
            f"correct {name}, and run the same command with --from-files: otherwise the text that "
            "the ledger has stored runs again"
        )
    return f"correct {name}, and run the same command again"


def _already_there(error: MigrationError, state: str, *, is_first: bool) -> str:
    assert error.server is not None
    name = _QUOTED.search(error.server.primary)
    condition = _THERE[state].format(literal(name[1]) if name else "'…'")
    directive = f"`-- unless: {condition}` in the header"
    if is_first:
        return (
            "nothing is recorded here, and the database has it already: it was made by "
            f"another tool, or by hand. {directive} of each such migration has it recorded and not "
            "run; for all of them at once, `pgvouch adopt` goes by that tool's ledger, and "
            "`pgvouch baseline` by what is there"
        )
    return (
        f"{_correct(error, 'migrate')}; or, where it is there for good, {directive} has the "
        "migration recorded and not run"
    )


HINTS = {
    "25001": "put `-- transactional: false` into the header, and the statement outside of any DO "
    "block: it cannot run in a transaction",
    "25006": "the migration has made its transaction read-only: take that out",
    "55P03": "something holds it; the same command tries again, and --lock-timeout waits longer",
    "57014": "a timeout, or it was cancelled; `-- statement_timeout: 10min` in the header "
    "allows more",
    "42501": "connect as the role that owns the objects",
    "0A000": "write the rows as INSERT … VALUES: a migration is SQL alone",
}


def value_added_here(server: ServerMessage, source: Source | None) -> str | None:
    """Return what to do where a file uses an enum value that it adds itself.

    Args:
        server: the error, of SQLSTATE `NEW_ENUM_VALUE`.
        source: the file that the statement with the error stands in.

    Returns:
        The line that adds the value and the ways out; None where this file does not add it.
    """
    value = _VALUE_OF.search(server.primary) or _QUOTED.search(server.primary)
    if value is None or source is None:
        return None
    for statement in rough_statements(source.text):
        adds = _ADDS_VALUE.match(statement.text)
        if adds and adds["value"].replace("''", "'") == value[1]:
            line, _ = line_and_column(source.text, statement.start)
            return (
                f"line {line} adds {literal(value[1])}, and it can be used once that is committed: "
                "move what uses it into the next migration, or put `-- transactional: false` into "
                "the header"
            )
    return None


def value_in_a_check(server: ServerMessage) -> str:
    """Return what to do where a check uses an enum value that its migration adds.

    Args:
        server: the error, of SQLSTATE `NEW_ENUM_VALUE`.
    """
    query = "pg_enum"
    if found := _VALUE_OF.search(server.primary):
        type_name, value = literal(found["type"]), literal(found["value"])
        query = (
            "pg_enum: select true from pg_enum where "
            f"enumtypid = {type_name}::regtype and enumlabel = {value}"
        )
    return (
        "a new enum value can be used once its migration has been committed: let the next "
        f"migration check what uses it; here a check can look for it in {query}"
    )


def explain_together(error: VouchError, earlier: Sequence[str]) -> None:
    """Add to an error what to do about it because everything ran in one transaction.

    Args:
        error: of one of the migrations; it is left as it is where it would have come up anyway.
        earlier: the migrations that came before it in that transaction.
    """
    if error.server is None:
        return
    if isinstance(error, MigrationError) and _is_out_of_locks(error.server):
        error.hint = _LOCKS_TOGETHER
    if error.server.sqlstate != NEW_ENUM_VALUE or not earlier:
        return
    advice = (
        "--rehearse and --single-transaction run everything in one transaction, in which an enum "
        "value cannot be used that an earlier migration has added; a plain migrate has no such "
        f"limit. Apply those before it first: pgvouch migrate --to {earlier[-1]}"
    )
    if error.hint is None:
        error.hint = advice
    elif isinstance(error, CheckError):  # the value may be from the migration itself
        error.hint += f"; or, where an earlier migration adds it: {advice}"
