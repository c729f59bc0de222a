"""Row level security on the three tables: who sees and who changes what."""

import json
from contextlib import suppress

import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

from .world import EMPTY, INSERT, KEYS, TABLES

NOBODY = [None, "", "user_test_nobody"]

MALFORMED = [
    "", " ", "   ", "\t", "\n", "\u00a0", "\u2003", "\u200b", "\ufeff", "é", None, True, False, 0, 7,
    1.5, [], ["user_test_ann"], {}, {"a": 1}, {"sub": "user_test_ann"}, "x" * 3000,
]  # fmt: skip
"""What a token may have for a subject and is nobody, whatever rows there are."""

RESEMBLING = [
    "USER_TEST_ANN", "User_test_ann", "user_test_ann ", " user_test_ann", "user_test_ann\n",
    "user_test_ann\u200b", "user_test_an", "user_test_ann_", "user%", "%", ".*", "ann@example.test",
    "Ann", "\uff55ser_test_ann",
]  # fmt: skip
"""What resembles somebody's subject and is not it."""


def test_rls_enabled_on_all_tables_and_forced_on_none(learning_plans):
    assert learning_plans.rows(
        "select relname::text, relrowsecurity, relforcerowsecurity from pg_class "
        "where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname"
    ) == [(table, True, False) for table in sorted(TABLES)]


def test_user_isolation_works(learning_plans, ann, bob):
    for person in (ann, bob):
        with learning_plans.user(person.sub) as db:
            for table, key in KEYS.items():
                assert db.rows(f"select {key} from public.{table}") == [(person.rows[table],)]


@pytest.mark.parametrize("visibility", ["private", "public"])
def test_anothers_schedule_is_out_of_reach_even_of_a_public_plan(
    learning_plans, ann, bob, visibility
):
    learning_plans.rows("update learning_plans set visibility = %s", visibility)

    with learning_plans.user(ann.sub) as db:
        seen = db.rows("select id from public.learning_plans where id = %s", bob.plan)
        assert seen == ([(bob.plan,)] if visibility == "public" else [])
        where = "where plan_id = %s"
        assert db.rows(f"select * from public.plan_schedules {where}", bob.plan) == []
        assert db.changed(f"update public.plan_schedules set timezone = 'X' {where}", bob.plan) == 0
        assert db.changed(f"delete from public.plan_schedules {where}", bob.plan) == 0
        # Without a condition only the policy of the command itself decides.
        assert db.changed("update public.plan_schedules set timezone = 'X'") == 1
        assert db.changed("delete from public.plan_schedules") == 1

    assert learning_plans.rows("select plan_id, timezone from plan_schedules") == [
        (bob.plan, "UTC")
    ]


def test_schedule_cannot_be_moved_to_anothers_plan(learning_plans, ann, bob):
    other = learning_plans.plan(bob.id, visibility="public")
    move = "update public.plan_schedules set plan_id = %s"

    with learning_plans.refused(errors.InsufficientPrivilege), learning_plans.user(ann.sub) as db:
        db.rows(move, other)

    own = learning_plans.plan(ann.id)
    with learning_plans.user(ann.sub) as db:
        assert db.changed(move, own) == 1


@pytest.mark.parametrize("sub", NOBODY)
def test_token_of_nobody_sees_and_changes_nothing(learning_plans, ann, sub):
    plan = learning_plans.plan(ann.id)

    with learning_plans.user(sub) as db:
        for table, key in KEYS.items():
            assert db.rows(f"select {key} from public.{table}") == []
        assert db.changed("update public.plan_schedules set timezone = 'X'") == 0
        assert db.changed("delete from public.plan_schedules") == 0
        assert db.changed("delete from public.learning_plans") == 0
    with learning_plans.refused(errors.InsufficientPrivilege), learning_plans.user(sub) as db:
        db.rows(INSERT, plan, Jsonb(EMPTY), "nobody's")

    assert learning_plans.value("select count(*) from plan_schedules") == 1


@pytest.mark.parametrize("subject", MALFORMED, ids=ascii)
def test_malformed_subject_is_nobody_and_becomes_nobody(learning_plans, ann, subject):
    text = subject if isinstance(subject, str) else json.dumps(subject)
    # There is a person of what the subject would be read as, where such a person can be.
    with suppress(errors.CheckViolation):
        learning_plans.rows(
            "insert into users (clerk_user_id, email) values (%s, 'x@example.test')", text
        )
    people = learning_plans.value("select count(*) from users")

    with learning_plans.claiming({"sub": subject, "email": "ann@example.test"}) as db:
        for table, key in KEYS.items():
            assert db.rows(f"select {key} from public.{table}") == []
        assert db.changed("update public.plan_schedules set timezone = 'X'") == 0
        assert db.changed("update public.users set name = 'X'") == 0
        assert db.changed("delete from public.learning_plans") == 0
    # The policy refuses what is no text at all; a text that no Clerk id can be, the constraint.
    refused = errors.CheckViolation if subject == "x" * 3000 else errors.InsufficientPrivilege
    with (
        learning_plans.refused(refused),
        learning_plans.claiming({"sub": subject}) as db,
    ):
        db.rows(
            "insert into public.users (clerk_user_id, email) values (%s, 'y@example.test')", text
        )

    assert learning_plans.value("select count(*) from users") == people


