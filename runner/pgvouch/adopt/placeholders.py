"""What a tool fills in by itself, as psql variables where psql fills in too. No I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pgvouch.sqltext.scan import tokens

_QUOTES = {"'": ":'{}'", '"': ':"{}"'}


@dataclass(frozen=True, slots=True)
class Places:
    """A text in which the placeholders of a tool are psql variables."""

    sql: str
    variables: Mapping[str, str] = field(default_factory=dict)
    """By the placeholder's name: the variable that it has become."""
    pasted: tuple[tuple[int, str], ...] = ()
    """Lines and names where the tool's own value was written, for psql fills nothing in there."""
    left: tuple[tuple[int, str], ...] = ()
    """The same, where the value is not known."""


def as_variables(sql: str, pattern: re.Pattern[str], values: Mapping[str, str]) -> Places:
    """Return a text with psql variables in the place of a tool's placeholders.

    Args:
        sql: as the tool reads it.
        pattern: fits a placeholder; its group `name` is the name.
        values: what the tool's configuration says.

    A placeholder that is all of a string becomes :'name', all of a quoted name :"name", a word of
    its own :name. In comments it stays. Elsewhere (in a longer string, in a body) psql fills
    nothing in: there the value is written, if it is known.
    """
    found = list(pattern.finditer(sql))
    if not found:
        return Places(sql)
    parts, done = [], 0
    for number, match in enumerate(found):
        parts += [sql[done : match.start()], _mark(number)]
        done = match.end()
    marked = "".join([*parts, sql[done:]])
    return _Reading(sql, marked, found, values).read()


def _mark(number: int) -> str:
    return f"pgvouch_{number}_here"


_MARK = re.compile(r"pgvouch_([0-9]+)_here")


@dataclass
class _Reading:
    sql: str
    marked: str
    found: list[re.Match[str]]
    values: Mapping[str, str]

    def __post_init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.pasted: list[tuple[int, str]] = []
        self.left: list[tuple[int, str]] = []

    def read(self) -> Places:
        try:
            spans = [(one.start, one.end) for one in tokens(self.marked)]
        except SyntaxError:  # PostgreSQL names the place, when it is run
            spans = [(0, len(self.marked))]
        parts, done = [], 0
        for start, end in spans:
            if _MARK.search(self.marked, start, end):
                parts += [self._back(self.marked[done:start]), self._token(start, end)]
                done = end
        sql = "".join([*parts, self._back(self.marked[done:])])
        return Places(sql, self.variables, tuple(self.pasted), tuple(self.left))

    def _back(self, text: str) -> str:
        return _MARK.sub(lambda match: self.found[int(match[1])].group(), text)

    def _token(self, start: int, end: int) -> str:
        token = self.marked[start:end]
        spelled = _QUOTES.get(token[0], ":{}")
        inner = token[1:-1] if token[0] in _QUOTES else token
        if match := _MARK.fullmatch(inner):
            variable = self._variable(self.found[int(match[1])]["name"])
            gap = " " if self.marked[:start].endswith(":") else ""
            return gap + spelled.format(variable)
        return _MARK.sub(lambda match: self._paste(self.found[int(match[1])]), token)

    def _variable(self, name: str) -> str:
        if name not in self.variables:
            variable = re.sub(r"\W", "_", name, flags=re.ASCII)
            variable = variable if not variable[:1].isdigit() else f"_{variable}"
            # Another `:name` of the text is not to be filled in.
            while variable in self.variables.values() or re.search(
                rf":['\"]?{variable}\b", self.marked
            ):
                variable += "_"
            self.variables[name] = variable
        return self.variables[name]

    def _paste(self, match: re.Match[str]) -> str:
        name = match["name"]
        line = self.sql.count("\n", 0, match.start()) + 1
        (self.pasted if name in self.values else self.left).append((line, name))
        return self.values.get(name, match.group())
