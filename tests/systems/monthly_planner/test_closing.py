"""The migration of the document that closes the rows by user: stamped, applied, tried, taken back."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from psycopg import errors

from conftest import ROOT
from pgvouch.config.options import Options
from pgvouch.config.project import Database as Migrated
from pgvouch.config.project import find_project, read_database
from pgvouch.engine import commands
from pgvouch.events import silent
from pgvouch.postgres.session import Session
from pgvouch.stamp.rewrite import stamp_files
from pgvouch.stamp.templates import Templates
from pgvouch.verify.live import verify_database
from systems.system import dump

from .world import SYSTEM, TABLES, Database, blocks

NAME = "009_close_by_ownership"
ROLE = "do $$ begin create role authenticated nologin; exception when duplicate_object then end $$"
STAMP = re.compile(r"^-- stamp: .*(?:\n--   .*)*", re.MULTILINE)


def closing_project(root: Path) -> Path:
    """A copy of the project in which the document's words are followed."""
    copy = root / "migrations" / SYSTEM.name
    shutil.copytree(SYSTEM, copy)
    (root / "pgvouch.toml").write_text('verify = "required"\n')
    migration, undo = blocks("pgsql")
    stamps = STAMP.findall(migration)
    assert len(stamps) == 14
    files = {
        f"{NAME}.sql": migration,
        f"{NAME}.rollback.sql": "\n".join(reversed(stamps)) + "\n\n" + undo,
        f"verify/{NAME}.sql": "\n".join(stamps) + "\n",
    }
    for name, text in files.items():
        (copy / name).write_text(text)
    outcomes = stamp_files([copy / name for name in files], Templates())
    assert [outcome.status for outcome in outcomes] == ["written"] * 42
    (retire,) = (block for block in blocks("sh") if block.startswith("sed "))
    subprocess.run(["sh", "-ec", retire], cwd=root, check=True)
    return copy


@pytest.fixture(scope="module")
def closing(tmp_path_factory) -> Migrated:
    root = tmp_path_factory.mktemp("closing")
    copy = closing_project(root)
    migrations = read_database(find_project(root / "pgvouch.toml"), SYSTEM.name)
    assert [m.id for m in migrations][-1] == NAME
    return Migrated(SYSTEM.name, copy, "", migrations)


@pytest.fixture
def closed(address, monthly_planner, closing):
    """The planner with the migration applied."""
    monthly_planner.rows(ROLE)
    with Session.open(address) as session:
        done = commands.migrate(session, closing, Options(), silent, require_promises=True)
    assert [e.id for e in done.finished] == [NAME]
    return monthly_planner


class Acting:
    """A transaction in a user's name, as the server begins it."""

    def __init__(self, db: Database, user: int | None) -> None:
        self.db = db
        self.user = user
        self.transaction = db.connection.transaction()

    def __enter__(self) -> Database:
        self.transaction.__enter__()
        self.db.rows("set local role authenticated")
        if self.user is not None:
            self.db.rows("select set_config('planner.user_id', %s, true)", str(self.user))
        return self.db

    def __exit__(self, *error: object) -> None:
        self.transaction.__exit__(*error)


def test_a_user_sees_the_own_rows_and_nobody_elses(closed, ann, bob):
    for person in (ann, bob):
        with Acting(closed, person.id) as db:
            for table in TABLES:
                assert db.rows(f"select id from public.{table}") == [(person.rows[table],)]


def test_without_a_user_there_is_nothing(closed, ann):
    with Acting(closed, None) as db:
        assert [db.rows(f"select id from public.{table}") for table in TABLES] == [[]] * 7


def test_the_server_itself_sees_everything_as_before(closed, ann, bob):
    for table in TABLES:
        assert closed.value(f"select count(*) from public.{table}") == 2


@pytest.mark.parametrize(
    "statement",
    [
        "insert into public.user_goals_and_preferences (user_id, goals_text, task_complexity, "
        "focus_areas, weekend_preference, fixed_commitments_json) "
        "values (%(user)s, 'g', 'Simple', 'f', 'Rest', '{}')",
        "insert into public.monthly_plans (user_id, preference_id, month_year, ai_prompt, "
        "ai_response_raw) values (%(caller)s, %(user_goals_and_preferences)s, '2026-02-01', 'p', '{}')",
        "insert into public.plan_tasks (plan_id, task_description, focus_area, start_time, end_time) "
        "values (%(monthly_plans)s, 't', 'f', '2026-02-01 07:00', '2026-02-01 08:00')",
        "insert into public.user_activity_history (user_id, task_id, was_completed) "
        "values (%(caller)s, %(plan_tasks)s, true)",
        "insert into public.user_productivity_insights (user_id, insight_type, insight_value_json) "
        "values (%(user)s, 'Challenges', '{}')",
        "update public.generation_quota set generations_used = 0 where id = %(generation_quota)s",
        "update public.user_activity_history set was_completed = false",
        "update public.users set name = 'x'",
    ],
)
def test_nothing_is_written_into_the_rows_of_another(closed, ann, bob, statement):
    values = bob.rows | {"user": bob.id, "caller": ann.id}
    with closed.refused(errors.InsufficientPrivilege), Acting(closed, ann.id) as db:
        db.connection.execute(statement, values)


