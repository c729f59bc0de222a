"""The key queries: each by its index, at 10,000 to 20,000 rows, and alike before and after."""

import re
import secrets

import psycopg
import pytest

from systems.plans import is_broken, nodes

from .world import BEFORE, MOVE, SYSTEM, TABLES, Database, as_before, migrate

FILES = {file.stem: file for file in sorted((SYSTEM / "queries").glob("*.sql"))}
PARTS = {
    name: re.split(r"^-- (?:load|query):$", file.read_text(), flags=re.MULTILINE)
    for name, file in FILES.items()
}
PLANS = {
    name: re.findall(r"^-- plan: (.+)$", header, re.MULTILINE)
    for name, (header, _, _) in PARTS.items()
}
INDEXES = {
    name: [plan.removeprefix("index ") for plan in plans if plan.startswith("index ")]
    for name, plans in PLANS.items()
}


def shape(node):
    """What a plan does, without what it costs."""
    kept = {"Node Type", "Index Name", "Relation Name", "Sort Key", "Scan Direction", "Join Type"}
    return {key: value for key, value in node.items() if key in kept}


@pytest.fixture(scope="module")
def loaded(every_server):
    """The rows of all queries, the plans they got in public, and then the move."""
    name = f"feature_planner_{secrets.token_hex(6)}"
    with every_server.janitor(name):
        address = every_server.url(name)
        migrate(address, BEFORE)
        with psycopg.connect(address, autocommit=True) as connection:
            db = Database(connection)
            for _, load, _ in PARTS.values():
                db.rows(as_before(load))
            in_public = {name: explain(db, as_before(query)) for name, (*_, query) in PARTS.items()}
            migrate(address, MOVE)
            yield db, in_public


def explain(db, query):
    return list(nodes(db.value(f"explain (format json) {query}")[0]["Plan"]))


@pytest.mark.parametrize("name", FILES)
def test_query_gets_its_plan_and_the_same_as_before_the_move(loaded, name):
    db, in_public = loaded
    header, load, query = PARTS[name]
    said = dict(re.findall(r"^-- (time|rows): (.+)$", header, re.MULTILINE))
    assert said["rows"] in load

    found = explain(db, query)
    assert db.rows(query)
    assert PLANS[name]
    assert [plan for plan in PLANS[name] if is_broken(found, plan)] == []
    assert [shape(node) for node in found] == [shape(node) for node in in_public[name]]


@pytest.mark.parametrize("name", [name for name in FILES if INDEXES[name]])
def test_plan_is_missed_without_its_index(loaded, name):
    db, _ = loaded
    with db.connection.transaction(force_rollback=True):
        db.rows(f"drop index feature_planner.{INDEXES[name][0]}")
        found = explain(db, PARTS[name][2])
    assert [plan for plan in PLANS[name] if is_broken(found, plan)]


def test_rows_are_as_many_as_they_say(loaded):
    db, _ = loaded
    counts = {db.value(f"select count(*) from feature_planner.{table}") for table in TABLES}
    assert counts == {0, 1000, 10000, 20000}


def test_every_reference_has_an_index_that_begins_with_it(planner):
    assert (
        planner.rows(
            "select conname from pg_constraint as c where contype = 'f' "
            "and connamespace = 'feature_planner'::regnamespace and not exists ("
            "select from pg_index as i where i.indrelid = c.conrelid and i.indisvalid "
            "and i.indpred is null and i.indkey[0] = c.conkey[1])"
        )
        == []
    )
    assert planner.value("select count(*) from pg_constraint where contype = 'f'") == 9
