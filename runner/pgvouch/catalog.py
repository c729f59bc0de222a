"""The catalog before and after a migration: snapshots that travel in its messages."""

from collections.abc import Sequence

from pgvouch import failure
from pgvouch.delta import SNAPSHOT_RESET, SNAPSHOT_SETTINGS, Snapshot, compare, snapshot_sql
from pgvouch.message import Message
from pgvouch.prepare import Prepared
from pgvouch.variables import Mask
from pgvouch.wire import Result


def add_snapshot(message: Message) -> None:
    """Append the query for the catalog's snapshot."""
    message.add(*SNAPSHOT_SETTINGS)
    message.add(snapshot_sql(), name="snapshot")
    message.add(*SNAPSHOT_RESET)


def read_snapshot(message: Message, results: Sequence[Result]) -> Snapshot:
    """Return the snapshot from the results of a message that asked for one."""
    (result,) = message.results_of("snapshot", results)
    return Snapshot.from_rows(result.rows)


def compare_delta(item: Prepared, delta: tuple[str, ...], mask: Mask) -> None:
    """Refuse a migration that did something else to the catalog than its .delta file says.

    Raises:
        CheckError: naming every missing and every unexpected line.
    """
    if item.expected_delta is None or item.migration.delta_path is None:
        return
    if mismatch := compare(item.expected_delta, delta):
        raise failure.delta_error(
            item.migration.id,
            item.migration.delta_path,
            [mask(line) for line in mismatch.missing],
            [mask(line) for line in mismatch.unexpected],
        )