def test_a_user_works_on_the_own_plan(closed, ann, bob):
    with Acting(closed, ann.id) as db:
        task = db.insert(
            "plan_tasks",
            plan_id=ann.rows["monthly_plans"],
            task_description="Swim",
            focus_area="Health",
            start_time="2026-02-02 07:00",
            end_time="2026-02-02 08:00",
        )
        entry = db.insert("user_activity_history", user_id=ann.id, task_id=task, was_completed=True)
        assert db.changed("update public.plan_tasks set is_completed = true") == 2
        assert db.changed("update public.monthly_plans set monthly_summary = 'Swim more'") == 1
        assert db.changed("delete from public.user_activity_history where id = %s", entry) == 1
        for table in ("plan_tasks", "monthly_plans", "user_productivity_insights"):
            assert db.changed(f"delete from public.{table} where id = %s", bob.rows[table]) == 0


def test_a_user_saves_input_and_insights(closed, ann):
    insight = (
        "insert into public.user_productivity_insights (user_id, insight_type, insight_value_json) "
        "values (%s, 'PeakEnergy', '{}') on conflict (user_id, insight_type) do update "
        "set insight_value_json = excluded.insight_value_json, last_updated = now()"
    )
    with Acting(closed, ann.id) as db:
        assert db.changed(insight, ann.id) == 1
        saved = db.insert(
            "user_goals_and_preferences",
            user_id=ann.id,
            goals_text="Swim",
            task_complexity="Simple",
            focus_areas="Health",
            weekend_preference="Rest",
            fixed_commitments_json="{}",
        )
        assert db.changed("delete from public.user_goals_and_preferences where id = %s", saved) == 1


@pytest.mark.parametrize("table", TABLES)
def test_ids_cannot_be_squatted(closed, ann, bob, table):
    # Neither as new rows nor by giving the own ones the numbers that come next.
    following = bob.rows[table] + 1
    statements = [
        f"update public.{table} set id = %s",
        f"insert into public.{table} (id) values (%s)",
    ]
    if table == "plan_tasks":
        statements.append(
            "insert into public.plan_tasks "
            "(id, plan_id, task_description, focus_area, start_time, end_time) "
            f"values (%s, {ann.rows['monthly_plans']}, 't', 'f', '2026-02-01', '2026-02-02')"
        )
    for statement in statements:
        with closed.refused(errors.InsufficientPrivilege), Acting(closed, ann.id) as db:
            db.rows(statement, following)
    with closed.refused(errors.InsufficientPrivilege), Acting(closed, ann.id) as db:
        db.rows(f"insert into public.{table} (id) values (default)")
    sequence = f"public.{table}_id_seq"
    with closed.refused(errors.InsufficientPrivilege), Acting(closed, ann.id) as db:
        db.rows("select setval(%s, 1)", sequence)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into public.monthly_plans (user_id, preference_id, month_year, ai_prompt, "
        "ai_response_raw) values (%(user)s, %(user_goals_and_preferences)s, '2026-01-01', 'p', '{}')",
        "update public.generation_quota set total_allowed = 100",
        "update public.generation_quota set generations_used = 0",
        "delete from public.generation_quota",
        "insert into public.generation_quota (user_id, month_year, total_allowed, resets_on) "
        "values (%(user)s, '2026-02-01', 100, '2026-03-01')",
        "update public.monthly_plans set ai_response_raw = '{}'",
        "update public.monthly_plans set month_year = '2026-02-01'",
    ],
)
def test_a_user_makes_no_plan_past_the_quota(closed, ann, statement):
    with closed.refused(errors.InsufficientPrivilege), Acting(closed, ann.id) as db:
        db.connection.execute(statement, ann.rows | {"user": ann.id})


def test_the_server_makes_as_many_plans_as_the_quota_allows(closed, ann, bob):
    (text,) = (block for block in blocks("sql") if "insert into public.monthly_plans" in block)
    make = text.replace("dev@", "ann@")

    assert [len(closed.rows(make)) for _ in range(9)] == [1] * 3 + [0] * 6

    count = "select count(*) from public.monthly_plans where user_id = %s"
    assert closed.value(count, ann.id) == 4
    assert closed.value(count, bob.id) == 1
    used = "select generations_used from public.generation_quota where user_id = %s"
    assert closed.value(used, ann.id) == 3
    assert closed.value(used, bob.id) == 0


def test_promises_hold_and_the_rollback_takes_all_of_it_back(
    every_server, address, monthly_planner, closing
):
    before = dump(every_server, address)
    monthly_planner.rows(ROLE)
    with Session.open(address) as session:
        commands.migrate(session, closing, Options(), silent, require_promises=True)
        found = verify_database(session, closing, commands.read_ledger(session))
        assert [item for item in found if item.broken] == []
        assert sum(item.passed for item in found) > 150
        commands.roll_back_steps(
            session, closing, Options(discard_data=True), silent, steps=1, to=None
        )
    assert dump(every_server, address) == before


def test_the_rule_that_nothing_is_open_fails_if_it_is_kept(closed, address):
    migrations = read_database(find_project(ROOT / "pyproject.toml"), SYSTEM.name)
    system = Migrated(SYSTEM.name, SYSTEM, address, migrations)
    with Session.open(address) as session:
        found = verify_database(session, system, commands.read_ledger(session))
    # It stands in always.sql, which comes last.
    assert [len(item.broken) for item in found] == [0] * 8 + [1]
