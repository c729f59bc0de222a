"""The key queries: each by its index, at 10,000 to 20,000 rows, and alike before and after."""

import secrets

import psycopg
import pytest

from systems.plans import is_broken, nodes, queries_of

from .world import BEFORE, MOVE, OURS, TABLES, Database, as_before, migrate

FILES = queries_of(OURS)


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
            for file in FILES.values():
                db.rows(as_before(file.load))
            in_public = {name: explain(db, as_before(file.text)) for name, file in FILES.items()}
            migrate(address, MOVE)
            yield db, in_public


def explain(db, query):
    return list(nodes(db.value(f"explain (format json) {query}")[0]["Plan"]))


@pytest.mark.parametrize("name", FILES)
def test_query_gets_its_plan_and_the_same_as_before_the_move(loaded, name):
    db, in_public = loaded
    file = FILES[name]
    assert file.said["rows"] in file.load

    found = explain(db, file.text)
    assert db.rows(file.text)
    assert file.plans
    assert [plan for plan in file.plans if is_broken(found, plan)] == []
    assert [shape(node) for node in found] == [shape(node) for node in in_public[name]]


@pytest.mark.parametrize("name", [name for name in FILES if FILES[name].indexes])
def test_plan_is_missed_without_its_index(loaded, name):
    db, _ = loaded
    with db.connection.transaction(force_rollback=True):
        db.rows(f"drop index feature_planner.{FILES[name].indexes[0]}")
        found = explain(db, FILES[name].text)
    assert [plan for plan in FILES[name].plans if is_broken(found, plan)]


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
