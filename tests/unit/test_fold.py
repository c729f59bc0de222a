"""The fold of deltas gives the catalog's lines, whatever stands in them; and what differs is named."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvouch.delta.fold import Deed, Difference, Fold
from pgvouch.delta.snapshot import Snapshot, difference

NAMES = ("t", "t2", '"a (was: b)"', '"x y"', '"it\'s"', '"q""(was: ""r"')
KINDS = ("table", "column", "comment on column", "grant on table", "policy")
DEFINITIONS = (
    "",
    "nothing of note",
    "text",
    "text not null",
    "'said (was: so)'",
    "'it''s' (was: it)'",
    "(a) (was: (b))",
    "(was: )",
    "with (note='x)",
    "x (was: nothing of note)",
)
CATALOGS = st.lists(
    st.dictionaries(
        st.builds(
            lambda kind, names: f"{kind} {'.'.join(names)}{':' * kind.startswith('grant')}",
            st.sampled_from(KINDS),
            st.lists(st.sampled_from(NAMES), min_size=1, max_size=2),
        ),
        st.sampled_from(DEFINITIONS),
        max_size=12,
    ),
    min_size=2,
    max_size=6,
)


def fold_of(*deltas: Sequence[str] | None) -> Fold:
    return Fold.of(
        Deed(f"{number:03}", None if delta is None else tuple(delta))
        for number, delta in enumerate(deltas, start=1)
    )


def catalog(**objects: str) -> dict[str, str]:
    """Lines with the identities of their objects."""
    return {f"{name} {text}" if text else name: name for name, text in objects.items()}


@given(CATALOGS)
def test_the_fold_of_all_deltas_is_the_catalog(found: list[dict[str, str]]) -> None:
    snapshots = [Snapshot({"": objects}) for objects in ({}, *found)]
    fold = Fold()
    for number, (before, after) in enumerate(pairwise(snapshots)):
        fold.add(Deed(str(number), difference(before, after)))
        assert fold.lines == after.lines()


def test_what_was_there_before_the_first_delta_can_change_and_go() -> None:
    fold = fold_of(
        ["~ comment on schema public 'new (was: x)' (was: 'standard public schema')"],
        ["- extension plpgsql schema pg_catalog", "+ table public.t (a)"],
        ["~ comment on schema public 'newer' (was: 'new (was: x)')"],
    )
    assert fold.lines == ("comment on schema public 'newer'", "table public.t (a)")


def test_rows_that_were_written_are_no_shape() -> None:
    assert fold_of(["+ table public.t (a)", "~ rows public.t"]).lines == ("table public.t (a)",)


FOLD = fold_of(
    ["+ table t (a)", "+ column t.a integer", "+ table u (b)", "+ rls t enabled"],
    ["~ table t (a, b) (was: (a))", "- rls t enabled"],
)


def test_nothing_differs() -> None:
    there = {"table t": "(a, b)", "column t.a": "integer", "table u": "(b)"}
    fresh = {"schema public": "", "extension plpgsql": "schema pg_catalog"}
    compared = FOLD.compare(catalog(**there, **fresh))
    assert compared == FOLD.compare(catalog(**there))
    assert not (compared.differing or compared.unjudged or compared.unpromised)


def test_missing_changed_back_again_and_promised_by_no_one() -> None:
    there = {"table t": "(a)", "column t.a": "integer", "rls t": "forced", "table t2": "(a)"}
    compared = FOLD.compare(catalog(**there))
    assert compared.differing == (
        Difference("002", None, "rls t forced", "rls t"),
        Difference("002", "table t (a, b)", "table t (a)", "table t"),
        Difference("001", "table u (b)", None),
    )
    assert compared.unpromised == ("table t2 (a)",)


def test_what_a_later_migration_without_a_delta_may_have_done_is_not_judged() -> None:
    fold = fold_of(["+ table t (a)", "+ table u (b)"], None, ["+ table w (c)"])
    compared = fold.compare(catalog(**{"table t": "(a, b)", "table u": "(b)"}))
    assert compared.without_delta == ("002",)
    assert compared.unjudged == (Difference("001", "table t (a)", "table t (a, b)", "table t"),)
    assert compared.differing == (Difference("003", "table w (c)", None),)


def test_what_was_provided_is_there_in_any_shape() -> None:
    provided = ["+ table auth.users (id)", "+ schema auth", "+ column auth.users.id uuid"]
    there = {"schema auth": "", "table auth.users": "(id, more)", "table auth.other": "()"}
    assert Fold().compare(catalog(**there), [provided]).unpromised == ("table auth.other ()",)


@pytest.mark.parametrize(
    ("definition", "differs"),
    [("as 'secret'", False), ("as 'other'", False), ("of 'secret'", True), ("as 'secret", True)],
)
def test_the_value_of_a_variable_may_be_any(definition: str, differs: bool) -> None:
    fold = fold_of(["+ view v as '***'"])
    assert bool(fold.compare(catalog(**{"view v": definition})).differing) == differs


def test_a_line_that_hides_a_value_can_be_changed_and_removed() -> None:
    assert fold_of(["+ view v as '***'"], ["- view v as 'secret'"]).lines == ()
    changed = fold_of(["+ view v as '***'"], ["~ view v as 'x' (was: as 'secret')"])
    assert changed.lines == ("view v as 'x'",)


def test_values_are_not_shown() -> None:
    fold = fold_of(["+ table t (a)"])
    compared = fold.compare(catalog(**{"table t": "(secret)", "table secret": ""}))
    told = str(compared.shown(lambda text: text.replace("secret", "***")))
    assert "secret" not in told
    assert told.count("***") == 2
