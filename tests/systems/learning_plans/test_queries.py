"""The key queries and their plans at 100,000 schedules, and how often the policies ask."""

import pytest

from systems.plans import is_broken, nodes, queries_of

from .world import OURS

FILES = queries_of(OURS)
ON_EVERY_SERVER = ("schedules_own", "schedule_upsert")
CALLERS_ONLY = ("schedules_own",)

AS_THE_DOCUMENT_WRITES_IT = """
alter policy plan_schedules_select_own on public.plan_schedules using (
  exists (
    select 1
    from public.learning_plans as plan
    where plan.id = plan_schedules.plan_id
      and plan.user_id in (
        select person.id
        from public.users as person
        where person.clerk_user_id = (select auth.jwt() ->> 'sub')
      )
  )
)
"""
PER_ROW = """
alter policy plan_schedules_select_own on public.plan_schedules using (
  auth.jwt() ->> 'sub' = (
    select person.clerk_user_id
    from public.users as person
    join public.learning_plans as plan on plan.user_id = person.id
    where plan.id = plan_schedules.plan_id
  )
)
"""
COUNTING = """
create sequence public.questions;
create or replace function auth.jwt() returns jsonb language plpgsql volatile security definer
as $$
begin
  perform nextval('public.questions');
  return nullif(current_setting('request.jwt.claims', true), '')::jsonb;
end
$$;
"""


def explain(db, query):
    """The plan of a query, and the shortest of three runs in milliseconds; nothing is changed."""
    runs = []
    for _ in range(3):
        with db.connection.transaction(force_rollback=True):
            runs.append(db.value(f"explain (analyze, format json) {query}")[0])
    return list(nodes(runs[-1]["Plan"])), min(run["Execution Time"] for run in runs)


def answer(db, query):
    """What a query returns; nothing is changed."""
    with db.connection.transaction(force_rollback=True):
        return sorted(map(str, db.rows(query)))


def run_per_row(found):
    """The subqueries of a plan that are run for its rows and not once ahead of them."""
    return [
        node
        for node in found
        if node.get("Parent Relationship") == "SubPlan"
        or (node.get("Parent Relationship") == "InitPlan" and node["Actual Loops"] > 1)
    ]


def check(db, name, *, prepare=""):
    """Load the rows of a query file, then ask it as the owner and as its user."""
    file, query = FILES[name], FILES[name].text
    assert file.said["rows"] in file.load
    db.rows(file.load)
    assert db.value("select count(*) from public.plan_schedules") == int(file.said["rows"])
    if prepare:
        db.rows(prepare)

    answers = [] if name in CALLERS_ONLY else [(explain(db, query), answer(db, query))]
    with db.acting_as(file.actor) if file.actor else db.acting("service_role"):
        answers.append((explain(db, query), answer(db, query)))

    for (found, took_ms), rows in answers:
        assert rows
        assert rows == answers[0][1]
        missed = [plan for plan in file.plans if is_broken(found, plan)]
        assert not missed, missed
        assert run_per_row(found) == []
        assert took_ms < float(file.said["time"].removesuffix("ms"))
    return answers[-1]


@pytest.mark.parametrize("name", ON_EVERY_SERVER)
def test_key_query(learning_plans, name):
    (found, _), rows = check(learning_plans, name)

    asked = [node for node in found if node.get("Parent Relationship") == "InitPlan"]
    assert asked
    assert len(rows) == (10 if name == "schedules_own" else 1)


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
@pytest.mark.parametrize("name", [name for name in FILES if name not in ON_EVERY_SERVER])
def test_other_key_query(learning_plans, name):
    _, rows = check(learning_plans, name)

    assert len(rows) in {1, 10}


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
@pytest.mark.parametrize("policy", [AS_THE_DOCUMENT_WRITES_IT, PER_ROW])
def test_other_spellings_of_the_policy_read_every_schedule(learning_plans, policy):
    with pytest.raises(AssertionError, match="no seq scan on plan_schedules"):
        check(learning_plans, "schedules_own", prepare=policy)


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("schedules_by_hash", "idx_plan_schedules_inputs_hash"),
        ("plans_of_user", "idx_learning_plans_user_id, idx_learning_plans_user_quota, "
         "idx_learning_plans_user_generation_status"),
    ],
)  # fmt: skip
def test_plan_is_missed_without_its_index(learning_plans, name, index):
    with pytest.raises(AssertionError, match="no seq scan"):
        check(learning_plans, name, prepare=f"drop index {index}")


def questions(db, sub, query):
    """How often a query asks who the caller is."""
    before = db.value("select last_value from public.questions")
    with db.user(sub):
        db.rows(query)
    return db.value("select last_value from public.questions") - before


@pytest.mark.parametrize(
    "query",
    [
        "select * from public.plan_schedules",
        "update public.plan_schedules set weekly_hours = 1 returning plan_id",
    ],
)
def test_policies_ask_as_often_for_a_thousand_schedules_as_for_one(learning_plans, ann, bob, query):
    learning_plans.rows(COUNTING)
    with learning_plans.user(ann.sub) as db:
        db.rows(query)  # a sequence that was never used gives its first number twice
    few = questions(learning_plans, ann.sub, query)

    for owner in (ann, bob):
        learning_plans.rows(
            "with plan as (insert into learning_plans (user_id, topic, skill_level, weekly_hours, "
            "learning_style) select %s, 'Many', 'beginner', 1, 'mixed' "
            "from generate_series(1, 1000) returning id) "
            "insert into plan_schedules (plan_id, schedule_json, inputs_hash, timezone, "
            "weekly_hours, start_date) select id, '{}', '', 'UTC', 1, '2025-02-03' from plan",
            owner.id,
        )
    many = questions(learning_plans, ann.sub, query)

    assert 0 < many == few <= 30
    if query.startswith("select"):
        learning_plans.rows(PER_ROW)
        assert questions(learning_plans, ann.sub, query) > 2000
