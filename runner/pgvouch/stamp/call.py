"""The stamp line: `name(argument=value, …)`, a call of literals as in Python. No I/O and no eval.

Python's own parser reads it. What that would take but should not be written (a comment, an octal
escape) is refused ahead of it, and so is what it would not say in the author's words.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeAlias

from pgvouch.errors import Place, StampError
from pgvouch.stamp.quoting import BadValueError, check_text

Value: TypeAlias = str | int | bool | list["Value"] | dict[str, "Value"] | None
"""What an argument can be: the shapes of JSON, without fractions."""

_STRING = r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_HEAD = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*(?P<open>\()?", re.ASCII)
_PIECE = re.compile(rf"""{_STRING}|(?P<bracket>[()\[\]{{}}])|(?P<odd>\bfor(?=\s*=)|["'#\\])""")
_OPEN = "the string that begins here does not end on its line"
_ODD = {'"': _OPEN, "'": _OPEN, "for": "the argument for is called commands"}
_ESCAPE = re.compile(
    r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4}|(?P<letter>.))",
    re.DOTALL,
)
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "none": None}
"""As JSON and TOML write what Python writes with a capital."""
_MAX_DEPTH = 17
"""The parentheses included."""
_UNREADABLE = (SyntaxError, ValueError, MemoryError, RecursionError)
"""What Python's parser raises; the last two where there is too much of something, such as signs."""
_HINT = (
    "a stamp is a call with named arguments: -- stamp: "
    'template(table="projects", commands=["select"])'
)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the call, and where its first character stands in the file."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as it was written."""

    name: str
    value: Value
    place: Place


@dataclass(frozen=True, slots=True)
class Call:
    """A parsed stamp line."""

    template: str
    arguments: Mapping[str, Argument]
    place: Place
    """Where the template's name stands."""
    last_line: int
    """The line that holds the closing parenthesis."""


def parse_call(lines: Iterator[SourceLine], path: Path) -> Call:
    """Read one call.

    Args:
        lines: the text after `stamp:` and then, as far as the call goes on, the following comments.
        path: the file, for the places of errors.

    Raises:
        StampError: the text is not a call of a name with named literal arguments.
    """
    return _Reader(lines, path).call()


class _Reader:
    def __init__(self, lines: Iterator[SourceLine], path: Path) -> None:
        first = next(lines)
        blank = len(first.text) - len(first.text.lstrip())
        self._following = lines
        self._path = path
        self._lines = [SourceLine(first.text[blank:], first.line, first.column + blank)]

    def call(self) -> Call:
        head = _HEAD.match(self._lines[0].text)
        if head is None:
            self._fail("expected the template's name", self._place(0, 0))
        name = head["name"]
        if not head["open"]:
            self._fail(f"expected ( after {name}", self._place(0, head.end()))
        end = self._end(head.start("open"))
        rest = self._lines[-1].text[end:]
        if rest.strip():
            at = self._place(len(self._lines) - 1, end + len(rest) - len(rest.lstrip()))
            self._fail("nothing may follow the closing parenthesis", at)
        arguments: dict[str, Argument] = {}
        for keyword in self._keywords():
            place = self._place_of(keyword)
            if keyword.arg is None:
                self._fail("every argument is a name, = and a value", place)
            if keyword.arg in arguments:
                self._fail(f"the argument {keyword.arg} is given twice", place)
            arguments[keyword.arg] = Argument(keyword.arg, self._value(keyword.value), place)
        return Call(name, arguments, self._place(0, 0), self._lines[-1].line)

    def _end(self, offset: int) -> int:
        """Take lines up to the closing parenthesis, and return the offset behind it."""
        opened = self._place(0, offset)
        depth = 0
        while True:
            for piece in _PIECE.finditer(self._lines[-1].text, offset):
                place = self._place(len(self._lines) - 1, piece.start())
                if piece.lastgroup == "string":
                    self._refuse_escapes(piece.group(), place)
                elif piece.lastgroup == "bracket":
                    depth += 1 if piece.group() in "([{" else -1
                else:
                    self._fail(
                        _ODD.get(piece.group(), f"{piece.group()} has no meaning in a stamp"), place
                    )
                if depth == 0:
                    return piece.end()
                if depth > _MAX_DEPTH:
                    self._fail(f"nested more than {_MAX_DEPTH - 1} deep", place)
            line = next(self._following, None)
            if line is None:
                self._fail("the parenthesis that opens here is not closed", opened)
            self._lines.append(line)
            offset = 0

    def _refuse_escapes(self, string: str, place: Place) -> None:
        for match in _ESCAPE.finditer(string):
            if match["letter"] and match["letter"] not in "nrt\"'\\":
                self._fail(
                    f"{match.group()} is not an escape; a backslash itself is written \\\\",
                    Place(place.path, place.line, (place.column or 1) + match.start()),
                )

    def _keywords(self) -> list[ast.keyword]:
        source = "\n".join(line.text for line in self._lines)
        try:
            call = ast.parse(source, mode="eval").body
        except _UNREADABLE as exc:
            line, column = getattr(exc, "lineno", None) or 1, getattr(exc, "offset", None) or 1
            said = exc.args[0] if exc.args else "too much for Python"
            self._fail(
                f"expected named values with commas between: {said}",
                self._place(line - 1, column - 1),
            )
        if not isinstance(call, ast.Call) or call.args:
            at = self._place_of(call.args[0] if isinstance(call, ast.Call) else call)
            self._fail("every argument is a name, = and a value", at)
        return call.keywords

    def _value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.List):
            return [self._value(item) for item in node.elts]
        if isinstance(node, ast.Dict):
            return self._map(node)
        if isinstance(node, ast.Name) and node.id in _WORDS:
            return _WORDS[node.id]
        value: Value | type = object
        with suppress(TypeError, *_UNREADABLE):
            value = ast.literal_eval(node)
        if value is None or isinstance(value, int):
            return value
        if not isinstance(value, str):
            self._fail(
                "expected a value (a string in quotes, a whole number, true, false, null, [ or {)",
                self._place_of(node),
            )
        # Python joins strings that stand side by side, and knows letters in front of one.
        line = self._lines[node.lineno - 1].text.encode()
        written = line[node.col_offset : node.end_col_offset].decode(errors="replace")
        if node.end_lineno != node.lineno or not re.fullmatch(_STRING, written):
            self._fail("expected one string in plain quotes", self._place_of(node))
        try:
            check_text(value)
        except BadValueError as exc:
            self._fail(str(exc), self._place_of(node))
        return value

    def _map(self, node: ast.Dict) -> Value:
        found: dict[str, Value] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            place = self._place_of(key or value)
            name = self._value(key) if isinstance(key, ast.Constant) else None
            if not isinstance(name, str):
                self._fail("expected a key in quotes", place)
            if name in found:
                self._fail(f"the key {name!r} is given twice", place)
            found[name] = self._value(value)
        return found

    def _place_of(self, node: ast.expr | ast.keyword) -> Place:
        line = self._lines[node.lineno - 1].text.encode()  # Python counts bytes
        return self._place(node.lineno - 1, len(line[: node.col_offset].decode(errors="replace")))

    def _place(self, number: int, offset: int) -> Place:
        """Return the place of an offset in a line; Python may say that it is behind the last."""
        line = self._lines[min(number, len(self._lines) - 1)]
        return Place(self._path, line.line, line.column + max(offset, 0))

    def _fail(self, message: str, place: Place) -> NoReturn:
        raise StampError(message, place, hint=_HINT)
