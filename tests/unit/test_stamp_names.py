"""Whatever the names, an expansion parses and names exactly them.

An expansion for odd names has to be the expansion for plain ones with the names exchanged in its
parse tree: then nothing was added, lost, cut, folded or taken for something else.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgast import parse

from pgvouch.errors import StampError
from pgvouch.files import promises
from pgvouch.stamp.quoting import visible
from pgvouch.stamp.templates import Target
from support.stamp_bench import distinct_names, stamp, stamp_values

COMMANDS = ["select", "insert", "update", "delete"]
COUNT = 18
ROOM = 63 - len("_updated_at_")


def _policies(n: list[str], commands: list[str]) -> dict[str, object]:
    return {
        "table": n[0],
        "schema": n[1],
        "role": n[2],
        "commands": commands,
        "names": dict(zip(commands, n[3:7], strict=False)),
        "beside": [n[7]],
    }


def _owner(n: list[str], commands: list[str]) -> dict[str, object]:
    return {**_policies(n, commands), "owner": n[8]}


def _owner_via(n: list[str], commands: list[str]) -> dict[str, object]:
    hop = {"table": n[9], "schema": n[10], "key": n[11], "column": n[12]}
    last = {"table": n[13], "schema": n[14], "key": n[15], "column": n[16], "owner": n[17]}
    return {**_policies(n, commands), "via": [hop, last], "own": n[8]}


def _service(n: list[str], commands: list[str]) -> dict[str, object]:
    return _policies(n, commands)


def _trigger(n: list[str], commands: list[str]) -> dict[str, object]:
    return {
        "table": n[0],
        "schema": n[1],
        "function": n[2],
        "function_schema": n[3],
        "column": n[4],
        "name": n[5],
    }


def _grants(n: list[str], commands: list[str]) -> dict[str, object]:
    return {
        "table": n[0],
        "schema": n[1],
        "to": {n[2]: commands, n[3]: ["references"]},
        "columns": {n[4]: {"update": [n[5], n[6]]}, n[3]: {"select": [n[7]]}},
        "revoke": ["public", n[8]],
    }


FAMILIES = {
    "owner_policies": _owner,
    "owner_via_policies": _owner_via,
    "service_policies": _service,
    "updated_at_trigger": _trigger,
    "grants": _grants,
}
PLACES = {
    "location",
    "stmt_location",
    "stmt_len",
    "rexpr_list_start",
    "rexpr_list_end",
    "list_start",
    "list_end",
}
PLAIN = [f"zz{chr(ord('a') + i)}zz" for i in range(COUNT)]


def tree(sql: str) -> dict[str, Any]:
    return MessageToDict(parse(sql), preserving_proto_field_name=True)


def exchanged(value: Any, names: Mapping[str, str]) -> Any:
    """The tree without its places, and with the plain names exchanged for the odd ones."""
    if isinstance(value, dict):
        return {key: exchanged(item, names) for key, item in value.items() if key not in PLACES}
    if isinstance(value, list):
        return [exchanged(item, names) for item in value]
    if isinstance(value, str):
        return in_one_pass(value, names)
    return value


def in_one_pass(text: str, names: dict[str, str]) -> str:
    """Exchange names for others: one after the other, an odd one could make up the next plain one."""
    if not names:
        return text
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return pattern.sub(lambda found: names[found[0]], text)


@pytest.mark.parametrize("part", list(Target))
@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    odd=distinct_names(COUNT),
    commands=st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=4, unique=True),
)
def test_an_expansion_names_exactly_its_names(
    family: str, part: Target, odd: list[str], commands: list[str]
) -> None:
    plain = stamp_values(family, part, FAMILIES[family](PLAIN, commands))
    found = stamp_values(family, part, FAMILIES[family](odd, commands))
    names = dict(zip(PLAIN, odd, strict=True))
    assert exchanged(tree(found), {}) == exchanged(tree(plain), names)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(odd=distinct_names(COUNT))
def test_no_name_adds_or_hides_a_check(family: str, odd: list[str]) -> None:
    path = Path("verify/001_a.sql")
    plain = promises.parse(
        stamp_values(family, Target.VERIFY, FAMILIES[family](PLAIN, COMMANDS)), path
    )
    found = promises.parse(
        stamp_values(family, Target.VERIFY, FAMILIES[family](odd, COMMANDS)), path
    )
    assert found.setup is None
    assert [check.kind for check in found.checks] == [check.kind for check in plain.checks]
    for check, other in zip(found.checks, plain.checks, strict=True):
        shown = {name: visible(strange) for name, strange in zip(PLAIN, odd, strict=True)}
        assert check.sentence == in_one_pass(other.sentence, shown).strip()


@settings(max_examples=25, deadline=None)
@given(odd=distinct_names(2, ROOM))
def test_names_that_are_made_from_the_table(odd: list[str]) -> None:
    table, owner = odd
    made = [f"{table}_{command}_own" for command in COMMANDS]
    values: dict[str, object] = {"table": table, "owner": owner, "commands": COMMANDS}
    created = tree(stamp_values("owner_policies", Target.MIGRATION, values))["stmts"]
    assert [s["stmt"]["create_policy_stmt"]["policy_name"] for s in created] == made
    dropped = tree(stamp_values("owner_policies", Target.ROLLBACK, values))["stmts"]
    assert [
        s["stmt"]["drop_stmt"]["objects"][0]["list"]["items"][-1]["string"]["sval"] for s in dropped
    ] == made[::-1]


def test_a_made_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(StampError) as caught:
        stamp(f'owner_policies(table="{"x" * 60}", owner="a", commands=["select"])')
    assert "is 71 bytes long; PostgreSQL would cut it to 63" in caught.value.message
