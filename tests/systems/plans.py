"""What the tests of queries/ share: a plan's nodes, and whether it is what a `plan` line says."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

Node = dict[str, Any]


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
