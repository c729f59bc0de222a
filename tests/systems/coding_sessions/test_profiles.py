"""The document's profiles.test: who reads and changes a profile, and how it comes to be."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors

from conftest import ROOT
from pgvouch.config.options import Options
from pgvouch.config.project import Database as Migrations
from pgvouch.config.project import find_project, read_database
from pgvouch.engine import commands
from pgvouch.errors import CheckError, VouchError
from pgvouch.events import silent
from pgvouch.files.migration import checksum
from pgvouch.postgres.session import Session
from pgvouch.verify.live import verify_database

from .world import SYSTEM, blocks

SYSTEM_DATABASE = Migrations(
    SYSTEM.name, SYSTEM, "", read_database(find_project(ROOT / "pyproject.toml"), SYSTEM.name)
)


def changed_migration(name: str, old: str, new: str) -> Migrations:
    """The system with one migration written otherwise, and its delta not compared."""
    changed = []
    for migration in SYSTEM_DATABASE.migrations:
        if migration.id == name:
            assert migration.sql.count(old) == 1
            sql = migration.sql.replace(old, new)
            beside = [name for name in migration.beside if not name.endswith(".delta")]
            changed.append(replace(migration, sql=sql, checksum=checksum(sql), beside=beside))
        else:
            changed.append(migration)
    return replace(SYSTEM_DATABASE, migrations=tuple(changed))


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


OLD = {
    # name: address, created_at, metadata
    "first": ("ann@example.test", "2020-01-01", '{"display_name": "Ann"}'),
    "second": ("ann@example.test", "2021-01-01", '{"display_name": "Ann of the company"}'),
    "plain": ("bob@example.test", None, None),
    "phone": (None, "2020-01-01", None),
}
"""Accounts from before there were profiles. One address twice is what single sign-on allows."""


@pytest.fixture
def old_accounts(coding_sessions) -> dict[str, UUID]:
    """The system taken back to where it has no profiles yet, and people who have signed up."""
    with Session.open(coding_sessions.conninfo) as session:
        commands.roll_back_steps(
            session, SYSTEM_DATABASE, Options(discard_data=True), silent, steps=5, to=None
        )
    accounts = {name: uuid4() for name in OLD}
    # The newer of two first, so that nothing depends on the order in which rows are found.
    for name, (email, created, metadata) in reversed(OLD.items()):
        coding_sessions.rows(
            "insert into auth.users (id, email, created_at, raw_user_meta_data, is_sso_user) "
            "values (%s, %s, %s, %s, true)",
            accounts[name],
            email,
            created,
            metadata,
        )
    return accounts


def migrate(coding_sessions, system=None) -> None:
    with Session.open(coding_sessions.conninfo) as session:
        commands.migrate(
            session, system or SYSTEM_DATABASE, Options(), silent, to="001_create_profiles"
        )


def test_accounts_older_than_the_table_get_their_profile(coding_sessions, old_accounts):
    migrate(coding_sessions)

    assert coding_sessions.rows(
        "select id, email, display_name from public.profiles order by email"
    ) == [
        (old_accounts["first"], "ann@example.test", "Ann"),
        (old_accounts["plain"], "bob@example.test", "bob"),
    ]
    # And the promises go on holding, with accounts that have none.
    with Session.open(coding_sessions.conninfo) as session:
        found = verify_database(session, SYSTEM_DATABASE, commands.read_ledger(session))
    assert [item for item in found if item.broken] == []


BACKFILL_NAME = (
    "  coalesce(account.raw_user_meta_data ->> 'display_name', split_part(account.email, '@', 1))\n"
    "from"
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BACKFILL_NAME, "  account.email\nfrom"),
        (BACKFILL_NAME, "  split_part(account.email, '@', 1)\nfrom"),
        (BACKFILL_NAME, "  account.raw_user_meta_data ->> 'display_name'\nfrom"),
        ("where account.email is not null\norder", "where false\norder"),
        ("where account.email is not null\norder", "where account.created_at is not null\norder"),
        ("account.created_at, account.id;", "account.created_at desc, account.id;"),
        ("select distinct on (account.email)", "select"),
        ("  account.email,\n  coalesce", "  lower(account.email) || ' ',\n  coalesce"),
    ],
)
def test_wrong_backfill_does_not_land(coding_sessions, old_accounts, old, new):
    wrong = changed_migration("001_create_profiles", old, new)

    with pytest.raises(VouchError):
        migrate(coding_sessions, wrong)

    assert coding_sessions.value("select to_regclass('public.profiles') is null")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  if not found then", "  if false then"),
        ("  if new.email is null then", "  if new.email is null then\n    return new;"),
        (
            "  return new;\nend;\n$$;\n\ncomment on function public.handle_new_user",
            "  return new;\nexception when others then\n  return new;\nend;\n$$;\n\n"
            "comment on function public.handle_new_user",
        ),
        (
            "  on conflict (email) do nothing;",
            "  on conflict (email) do update set id = excluded.id;",
        ),
        (
            "coalesce(new.raw_user_meta_data ->> 'display_name', split_part(new.email, '@', 1))",
            "new.email",
        ),
    ],
    ids=["second in silence", "phone in silence", "swallowed", "taken over", "name"],
)
def test_sign_up_that_goes_wrong_in_silence_does_not_land(coding_sessions, old, new):
    with Session.open(coding_sessions.conninfo) as session:
        commands.roll_back_steps(
            session, SYSTEM_DATABASE, Options(discard_data=True), silent, steps=5, to=None
        )
    wrong = changed_migration("001_create_profiles", old, new)

    with pytest.raises(CheckError) as refused:
        migrate(coding_sessions, wrong)

    assert "verify/001_create_profiles.sql" in str(refused.value)
    assert coding_sessions.value("select to_regclass('public.profiles') is null")


@pytest.fixture
def stranger(coding_sessions) -> Iterator[str]:
    """A role that migrates, and to whom auth.users does not belong, as on Supabase."""
    with Session.open(coding_sessions.conninfo) as session:
        commands.roll_back_steps(
            session, SYSTEM_DATABASE, Options(discard_data=True), silent, steps=6, to=None
        )
    role = f"migrator_{secrets.token_hex(6)}"
    coding_sessions.rows(f"create role {role}")
    coding_sessions.rows(f"grant create on schema public to {role}")
    coding_sessions.rows(f"grant usage on schema auth to {role}")
    coding_sessions.rows(f"grant execute on function auth.uid() to {role}")
    coding_sessions.rows(f"grant select, references, trigger on auth.users to {role}")
    # What the rights on a table are worth row by row: the role of Supabase has BYPASSRLS.
    coding_sessions.rows(f"alter role {role} bypassrls")
    yield role
    coding_sessions.rows(f"drop owned by {role}")
    coding_sessions.rows(f"drop role {role}")


def test_profiles_come_and_go_without_owning_the_accounts(coding_sessions, stranger):
    old = uuid4()
    coding_sessions.rows("insert into auth.users (id, email) values (%s, 'old@example.test')", old)

    def run(*files: str) -> list[tuple[str]]:
        """Run files as the role, and say which tables of the auth server are closed to all."""
        with coding_sessions.connection.transaction():
            coding_sessions.rows(f"set local role {stranger}")
            for file in files:
                coding_sessions.connection.execute((SYSTEM / file).read_text())
            return coding_sessions.rows(
                "select distinct relation::regclass::text from pg_locks "
                "join pg_class on pg_class.oid = relation "
                "where pid = pg_backend_pid() and mode = 'AccessExclusiveLock' "
                "and relnamespace = 'auth'::regnamespace and relkind = 'r'"
            )

    assert run("000_create_functions.sql", "001_create_profiles.sql") == []
    new = coding_sessions.sign_up("new@example.test")
    assert {user for (user,) in coding_sessions.rows("select id from profiles")} == {old, new}

    assert run("001_create_profiles.rollback.sql") == [("auth.users",)]
    assert coding_sessions.sign_up("later@example.test")
    assert run("000_create_functions.rollback.sql") == []


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
    with pytest.raises(errors.UniqueViolation) as refused:
        coding_sessions.rows(
            "insert into auth.users (id, email, is_sso_user) "
            "values (gen_random_uuid(), 'ann@example.test', true)"
        )

    assert "has the e-mail address of a profile that is there already" in str(refused.value)
    assert refused.value.diag.constraint_name == "profiles_email_key"
    # An address is somebody's: the message goes into logs, and does not repeat it.
    assert "ann@" not in str(refused.value)
    assert coding_sessions.value("select count(*) from auth.users") == 1


def test_two_sign_ups_of_one_address_at_once(coding_sessions):
    sign_up = (
        "insert into auth.users (id, email, is_sso_user) "
        "values (gen_random_uuid(), 'cid@example.test', true)"
    )
    with (
        ThreadPoolExecutor() as pool,
        psycopg.connect(coding_sessions.conninfo) as first,
        psycopg.connect(coding_sessions.conninfo) as second,
    ):
        first.execute(sign_up)
        waiting = pool.submit(second.execute, sign_up)
        while not coding_sessions.value(
            "select exists (select from pg_locks where pid = %s and not granted)",
            second.info.backend_pid,
        ):
            assert not waiting.done()
        first.commit()
        with pytest.raises(errors.UniqueViolation):
            waiting.result(timeout=30)

    assert coding_sessions.value("select count(*) from public.profiles") == 1


def test_signing_up_needs_an_address(coding_sessions):
    with pytest.raises(errors.NotNullViolation) as refused:
        coding_sessions.rows("insert into auth.users (id, phone) values (gen_random_uuid(), '1')")

    assert "has no e-mail address, and its profile needs one" in str(refused.value)
    assert coding_sessions.value("select count(*) from auth.users") == 0


def test_nobody_but_the_account_takes_a_profile_away(coding_sessions, ann):
    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.service() as db,
    ):
        db.rows("delete from public.profiles")

    coding_sessions.rows("delete from auth.users where id = %s", ann.id)
    assert coding_sessions.rows("select id from public.profiles") == []


def test_a_lost_profile_is_made_again_as_the_page_says(coding_sessions, ann, bob):
    coding_sessions.rows("delete from public.profiles where id = %s", ann.id)
    (repair,) = (block for block in blocks("sql") if block.startswith("-- Profiles for accounts"))

    assert coding_sessions.changed(repair) == 1
    assert coding_sessions.changed(repair) == 0

    name = coding_sessions.value("select display_name from profiles where id = %s", ann.id)
    assert name == "Ann"


def test_a_later_change_of_address_is_not_copied(coding_sessions, ann):
    coding_sessions.rows("update auth.users set email = 'new@example.test' where id = %s", ann.id)

    email = coding_sessions.value("select email from public.profiles where id = %s", ann.id)
    assert email == "ann@example.test"
