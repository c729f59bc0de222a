"""Errors and findings for those who show them beside the code: GitHub's annotations, and SARIF.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands,
https://docs.oasis-open.org/sarif/sarif/v2.1.0.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgvouch import __version__
from pgvouch.cli.output import visible
from pgvouch.errors import Place, RefusedError, VouchError

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_IN_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_DATA, ":": "%3A", ",": "%2C"}


@dataclass(frozen=True, slots=True)
class Annotation:
    """Something to be shown at a place."""

    level: str
    """`error` or `warning`."""
    kind: str
    """As `kind` of an error."""
    lines: tuple[str, ...]
    """The first one says what it is."""
    place: Place | None = None


def of_error(error: VouchError) -> list[Annotation]:
    """Return an error as annotations: one, or one for each that it holds."""
    if isinstance(error, RefusedError):
        return [found for each in error.errors for found in of_error(each)]
    lines = [error.message]
    if error.server and error.server.primary not in error.message:
        lines.append(f"{error.server.sqlstate}: {error.server.primary}")
    lines += [*error.notes, *filter(None, (error.state, error.hint))]
    return [Annotation("error", error.kind, tuple(lines), error.place)]


def of_warning(message: str, place: Place | None) -> Annotation:
    """Return what is allowed in a file and hardly meant."""
    return Annotation("warning", "file", (message,), place)


def github(found: Annotation, environment: Mapping[str, str]) -> str:
    """Return the workflow command that shows it."""
    properties = {}
    if found.place:
        properties["file"] = str(_relative(found.place.path, environment))
        if found.place.line:
            properties["line"] = str(found.place.line)
        if found.place.line and found.place.column:
            properties["col"] = str(found.place.column)
    properties["title"] = f"pgvouch: {found.kind}"
    text = "\n".join(found.lines)
    told = ",".join(f"{key}={_escaped(value, _IN_PROPERTY)}" for key, value in properties.items())
    return f"::{found.level} {told}::{_escaped(text, _IN_DATA)}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    shown = "".join(escapes.get(character, character) for character in text)
    return visible(shown)


def _relative(path: Path, environment: Mapping[str, str]) -> Path:
    """Return a path from where GitHub looks, or else from here; one outside stays whole."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - a link stays what it is
    for root in (environment.get("GITHUB_WORKSPACE"), os.getcwd()):  # noqa: PTH109
        if root and whole.is_relative_to(root):
            return whole.relative_to(root)
    return whole


def sarif(found: Sequence[Annotation], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return all of them as one SARIF document.

    A result has to have a place, or GitHub refuses the document: what has none, such as a server
    that does not answer, is a notification of the run.
    """
    placed = [one for one in found if one.place]
    loose = [one for one in found if not one.place]
    rules = sorted({one.kind for one in found})
    invocation: dict[str, Any] = {
        "executionSuccessful": not any(one.level == "error" for one in loose)
    }
    if loose:
        invocation["toolExecutionNotifications"] = [
            {"descriptor": {"id": _id(one.kind)}, "level": one.level, "message": _message(one)}
            for one in loose
        ]
    driver = {
        "name": "pgvouch",
        "semanticVersion": __version__,
        "rules": [{"id": _id(rule), "name": rule} for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(one, rules, environment) for one in placed],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(
    found: Annotation, rules: Sequence[str], environment: Mapping[str, str]
) -> dict[str, Any]:
    assert found.place is not None
    path = _relative(found.place.path, environment)
    from urllib.parse import quote

    location: dict[str, Any] = {
        "artifactLocation": {"uri": path.as_uri()}
        if path.is_absolute()
        else {"uri": quote(os.fsencode(path)), "uriBaseId": "%SRCROOT%"}
    }
    if found.place.line:
        location["region"] = {"startLine": found.place.line}
        if found.place.column:
            location["region"]["startColumn"] = found.place.column
    return {
        "ruleId": _id(found.kind),
        "ruleIndex": rules.index(found.kind),
        "level": found.level,
        "message": _message(found),
        "locations": [{"physicalLocation": location}],
    }


def _id(kind: str) -> str:
    return f"pgvouch/{kind.replace(' ', '-')}"


def _message(found: Annotation) -> dict[str, str]:
    return {"text": "\n".join(map(visible, found.lines))}
