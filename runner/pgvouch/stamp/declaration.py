"""The comment at the head of a template that says what it takes. No I/O.

One declaration per family, in NAME.sql.j2, in TOML (https://toml.io/en/v1.0.0):

    {#- pgvouch
    doc = "what it stamps"
    sample = 'name(table="projects")'
    [arguments]
    table = { type = "name", doc = "the table" }
    -#}
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import Any

from pgvouch.errors import Place, StampError
from pgvouch.stamp.arguments import (
    ArgumentType,
    DeclarationError,
    Parameter,
    describe,
    near_miss,
    parse_type,
    record,
)
from pgvouch.stamp.call import Call, SourceLine, Value, parse_call
from pgvouch.stamp.quoting import BadValueError

_HEADER = re.compile(r"\A\ufeff?\{#-?[ \t]*pgvouch[ \t]*\r?\n(?P<toml>.*?)-?#\}", re.DOTALL)
_TOML_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")
_KEYS = {"doc", "sample", "arguments", "records"}
_PARAMETER_KEYS = {"type", "doc", "default", "optional"}


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a template family takes."""

    doc: str
    sample: Call
    sample_text: str
    parameters: tuple[Parameter, ...]

    def bind(self, call: Call) -> dict[str, Value]:
        """Return the value of every argument of a call, defaults filled in.

        Raises:
            StampError: an unknown, missing or wrong argument, each with its place.
        """
        known = [parameter.name for parameter in self.parameters]
        for argument in call.arguments.values():
            if argument.name not in known:
                raise StampError(
                    f"{call.template} takes no argument {argument.name}"
                    f"{near_miss(argument.name, known)}",
                    argument.place,
                    hint=f"`pgvouch stamp --list` shows the arguments of {call.template}",
                )
        return {parameter.name: _bind(parameter, call) for parameter in self.parameters}


def _bind(parameter: Parameter, call: Call) -> Value:
    argument = call.arguments.get(parameter.name)
    if argument is None:
        if parameter.required:
            raise StampError(
                f"{call.template} needs the argument {parameter.name}: {parameter.doc}",
                call.place,
                hint=f"add {parameter.name}=… ({parameter.type})",
            )
        return parameter.default
    if argument.value is None and not parameter.required:
        return parameter.default
    try:
        return parameter.accept(argument.value, parameter.name)
    except BadValueError as exc:
        raise StampError(
            str(exc), argument.place, hint=f"{parameter.name} is: {parameter.type}"
        ) from None


def parse_declaration(source: str, path: Path) -> Declaration:
    """Read the declaration of a template.

    Args:
        source: the whole template.
        path: its file.

    Raises:
        StampError: there is none, or it cannot be understood.
    """
    match = _HEADER.match(source)
    if match is None:
        raise StampError(
            "the template does not declare its arguments",
            Place(path, 1),
            hint="begin the file with {#- pgvouch, a doc = \"…\" line, a sample = '…' line and "
            "[arguments] in TOML, and -#}",
        )
    try:
        return _declaration(tomllib.loads(match["toml"].replace("\r\n", "\n")), path)
    except tomllib.TOMLDecodeError as exc:
        at = _TOML_LINE.search(str(exc))
        line = int(at[1]) + 1 if at else None
        raise StampError(f"the declaration is not TOML: {exc}", Place(path, line)) from None
    except DeclarationError as exc:
        raise StampError(f"the declaration: {exc}", Place(path, 1)) from None


def _declaration(toml: Mapping[str, Any], path: Path) -> Declaration:
    _refuse_unknown(toml, _KEYS, "the declaration")
    records: dict[str, ArgumentType] = {}
    for name, fields in _table(toml, "records").items():
        records[name] = record(name, _parameters(fields, records))
    sample_text = _text(toml, "sample")
    lines = iter([SourceLine(sample_text, 1, 1)])
    return Declaration(
        doc=_text(toml, "doc"),
        sample=parse_call(lines, path),
        sample_text=sample_text,
        parameters=_parameters(_table(toml, "arguments"), records),
    )


def _parameters(
    table: Mapping[str, Any], records: Mapping[str, ArgumentType]
) -> tuple[Parameter, ...]:
    return tuple(_parameter(name, declared, records) for name, declared in table.items())


def _parameter(name: str, declared: object, records: Mapping[str, ArgumentType]) -> Parameter:
    if not isinstance(declared, dict):
        raise DeclarationError(f'{name} is not {{ type = "…", doc = "…" }}')
    if iskeyword(name):
        raise DeclarationError(f"{name} is a word of Python, so no call can name it")
    _refuse_unknown(declared, _PARAMETER_KEYS, name)
    type_text = _text(declared, "type", name)
    accept = parse_type(type_text, records)
    default = declared.get("default")
    if default is not None:
        try:
            default = accept(default, f"the default of {name}")
        except BadValueError as exc:
            raise DeclarationError(str(exc)) from None
    optional = declared.get("optional", False)
    if not isinstance(optional, bool):
        raise DeclarationError(f"optional of {name} is {describe(optional)}, not true or false")
    required = default is None and not optional
    return Parameter(name, type_text, accept, _text(declared, "doc", name), required, default)


def _table(toml: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = toml.get(key, {})
    if not isinstance(table, dict):
        raise DeclarationError(f"{key} is not a table")
    return table


def _text(toml: Mapping[str, Any], key: str, where: str = "it") -> str:
    value = toml.get(key)
    if not isinstance(value, str) or not value.strip():
        raise DeclarationError(f"{where} lacks {key}, a text")
    return value


def _refuse_unknown(toml: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in toml:
        if key not in known:
            raise DeclarationError(
                f"{where} has an unknown key {key}{near_miss(key, sorted(known))}"
            )
