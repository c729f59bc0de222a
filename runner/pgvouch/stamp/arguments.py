"""What an argument may be: `name`, `list of select|insert`, `map of role to name`. No I/O.

The words of a type are the ones a template's declaration and `stamp --list` show.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pgvouch.sqltext.near import nearest
from pgvouch.stamp.call import Value
from pgvouch.stamp.quoting import BadValueError, check_expression, check_name

_CHOICE = re.compile(r"[a-z]+(?:\|[a-z]+)+\Z")


class DeclarationError(ValueError):
    """A template declares an argument that cannot be understood."""


ArgumentType: TypeAlias = Callable[[Value, str], Value]
"""Returns what the author wrote with the defaults filled in. It is given the value, and what that
is called in an error, such as `via[0].table`; a value of another type is a BadValueError."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a template, or one field of a record."""

    name: str
    type: str
    accept: ArgumentType
    doc: str
    required: bool
    default: Value = None


def _scalar(word: str) -> ArgumentType:
    """One value: `name`, `role`, `grantee`, `text`, `expression`, `integer` or `boolean`."""

    def accept(value: Value, where: str) -> Value:
        if word == "boolean":
            fits = isinstance(value, bool)
        elif word == "integer":
            fits = isinstance(value, int) and not isinstance(value, bool)
        else:
            fits = isinstance(value, str)
        if not fits:
            article = "an" if word in {"integer", "expression"} else "a"
            raise BadValueError(f"{where} is {describe(value)}, not {article} {word}")
        if isinstance(value, str) and word != "text":
            _check(word, value, where)
        return value

    return accept


def _check(word: str, value: str, where: str) -> None:
    try:
        (check_expression if word == "expression" else check_name)(value)
    except BadValueError as exc:
        raise BadValueError(f"{where}: {exc}") from None
    if word in {"role", "grantee"} and value == "none":
        raise BadValueError(f"{where}: PostgreSQL has no role of the name none")
    if word == "role" and value == "public":
        raise BadValueError(f"{where}: public is everyone, anonymous callers included; name a role")


def _choice(words: Sequence[str]) -> ArgumentType:
    """One of a few words, which a template may print as keywords."""

    def accept(value: Value, where: str) -> Value:
        if isinstance(value, str) and value in words:
            return value
        near = nearest(value.lower(), words) if isinstance(value, str) else None
        meant = f"; did you mean {near}?" if near else ""
        shown = value if isinstance(value, str) and value else describe(value)
        raise BadValueError(f"{where} is {shown}, not one of {', '.join(words)}{meant}")

    return accept


def _list_of(accept_item: ArgumentType, *, filled: bool) -> ArgumentType:
    """Values of one type, none of them twice."""

    def accept(value: Value, where: str) -> Value:
        if not isinstance(value, list):
            raise BadValueError(f"{where} is {describe(value)}, not a list")
        if filled and not value:
            raise BadValueError(f"{where} is an empty list")
        items: list[Value] = []
        for index, item in enumerate(value):
            accepted = accept_item(item, f"{where}[{index}]")
            if accepted in items and not isinstance(accepted, dict):
                raise BadValueError(f"{where} names {item} twice")
            items.append(accepted)
        return items

    return accept


def _map_of(accept_key: ArgumentType, accept_item: ArgumentType) -> ArgumentType:
    """Values of one type under keys of another."""

    def accept(value: Value, where: str) -> Value:
        if not isinstance(value, dict):
            raise BadValueError(f"{where} is {describe(value)}, not a map ({{…}})")
        accepted: dict[str, Value] = {}
        for key, item in value.items():
            accept_key(key, f"a key of {where}")
            accepted[key] = accept_item(item, f"{where}[{key}]")
        return accepted

    return accept


def record(name: str, fields: Sequence[Parameter]) -> ArgumentType:
    """Return the type of a map with known keys.

    Args:
        name: what a template's declaration calls it.
        fields: what stands under the keys.
    """

    def accept(value: Value, where: str) -> Value:
        if not isinstance(value, dict):
            raise BadValueError(f"{where} is {describe(value)}, not a {name} ({{…}})")
        known = [field.name for field in fields]
        for key in value:
            if key not in known:
                raise BadValueError(f"{where} has no {key}{near_miss(key, known)}")
        return {field.name: accept_field(field, value.get(field.name), where) for field in fields}

    def accept_field(field: Parameter, value: Value, where: str) -> Value:
        if value is not None:
            return field.accept(value, f"{where}.{field.name}")
        if field.required:
            raise BadValueError(f"{where} lacks {field.name}: {field.doc}")
        return field.default

    return accept


def parse_type(text: str, records: Mapping[str, ArgumentType]) -> ArgumentType:
    """Read a type as a template declares it.

    Args:
        text: such as `map of role to non-empty list of select|insert`.
        records: the record types of the template, by name.

    Raises:
        DeclarationError: the text is not a type.
    """
    text = text.strip()
    if text in {"name", "role", "grantee", "text", "expression", "integer", "boolean"}:
        return _scalar(text)
    if _CHOICE.match(text):
        return _choice(text.split("|"))
    if text in records:
        return records[text]
    if match := re.match(r"(non-empty )?list of (.+)\Z", text):
        return _list_of(parse_type(match[2], records), filled=match[1] is not None)
    if match := re.match(r"map of (\S+) to (.+)\Z", text):
        return _map_of(parse_type(match[1], records), parse_type(match[2], records))
    raise DeclarationError(
        f"{text!r} is not a type (name, role, grantee, text, expression, integer, boolean, a|b, "
        "a record, [non-empty] list of …, map of … to …)"
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
