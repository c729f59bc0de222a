"""psql variables that a file declares (`-- var: name`), with psql's own quoting. No I/O.

See https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-INTERPOLATION. An undeclared `:x`
stays what it is: an array slice, a label, or something for PostgreSQL to refuse.
"""

import os
import re
from bisect import bisect_right
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from psycopg import sql

from pgvouch.errors import Place, UsageError
from pgvouch.sqltext.scan import tokens

_RECOGNIZABLE = 4
_LONG, _CUT = 16, 80
"""A longer value is known by its beginning, up to where PostgreSQL cuts it at the latest."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text with its variables filled in, and the way back to the author's places."""

    text: str
    _edges: tuple[tuple[int, int], ...] = ((0, 0),)
    """Pairs of an offset in `text` and the offset in the author's text that it comes from."""
    secrets: tuple[str, ...] = ()

    def source_offset(self, offset: int) -> int:
        """Return the offset in the author's text for an offset in `text`, both in characters."""
        rendered, source = self._edges[bisect_right(self._edges, (offset, 1 << 62)) - 1]
        return source + offset - rendered


class Mask:
    """Hides the values of variables in what comes back from the server."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, values: Iterable[str]) -> None:
        """Hide further values from now on."""
        if new := set(filter(None, values)) - self._values:
            self._values |= new
            spelled = {form for value in self._values for form in _spellings(value)}
            ordered = sorted(spelled, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(_pattern_of, ordered)))

    def __call__(self, text: str) -> str:
        """Return a text without the values in it."""
        return self._pattern.sub("***", text) if self._pattern else text


def _spellings(value: str) -> set[str]:
    """Return how PostgreSQL may print a value: as it is, in a literal, a name, an array, a row."""
    escaped = value.replace("\\", "\\\\")
    return {
        value,
        value.replace("'", "''"),
        value.replace('"', '""'),
        escaped,
        escaped.replace("'", "''"),
        escaped.replace('"', '\\"'),
        escaped.replace('"', '""'),
    }


def _pattern_of(value: str) -> str:
    if len(value) < _RECOGNIZABLE:  # a short one would be found in half of all words
        return rf"(?<!\w){re.escape(value)}(?!\w)"
    if len(value) <= _LONG:
        return f"(?i:{re.escape(value)})"  # in upper case it is still the value
    # PostgreSQL cuts long values in its details.
    rest = "".join(f"(?:{re.escape(c)}" for c in value[_LONG:_CUT])
    tail = re.escape(value[_CUT:])
    return f"{re.escape(value[:_LONG])}{rest}{f'(?:{tail})?' if tail else ''}" + ")?" * (
        len(value[_LONG:_CUT])
    )


def render(
    text: str, declared: tuple[str, ...], values: Mapping[str, str], place: Place
) -> Rendered:
    """Fill in the declared variables of a text.

    Args:
        text: SQL as its author wrote it.
        declared: names from the file's header.
        values: what `--var` and the environment give.
        place: the file, for errors.

    Raises:
        UsageError: a declared variable has no value.
    """
    if not declared:
        return Rendered(text)
    if missing := [name for name in declared if name not in values]:
        raise UsageError(
            f"the variable {missing[0]} has no value",
            place,
            hint=f"give it with --var {missing[0]}=… or in the environment as {missing[0].upper()}",
        )
    secrets = tuple(sorted((values[name] for name in declared), key=len, reverse=True))
    return _filled(text, {name: Value(values[name], values[name]) for name in declared}, secrets)


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable stands for."""

    text: str
    """What `:'name'` quotes."""
    bare: str
    """What `:name` is."""


def fill(text: str, values: Mapping[str, Value]) -> Rendered:
    """Fill in the values that a verify file or a query names, which are no secrets."""
    used = any(re.search(rf""":(['"]?){re.escape(name)}\1(?!\w)""", text) for name in values)
    return _filled(text, values) if used else Rendered(text)


def _filled(text: str, values: Mapping[str, Value], secrets: tuple[str, ...] = ()) -> Rendered:
    parts: list[str] = []
    edges = [(0, 0)]
    length = done = 0
    for start, end, value in _uses(text, values):
        parts += (text[done:start], value)
        length += start - done + len(value)
        edges.append((length, end))
        done = end
    parts.append(text[done:])
    return Rendered("".join(parts), tuple(edges), secrets)


def _uses(text: str, values: Mapping[str, Value]) -> Iterator[tuple[int, int, str]]:
    try:
        found = tokens(text)
    except SyntaxError:  # PostgreSQL will name the place
        return
    for colon, name in pairwise(found):
        if colon.kind != ":" or name.start != colon.end:
            continue
        word = text[name.start : name.end]
        quoted = {"'": sql.Literal, '"': sql.Identifier}.get(word[0])
        if value := values.get(word[1:-1] if quoted else word):
            yield (
                colon.start,
                name.end,
                quoted(value.text).as_string(None) if quoted else value.bare,
            )


def given_variables(
    options: Mapping[str, str], dotenv: Mapping[str, str] | None = None
) -> Mapping[str, str]:
    """Return the values of variables, by NAME or name.

    Args:
        options: `--var`, which wins.
        dotenv: what counts where the environment has no such name; not read for any other.
    """
    environment = {name.lower(): value for name, value in os.environ.items()}
    return ChainMap(
        {**environment, **os.environ, **options}, _AnyCase({} if dotenv is None else dotenv)
    )


class _AnyCase(dict[str, str]):
    """A mapping that is looked into for NAME where it has no name; empty to those who list it."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__()
        self._values = values

    def __contains__(self, name: object) -> bool:
        return name in self._values or (isinstance(name, str) and name.upper() in self._values)

    def __getitem__(self, name: str) -> str:
        return self._values[name if name in self._values else name.upper()]


def without_variables(text: str, declared: tuple[str, ...]) -> str:
    """Return a text that parses: a blank for the colon of every `:name`, `:'name'` and `:"name"`.

    Every offset stays what it is. Without this, a file with a variable would not parse, and what
    it may not hold would only be found when it is run.
    """
    if not declared:
        return text
    names = "|".join(re.escape(name) for name in declared)
    return re.sub(rf":(?=(?P<quote>['\"]?)(?:{names})(?P=quote)(?!\w))(?<!::)", " ", text)
