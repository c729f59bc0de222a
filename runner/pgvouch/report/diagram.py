"""Tables as boxes, and foreign keys as lines between them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pgvouch.report.layout import Box, lay_out
from pgvouch.report.tables import ForeignKey, Table

_LETTER = 7.3
"""The width of a letter of the diagram's font, in pixels; some fonts are narrower."""
_ROW, _HEAD, _PAD = 19.0, 28.0, 10.0
_LONGEST = 34
_MOST = 250
"""Of tables in one diagram: where each points far back, the lines take time with their square."""
_EDGE = 14.0
_SHORTER = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time without time zone": "time",
    "character varying": "varchar",
    "double precision": "float8",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A column in a box."""

    y: float
    name: str
    type: str
    marks: str
    """`PK`, `FK` or both."""
    title: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table as a box."""

    box: Box
    name: str
    title: str
    rows: tuple[Row, ...]
    is_faint: bool
    """It belongs to another schema, or to the platform."""


@dataclass(frozen=True, slots=True)
class Line:
    """A foreign key as the path of an SVG."""

    path: str
    title: str
    is_own: bool = False
    """Whether the table points to itself."""


@dataclass(frozen=True, slots=True)
class Diagram:
    """The tables of a schema."""

    schema: str
    tables: tuple[Drawn, ...]
    lines: tuple[Line, ...]
    width: float
    height: float
    told: str
    """What is seen, in a sentence."""


def draw(schema: str, tables: Sequence[Table]) -> Diagram:
    """Return the diagram of a schema's tables, with those of others to which they point.

    Of a schema with more tables than can be taken in, nothing is drawn.

    Args:
        schema: its name.
        tables: its tables.
    """
    names = {f"{schema}.{table.name}": table for table in tables}
    beyond = {
        f"{key.schema}.{key.table}"
        for table in tables
        for key in table.foreign_keys
        if f"{key.schema}.{key.table}" not in names
    }
    sizes = {name: _size(table) for name, table in names.items()}
    sizes |= {name: (len(_cut(name)) * _LETTER + 2 * _PAD, _HEAD) for name in beyond}
    links = {
        (name, f"{key.schema}.{key.table}"): (_row_of(table, key), _HEAD / 2)
        for name, table in names.items()
        for key in reversed(table.foreign_keys)
    }
    told = f"{_count(len(tables), 'table')}, {_count(len(links), 'foreign key')}"
    if len(tables) > _MOST:
        return Diagram(schema, (), (), 0, 0, f"{told}: too many to be drawn")
    laid = lay_out(sizes, links)
    drawn = [
        Drawn(laid.boxes[name], _cut(table.name), name, _rows(table), is_faint=False)
        for name, table in names.items()
    ]
    drawn += [Drawn(laid.boxes[name], _cut(name), name, (), is_faint=True) for name in beyond]
    lines = [
        Line(_path(points), _told(names[a], b)) for (a, b), points in sorted(laid.lines.items())
    ]
    own = [(name, table) for name, table in names.items() if (name, name) in links]
    lines += [Line(_loop(laid.boxes[name]), _told(table, name), is_own=True) for name, table in own]
    drawn.sort(key=lambda one: one.title)
    return Diagram(schema, tuple(drawn), tuple(lines), laid.width + _EDGE, laid.height, told)


def _size(table: Table) -> tuple[float, float]:
    rows = _rows(table)
    widest = max((len(r.name) + len(r.type) + len(r.marks) + 4 for r in rows), default=0)
    letters = max(widest, len(_cut(table.name)) + 6)
    return letters * _LETTER + 2 * _PAD, _HEAD + _ROW * len(rows) + (6 if rows else 0)


def _rows(table: Table) -> tuple[Row, ...]:
    return tuple(
        Row(
            _HEAD + _ROW * (number + 0.75),
            _cut(column.name),
            _short(column.type, table.schema),
            " ".join(
                mark
                for mark, holds in (("PK", column.is_key), ("FK", column.name in table.references))
                if holds
            ),
            f"{column.name} {column.type}{' not null' * column.is_not_null}",
        )
        for number, column in enumerate(table.columns)
    )


def _row_of(table: Table, key: ForeignKey) -> float:
    """Return where the line of a foreign key begins: beside its first column."""
    names = [column.name for column in table.columns]
    return _HEAD + _ROW * (names.index(key.columns[0]) + 0.5)


def _short(kind: str, schema: str) -> str:
    """Return a type under its shorter name; one of the table's own schema without that."""
    kind = kind.removeprefix(f"{schema}.")
    for long, short in _SHORTER.items():
        kind = kind.replace(long, short)
    return _cut(kind)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _told(table: Table, target: str) -> str:
    keys = [key for key in table.foreign_keys if f"{key.schema}.{key.table}" == target]
    return "; ".join(
        f"{table.name} ({', '.join(key.columns)}) references "
        f"{target} ({', '.join(key.target_columns)})"
        for key in keys
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Return straight stretches where the line is level, curves where it is not."""
    said = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        if y0 == y1:
            said.append(f"L{x1:g} {y1:g}")
        else:
            said.append(f"C{middle:g} {y0:g} {middle:g} {y1:g} {x1:g} {y1:g}")
    return "".join(said)


def _loop(box: Box) -> str:
    right, y = box.x + box.width, box.y + _HEAD / 2
    return f"M{right:g} {y:g}h{_EDGE - 2:g}v{_HEAD:g}h{-_EDGE + 2:g}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
