"""What the catalog says at one moment, and what two moments differ in."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from pgvouch.delta.canonical import canonical
from pgvouch.postgres.message import Message
from pgvouch.postgres.result import Result
from pgvouch.sqltext.own import own_sql

Group = Mapping[str, str]
"""The lines of one relation, function or type: definition by identity, before canonical()."""

REST = ""
"""The group of what belongs to none of these: schemas, extensions, publications and so on."""


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot:
    """Every object of a database, or some, with its definition, as PostgreSQL said it."""

    groups: Mapping[str, Group]
    """By `r`, `f` or `t` and the oid of the relation, function or type; REST."""

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[str | None]]) -> "Snapshot":
        """Return the snapshot that the rows of catalog_sql() describe.

        Args:
            rows: group, identity and definition of each object; without an identity, a group that
                was looked at.

        Raises:
            ValueError: two rows have one identity, so a change of one could hide behind the other.
        """
        groups: dict[str, dict[str, str]] = {}
        seen: set[str] = set()
        count = 0
        for key, identity, definition in rows:
            group = groups.setdefault(key or REST, {})
            if identity is not None:
                group[identity] = definition or ""
                seen.add(identity)
                count += 1
        if len(seen) != count:
            raise ValueError(f"{count - len(seen)} catalog objects share their identity")
        return cls(MappingProxyType(groups))

    @property
    def objects(self) -> Mapping[str, str]:
        """Definition by identity, before canonical()."""
        found = {name: text for group in self.groups.values() for name, text in group.items()}
        return MappingProxyType(found)

    def lines(self) -> tuple[str, ...]:
        """Return the whole catalog, one line an object, sorted by code point."""
        return tuple(
            sorted(
                _line(canonical(identity), canonical(definition))
                for identity, definition in self.objects.items()
            )
        )

    def __repr__(self) -> str:
        return f"<Snapshot of {sum(map(len, self.groups.values()))} objects>"


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
    message.add(catalog_sql(), name="snapshot")
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
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    # The query is planned as it is written: a search for a better order costs more than it brings.
    "join_collapse_limit": "1",
    "from_collapse_limit": "1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "work_mem": "64MB",
}

_FOR_FEW = {
    # A statement that is prepared is planned once, whatever it is asked for, and when the catalog
    # may be nearly empty: what is then cheapest is not what is cheap later.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


def _settings_sql(settings: Mapping[str, str]) -> tuple[str, ...]:
    each = (f"pg_catalog.set_config('{name}', '{value}', true)" for name, value in settings.items())
    # As one column: what they are is not looked at.
    return "savepoint pgvouch_snapshot", f"select pg_catalog.concat({', '.join(each)})"


SNAPSHOT_SETTINGS = _settings_sql(_SETTINGS)
"""Statements to send before catalog_sql(): they make its text independent of the session."""

SCOPE_SETTINGS = _settings_sql(_SETTINGS | _FOR_FEW)
"""Statements to send before scope_sql()."""

SNAPSHOT_RESET = ("rollback to savepoint pgvouch_snapshot", "release savepoint pgvouch_snapshot")
"""Statements to send behind it. They give back the settings as they were, and the locks: describing
a view takes a share lock on its tables, which would else be held until the transaction ends."""

_BLOCKS = ("relations", "rules", "functions", "types")
_REST = ("schemas", "operators", "text", "links")
_EVERYTHING = {"relations": "true", "functions": "true", "types": "true", "rest": "true"}
_IN_SCOPE = {
    "relations": "c.oid = any (array(select s.id from scope as s where s.kind = 'r'))",
    "functions": "p.oid = any (array(select s.id from scope as s where s.kind = 'f'))",
    "types": "t.oid = any (array(select s.id from scope as s where s.kind = 't'))",
    "rest": "false",
}
_OF_THE_REST = {"relations": "false", "functions": "false", "types": "false", "rest": "true"}
_PLACE = re.compile(r"\{(relations|functions|types|rest)\}")


@cache
def catalog_sql() -> str:
    """Return the query that describes the whole catalog, one row an object.

    It reads only, and runs unchanged on PostgreSQL 15 to 18. Left out are the schemas of PostgreSQL
    itself, temporary objects, pgvouch's own schema and what extensions brought.

    Returns:
        SQL that gives group, identity and definition.
    """
    return _query([*_BLOCKS, *_REST], _EVERYTHING)


@cache
def scope_sql() -> str:
    """Return the query that describes what is in the scope of catalog_scope.sql, the rest left out.

    Returns:
        SQL with the parameters of that file. Besides the objects it gives a row without an identity
        for each group that was looked at, REST where it has to be, and rows of the group NOTE.
    """
    return _query(_BLOCKS, _IN_SCOPE, scope=["scope"], behind=["notes"])


@cache
def scope_of_relations_sql() -> str:
    """Return scope_sql() without the functions and types: most migrations touch none.

    PostgreSQL makes each part of a query ready before it runs, needed or not: without these, the
    query takes a tenth less.

    Returns:
        SQL with the same parameters and rows. A row of the group NOTE says where functions or types
        are in scope: then scope_sql() has to be asked.
    """
    return _query(["relations", "rules"], _IN_SCOPE, scope=["scope"], behind=["notes", "beyond"])


@cache
def rest_sql() -> str:
    """Return the query that describes what belongs to no relation, function or type."""
    return _query(_REST, _OF_THE_REST)


def _query(
    blocks: Sequence[str],
    filters: Mapping[str, str],
    scope: Sequence[str] = (),
    behind: Sequence[str] = (),
) -> str:
    found = "\nunion all\n".join(map(_block, blocks))
    parts = [*map(_block, scope), _block("names"), f"found as (\n{found}\n)", _block("facets")]
    text = "\nunion all\n".join(("with\n" + ",\n".join(parts), *map(_block, behind)))
    return _PLACE.sub(lambda place: filters[place[1]], text)


def _block(name: str) -> str:
    return own_sql(f"delta/catalog_{name}")
