"""The catalog delta: what a migration does to the schema, in one text for PostgreSQL 14 to 18.

The caller takes a snapshot before and after a migration, in its transaction and as the same role:
SNAPSHOT_SETTINGS, snapshot_sql(), SNAPSHOT_RESET. An object owned by that role says nothing of its
owner, so the text does not depend on the name of the role that migrates. What another session
commits between the two is seen like the migration's own work: the caller keeps others out.
"""

from functools import cache

from pgvouch.delta.file import parse_file, render_file
from pgvouch.delta.snapshot import Mismatch, Snapshot, compare, difference
from pgvouch.sql import load

__all__ = [
    "SNAPSHOT_RESET",
    "SNAPSHOT_SETTINGS",
    "Mismatch",
    "Snapshot",
    "compare",
    "difference",
    "parse_file",
    "render_file",
    "snapshot_sql",
]

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

SNAPSHOT_RESET = (
    "rollback to savepoint pgvouch_snapshot",
    "release savepoint pgvouch_snapshot",
)
"""Statements to send behind it. They give back the settings as they were, and the locks: describing
a view takes a share lock on its tables, which would else be held until the transaction ends."""

_BLOCKS = ("relations", "rules", "routines", "types", "links")


@cache
def snapshot_sql() -> str:
    """Return the query that describes the whole catalog, one row an object: identity, definition.

    It reads only, and runs unchanged on PostgreSQL 14 to 18. Left out are the schemas of PostgreSQL
    itself, temporary objects, pgvouch's own schema and what extensions brought.
    """
    found = "\nunion all\n".join(load(f"catalog_{block}") for block in _BLOCKS)
    return f"with\n{load('catalog_names')},\nfound as (\n{found}\n),\n{load('catalog_facets')}"
