"""Tables for people: as wide as they need to be, and never wider than the terminal."""

import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import click

from pgvouch.cli.output import as_shown, say_drawn, visible, width_of

_GAP = "  "
_LEAST = 12
"""A cell that may be shortened keeps this much, so that its number and a word stay visible."""
_AHEAD_OF_NAMES = 5
_WIDE = {"W", "F"}
_NO_PLACE = {"Mn", "Me"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and what becomes of it where there is little room."""

    title: str
    colour: str = ""
    give_up: int = 0
    """0: stays. Otherwise the column with the highest number is left out first; from
    `_AHEAD_OF_NAMES` on before any cell is cut."""
    shortens: bool = False
    """Whether its cells may be cut in the middle."""
    brief: Callable[[str], str] | None = None
    """A shorter form of a cell, taken ahead of leaving columns out that have a lower number than
    `brief_at`."""
    brief_at: int = 0
    colours: Mapping[str, str] | None = None
    """The colour of each cell, by what stands in it, where they differ."""
    is_dim: bool = False
    """Whether it may step back: readable on a light and on a dark background."""


def render(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None, dots: str = "…"
) -> str:
    """Return a table as text.

    Args:
        columns: from left to right.
        rows: a cell for each column.
        width: how many characters a line may have; None for as many as it takes.
        dots: what stands in a cell for what was cut out of it.
    """
    by_column = [[visible(row[n]) for row in rows] for n in range(len(columns))]
    widths = [_width(column, cells) for column, cells in zip(columns, by_column, strict=True)]
    if width is not None:
        widths = _fitting(columns, by_column, widths, width)
    shown = [number for number, there in enumerate(widths) if there]
    title = [_drawn([columns[n].title], widths[n], dots, bold=True) for n in shown]
    below = [
        _drawn(
            by_column[n],
            widths[n],
            dots,
            columns[n].colours,
            fg=columns[n].colour or None,
            dim=columns[n].is_dim,
        )
        for n in shown
    ]
    lines = [*zip(*title, strict=True), *zip(*below, strict=True)]
    return "\n".join(_GAP.join(line).rstrip() for line in lines)


def echo(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table to stdout, in the width of the terminal where it is one."""
    shown = [[as_shown(cell, sys.stdout) for cell in row] for row in rows]
    say_drawn(render(columns, shown, width_of(sys.stdout), as_shown("…", sys.stdout)))


def _width(column: Column, cells: Sequence[str]) -> int:
    return max([places(column.title), *map(places, cells)])


def _fitting(
    columns: Sequence[Column], by_column: list[list[str]], widths: Sequence[int], width: int
) -> list[int]:
    """Return the widths of the columns, 0 for one that is left out; cells may become brief."""
    fitting = list(widths)
    left_out = [(column.give_up, n, False) for n, column in enumerate(columns) if column.give_up]
    brief = [(column.brief_at, n, True) for n, column in enumerate(columns) if column.brief]
    for number, place, is_brief in sorted([*left_out, *brief], reverse=True):
        if number < _AHEAD_OF_NAMES:  # names are still told apart, so what is left counts for more
            _shorten(columns, fitting, width, 3 * _LEAST)
        if _total(fitting) <= width:
            break
        if is_brief and (briefer := columns[place].brief):
            by_column[place] = [briefer(cell) for cell in by_column[place]]
            fitting[place] = _width(columns[place], by_column[place])
        else:
            fitting[place] = 0
    _shorten(columns, fitting, width, _LEAST)
    return fitting


def _shorten(columns: Sequence[Column], widths: list[int], width: int, least: int) -> None:
    for place, column in enumerate(columns):
        if column.shortens and (excess := _total(widths) - width) > 0:
            widths[place] = min(widths[place], max(least, widths[place] - excess))


def _total(widths: Sequence[int]) -> int:
    there = [cells for cells in widths if cells]
    return sum(there) + len(_GAP) * (len(there) - 1)


def places(text: str) -> int:
    """Return how many places a text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_place, text))


def _place(character: str) -> int:
    if unicodedata.category(character) in _NO_PLACE:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def cut(text: str, width: int, dots: str = "…") -> str:
    """Cut a text in the middle: the number in front and the end of a name tell it from others."""
    if places(text) <= width:
        return text
    room = max(width - len(dots), 0)
    tail = room // 2
    return f"{_head(text, room - tail)}{dots}{_head(text[::-1], tail)[::-1]}"[:width]


def cut_end(text: str, width: int, dots: str = "…") -> str:
    """Cut a text at its end where it is wider than that."""
    if places(text) <= width:
        return text
    return f"{_head(text, max(width - len(dots), 0))}{dots}"[:width]


def wrapped(text: str, width: int | None) -> list[str]:
    """Return a text in lines of at most so many places, broken between words; None: in one."""
    if width is None or places(text) <= width:
        return [text]
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and places(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _head(text: str, places: int) -> str:
    taken = accumulate(map(_place, text))
    return text[: sum(1 for total in taken if total <= places)]


def _drawn(
    cells: Sequence[str],
    width: int,
    dots: str,
    colours: Mapping[str, str] | None = None,
    **style: Any,
) -> list[str]:
    """Return the cells of a column, all of one width; click is asked for the style once."""
    before, _, after = click.style("|", **style).partition("|")
    drawn = []
    for cell in cells:
        shown = cut(cell, width, dots)
        styled = f"{before}{shown}{after}" if shown else ""
        if colours and (colour := colours.get(cell)):
            styled = click.style(shown, fg=colour)
        drawn.append(styled + " " * (width - places(shown)))
    return drawn
