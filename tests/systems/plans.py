"""What the tests of queries/ share: a file's parts, a plan's nodes, and whether it is what a `plan` line says."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgvouch.errors import Place
from pgvouch.files.actors import Actor
from pgvouch.files.variables import fill

from .system import System

Node = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """A key query as its file has it, with the names of actors filled in."""

    said: dict[str, str]
    """What stands behind `time`, `rows`, `as` and, where a file holds them, `load`."""
    plans: list[str]
    load: str
    text: str
    actor: Actor | None

    @property
    def indexes(self) -> list[str]:
        """The indexes that it must use."""
        return [plan.removeprefix("index ") for plan in self.plans if plan.startswith("index ")]


def queries_of(system: System) -> dict[str, Query]:
    """The key queries of a system by their names."""
    return {file.stem: _read(system, file) for file in sorted(system.folder.glob("queries/*.sql"))}


def _read(system: System, file: Path) -> Query:
    actors = system.described().migrations[-1].actors
    parts = re.split(r"^-- (?:load|query):$", file.read_text(), flags=re.MULTILINE)
    said = dict(re.findall(r"^-- (time|rows|as|load): (.+)$", parts[0], re.MULTILINE))
    return Query(
        said,
        re.findall(r"^-- plan: (.+)$", parts[0], re.MULTILINE),
        fill("".join(parts[1:-1]), actors.values).text,
        fill(parts[-1], actors.values).text,
        actors.find(said["as"], Place(file)) if "as" in said else None,
    )


def nodes(plan: Node) -> Iterator[Node]:
    """All nodes of a plan, the outermost first."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def is_broken(found: Sequence[Node], wanted: str) -> bool:
    """Whether a plan is not what a file says, in the words of its `plan` lines."""
    if match := re.fullmatch(r"index (\w+)", wanted):
        return match[1] not in {node.get("Index Name") for node in found}
    if match := re.fullmatch(r"arbiter (\w+)", wanted):
        return found[0].get("Conflict Arbiter Indexes") != [match[1]]
    if match := re.fullmatch(r"no seq scan on (\w+)", wanted):
        return any(
            node["Node Type"] == "Seq Scan" and node["Relation Name"] == match[1] for node in found
        )
    assert wanted == "no sort"
    return any("Sort" in node["Node Type"] for node in found)
