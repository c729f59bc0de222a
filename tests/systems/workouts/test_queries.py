"""The key queries at a thousand users and a million sets: each by its index."""

import psycopg
import pytest

from systems.plans import is_broken, nodes, queries_of

from .test_calendar import OF_THE_DESIGN
from .world import ASKING, OURS, SYSTEM, Database, statement

# Loading a million sets takes as long as everything else: once, on one server.
pytestmark = pytest.mark.parametrize("every_server", ["pg18"], indirect=True)

FILES = queries_of(OURS)
COUNTED = {
    "calendar_sessions": "workout_sets",
    "calendar_scheduled": "scheduled_workouts",
    "templates_shared": "workout_templates",
    "session_link": "scheduled_workouts",
    "export_history": "workout_sets",
}
"""Where the rows are that a file speaks of."""


@pytest.fixture(scope="module")
def full(every_server, template):
    """A database with the rows of the query files, loaded once for all workers of a test run."""
    with psycopg.connect(every_server.url("postgres"), autocommit=True) as alone:
        alone.execute("select pg_advisory_lock(1000000)")
        if not alone.execute("select from pg_database where datname = 'workouts_full'").fetchall():
            every_server.janitor("workouts_loading", template).init()
            load(every_server.url("workouts_loading"))
            alone.execute("alter database workouts_loading rename to workouts_full")
    with psycopg.connect(every_server.url("workouts_full"), autocommit=True) as connection:
        yield Database(connection)


def load(url):
    (rows,) = {file.said["load"] for file in FILES.values()}
    with psycopg.connect(url, autocommit=True) as connection:
        # A million look-ups of a parent that is there take as long as all the rest.
        connection.execute("set session_replication_role = replica")
        connection.execute((SYSTEM / "queries" / rows).read_text())


@pytest.fixture
def realistic(full):
    """The same in a transaction that is taken back, one test at a time."""
    with full.connection.transaction(force_rollback=True):
        full.rows("select pg_advisory_xact_lock(1000001)")
        yield full


def plan_of(db, query, *values):
    """The nodes of a query's plan, run to its end."""
    with db.connection.transaction(force_rollback=True):
        plan = db.value(f"explain (analyze, costs off, timing off, format json) {query}", *values)
    return list(nodes(plan[0]["Plan"]))


def broken(db, name):
    """The lines of a file that its plan does not keep."""
    found = plan_of(db, statement(name))
    assert FILES[name].plans
    return [line for line in FILES[name].plans if is_broken(found, line)]


@pytest.mark.parametrize("name", FILES)
def test_query_gets_its_plan_and_finds_something(realistic, name):
    rows = int(FILES[name].said["rows"])
    assert realistic.value(f"select count(*) from public.{COUNTED[name]}") == rows
    assert broken(realistic, name) == []

    answer = realistic.rows(statement(name))
    if name == "export_history":
        answer = realistic.rows("fetch 500 from export_cursor")
        assert len(answer) == 500
    assert answer


@pytest.mark.parametrize(
    ("name", "index"), [(name, index) for name in FILES for index in FILES[name].indexes]
)
def test_plan_is_missed_without_its_index(realistic, name, index):
    if index.endswith("_pkey"):
        realistic.rows(f"alter table public.{COUNTED[name]} drop constraint {index}")
    else:
        realistic.rows(f"drop index public.{index}")

    assert f"index {index}" in broken(realistic, name)


def conditions(found, table):
    """What the plan asks of the indexes of a table, and what it asks of each row it has read."""
    scans = [
        node
        for node in found
        if node.get("Relation Name", table) == table and "started_at" in str(node)
    ]
    asked = " ".join(node.get("Index Cond", "") for node in scans)
    return asked, " ".join(node.get("Filter", "") for node in scans)


def test_the_range_is_asked_of_the_index_and_a_cast_of_every_row(realistic):
    asked, filtered = conditions(
        plan_of(realistic, statement("calendar_sessions")), "workout_sessions"
    )
    assert "started_at" in asked
    assert "started_at" not in filtered

    days = (ASKING, "2025-03-01", "2025-03-31")
    asked, filtered = conditions(plan_of(realistic, OF_THE_DESIGN, *days), "workout_sessions")
    assert "started_at" not in asked
    assert "started_at" in filtered
    ours = [row[:5] for row in realistic.rows(statement("calendar_sessions"))]
    assert ours == sorted((r[:5] for r in realistic.rows(OF_THE_DESIGN, *days)), key=lambda r: r[3])


def test_shared_list_has_an_index_of_the_design_without_ours(realistic):
    realistic.rows("drop index public.idx_templates_shared")
    used = {node.get("Index Name") for node in plan_of(realistic, statement("templates_shared"))}
    assert used & {"idx_templates_user_id", "idx_templates_visibility"}


def test_export_reads_what_it_gives_and_not_the_rest(realistic):
    found = plan_of(realistic, statement("export_history"))
    (read,) = [n for n in found if n.get("Index Name") == "idx_sets_session_exercise_id"]
    realistic.rows(statement("export_history"))
    pages = []
    while page := realistic.rows("fetch 500 from export_cursor"):
        pages.append(len(page))
    assert pages == [500, 440]
    assert read["Actual Rows"] * read["Actual Loops"] == sum(pages)
