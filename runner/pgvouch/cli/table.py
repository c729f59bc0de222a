"""Tables for people: as wide as they need to be, and never wider than the terminal."""

import shutil
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import click

from pgvouch.cli.output import say_drawn, visible

_GAP = "  "
_LEAST = 12
"""A cell that may be shortened keeps this much, so that its number and a word stay visible."""
_WIDE = {"W", "F"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and what becomes of it where there is little room."""

    title: str
    colour: str = ""
    give_up: int = 0
    """0: stays. Otherwise the column with the highest number is left out first."""
    shortens: bool = False
    """Whether its cells may be cut in the middle."""


def render(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> str:
    """Return a table as text.

    Args:
        columns: from left to right.
        rows: a cell for each column.
        width: how many characters a line may have; None for as many as it takes.
    """
    cells = [[visible(cell) for cell in row] for row in rows]
    widths = [
        max([_places(column.title), *(_places(row[number]) for row in cells)])
        for number, column in enumerate(columns)
    ]
    if width is not None:
        widths = _fitting(columns, widths, width)
    shown = [number for number, places in enumerate(widths) if places]
    title = [_drawn([columns[n].title], widths[n], bold=True) for n in shown]
    below = [
        _drawn([row[n] for row in cells], widths[n], fg=columns[n].colour or None) for n in shown
    ]
    lines = [*zip(*title, strict=True), *zip(*below, strict=True)]
    return "\n".join(_GAP.join(line).rstrip() for line in lines)


def echo(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table to stdout, in the width of the terminal where it is one."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    say_drawn(render(columns, rows, width))


def _fitting(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Return the widths of the columns, 0 for one that is left out."""
    fitting = list(widths)
    order = sorted(
        (place for place, column in enumerate(columns) if column.give_up),
        key=lambda place: -columns[place].give_up,
    )
    # First to a width at which names can be told apart, then without what matters less.
    for least in (3 * _LEAST, _LEAST):
        _shorten(columns, fitting, width, least)
        while _total(fitting) > width and order and least > _LEAST:
            fitting[order.pop(0)] = 0
    return fitting


def _shorten(columns: Sequence[Column], widths: list[int], width: int, least: int) -> None:
    for place, column in enumerate(columns):
        if column.shortens and (excess := _total(widths) - width) > 0:
            widths[place] = min(widths[place], max(least, widths[place] - excess))


def _total(widths: Sequence[int]) -> int:
    there = [cells for cells in widths if cells]
    return sum(there) + len(_GAP) * (len(there) - 1)


def _places(text: str) -> int:
    """Return how many places a text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_place, text))


def _place(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def _cut(text: str, width: int) -> str:
    """Cut a text in the middle: the number in front and the end of a name tell it from others."""
    if _places(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{_head(text, width - 1 - tail)}…{_head(text[::-1], tail)[::-1]}"


def _head(text: str, places: int) -> str:
    taken = accumulate(map(_place, text))
    return text[: sum(1 for total in taken if total <= places)]


def _drawn(cells: Sequence[str], width: int, **style: Any) -> list[str]:
    """Return the cells of a column, all of one width; click is asked for the style once."""
    before, _, after = click.style("|", **style).partition("|")
    drawn = []
    for cell in cells:
        shown = _cut(cell, width)
        styled = f"{before}{shown}{after}" if shown else ""
        drawn.append(styled + " " * (width - _places(shown)))
    return drawn
