"""The template family of the policies: the caller is the subject of Clerk's token."""

import pytest

from conftest import ROOT
from pgvouch.config.project import Database, find_project, read_database
from pgvouch.engine import commands
from pgvouch.errors import StampError
from pgvouch.postgres.session import Session
from pgvouch.stamp.templates import Target
from pgvouch.verify.live import verify_database
from support.stamp_bench import stamp

from .world import SYSTEM

VIA = '[{"table": "users", "column": "user_id", "owner": "clerk_user_id"}]'


CALLER = """(
    select auth.jwt() ->> 'sub'
    where jsonb_typeof(auth.jwt() -> 'sub') = 'string'
      and auth.jwt() ->> 'sub' ~ '^[!-~]+$'
  )"""
CALLER_INSIDE = CALLER.replace("\n", "\n    ")


def test_own_column_is_compared_with_the_subject():
    assert stamp('clerk_via_policies(table="users", own="clerk_user_id", commands=["update"])') == (
        "create policy users_update_own\n"
        "  on public.users\n"
        "  for update\n"
        "  to authenticated\n"
        f"  using (clerk_user_id = {CALLER})\n"
        f"  with check (clerk_user_id = {CALLER});\n"
    )


def test_own_column_and_parent_are_both_asked():
    text = stamp(
        f'clerk_via_policies(table="plans", own="made_by", via={VIA}, commands=["insert"])'
    )

    assert text == (
        "-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole "
        "table.\n"
        "create policy plans_insert_own\n"
        "  on public.plans\n"
        "  for insert\n"
        "  to authenticated\n"
        "  with check (\n"
        f"    made_by = {CALLER}\n"
        "    and user_id = any (array(\n"
        "      select parent.id\n"
        "      from public.users as parent\n"
        f"      where parent.clerk_user_id = {CALLER_INSIDE}\n"
        "    ))\n"
        "  );\n"
    )


def test_it_never_asks_for_a_uuid():
    for part in Target:
        text = stamp(f'clerk_via_policies(table="plans", via={VIA}, commands=["select"])', part)
        assert "auth.uid" not in text


def test_rollback_drops_what_is_made_the_last_one_first():
    text = stamp(
        f'clerk_via_policies(table="plans", via={VIA}, commands=["select", "delete"], '
        'names={"delete": "Users delete"})',
        Target.ROLLBACK,
    )

    assert text == (
        'drop policy "Users delete" on public.plans;\ndrop policy plans_select_own on public.plans;\n'
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("", "give via, own or both: the rows have no owner"),
        (', via=[{"table": "users", "column": "user_id"}]', "the last hop, users, has no owner"),
        (', own="sub", names={"insert": "x"}', "names has a name for insert"),
    ],
)
@pytest.mark.parametrize("part", Target)
def test_wrong_arguments_are_refused_in_every_part(arguments, why, part):
    with pytest.raises(StampError, match=why):
        stamp(f'clerk_via_policies(table="plans"{arguments}, commands=["select"])', part)


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
