"""The stamped policies of a database in which Clerk signs people in."""

import re

import pytest

from conftest import ROOT
from pgvouch.config.project import Database, find_project, read_database
from pgvouch.engine import commands
from pgvouch.postgres.session import Session
from pgvouch.verify.live import verify_database

from .world import SYSTEM


def test_they_never_ask_for_a_uuid():
    for file in SYSTEM.rglob("*.sql"):
        assert not re.search(r"^(?!--).*auth\.uid", file.read_text(), re.MULTILINE)


BROKEN = {
    "bare call": "alter policy users_select_own on users using (clerk_user_id = auth.jwt() ->> 'sub')",
    "another claim": "alter policy users_select_own on users "
    "using (clerk_user_id = (select auth.jwt() ->> 'email'))",
    "everybody": "alter policy users_select_own on users using (true)",
    "half a check": "alter policy plan_schedules_update_own on plan_schedules with check (true)",
    "no policy": "drop policy plan_schedules_delete_own on plan_schedules",
    "no service policy": "drop policy plan_schedules_delete_service on plan_schedules",
    "not the caller's plans": "alter policy plan_schedules_select_own on plan_schedules "
    "using (plan_id = any (array(select id from learning_plans)))",
    "another role": "alter policy plan_schedules_select_own on plan_schedules to public",
    "one more policy": "create policy more on plan_schedules for select to authenticated "
    "using (true)",
    "public schedules": "create policy more on plan_schedules for select to anon using (true)",
    "row security off": "alter table plan_schedules disable row level security",
    "grant to visitors": "grant select on plan_schedules to anon",
    "tier by grant": "grant insert (subscription_tier), update (email) on users to authenticated",
    "no index of the chain": "drop index idx_learning_plans_user_id, idx_learning_plans_user_quota,"
    " idx_learning_plans_user_generation_status",
}


@pytest.mark.parametrize("statement", BROKEN.values(), ids=BROKEN.keys())
def test_broken_live_database_is_noticed(learning_plans, statement):
    migrations = read_database(find_project(ROOT / "pyproject.toml"), SYSTEM.name)
    database = Database(SYSTEM.name, SYSTEM, "", migrations)

    with Session.open(learning_plans.connection.info.dsn) as session:
        rows = commands.read_ledger(session)
        assert not any(item.broken for item in verify_database(session, database, rows))
        learning_plans.rows(statement)
        assert any(item.broken for item in verify_database(session, database, rows))
