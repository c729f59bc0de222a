"""Where the boxes of a diagram go, and the lines between them. Pure.

A layered layout, from left to right: each box stands in a column to the right of what it points to.
A line that passes a column has a place of its own there, so that no line runs through a box. Boxes
overlap nowhere. The same boxes and links give the same picture, whatever their order.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP_X, GAP_Y = 56.0, 24.0
_LINE = 10.0
"""The height that a line has in a column that it passes."""
_SWEEPS = 8
_WIDTH = 1100.0
"""Groups of boxes without a link between them are put side by side up to here."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A box with its left upper corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes by name, and for each link the points that its line goes through."""

    boxes: Mapping[str, Box]
    lines: Mapping[tuple[str, str], tuple[Point, ...]]
    """From the box that points to the one that is pointed to. Two points side by side are a level
    stretch in a column, or the ends of a curve between two columns."""
    width: float
    height: float


def lay_out(
    sizes: Mapping[str, tuple[float, float]], links: Mapping[tuple[str, str], tuple[float, float]]
) -> Layout:
    """Return where everything goes.

    Args:
        sizes: width and height of each box.
        links: pairs of names, each with how far below the upper edges of the two boxes the line
            begins and ends; a box that points to itself has no line.
    """
    wanted = {(a, b): links[a, b] for a, b in sorted(links) if a != b and a in sizes and b in sizes}
    boxes: dict[str, Box] = {}
    lines: dict[tuple[str, str], tuple[Point, ...]] = {}
    x = y = row_height = width = 0.0
    for names in _groups(sizes, wanted):
        inside = {link: ends for link, ends in wanted.items() if link[0] in names}
        part = _Columns({name: sizes[name] for name in names}, inside).lay_out()
        if x and x + part.width > _WIDTH:
            x, y, row_height = 0.0, y + row_height + 2 * GAP_Y, 0.0
        for name, box in part.boxes.items():
            boxes[name] = Box(box.x + x, box.y + y, box.width, box.height)
        for link, points in part.lines.items():
            lines[link] = tuple((px + x, py + y) for px, py in points)
        x += part.width + GAP_X
        width, row_height = max(width, x - GAP_X), max(row_height, part.height)
    return Layout(boxes, lines, width, y + row_height)


