"""The key queries of the planner: each by its index, at a hundred thousand rows."""

import pytest

from systems.plans import is_broken, nodes, queries_of

from .world import OURS

FILES = queries_of(OURS)


def check(db, name):
    """Load the rows of a query file and ask it; the shortest of three runs counts."""
    file = FILES[name]
    assert file.said["rows"] in file.load
    db.rows(file.load)

    runs = [db.value(f"explain (analyze, format json) {file.text}")[0] for _ in range(3)]
    took_ms = min(run["Execution Time"] for run in runs)
    found = list(nodes(runs[-1]["Plan"]))

    assert db.rows(file.text)
    assert [plan for plan in file.plans if is_broken(found, plan)] == []
    assert took_ms < float(file.said["time"].removesuffix("ms"))


@pytest.mark.parametrize("name", FILES)
def test_query_gets_its_plan(monthly_planner, name):
    check(monthly_planner, name)


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
@pytest.mark.parametrize("name", ["plan_of_month", "quota_take"])
def test_plan_is_missed_without_its_index(monthly_planner, name):
    (index,) = FILES[name].indexes
    table = monthly_planner.value(
        "select tablename from pg_indexes where schemaname = 'public' and indexname = %s", index
    )
    drop = f"drop constraint {index}" if index.endswith("_unique") else None
    monthly_planner.rows(f"alter table public.{table} {drop}" if drop else f"drop index {index}")

    with pytest.raises(AssertionError):
        check(monthly_planner, name)


def test_every_reference_has_an_index_that_begins_with_it(monthly_planner):
    assert (
        monthly_planner.rows(
            "select conname from pg_constraint as c where contype = 'f' "
            "and connamespace = 'public'::regnamespace and not exists ("
            "select from pg_index as i where i.indrelid = c.conrelid and i.indisvalid "
            "and i.indpred is null and i.indkey[0] = c.conkey[1])"
        )
        == []
    )
    assert monthly_planner.value("select count(*) from pg_constraint where contype = 'f'") == 8