@pytest.mark.parametrize("subject", RESEMBLING, ids=ascii)
def test_subject_that_resembles_somebodys_is_not_that_one(learning_plans, ann, subject):
    claims = {"sub": subject, "email": "ann@example.test", "name": "Ann", "user_id": ann.sub}

    with learning_plans.claiming(claims) as db:
        for table, key in KEYS.items():
            assert db.rows(f"select {key} from public.{table}") == []


@pytest.mark.parametrize(
    "claims", ["user_test_ann", ["sub", "user_test_ann"], None, True, 7, {"Sub": "user_test_ann"}]
)
def test_claims_of_another_shape_are_nobody(learning_plans, ann, claims):
    with learning_plans.claiming(claims) as db:
        for table, key in KEYS.items():
            assert db.rows(f"select {key} from public.{table}") == []


@pytest.mark.parametrize(
    "clerk_id", ["", " ", "\n", "a b", "user_1\n", "\u00a0", "\u2003", "\u200b", "é", "x" * 256]
)
def test_nobody_has_a_clerk_id_that_no_token_has(learning_plans, clerk_id):
    with learning_plans.refused(errors.CheckViolation), learning_plans.service() as db:
        db.rows(
            "insert into public.users (clerk_user_id, email) values (%s, 'x@example.test')",
            clerk_id,
        )


@pytest.mark.parametrize(
    "clerk_id", ["user_2abcDEF", "x", "x" * 255, "auth0|5f7c", "https://id.example.test/~a", "'--"]
)
def test_what_tokens_have_for_a_subject_is_somebody(learning_plans, clerk_id):
    with learning_plans.user(clerk_id) as db:
        db.rows(
            "insert into public.users (clerk_user_id, email) values (%s, 'x@example.test')",
            clerk_id,
        )
        assert db.rows("select clerk_user_id from public.users") == [(clerk_id,)]


def test_connection_without_any_claims_sees_nothing(learning_plans, ann):
    with learning_plans.connection.transaction():
        learning_plans.rows("set local role authenticated")
        for table in TABLES:
            assert learning_plans.value(f"select count(*) from public.{table}") == 0


def test_clerk_id_need_not_be_a_uuid_and_a_uuid_opens_nothing(learning_plans, ann):
    with learning_plans.user(ann.sub) as db:
        assert db.value("select count(*) from public.plan_schedules") == 1
    with learning_plans.user(str(ann.id)) as db:
        assert db.value("select count(*) from public.plan_schedules") == 0
    # What auth.uid() would have done: the stock families compare with it.
    with (
        learning_plans.refused(errors.InvalidTextRepresentation),
        learning_plans.user(ann.sub) as db,
    ):
        db.rows("select auth.uid()")


def test_clerk_ids_differ_by_every_letter(learning_plans, ann):
    for other in (ann.sub.upper(), f"{ann.sub} ", ann.sub[:-1], "%"):
        with learning_plans.user(other) as db:
            assert db.value("select count(*) from public.plan_schedules") == 0


@pytest.mark.parametrize("table", TABLES)
def test_visitor_changes_nothing(learning_plans, ann, table):
    for statement in (
        f"insert into public.{table} default values",
        f"update public.{table} set {KEYS[table]} = {KEYS[table]}",
        f"delete from public.{table}",
        f"truncate public.{table} cascade",
    ):
        with learning_plans.refused(errors.InsufficientPrivilege), learning_plans.anon() as db:
            db.rows(statement)

    assert learning_plans.value(f"select count(*) from {table}") == 1


@pytest.mark.parametrize("table", ["users", "plan_schedules"])
def test_visitor_sees_neither_people_nor_schedules(learning_plans, ann, table):
    learning_plans.rows("update learning_plans set visibility = 'public'")

    with learning_plans.refused(errors.InsufficientPrivilege), learning_plans.anon() as db:
        db.rows(f"select from public.{table}")


def test_visitor_would_see_no_schedule_even_with_the_right_to(learning_plans, ann):
    learning_plans.rows("grant select on public.plan_schedules, public.users to anon")

    with learning_plans.acting("anon", ann.sub) as db:
        assert db.value("select count(*) from public.plan_schedules") == 0
        assert db.value("select count(*) from public.users") == 0


