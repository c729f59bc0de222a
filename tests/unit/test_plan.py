"""The plan is a pure function of files and ledger."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.errors import PlanError
from pgvouch.files.directives import Directives
from pgvouch.files.migration import Migration
from pgvouch.files.version import Version
from pgvouch.ledger.rows import Applied, State
from pgvouch.plan import build
from pgvouch.plan.drift import drift


def file(identifier: str, *depends: str) -> Migration:
    version = Version.of(identifier)
    assert version is not None
    name = f"{identifier}.sql"
    return Migration(identifier, version, Path(), name, "", identifier, Directives(depends=depends))


def row(identifier: str, order: int = 0, state: State = State.APPLIED) -> Applied:
    return Applied(identifier, state, identifier, order=order)


@given(st.sets(st.integers(0, 500), max_size=12), st.data())
def test_what_is_pending_is_what_is_not_applied_in_order(
    numbers: set[int], data: st.DataObject
) -> None:
    files = [file(f"{number:03}_x") for number in sorted(numbers)]
    count = data.draw(st.integers(0, len(files)))
    applied = [row(f.id, n) for n, f in enumerate(files[:count])]
    assert build.forward(files, applied).pending == tuple(files[count:])
    assert [r.id for r in build.backward(applied)] == [f.id for f in reversed(files[:count])]
    assert drift(files, applied) == []


@given(st.permutations(range(6)))
def test_dependencies_come_first_whatever_the_numbers(order: list[int]) -> None:
    names = [f"{number:03}_x" for number in order]
    files = sorted(
        (file(name, *names[position - 1 : position]) for position, name in enumerate(names)),
        key=lambda f: f.version,
    )
    assert [f.id for f in build.in_order(files)] == names


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("001_a", Version(1)),
        ("0010_a", Version(10)),
        ("20251107120000_a", Version(20251107120000)),
        ("20251107_02_Xyz12-a", Version(20251107, 2)),
        ("001_2024_report", Version(1)),
        ("_set/003_c", Version(3)),
        ("abc", None),
        ("12", None),
    ],
)
def test_versions(name: str, version: Version | None) -> None:
    assert Version.of(name) == version


def test_a_bare_number_means_the_database_s_own() -> None:
    files = [file("_set/001_p"), file("001_a"), file("010_b")]
    assert build.find(files, "1").id == "001_a"
    assert build.find(files, "001_p").id == "_set/001_p"
    with pytest.raises(PlanError, match="no migration 7"):
        build.find(files, "7")


def test_sets_have_orders_of_their_own() -> None:
    files = [file("_set/009_p"), file("001_a")]
    applied = [row("_set/009_p")]
    assert [m.id for m in build.forward(files, applied).pending] == ["001_a"]
