"""What an argument may be: `name`, `list of select|insert`, `map of role to name`. No I/O.

The words of a type are the ones a template's declaration and `stamp --list` show.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pgvouch.sqltext.near import nearest
from pgvouch.stamp.call import Value
from pgvouch.stamp.quoting import BadValueError, check_name

_CHOICE = re.compile(r"[a-z]+(?:\|[a-z]+)+\Z")
_PUBLIC = "public"


class DeclarationError(ValueError):
    """A template declares an argument that cannot be understood."""


class ArgumentType(Protocol):
    """A type of argument."""

    def accept(self, value: Value, where: str) -> Value:
        """Return the value with the defaults filled in.

        Args:
            value: what the author wrote.
            where: what the value is called in an error, such as `via[0].table`.

        Raises:
            BadValueError: the value is not of this type.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: `name`, `role`, `grantee`, `text`, `integer` or `boolean`."""

    word: str

    def accept(self, value: Value, where: str) -> Value:
        """Check one value; see ArgumentType."""
        if self.word == "boolean":
            fits = isinstance(value, bool)
        elif self.word == "integer":
            fits = isinstance(value, int) and not isinstance(value, bool)
        else:
            fits = isinstance(value, str)
        if not fits:
            raise BadValueError(f"{where} is {describe(value)}, not {_article(self.word)}")
        if isinstance(value, str) and self.word != "text":
            self._check_name(value, where)
        return value

    def _check_name(self, value: str, where: str) -> None:
        try:
            check_name(value)
        except BadValueError as exc:
            raise BadValueError(f"{where}: {exc}") from None
        if self.word in {"role", "grantee"} and value == "none":
            raise BadValueError(f"{where}: PostgreSQL has no role of the name none")
        if self.word == "role" and value == _PUBLIC:
            raise BadValueError(
                f"{where}: public is everyone, anonymous callers included; name a role"
            )


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, which a template may print as keywords."""

    words: tuple[str, ...]

    def accept(self, value: Value, where: str) -> Value:
        """Check one word; see ArgumentType."""
        if isinstance(value, str) and value in self.words:
            return value
        near = nearest(value.lower(), self.words) if isinstance(value, str) else None
        meant = f"; did you mean {near}?" if near else ""
        shown = value if isinstance(value, str) and value else describe(value)
        raise BadValueError(f"{where} is {shown}, not one of {', '.join(self.words)}{meant}")


@dataclass(frozen=True, slots=True)
class ListOf:
    """Values of one type, none of them twice."""

    item: ArgumentType
    filled: bool

    def accept(self, value: Value, where: str) -> Value:
        """Check every item; see ArgumentType."""
        if not isinstance(value, list):
            raise BadValueError(f"{where} is {describe(value)}, not a list")
        if self.filled and not value:
            raise BadValueError(f"{where} is an empty list")
        items: list[Value] = []
        for index, item in enumerate(value):
            accepted = self.item.accept(item, f"{where}[{index}]")
            if accepted in items and not isinstance(accepted, dict):
                raise BadValueError(f"{where} names {item} twice")
            items.append(accepted)
        return items


@dataclass(frozen=True, slots=True)
class MapOf:
    """Values of one type under keys of another."""

    key: ArgumentType
    item: ArgumentType

    def accept(self, value: Value, where: str) -> Value:
        """Check every key and value; see ArgumentType."""
        if not isinstance(value, dict):
            raise BadValueError(f"{where} is {describe(value)}, not a map ({{…}})")
        accepted: dict[str, Value] = {}
        for key, item in value.items():
            self.key.accept(key, f"a key of {where}")
            accepted[key] = self.item.accept(item, f"{where}[{key}]")
        return accepted


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a template, or one field of a record."""

    name: str
    type: str
    kind: ArgumentType
    doc: str
    required: bool
    default: Value = None


@dataclass(frozen=True, slots=True)
class Record:
    """A map with known keys."""

    name: str
    fields: tuple[Parameter, ...]

    def accept(self, value: Value, where: str) -> Value:
        """Check every field and fill in the defaults; see ArgumentType."""
        if not isinstance(value, dict):
            raise BadValueError(f"{where} is {describe(value)}, not a {self.name} ({{…}})")
        known = [field.name for field in self.fields]
        for key in value:
            if key not in known:
                raise BadValueError(f"{where} has no {key}{near_miss(key, known)}")
        return {field.name: self._field(field, value, where) for field in self.fields}

    def _field(self, field: Parameter, value: dict[str, Value], where: str) -> Value:
        if value.get(field.name) is not None:
            return field.kind.accept(value[field.name], f"{where}.{field.name}")
        if field.required:
            raise BadValueError(f"{where} lacks {field.name}: {field.doc}")
        return field.default


def parse_type(text: str, records: Mapping[str, Record]) -> ArgumentType:
    """Read a type as a template declares it.

    Args:
        text: such as `map of role to non-empty list of select|insert`.
        records: the record types of the template, by name.

    Raises:
        DeclarationError: the text is not a type.
    """
    text = text.strip()
    if text in {"name", "role", "grantee", "text", "integer", "boolean"}:
        return Scalar(text)
    if _CHOICE.match(text):
        return Choice(tuple(text.split("|")))
    if text in records:
        return records[text]
    if match := re.match(r"(non-empty )?list of (.+)\Z", text):
        return ListOf(parse_type(match[2], records), match[1] is not None)
    if match := re.match(r"map of (\S+) to (.+)\Z", text):
        return MapOf(parse_type(match[1], records), parse_type(match[2], records))
    raise DeclarationError(
        f"{text!r} is not a type (name, role, grantee, text, integer, boolean, a|b, a record, "
        "[non-empty] list of …, map of … to …)"
    )


def describe(value: Value) -> str:
    """Return what a value is, for an error."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a map"
    return f"the number {value}" if isinstance(value, int) else "a string"


def near_miss(word: str, known: list[str]) -> str:
    """Return `; did you mean …?`, or what there is when nothing is close."""
    if near := nearest(word.lower(), known):
        return f"; did you mean {near}?"
    return f" (there is: {', '.join(known)})" if known else ""


def _article(word: str) -> str:
    return f"an {word}" if word == "integer" else f"a {word}"