def test_visitor_sees_public_plans_only(learning_plans, ann, bob):
    learning_plans.rows("update learning_plans set visibility = 'public' where id = %s", bob.plan)

    with learning_plans.acting("anon", ann.sub) as db:
        assert db.rows("select id from public.learning_plans") == [(bob.plan,)]


def test_service_role_reads_and_writes_everything(learning_plans, ann, bob):
    with learning_plans.service() as db:
        for table, key in KEYS.items():
            found = {row for (row,) in db.rows(f"select {key} from public.{table}")}
            assert found == {ann.rows[table], bob.rows[table]}
        user = db.person("cid")
        plan = db.plan(user)
        assert db.upsert(plan, "one") == db.upsert(plan, "two") == 1
        assert db.changed("update public.plan_schedules set weekly_hours = 1") == 3
        assert db.changed("delete from public.plan_schedules where plan_id = %s", plan) == 1
        assert db.changed("delete from public.learning_plans where id = %s", plan) == 1
        assert db.changed("delete from public.users where id = %s", user) == 1


def test_service_policies_open_everything_without_bypassrls(learning_plans, ann, bob):
    plan = learning_plans.plan(ann.id)

    with learning_plans.plain_service() as db:
        assert not db.value("select rolbypassrls from pg_roles where rolname = current_user")
        assert db.value("select count(*) from public.plan_schedules") == 2
        assert db.upsert(plan, "one") == db.upsert(plan, "two") == 1
        assert db.changed("update public.plan_schedules set weekly_hours = 1") == 3
        assert db.changed("delete from public.plan_schedules") == 3
        assert db.changed("update public.learning_plans set topic = 'X'") == 3
        assert db.changed("delete from public.learning_plans where id = %s", plan) == 1
        assert db.changed("update public.users set subscription_tier = 'pro'") == 2
        assert db.person("cid")
        assert db.changed("delete from public.users") == 3


@pytest.mark.parametrize("command", ["select", "update", "delete", "insert"])
def test_each_service_policy_opens_its_command(learning_plans, ann, command):
    plan = learning_plans.plan(ann.id)
    learning_plans.rows(f"drop policy plan_schedules_{command}_service on plan_schedules")

    with learning_plans.plain_service() as db:
        if command == "insert":
            with learning_plans.refused(errors.InsufficientPrivilege):
                db.rows(INSERT, plan, Jsonb(EMPTY), "refused")
            return
        statement = {
            "select": "select from public.plan_schedules",
            "update": "update public.plan_schedules set timezone = 'X'",
            "delete": "delete from public.plan_schedules",
        }[command]
        assert db.changed(statement) == 0


def test_owner_of_a_plan_decides_even_when_it_changes_hands(learning_plans, ann, bob):
    learning_plans.rows("update learning_plans set user_id = %s where id = %s", bob.id, ann.plan)

    with learning_plans.user(ann.sub) as db:
        assert db.value("select count(*) from public.plan_schedules") == 0
    with learning_plans.user(bob.sub) as db:
        assert db.value("select count(*) from public.plan_schedules") == 2


def test_policies_are_the_documents_eight(learning_plans):
    found = learning_plans.rows(
        "select policyname::text, lower(cmd), roles::text, permissive, qual is null, "
        "with_check is null from pg_policies where tablename = 'plan_schedules'"
    )

    wanted = []
    for command in ("select", "insert", "update", "delete"):
        for suffix, role in (("own", "authenticated"), ("service", "service_role")):
            no_check = command in ("select", "delete")
            wanted.append(
                (f"plan_schedules_{command}_{suffix}", command, f"{{{role}}}", "PERMISSIVE",
                 command == "insert", no_check)
            )  # fmt: skip
    assert sorted(found) == sorted(wanted)


def test_counts_are_the_documents(learning_plans):
    assert learning_plans.rows(
        """
        select
          c.relname::text,
          (select count(*) from pg_attribute
           where attrelid = c.oid and attnum > 0 and not attisdropped) as columns,
          (select count(*) from pg_policy where polrelid = c.oid) as policies,
          (select count(*) from pg_index as i where i.indrelid = c.oid
           and not exists (select from pg_constraint where conindid = i.indexrelid)) as indexes,
          (select count(*) from pg_trigger where tgrelid = c.oid and not tgisinternal) as triggers
        from pg_class as c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
        order by c.relname
        """
    ) == [("learning_plans", 15, 10, 3, 0), ("plan_schedules", 8, 8, 1, 0), ("users", 7, 7, 0, 0)]
