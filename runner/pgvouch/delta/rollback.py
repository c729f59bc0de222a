"""What a rollback has to do to the catalog: undo what its migration did, and nothing else."""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

from pgvouch.delta.lines import about, beginnings, catalog_of, hides_values, is_shape, sides
from pgvouch.delta.snapshot import Snapshot

_FACETS = r"(?:(?:owner of|comment on|grant on|revoke on|security label of \S+ on) )?"


def not_undone(
    did: Sequence[str],
    before: Snapshot,
    after: Snapshot,
    whole: Callable[[], Snapshot],
    leaves: Sequence[str],
) -> tuple[str, ...]:
    """Say in what a rollback does not undo what its migration did, or does more.

    What the delta names has to be as it was ahead of the migration, whatever it was just now: a
    later rollback may have left it otherwise, and rightly. Nothing else may have changed.

    Args:
        did: the delta of the migration, as the ledger has it.
        before: the catalog ahead of the rollback, as far as that has touched it.
        after: the same behind it.
        whole: gives all of the catalog behind it.
        leaves: what the rollback declares to leave otherwise.

    Returns:
        A line for each object that is otherwise, in the words of an error.
    """
    shape = list(filter(is_shape, did))
    was, now = _differing(before, after), _differing(after, before)
    undone = _Undone(was, now)
    left = [line for line in shape if not undone.holds(line)]
    if left:  # what the rollback did not touch may be as it should be, all the same
        undone = _Undone(was, catalog_of(whole().objects), is_whole=True)
        left = [line for line in left if not undone.holds(line)]
    declared = [re.compile(rf"{_FACETS}{re.escape(name)}(?: |\Z)") for name in leaves]
    found = [(line[2:], f"{_LEFT[line[0]]}  {line[2:]}") for line in left]
    found += _more(was, now, sorted(line[2:] for line in shape))
    return tuple(
        said for line, said in sorted(found) if not any(name.match(line) for name in declared)
    )


_LEFT = {"+": "left over:", "-": "does not come back:", "~": "is not changed back:"}


def _differing(one: Snapshot, other: Snapshot) -> dict[str, str]:
    """Return the lines of one catalog that the other has not, each with what it is about."""
    theirs = other.objects
    return catalog_of(
        {name: text for name, text in one.objects.items() if theirs.get(name) != text}
    )


class _Undone:
    """The question whether a line of the migration's delta is undone."""

    def __init__(
        self, was: Mapping[str, str], there: Mapping[str, str], *, is_whole: bool = False
    ) -> None:
        """Say what is known: what the rollback has taken away, and what there is behind it."""
        self._was, self._there, self._is_whole = was, there, is_whole
        self._gone = set(was.values())
        self._objects = set(there.values())

    def holds(self, line: str) -> bool:
        """Say whether a line is undone, as far as that is known."""
        sign, body = line[0], line[2:]
        if sign == "-":
            return self._find(body) is not None
        if sign == "~":
            return sides(body, self._find)[1] is not None
        identity = self._was.get(body) or _first(beginnings(body), self._gone)
        if identity is not None:
            return identity not in self._objects
        return self._is_whole and _first(beginnings(body), self._objects) is None

    def _find(self, wanted: str) -> str | None:
        if wanted in self._there:
            return wanted
        pattern = hides_values(wanted)
        return next(filter(pattern.fullmatch, self._there), None) if pattern else None


def _first(names: Iterable[str], known: Container[str]) -> str | None:
    return next((name for name in names if name in known), None)


def _more(
    was: Mapping[str, str], now: Mapping[str, str], named: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield what has changed and no line of the delta is about, each with the words for it."""
    old, new = ({name: line for line, name in lines.items()} for lines in (was, now))
    gone = {name for name in old.keys() - new.keys() if about(name, named) is not None}
    for identity in {**old, **new}:
        # The owner, the comment and the grants of what goes go with it, whoever has made them.
        thing = re.sub(_FACETS, "", identity, count=1)
        if about(identity, named) is not None or _first(beginnings(thing), gone) is not None:
            continue
        if identity not in new:
            yield old[identity], f"goes as well:  {old[identity]}"
        elif identity not in old:
            yield new[identity], f"is new:  {new[identity]}"
        else:
            definition = old[identity].removeprefix(identity).strip()
            yield new[identity], f"is changed as well:  {new[identity]} (was: {definition})"
