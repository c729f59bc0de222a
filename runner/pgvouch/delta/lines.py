"""The lines of a delta, and of a catalog.

A line is an object's identity and its definition with a blank between them, and only the catalog
knows where the one ends. So what is new and what is gone are whole lines, and
`~ identity new (was: old)` has the new line; the old one is that line among those already there
which begins as the new one does and ends in the old definition.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence

from pgvouch.delta.canonical import canonical

_WAS = " (was: "
_NOTHING = "nothing of note"
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_MASKED = "***"
"""What stands in a line for the value of a variable."""


def catalog_of(objects: Mapping[str, str]) -> dict[str, str]:
    """Return the lines of some objects, each with what it is about.

    Args:
        objects: definitions by identity, as a snapshot has them.
    """
    catalog = {}
    for raw, text in objects.items():
        identity, definition = canonical(raw), canonical(text)
        catalog[f"{identity} {definition}" if definition else identity] = identity
    return catalog


def is_shape(line: str) -> bool:
    """Say whether a line is about what there is; which tables' rows were written is not."""
    return not line.startswith("~") or _WAS in line


def hides_values(line: str) -> re.Pattern[str] | None:
    """Return a pattern of what a line may be that hides values of variables, None of others."""
    return re.compile(".*".join(map(re.escape, line.split(_MASKED)))) if _MASKED in line else None


def about(identity: str, lines: Sequence[str]) -> str | None:
    """Return the first of some sorted lines that is about an object."""
    at = bisect_left(lines, identity)  # nothing sorts between the identity and a blank behind it
    is_there = at < len(lines) and f"{lines[at]} ".startswith(f"{identity} ")
    return lines[at] if is_there else None


def beginnings(line: str) -> Iterator[str]:
    """Yield what may be the identity in a line: the line up to each blank, the longest first."""
    yield line
    end = line.rfind(" ")
    while end > 0:
        yield line[:end]
        end = line.rfind(" ", 0, end)


def sides(body: str, find: Callable[[str], str | None]) -> tuple[str, str | None]:
    """Return the new line of a change and, where it is found, the old one.

    Args:
        body: `identity new (was: old)`.
        find: looks a line up, and returns it as it stands there.
    """
    news = list(_new_lines(body))
    for new in news:
        was = body[len(new) + len(_WAS) : -1]
        for identity in beginnings(new):
            if known := find(f"{identity} {was}"):
                return new, known
            if was == _NOTHING and (known := find(identity)):
                return new, known
    return news[0], None


def _new_lines(body: str) -> Iterator[str]:
    """Yield what may be the new line of a change; first where nothing quoted is divided."""
    ends = [match.start() for match in re.finditer(re.escape(_WAS), body)]
    whole = [end for end in ends if not re.search("['\"]", _QUOTED.sub("", body[:end]))]
    yield from (body[:end] for end in dict.fromkeys([*whole, *ends]))
