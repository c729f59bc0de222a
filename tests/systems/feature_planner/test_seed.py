"""The development data: two users with rows in every table, as often as one likes."""

import pytest

from .world import ENUMS, SEED, TABLES

USERS = ("dev@example.test", "second@example.test")


@pytest.fixture
def seeded(planner):
    planner.rows(SEED.read_text())
    return planner


def test_each_user_has_rows_in_every_table(seeded):
    assert seeded.rows("select email from public.users order by 1") == [(user,) for user in USERS]
    for sub in ("user_dev_first", "user_dev_second"):
        with seeded.acting("authenticated", sub) as db:
            user = db.value("select feature_planner.caller_id()")
            for table in TABLES:
                own = "where user_id = %s" if table == "plan_step_templates" else "where %s <> ''"
                assert db.value(
                    f"select count(*) > 0 from feature_planner.{table} {own}", str(user)
                )


def test_most_values_of_the_enums_occur(seeded):
    found = set()
    for table in TABLES:
        for column, kind in seeded.rows(
            "select attname, typname from pg_attribute as a join pg_type as t on t.oid = atttypid "
            "where attrelid = %s::regclass and attnum > 0 and typtype = 'e'",
            f"feature_planner.{table}",
        ):
            values = seeded.rows(
                f"select distinct {column}::text from feature_planner.{table} "
                f"where {column} is not null"
            )
            found |= {(kind, value) for (value,) in values}
    assert {kind for kind, _ in found} == set(ENUMS)
    assert ("refinement_status", "cancelled") in found
    assert len({value for kind, value in found if kind == "file_priority"}) == 4


def test_what_a_plan_selects_is_its_own(seeded):
    assert seeded.rows(
        "select plan.id from feature_planner.feature_plans as plan "
        "left join feature_planner.feature_refinements as r on r.id = selected_refinement_id "
        "left join feature_planner.file_discovery_sessions as s "
        "on s.id = selected_discovery_session_id "
        "left join feature_planner.implementation_plan_generations as g "
        "on g.id = selected_plan_generation_id "
        "where (selected_refinement_id is not null and r.plan_id is distinct from plan.id) "
        "or (selected_discovery_session_id is not null and s.plan_id is distinct from plan.id) "
        "or (selected_plan_generation_id is not null and g.plan_id is distinct from plan.id)"
    ) == []  # fmt: skip
    assert seeded.value(
        "select count(*) = 1 from feature_planner.feature_plans "
        "where num_nulls(selected_refinement_id, selected_discovery_session_id, "
        "selected_plan_generation_id) = 0"
    )
    assert seeded.value(
        "select bool_and(total_files_found = critical_priority_count + high_priority_count "
        "+ medium_priority_count + low_priority_count "
        "and total_files_found = (select count(*) from feature_planner.discovered_files as f "
        "where f.discovery_session_id = s.id and not is_manually_added)) "
        "from feature_planner.file_discovery_sessions as s"
    )


def test_running_it_again_changes_nothing(seeded):
    before = seeded.contents("feature_planner")
    assert all(before.values())
    seeded.rows(SEED.read_text())
    assert seeded.contents("feature_planner") == before


def test_it_leaves_other_rows_alone(planner, ann):
    before = planner.contents("feature_planner")
    planner.rows(SEED.read_text())
    after = planner.contents("feature_planner")
    for table, rows in before.items():
        assert [row for row in after[table] if row in rows] == rows
        assert len(after[table]) > len(rows)