def _groups(names: Iterable[str], links: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the names that hang together, the largest groups first."""
    near = defaultdict(set)
    for a, b in links:
        near[a].add(b)
        near[b].add(a)
    groups, seen = [], set()
    for name in sorted(names):
        if name not in seen:
            group, todo = [], [name]
            seen.add(name)
            while todo:
                group.append(one := todo.pop())
                fresh = near[one] - seen
                seen |= fresh
                todo += fresh
            groups.append(sorted(group))
    return sorted(groups, key=lambda group: (-len(group), group))


class _Columns:
    """One group of boxes, in columns."""

    def __init__(
        self,
        sizes: Mapping[str, tuple[float, float]],
        links: Mapping[tuple[str, str], tuple[float, float]],
    ) -> None:
        self.sizes: dict[str, tuple[float, float]] = dict(sizes)
        self.links = links
        # What would close a circle is laid the other way round.
        self.forward = _without_circles(sizes, links)
        self.column = self._numbered()
        self.paths = [self._path(a, b) for a, b in sorted(self.forward)]
        """Right to left: what points, a place in each column between, what is pointed to."""
        self.columns: list[list[str]] = [[] for _ in range(max(self.column.values()) + 1)]
        for name in sorted(self.column):
            self.columns[self.column[name]].append(name)
        self.left: dict[str, list[str]] = defaultdict(list)
        self.right: dict[str, list[str]] = defaultdict(list)
        for path in self.paths:
            for a, b in pairwise(path):
                self.left[a].append(b)
                self.right[b].append(a)
        self.y: dict[str, float] = {}

    def _numbered(self) -> dict[str, int]:
        """Return the column of each: one more than the last that it points to."""
        targets = defaultdict(list)
        for a, b in self.forward:
            targets[a].append(b)
        column: dict[str, int] = {}
        todo = sorted(self.sizes, reverse=True)
        while todo:
            name = todo[-1]
            if missing := [target for target in targets[name] if target not in column]:
                todo += missing
            else:
                todo.pop()
                column[name] = max((column[target] + 1 for target in targets[name]), default=0)
        return column

    def _path(self, a: str, b: str) -> list[str]:
        between = [f"{a}\0{b}\0{n}" for n in range(self.column[a] - 1, self.column[b], -1)]
        for name in between:
            self.sizes[name] = (0.0, _LINE)
            self.column[name] = int(name.rpartition("\0")[2])
        return [a, *between, b]

    def lay_out(self) -> Layout:
        """Return where everything goes."""
        for names in self.columns:
            self._stack(names, {})
        for sweep in range(_SWEEPS):
            ahead = sweep % 2 == 0
            near = self.left if ahead else self.right
            for names in self.columns if ahead else reversed(self.columns):
                middle = {
                    name: sum(self._middle(other) for other in near[name]) / len(near[name])
                    for name in names
                    if near[name]
                }
                names.sort(key=lambda name: (middle.get(name, self._middle(name)), name))
                self._stack(names, middle)
        top = min(self.y[name] for name in self.column)
        widths = [max(self.sizes[name][0] for name in names) for names in self.columns]
        starts = [sum(widths[:n]) + GAP_X * n for n in range(len(widths))]
        boxes = {
            name: Box(starts[self.column[name]], self.y[name] - top, *size)
            for name, size in self.sizes.items()
            if "\0" not in name
        }
        lines = {}
        for path in self.paths:
            a, b = path[0], path[-1]
            if (a, b) in self.links:
                lines[a, b] = self._points(path, boxes, starts, widths, top, self.links[a, b])
            if (b, a) in self.links:
                ends = self.links[b, a][::-1]
                lines[b, a] = self._points(path, boxes, starts, widths, top, ends)[::-1]
        lowest = max(self.y[name] - top + self.sizes[name][1] for name in self.column)
        return Layout(boxes, lines, starts[-1] + widths[-1], lowest)

    def _stack(self, names: Sequence[str], middle: Mapping[str, float]) -> None:
        """Put a column's boxes below each other, each as near as it can be to where it would be."""
        free = float("-inf")
        for name in names:
            height = self.sizes[name][1]
            wish = middle[name] - height / 2 if name in middle else self.y.get(name, 0.0)
            self.y[name] = max(wish, free)
            free = self.y[name] + height + GAP_Y
        # What was pushed down by those above goes halfway back, and takes them with it.
        pushed = [self._middle(name) - middle[name] for name in names if name in middle]
        back = sum(pushed) / len(pushed) if pushed else 0.0
        for name in names:
            self.y[name] -= back

    def _middle(self, name: str) -> float:
        return self.y[name] + self.sizes[name][1] / 2

    def _points(
        self,
        path: Sequence[str],
        boxes: Mapping[str, Box],
        starts: Sequence[float],
        widths: Sequence[float],
        top: float,
        ends: tuple[float, float],
    ) -> tuple[Point, ...]:
        first, last = boxes[path[0]], boxes[path[-1]]
        points = [(first.x, first.y + ends[0])]
        for name in path[1:-1]:
            left = starts[self.column[name]]
            y = self._middle(name) - top
            points += [(left + widths[self.column[name]], y), (left, y)]
        edge = starts[self.column[path[-1]]] + widths[self.column[path[-1]]]
        points.append((edge, last.y + ends[1]))
        if edge != last.x + last.width:
            points.append((last.x + last.width, last.y + ends[1]))
        return tuple(points)


def _without_circles(
    names: Iterable[str], links: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return the links with those turned round that lead back to where one came from."""
    targets = defaultdict(list)
    for a, b in links:
        targets[a].append(b)
    found: set[tuple[str, str]] = set()
    done: set[str] = set()
    for start in sorted(names):
        way: dict[str, list[str]] = {}
        todo = [start] if start not in done else []
        while todo:
            name = todo[-1]
            left = way.setdefault(name, sorted(targets[name], reverse=True))
            if not left:
                todo.pop()
                del way[name]
                done.add(name)
                continue
            target = left.pop()
            found.add((target, name) if target in way else (name, target))
            if target not in way and target not in done:
                todo.append(target)
    return found
