"""The key queries: the document's plans, at the number of rows it speaks of."""

import pytest

from systems.plans import is_broken, nodes, queries_of

from .world import OURS

FILES = queries_of(OURS)
OF_THE_DOCUMENT = ("job_claim", "projects_active")


def explain(db, query):
    """The plan of a query, and the shortest of three runs in milliseconds."""
    runs = [db.value(f"explain (analyze, format json) {query}")[0] for _ in range(3)]
    return list(nodes(runs[-1]["Plan"])), min(run["Execution Time"] for run in runs)


def check(db, name):
    """Load the rows of a query file, then ask it as the owner and as its user."""
    file, query = FILES[name], FILES[name].text
    assert file.said["rows"] in file.load
    db.rows(file.load)

    answers = [(explain(db, query), db.rows(query))]
    with db.acting_as(file.actor) if file.actor else db.acting("service_role"):
        answers.append((explain(db, query), db.rows(query)))

    (owners, rows), (callers, same_rows) = answers
    assert rows
    assert sorted(map(str, same_rows)) == sorted(map(str, rows))
    for found, took_ms in (owners, callers):
        assert [plan for plan in file.plans if is_broken(found, plan)] == []
        assert took_ms < float(file.said["time"].removesuffix("ms"))


@pytest.mark.parametrize("name", OF_THE_DOCUMENT)
def test_query_of_the_document(coding_sessions, name):
    check(coding_sessions, name)


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
@pytest.mark.parametrize("name", [name for name in FILES if name not in OF_THE_DOCUMENT])
def test_other_key_query(coding_sessions, name):
    check(coding_sessions, name)


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("projects_active", "projects_user_id_idx"),
        ("job_claim", "coding_jobs_status_priority_idx"),
    ],
)
def test_plan_is_missed_without_its_index(coding_sessions, name, index):
    coding_sessions.rows(f"drop index public.{index}")

    with pytest.raises(AssertionError):
        check(coding_sessions, name)
