"""What a ledger says that was copied, line by line. No I/O."""

import re
from collections.abc import Sequence

from pgvouch.ledger.ledger import Row, rows_of
from pgvouch.ledger.rows import Applied
from pgvouch.postgres.result import Result


def rows_of_copies(copies: Sequence[Sequence[bytes]]) -> list[Applied]:
    """Return a ledger's rows, in the order of application, from what `ledger.copy_sql` gave.

    They lack what only people read: by whom it was applied, how long it took, its checks and its
    rollback.

    Args:
        copies: the lines of each of its COPYs, but that of the schemas.

    Raises:
        PlanError: a newer pgvouch has made it.
    """
    versions, ours, theirs = (tuple([_fields(line) for line in lines]) for lines in copies)
    rows = tuple([_as_read(*row) for row in ours])
    return rows_of([Result("COPY", None, found) for found in (versions, rows, theirs)])


def is_of(role: bytes | None, owners: Sequence[bytes]) -> bool:
    """Say whether the ledger's schema is a role's own.

    Args:
        role: its oid.
        owners: the lines of the COPY of schemas and their owners.
    """
    return role is not None and b"pgvouch\t%s\n" % role in owners


def _as_read(
    name: str | None,
    state: str | None,
    checksum: str | None,
    done: str | None,
    running: str | None,
    refused: str | None,
    order: str | None,
    at: str | None,
) -> Row:
    """Return a row of the block `copies` as one of `rows`."""
    stopped_at = refused if running is None else running
    return (name, state, checksum, at, None, None, None, "f", done, stopped_at, order)


def _fields(line: bytes) -> Row:
    """Return the values of a line of COPY's text format."""
    fields = line.decode("utf-8", "replace").removesuffix("\n").split("\t")
    if b"\\" not in line:
        return tuple(fields)
    return tuple([None if field == r"\N" else _ESCAPED.sub(_unescape, field) for field in fields])


def _unescape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[1], found[1])


_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def alike(copies: Sequence[Sequence[bytes]]) -> tuple[bytes, ...]:
    """Return what of a ledger says how a database stands: all of it but the times.

    These place only what has no row of ours.
    """
    versions, ours, theirs = copies
    names = {line.partition(b"\t")[0] for line in ours}
    recorded = [line.partition(b"\t")[0] for line in theirs]
    if not names.issuperset(recorded):
        return (*versions, *ours, b"", *theirs)
    return (*versions, *[line.rpartition(b"\t")[0] for line in ours], b"", *recorded)
