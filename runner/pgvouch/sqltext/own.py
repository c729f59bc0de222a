"""The SQL that pgvouch runs for itself, in .sql files: one purpose a file, or named blocks."""

import re
from collections.abc import Mapping
from functools import cache
from itertools import zip_longest
from math import inf
from pathlib import Path

_NAME = re.compile(r"^-- name: (\w+)\n(?:--.*\n)*", re.MULTILINE)
_PLACE = re.compile(r"\{(\w+)\}")


class Raw(str):
    """SQL that stands in another statement as it is."""

    __slots__ = ()


@cache
def own_sql(name: str) -> str:
    """Return the text of one of the package's own .sql files, such as `ledger/schema`."""
    return (Path(__file__).parent.parent / f"{name}.sql").read_text(encoding="utf-8")


@cache
def own_blocks(room: str) -> Mapping[str, str]:
    """Return the blocks of a room's queries.sql by name, each without the comment at its head."""
    _, *parts = _NAME.split(own_sql(f"{room}/queries"))
    return {name: text.strip("\n") for name, text in zip(parts[::2], parts[1::2], strict=True)}


def own_query(room: str, name: str, /, **values: object) -> str:
    """Return a block of a room's queries.sql with its values filled in.

    Args:
        room: the package that it belongs to.
        name: what stands behind `-- name:`.
        values: what stands in braces: a literal, or SQL where it is Raw.

    Raises:
        KeyError: there is no such block, or a value is missing.
    """

    text, places = _cut_at_places(own_blocks(room)[name])
    filled = [
        value if isinstance(value := values[place], Raw) else literal(value) for place in places
    ]
    return "".join(piece for pair in zip_longest(text, filled, fillvalue="") for piece in pair)


@cache
def _cut_at_places(block: str) -> tuple[list[str], list[str]]:
    """Return what stands around the braces of a block, and the names inside of them."""
    parts = _PLACE.split(block)
    return parts[::2], parts[1::2]


def own_block(room: str, name: str, /, **values: object) -> str:
    """Return a block of SQL as a DO block, for a transaction in which an author's SQL runs too.

    It resolves names in pg_catalog alone, and gives the author's search_path back.
    """
    return f"""do $pgvouch$
declare
  authors_path pg_catalog.text := pg_catalog.current_setting('search_path');
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
{own_query(room, name, **values)}
  perform pg_catalog.set_config('search_path', authors_path, true);
end
$pgvouch$"""


def literal(value: object) -> str:
    """Return a value as an SQL literal."""
    if isinstance(value, str) and "\\" not in value:
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    if value is None:
        return "NULL"
    if isinstance(value, int | float) and 0 <= value < inf:
        return str(value).lower()
    from psycopg import sql

    return sql.Literal(value).as_string(None)
