"""What the tables hold and refuse where they are now, as those who write meet it."""

import psycopg
import pytest
from psycopg import errors

from .world import TABLES

REFERENCES = [
    ("feature_plans", "user_id", "users"),
    ("feature_refinements", "plan_id", "feature_plans"),
    ("file_discovery_sessions", "plan_id", "feature_plans"),
    ("discovered_files", "discovery_session_id", "file_discovery_sessions"),
    ("implementation_plan_generations", "plan_id", "feature_plans"),
    ("plan_steps", "plan_generation_id", "implementation_plan_generations"),
    ("plan_step_templates", "user_id", "users"),
    ("plan_execution_logs", "plan_id", "feature_plans"),
]
NOBODY = "00000000-0000-4000-8000-000000000000"


def test_references_lead_somewhere_and_take_along(planner, ann, bob):
    for table, column, parent in REFERENCES:
        schema = "public" if parent == "users" else "feature_planner"
        with planner.refused(errors.ForeignKeyViolation):
            planner.rows(f"update feature_planner.{table} set {column} = %s", NOBODY)
        parents = ann.id if parent == "users" else ann.rows[parent]
        with planner.connection.transaction(force_rollback=True):
            assert planner.changed(f"delete from {schema}.{parent} where id = %s", parents) == 1
            assert planner.rows(f"select id from feature_planner.{table}") == [(bob.rows[table],)]


def test_a_user_whom_a_file_names_stays_until_the_name_is_taken_out(planner, ann, bob):
    planner.rows(
        "update feature_planner.discovered_files set added_by_user_id = %s where id = %s",
        bob.id,
        ann.rows["discovered_files"],
    )
    with planner.refused(errors.ForeignKeyViolation):
        planner.rows("delete from public.users where id = %s", bob.id)
    planner.rows("update feature_planner.discovered_files set added_by_user_id = null")
    assert planner.changed("delete from public.users where id = %s", bob.id) == 1
    for table in TABLES:
        assert planner.rows(f"select id from feature_planner.{table}") == [(ann.rows[table],)]


def test_an_update_is_dated(planner, ann):
    for table in ("feature_plans", "plan_steps", "plan_step_templates"):
        planner.rows(f"update feature_planner.{table} set updated_at = '2000-01-01'")

        assert planner.value(
            f"select updated_at between localtimestamp - interval '1 minute' and localtimestamp "
            f"from feature_planner.{table}"
        )


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
def test_conditions_hold_and_let_empty_through(planner, ann):
    checks = planner.rows(
        "select conrelid::regclass::text, a.attname, pg_get_constraintdef(c.oid) "
        "from pg_constraint as c cross join unnest(conkey) as k(attnum) "
        "join pg_attribute as a on a.attrelid = conrelid and a.attnum = k.attnum "
        "where contype = 'c' and connamespace = 'feature_planner'::regnamespace"
    )
    assert len(checks) == 44
    for table, column, definition in checks:
        bad = {"original_request": "\t\n", "end_time": "1999-01-01", "start_time": "infinity"}.get(
            column, -1
        )
        if column in {"end_time", "start_time"}:
            planner.rows(f"update {table} set end_time = '2026-01-05 08:00'")
        with planner.refused(errors.CheckViolation):
            planner.rows(f"update {table} set {column} = %s", bad)
        if f"{column} IS NULL" in definition:
            assert planner.changed(f"update {table} set {column} = null") == 1


def test_soft_links_may_lead_nowhere(planner, ann):
    links = planner.rows(
        "select objoid::regclass::text, attname from pg_description "
        "join pg_attribute on attrelid = objoid and attnum = objsubid "
        "where description like 'In %%; no foreign key.'"
    )
    assert len(links) == 6
    for table, column in links:
        assert planner.changed(f"update {table} set {column} = %s", NOBODY) == 1


def test_several_refine_a_plan_at_once_and_one_is_selected(address, planner, ann):
    """What the document tries by hand: refinements, files and plans side by side, then a choice."""
    plan, session, generation = (
        ann.rows[table]
        for table in (
            "feature_plans",
            "file_discovery_sessions",
            "implementation_plan_generations",
        )
    )
    refine = (
        "insert into feature_planner.feature_refinements "
        "(plan_id, agent_id, input_request, status) values (%s, %s, 'x', 'completed') returning id"
    )
    with psycopg.connect(address) as first, psycopg.connect(address) as second:
        ids = [one.execute(refine, [plan, agent]).fetchone() for one, agent in
               ((first, "agent-1"), (second, "agent-2"))]  # fmt: skip
        second.commit()
        first.commit()
    assert planner.value(
        "select count(*) from feature_planner.feature_refinements where plan_id = %s", plan
    ) == 3  # fmt: skip
    assert planner.changed(
        "update feature_planner.feature_plans set selected_refinement_id = %s, "
        "selected_discovery_session_id = %s, selected_plan_generation_id = %s, "
        "selected_files = %s where id = %s",
        ids[1][0], session, generation, '["a.ts"]', plan,
    ) == 1  # fmt: skip
    assert planner.changed("update feature_planner.discovered_files set is_selected = true") == 1
    assert (
        planner.changed(
            "update feature_planner.implementation_plan_generations set is_selected = true"
        )
        == 1
    )
    assert planner.rows(
        "select refinement.agent_id from feature_planner.feature_plans as plan "
        "join feature_planner.feature_refinements as refinement "
        "on refinement.id = plan.selected_refinement_id"
    ) == [("agent-2",)]
