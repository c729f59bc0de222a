"""The document's profiles.test: who reads and changes a profile, and how it comes to be."""

import pytest
from psycopg import errors

from owner import migration_files

from .conftest import SYSTEM


def test_user_can_read_own_profile(coding_sessions, ann):
    with coding_sessions.user(ann.id) as db:
        assert db.rows("select email, display_name from public.profiles where id = %s", ann.id) == [
            ("ann@example.test", "Ann")
        ]


def test_user_cannot_read_other_profiles(coding_sessions, ann, bob):
    with coding_sessions.user(ann.id) as db:
        assert db.rows("select id from public.profiles where id = %s", bob.id) == []
        assert db.rows("select id from public.profiles") == [(ann.id,)]


def test_user_can_update_own_profile(coding_sessions, ann):
    with coding_sessions.user(ann.id) as db:
        assert (
            db.changed(
                "update public.profiles set display_name = 'Anna', avatar_url = 'a.png' "
                "where id = %s",
                ann.id,
            )
            == 1
        )

    row = "select display_name, avatar_url from public.profiles where id = %s"
    assert coding_sessions.rows(row, ann.id) == [("Anna", "a.png")]


@pytest.mark.parametrize("where", ["where id = %(bob)s", ""], ids=["by id", "all within reach"])
def test_user_cannot_update_other_profiles(coding_sessions, ann, bob, where):
    with coding_sessions.user(ann.id) as db:
        db.connection.execute(
            f"update public.profiles set display_name = 'Taken' {where}", {"bob": bob.id}
        )

    row = "select display_name from public.profiles where id = %s"
    assert coding_sessions.rows(row, bob.id) == [("Bob",)]


@pytest.mark.parametrize(
    ("metadata", "display_name"),
    [
        ({"display_name": "Cid the Great"}, "Cid the Great"),
        ({"theme": "dark"}, "cid"),
        ({}, "cid"),
        (None, "cid"),
    ],
    ids=["given", "other metadata", "no metadata", "null"],
)
def test_profile_auto_created_on_signup(coding_sessions, metadata, display_name):
    user = coding_sessions.sign_up("cid@example.test", metadata)

    profile = (
        "select email, display_name, tier, sessions_used, sessions_limit, stripe_customer_id "
        "from public.profiles where id = %s"
    )
    assert coding_sessions.rows(profile, user) == [
        ("cid@example.test", display_name, "free", 0, 3, None)
    ]


def test_profile_is_made_for_whoever_signs_up(coding_sessions):
    # As the auth server: it may write accounts, and knows nothing of profiles.
    coding_sessions.rows("grant insert on auth.users to authenticated")
    coding_sessions.rows(
        "create policy signing_up on auth.users for insert to authenticated with check (true)"
    )

    with coding_sessions.acting("authenticated") as db:
        user = db.sign_up("cid@example.test")

    assert coding_sessions.rows("select id from public.profiles") == [(user,)]


def test_accounts_older_than_the_table_get_their_profile(coding_sessions, ann):
    files = migration_files(SYSTEM)[1:]
    for file in reversed(files):
        coding_sessions.rows(file.with_suffix(".rollback.sql").read_text())
    coding_sessions.rows("insert into auth.users (id) values (gen_random_uuid())")

    for file in files:
        coding_sessions.rows(file.read_text())

    assert coding_sessions.rows("select id, display_name from public.profiles") == [(ann.id, "Ann")]


def test_user_cannot_change_what_is_paid_for_or_proves_identity(coding_sessions, ann):
    profile = coding_sessions.rows("select * from public.profiles")

    for change in (
        "tier = 'enterprise'",
        "sessions_used = 0",
        "sessions_limit = 1000",
        "stripe_customer_id = 'cus_1'",
        "email = 'other@example.test'",
        "created_at = now()",
        "updated_at = now()",
        "id = gen_random_uuid()",
    ):
        with (
            coding_sessions.refused(errors.InsufficientPrivilege),
            coding_sessions.user(ann.id) as db,
        ):
            db.rows(f"update public.profiles set {change}")

    assert coding_sessions.rows("select * from public.profiles") == profile


def test_service_changes_what_users_may_not(coding_sessions, ann):
    with coding_sessions.service() as db:
        db.rows(
            "update public.profiles set tier = 'pro', sessions_limit = 50 where id = %s", ann.id
        )

    assert coding_sessions.value("select tier from public.profiles where id = %s", ann.id) == "pro"


@pytest.mark.parametrize(
    "statement",
    [
        "insert into public.profiles (id, email) values (gen_random_uuid(), 'x@example.test')",
        "delete from public.profiles",
    ],
    ids=["insert", "delete"],
)
def test_user_neither_makes_nor_deletes_profiles(coding_sessions, ann, statement):
    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.rows(statement)

    assert coding_sessions.rows("select id from public.profiles") == [(ann.id,)]


def test_two_accounts_cannot_share_an_address(coding_sessions, ann):
    # Single sign-on is what could bring the address again: auth.users allows that.
    with coding_sessions.refused(errors.UniqueViolation):
        coding_sessions.rows(
            "insert into auth.users (id, email, is_sso_user) "
            "values (gen_random_uuid(), 'ann@example.test', true)"
        )

    assert coding_sessions.value("select count(*) from auth.users") == 1


def test_signing_up_needs_an_address(coding_sessions):
    with coding_sessions.refused(errors.NotNullViolation):
        coding_sessions.rows("insert into auth.users (id, phone) values (gen_random_uuid(), '1')")

    assert coding_sessions.value("select count(*) from auth.users") == 0


def test_a_later_change_of_address_is_not_copied(coding_sessions, ann):
    coding_sessions.rows("update auth.users set email = 'new@example.test' where id = %s", ann.id)

    email = coding_sessions.value("select email from public.profiles where id = %s", ann.id)
    assert email == "ann@example.test"
