"""What the planner makes of the stamped policies at 100,000 rows."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from conftest import Server
from support.stamp_bench import prepared, stamp

USERS = 10_000
CALLER = "00000000-0000-0000-0000-000000000007"
TABLES = f"""
create table projects (id uuid primary key default gen_random_uuid(), user_id uuid not null);
create table sessions (
  id uuid primary key default gen_random_uuid(), project_id uuid not null, user_id uuid not null
);
create table jobs (id uuid primary key default gen_random_uuid(), session_id uuid not null);
insert into projects (user_id)
  select lpad(to_hex(g % {USERS}), 32, '0')::uuid from generate_series(1, 100000) as g;
insert into sessions (project_id, user_id)
  select id, user_id from projects;
insert into jobs (session_id) select id from sessions;
create index projects_user_id_idx on projects (user_id);
create index sessions_project_id_idx on sessions (project_id);
create index sessions_user_id_idx on sessions (user_id);
create index jobs_session_id_idx on jobs (session_id);
alter table projects enable row level security;
alter table sessions enable row level security;
alter table jobs enable row level security;
grant select, insert, update, delete on projects, sessions, jobs to authenticated;
"""
OWN = 'owner_policies(table="{}", owner="user_id", commands=["select", "update", "delete"])'
ONE_HOP = (
    'owner_via_policies(table="jobs", commands=["select", "insert", "update", "delete"], via=['
    '{"table": "sessions", "column": "session_id", "owner": "user_id"}])'
)
TWO_HOPS = (
    'owner_via_policies(table="jobs", commands=["select"], via=['
    '{"table": "sessions", "column": "session_id"},'
    ' {"table": "projects", "column": "project_id", "owner": "user_id"}])'
)


@pytest.fixture(scope="module")
def big(every_server: Server) -> Iterator[str]:
    own = [stamp(OWN.format(table)) for table in ("projects", "sessions")]
    with prepared(every_server, TABLES, *own, "analyze projects, sessions, jobs") as url:
        yield url


@pytest.fixture
def caller(big: str) -> Iterator[psycopg.Connection]:
    """A connection that acts as one of ten thousand users."""
    with psycopg.connect(big) as connection:
        act(connection)
        yield connection
        connection.rollback()


def act(connection: psycopg.Connection, user: str = CALLER) -> None:
    connection.execute(
        "select set_config('request.jwt.claims', %s, true)",
        [json.dumps({"sub": user, "role": "authenticated"})],
    )
    connection.execute("set local role authenticated")


def restamp(connection: psycopg.Connection, line: str) -> None:
    connection.execute("reset role")
    connection.execute(stamp(line).encode())
    act(connection)


def plan(connection: psycopg.Connection, query: str) -> list[dict[str, Any]]:
    """The nodes of the plan of a query that is really run, outermost first."""
    row = connection.execute(f"explain (analyze, buffers, format json) {query}".encode()).fetchone()
    assert row is not None
    nodes: list[dict[str, Any]] = []

    def walk(node: dict[str, Any]) -> None:
        nodes.append(node)
        for inner in node.get("Plans", []):
            walk(inner)

    walk(row[0][0]["Plan"])
    return nodes


def scans(nodes: list[dict[str, Any]], table: str) -> set[str]:
    """How a table, or an index of it, is read."""
    return {
        node["Node Type"]
        for node in nodes
        if node.get("Relation Name") == table or str(node.get("Index Name", "")).startswith(table)
    }


def initplans(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [node for node in nodes if node.get("Parent Relationship") == "InitPlan"]


def buffers(nodes: list[dict[str, Any]]) -> int:
    return int(nodes[0]["Shared Hit Blocks"] + nodes[0]["Shared Read Blocks"])


@pytest.mark.parametrize("command", ["select * from", "delete from", "update"])
def test_the_owner_is_found_by_index_and_auth_uid_runs_once(
    caller: psycopg.Connection, command: str
) -> None:
    query = f"{command} projects" + (" set user_id = user_id" if command == "update" else "")
    nodes = plan(caller, query)
    assert "Seq Scan" not in scans(nodes, "projects")
    assert initplans(nodes)
    assert all(node["Actual Loops"] <= 1 for node in initplans(nodes))
    [scan] = [n for n in nodes if n.get("Relation Name") == "projects" and "Scan" in n["Node Type"]]
    assert scan["Actual Rows"] == 10


def test_a_call_without_select_would_run_for_every_row(caller: psycopg.Connection) -> None:
    """What the stamped form is for: the same policy with a bare auth.uid() has no InitPlan."""
    caller.execute("reset role")
    caller.execute("alter policy projects_select_own on projects using (user_id = auth.uid())")
    act(caller)
    assert initplans(plan(caller, "select * from projects")) == []


def test_one_hop_starts_from_the_callers_rows(caller: psycopg.Connection) -> None:
    restamp(caller, ONE_HOP)
    nodes = plan(caller, "select * from jobs")
    assert "Seq Scan" not in scans(nodes, "jobs") | scans(nodes, "sessions")
    assert scans(nodes, "jobs_session_id_idx")
    assert nodes[0]["Actual Rows"] == 10
    assert all(node["Actual Loops"] <= 1 for node in initplans(nodes))
    assert buffers(nodes) < 100


def test_two_hops_start_from_the_callers_rows(caller: psycopg.Connection) -> None:
    restamp(caller, TWO_HOPS)
    nodes = plan(caller, "select * from jobs")
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}
    assert scans(nodes, "jobs_session_id_idx")
    assert nodes[0]["Actual Rows"] == 10


def test_two_hops_without_policies_of_their_own(caller: psycopg.Connection) -> None:
    caller.execute("reset role")
    caller.execute("alter table sessions disable row level security")
    caller.execute("alter table projects disable row level security")
    restamp(caller, TWO_HOPS)
    nodes = plan(caller, "select * from jobs")
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}
    for index in ("projects_user_id_idx", "sessions_project_id_idx", "jobs_session_id_idx"):
        assert scans(nodes, index), index
    assert nodes[0]["Actual Rows"] == 10


def test_in_would_read_the_whole_table(caller: psycopg.Connection) -> None:
    """Why it is `= any (array (…))`: `in (…)` becomes a filter over every row of everybody."""
    restamp(caller, ONE_HOP)
    stamped = buffers(plan(caller, "select * from jobs"))
    caller.execute("reset role")
    caller.execute(
        "alter policy jobs_select_own on jobs using (session_id in ("
        "select s.id from sessions as s where s.user_id = (select auth.uid())))"
    )
    act(caller)
    nodes = plan(caller, "select * from jobs")
    assert scans(nodes, "jobs") == {"Seq Scan"}
    assert buffers(nodes) > 10 * stamped


def test_a_query_with_its_own_condition_still_uses_its_index(caller: psycopg.Connection) -> None:
    restamp(caller, ONE_HOP)
    nodes = plan(caller, "select * from jobs where session_id = (select id from sessions limit 1)")
    assert "Seq Scan" not in scans(nodes, "jobs")
    assert nodes[0]["Actual Rows"] == 1


def test_a_caller_with_thousands_of_parents_is_still_served(caller: psycopg.Connection) -> None:
    caller.execute("reset role")
    caller.execute(
        "insert into sessions (project_id, user_id) select gen_random_uuid(), %s::uuid"
        " from generate_series(1, 2000)",
        [CALLER],
    )
    caller.execute(
        "insert into jobs (session_id) select id from sessions where user_id = %s", [CALLER]
    )
    caller.execute("analyze sessions, jobs")
    restamp(caller, ONE_HOP)
    nodes = plan(caller, "select count(*) from jobs")
    assert "Seq Scan" not in scans(nodes, "jobs")
    assert nodes[0]["Actual Total Time"] < 100
