"""The stamp line: `name(argument=value, …)`, a literal call. No I/O and no eval.

Not Python's parser: `for` is an argument that people write, and every error must point into the
comment it stands in.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeAlias

from pgvouch.errors import Place, StampError
from pgvouch.stamp.quoting import BadValueError, check_text

Value: TypeAlias = str | int | bool | list["Value"] | dict[str, "Value"] | None
"""What an argument can be: the shapes of JSON, without fractions."""

_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<integer>-?\d+)"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<mark>[()\[\]{},:=])"""
)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_CONSTANTS: dict[str, Value] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "none": None,
    "None": None,
}
_MAX_DEPTH = 16
_HINT = (
    'a stamp is a call with named arguments: -- stamp: template(table="projects", for=["select"])'
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


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: Place


def parse_call(lines: Iterator[SourceLine], path: Path) -> Call:
    """Read one call.

    Args:
        lines: the text after `stamp:` and then, as far as the call goes on, the following comments.
        path: the file, for the places of errors.

    Raises:
        StampError: the text is not a call of a name with named literal arguments.
    """
    return _Parser(lines, path).call()


class _Parser:
    """A recursive descent over the tokens; takes another line only inside the parentheses."""

    def __init__(self, lines: Iterator[SourceLine], path: Path) -> None:
        self._lines = lines
        self._path = path
        self._line = next(lines)
        self._offset = 0
        self._opened: Place | None = None
        self._token = self._scan()

    def call(self) -> Call:
        name = self._take("word", "the template's name")
        self._opened = self._token.place if self._token else None
        self._take("(", f"( after {name.text}")
        arguments: dict[str, Argument] = {}
        while not self._at(")"):
            argument = self._argument()
            if argument.name in arguments:
                self._fail(f"the argument {argument.name} is given twice", argument.place)
            arguments[argument.name] = argument
            if not self._at(")"):
                self._take(",", "a comma or the closing parenthesis")
        rest = self._line.text[self._offset :]
        if rest.strip():
            offset = self._offset + len(rest) - len(rest.lstrip())
            self._fail("nothing may follow the closing parenthesis", self._place(offset))
        return Call(name.text, arguments, name.place, self._line.line)

    def _argument(self) -> Argument:
        if self._token is None or self._token.kind != "word":
            self._expected("an argument's name")
        name = self._take("word", "an argument's name")
        self._take("=", f"= after {name.text}: every argument is named")
        return Argument(name.text, self._value(0), name.place)

    def _value(self, depth: int) -> Value:
        if depth > _MAX_DEPTH:
            self._fail(f"nested more than {_MAX_DEPTH} deep", self._here())
        token = self._token
        if token is None:
            self._expected("a value")
        if token.kind in {"[", "{"}:
            self._advance()
            return self._list(depth + 1) if token.kind == "[" else self._dict(depth + 1)
        if token.kind == "string":
            return self._string()
        if token.kind == "integer":
            self._advance()
            return int(token.text)
        if token.kind == "word" and token.text in _CONSTANTS:
            self._advance()
            return _CONSTANTS[token.text]
        return self._expected(
            "a value (a string in quotes, a whole number, true, false, null, [ or {)"
        )

    def _list(self, depth: int) -> Value:
        items: list[Value] = []
        while not self._at("]"):
            items.append(self._value(depth))
            if not self._at("]"):
                self._take(",", "a comma or ]")
        self._advance()
        return items

    def _dict(self, depth: int) -> Value:
        items: dict[str, Value] = {}
        while not self._at("}"):
            place = self._here()
            key = self._string() if self._at("string") else self._expected("a key in quotes")
            if key in items:
                self._fail(f"the key {key!r} is given twice", place)
            self._take(":", "a colon after the key")
            items[key] = self._value(depth)
            if not self._at("}"):
                self._take(",", "a comma or }")
        self._advance()
        return items

    def _string(self) -> str:
        token = self._take("string", "a string")

        def decode(match: re.Match[str]) -> str:
            code = match[1] or match[2] or match[3]
            if code and int(code, 16) <= 0x10FFFF:
                return chr(int(code, 16))
            if match[4] not in _SIMPLE_ESCAPES:
                column = (token.place.column or 1) + 1 + match.start()
                self._fail(
                    f"{match.group()} is not an escape; a backslash itself is written \\\\",
                    Place(self._path, token.place.line, column),
                )
            return _SIMPLE_ESCAPES[match[4]]

        text = _ESCAPE.sub(decode, token.text[1:-1])
        try:
            check_text(text)
        except BadValueError as exc:
            self._fail(str(exc), token.place)
        return text

    def _at(self, kind: str) -> bool:
        return self._token is not None and self._token.kind == kind

    def _take(self, kind: str, expected: str) -> _Token:
        token = self._token
        if token is None or token.kind != kind:
            self._expected(expected)
        self._advance()
        return token

    def _advance(self) -> None:
        self._token = self._scan()

    def _scan(self) -> _Token | None:
        while not self._line.text[self._offset :].strip():
            following = next(self._lines, None) if self._opened else None
            if following is None:
                return None
            self._line, self._offset = following, 0
        text = self._line.text
        while text[self._offset].isspace():
            self._offset += 1
        place = self._place(self._offset)
        match = _TOKEN.match(text, self._offset)
        if match is None:
            if text[self._offset] in "\"'":
                self._fail("the string that begins here does not end on its line", place)
            self._fail(f"{text[self._offset]} has no meaning in a stamp", place)
        self._offset = match.end()
        kind = match.lastgroup or ""
        return _Token(match.group() if kind == "mark" else kind, match.group(), place)

    def _place(self, offset: int) -> Place:
        return Place(self._path, self._line.line, self._line.column + offset)

    def _here(self) -> Place:
        return self._token.place if self._token else self._place(len(self._line.text))

    def _expected(self, what: str) -> NoReturn:
        if self._token is None and self._opened is not None:
            self._fail("the parenthesis that opens here is not closed", self._opened)
        found = f", not {self._token.text}" if self._token else ""
        self._fail(f"expected {what}{found}", self._here())

    def _fail(self, message: str, place: Place) -> NoReturn:
        raise StampError(message, place, hint=_HINT)
