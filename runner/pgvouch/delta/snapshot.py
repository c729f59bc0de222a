"""What the catalog says at one moment, and what two moments differ in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from pgvouch.delta.canonical import canonical
from pgvouch.postgres.message import Message
from pgvouch.postgres.result import Result
from pgvouch.sqltext.own import own_sql


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot:
    """Every object of a database with its definition, as PostgreSQL said it."""

    objects: Mapping[str, str]
    """Definition by identity, before canonical()."""

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[str | None]]) -> "Snapshot":
        """Return the snapshot that the rows of snapshot_sql() describe.

        Args:
            rows: identity and definition of each object.

        Raises:
            ValueError: two rows have one identity, so a change of one could hide behind the other.
        """
        objects: dict[str, str] = {}
        count = 0
        for identity, definition in rows:
            objects[identity or ""] = definition or ""
            count += 1
        if len(objects) != count:
            raise ValueError(f"{count - len(objects)} catalog objects share their identity")
        return cls(MappingProxyType(objects))

    def lines(self) -> tuple[str, ...]:
        """Return the whole catalog, one line an object, sorted by code point."""
        return tuple(
            sorted(
                _line(canonical(identity), canonical(definition))
                for identity, definition in self.objects.items()
            )
        )

    def __repr__(self) -> str:
        return f"<Snapshot of {len(self.objects)} objects>"


def difference(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Return what changed from one snapshot to another, one line an object, sorted by code point.

    Args:
        before: the snapshot ahead of a migration.
        after: the one behind it, taken by the same role with the same settings.

    Returns:
        `+ kind identity definition` for what is new, `- …` for what is gone with what it was, and
        `~ kind identity definition (was: old definition)`.
    """
    old, new = before.objects, after.objects
    gone = [identity for identity in old if identity not in new]
    touched = [identity for identity, text in new.items() if old.get(identity) != text]
    # Canonical text only of what differs: a large catalog stays cheap.
    lines = [f"- {_line(canonical(identity), canonical(old[identity]))}" for identity in gone]
    for identity in touched:
        name, text = canonical(identity), canonical(new[identity])
        if identity not in old:
            lines.append(f"+ {_line(name, text)}")
        elif (was := canonical(old[identity])) != text:
            lines.append(f"~ {_line(name, text)} (was: {was or 'nothing of note'})")
    return tuple(sorted(lines))


def _line(identity: str, definition: str) -> str:
    return f"{identity} {definition}" if definition else identity


def add_snapshot(message: Message) -> None:
    """Append the query for the catalog's snapshot."""
    message.add(*SNAPSHOT_SETTINGS)
    message.add(snapshot_sql(), name="snapshot")
    message.add(*SNAPSHOT_RESET)


def read_snapshot(message: Message, results: Sequence[Result]) -> Snapshot:
    """Return the snapshot from the results of a message that asked for one."""
    (result,) = message.results_of("snapshot", results)
    return Snapshot.from_rows(result.rows)


_SETTINGS = {
    # Only names of pg_catalog stand without their schema.
    "search_path": "pg_catalog, pg_temp",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    # How constants in defaults and checks are written.
    "datestyle": "'ISO, YMD'",
    "intervalstyle": "'postgres'",
    "timezone": "'UTC'",
    "bytea_output": "'hex'",
    "extra_float_digits": "1",
    "lc_monetary": "'C'",
    # The query is planned as it is written: a search for a better order costs more than it brings.
    "join_collapse_limit": "1",
    "from_collapse_limit": "1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "work_mem": "'64MB'",
}

SNAPSHOT_SETTINGS = (
    "savepoint pgvouch_snapshot",
    *(f"set local {name} = {value}" for name, value in _SETTINGS.items()),
)
"""Statements to send before snapshot_sql(): they make its text independent of the session."""

SNAPSHOT_RESET = ("rollback to savepoint pgvouch_snapshot", "release savepoint pgvouch_snapshot")
"""Statements to send behind it. They give back the settings as they were, and the locks: describing
a view takes a share lock on its tables, which would else be held until the transaction ends."""

_BLOCKS = ("relations", "rules", "routines", "types", "links")


@cache
def snapshot_sql() -> str:
    """Return the query that describes the whole catalog, one row an object: identity, definition.

    It reads only, and runs unchanged on PostgreSQL 15 to 18. Left out are the schemas of PostgreSQL
    itself, temporary objects, pgvouch's own schema and what extensions brought.
    """
    found = "\nunion all\n".join(own_sql(f"delta/catalog_{block}") for block in _BLOCKS)
    names, facets = own_sql("delta/catalog_names"), own_sql("delta/catalog_facets")
    return f"with\n{names},\nfound as (\n{found}\n),\n{facets}"
