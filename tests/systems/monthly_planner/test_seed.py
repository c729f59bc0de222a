"""The planner's development data: two users with rows in every table, as often as one likes."""

import pytest

from .world import SEED, TABLES

CONTENT = " union all ".join(f"select '{t}', to_jsonb(t) from public.{t} as t" for t in TABLES)


@pytest.fixture
def seeded(monthly_planner):
    monthly_planner.rows(SEED.read_text())
    return monthly_planner


def test_each_user_has_rows_in_every_table(seeded):
    users = seeded.rows("select id, email from public.users order by email")
    assert [email for _, email in users] == ["dev@example.test", "second@example.test"]
    for user, _ in users:
        for table in TABLES[1:]:
            owned = (
                "plan_id in (select id from public.monthly_plans where user_id = %s)"
                if table == "plan_tasks"
                else "user_id = %s"
            )
            assert seeded.value(f"select count(*) > 0 from public.{table} where {owned}", user)


def test_all_rows_of_a_chain_are_one_users(seeded):
    assert seeded.value(
        "select bool_and(p.user_id = i.user_id and e.user_id = p.user_id) "
        "from public.monthly_plans as p "
        "join public.user_goals_and_preferences as i on i.id = p.preference_id "
        "join public.plan_tasks as t on t.plan_id = p.id "
        "join public.user_activity_history as e on e.task_id = t.id"
    )


def test_running_it_again_changes_nothing_and_takes_no_id(seeded):
    sequences = "select sequencename, last_value from pg_sequences where schemaname = 'public'"
    before = seeded.rows(CONTENT), seeded.rows(sequences)

    seeded.rows(SEED.read_text())

    assert (seeded.rows(CONTENT), seeded.rows(sequences)) == before


def test_it_leaves_other_rows_alone(monthly_planner, ann):
    before = set(map(str, monthly_planner.rows(CONTENT)))

    monthly_planner.rows(SEED.read_text())

    assert before <= set(map(str, monthly_planner.rows(CONTENT)))
    assert monthly_planner.value("select count(*) from public.users") == 3


def test_an_application_can_go_on_from_there(seeded):
    first = seeded.value("select max(id) from public.users")
    assert seeded.insert("users", name="Third", email="third@example.test") == first + 1
