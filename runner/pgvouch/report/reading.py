"""Asks the database for its tables."""

import json
from collections import defaultdict
from collections.abc import Sequence

from pgvouch.postgres.session import Session
from pgvouch.report.tables import Column, ForeignKey, Table
from pgvouch.sqltext.own import own_query


def read_tables(session: Session) -> list[Table]:
    """Return every table of the live schema, in the order of their names."""
    columns, keys = session.ask(
        f"{own_query('report', 'columns')};\n{own_query('report', 'foreign_keys')}"
    )
    foreign: dict[tuple[str, str], list[ForeignKey]] = defaultdict(list)
    for schema, name, own, target_schema, target, targets in keys.rows:
        key = ForeignKey(_names(own), str(target_schema), str(target), _names(targets))
        foreign[str(schema), str(name)].append(key)
    rows: dict[tuple[str, str], list[Sequence[str | None]]] = defaultdict(list)
    for row in columns.rows:
        rows[str(row[0]), str(row[1])].append(row)
    return [
        Table(
            *where,
            tuple(
                Column(name, str(kind), is_not_null == "t", is_key == "t")
                for _, _, name, kind, is_not_null, is_key, *_ in found
                if name is not None
            ),
            tuple(foreign[where]),
            found[0][6] == "t",
            found[0][7],
        )
        for where, found in rows.items()
    ]


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(map(str, json.loads(text or "[]")))
