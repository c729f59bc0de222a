"""Who can stop or steer a runner through its ledger: nobody but those who own it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from conftest import LOCK, Folder

A = {"001_a.sql": "create table a ();", "001_a.rollback.sql": "drop table a;"}
RAN = (
    "create sequence public.ran; create function public.run() returns text language plpgsql as "
    "$$begin perform nextval('public.ran'); return 'ran'; end$$;"
)
COMMANDS = (
    ["status"],
    ["plan"],
    ["migrate"],
    ["migrate", "--dry-run"],
    ["rollback"],
    ["rollback", "--dry-run"],
    ["verify"],
    ["accept", "1", "--why", "x"],
    ["repair", "1", "--done"],
)


@contextmanager
def role(folder: Folder, name: str) -> Iterator[str]:
    """Make a role, give the URL with which it connects, and drop it with all that it has."""
    folder.query(f"create role {name} login")
    try:
        yield folder.url.replace("postgres@", f"{name}@")
    finally:
        folder.query(f"drop owned by {name} cascade")
        folder.query(f"drop role {name}")


def _refused(folder: Folder, said: str, *commands: list[str], url: str | None = None) -> None:
    for command in commands or COMMANDS:
        ran = folder(*command, url=url)
        assert ran.code == 2, (command, ran.err)
        assert said in ran.err, (command, ran.err)
        assert "Traceback" not in ran.err


def test_an_application_does_not_become_superuser(folder: Folder) -> None:
    """What fits `varchar = varchar` better than pg_catalog's own operator is not found."""
    folder.write(A)
    with role(folder, "climbing_app") as url:
        folder.query("grant create on schema public to climbing_app")
        with psycopg.connect(url, autocommit=True) as app:
            app.execute(
                """
                create function public.evil(a varchar, b varchar) returns bool
                language plpgsql as $$begin
                  execute 'alter role climbing_app superuser';
                  return a::text operator(pg_catalog.=) b::text;
                exception when others then return a::text operator(pg_catalog.=) b::text; end$$;
                create operator public.= (
                  leftarg = varchar, rightarg = varchar, function = public.evil, hashes, merges)
                """
            )
        for command in (["migrate"], ["status"], ["verify"], ["rollback"], ["migrate"]):
            assert folder(*command).code == 0
        is_superuser = "select rolsuper from pg_roles where rolname = 'climbing_app'"
        assert folder.query(is_superuser) == [(False,)]


@pytest.mark.parametrize("name", ["public._yoyo_migration", "pgvouch.ledger"])
def test_a_view_of_a_stranger_is_not_read(folder: Folder, name: str) -> None:
    folder.write(A)
    folder.query(RAN + "create schema pgvouch;")
    folder.query(
        f"create view {name} as select 1 as version, public.run() as migration_id, "
        "now()::timestamp as applied_at_utc"
    )
    reading = COMMANDS if name.startswith("pgvouch") else [["status"], ["plan"], ["migrate"]]
    _refused(folder, f"{name} is not believed: it is no ordinary table", *reading)
    assert folder.query("select is_called from public.ran") == [(False,)]


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ("alter table pgvouch.migration enable row level security", "it has row level security"),
        (
            "create rule r as on insert to pgvouch.acceptance do also select public.run()",
            "it has a rule",
        ),
        (
            "create function public.t() returns trigger language plpgsql as 'begin return new; end';"
            "create trigger t before insert on pgvouch._yoyo_log execute function public.t()",
            "it has a trigger",
        ),
        ("create table public.child () inherits (pgvouch.migration)", "it inherits"),
    ],
)
def test_a_ledger_is_an_ordinary_table(folder: Folder, flaw: str, said: str) -> None:
    folder.write(A)
    assert folder("migrate").code == 0
    folder.query(RAN + flaw)
    _refused(folder, said)


def test_a_schema_of_somebody_else(folder: Folder) -> None:
    folder.write(A)
    with role(folder, "squatter") as url:
        folder.query("create schema pgvouch authorization squatter")
        _refused(folder, "the ledger belongs to another role")
        with psycopg.connect(url) as squatter:
            squatter.execute("create table pgvouch.ledger (version int)")
        ran = folder("migrate")
        assert "its owner is squatter" in ran.err
        assert "connect as the role that migrates" in ran.err


def test_whom_a_ledger_may_belong_to(folder: Folder) -> None:
    folder.write(A)
    name = folder.query("select current_database()")[0][0]
    with role(folder, "team") as team, role(folder, "deployer") as deployer:
        folder.query(
            f'grant create on database "{name}" to team; grant create on schema public to team'
        )
        assert folder("migrate", url=team).code == 0
        # Not a member of the team, and neither is a superuser, who could be anybody.
        folder.query("grant usage on schema pgvouch to deployer")
        folder.query("grant select on all tables in schema pgvouch to deployer")
        _refused(folder, "the ledger belongs to another role", ["status"], url=deployer)
        _refused(folder, "the ledger belongs to another role", ["status"])
        assert folder("wait", "--for-schema", url=deployer).code == 0
        folder.query("grant team to deployer")
        assert folder("status", url=deployer).code == 0
        folder.query("revoke team from deployer")
        folder.query(f'alter database "{name}" owner to team')
        assert folder("status", url=deployer).code == 0
        assert folder("status").code == 0
        folder.query(f'alter database "{name}" owner to postgres')


def test_whoever_administers_a_role_does_not_have_its_rights(folder: Folder, pg18: object) -> None:
    """From PostgreSQL 16 on, who creates a role is its administrator, and no more than that."""
    folder.write(A)
    name = folder.query("select current_database()")[0][0]
    with role(folder, "low") as low, role(folder, "maker") as maker:
        folder.query(
            f'grant create on database "{name}" to low; grant create on schema public to low'
        )
        assert folder("migrate", url=low).code == 0
        folder.query("grant low to maker with admin option, inherit false, set false")
        _refused(folder, "the ledger belongs to another role", ["status"], url=maker)


def test_an_advisory_lock_stops_nobody(folder: Folder) -> None:
    folder.write(A)
    assert folder("migrate").code == 0
    folder.write({"002_b.sql": "create table b ();"})
    with psycopg.connect(folder.url) as stranger:
        stranger.execute("select pg_advisory_lock(n) from generate_series(0, 1) as n")
        stranger.execute("select pg_advisory_lock(x'7067766F756368'::bigint)")
        assert folder("migrate", "--lock-wait", "200ms").code == 0


def test_only_the_owner_of_the_ledger_can_lock_it(folder: Folder) -> None:
    folder.write(A)
    assert folder("migrate").code == 0
    with role(folder, "reader") as url:
        folder.query("grant usage on schema pgvouch to reader")
        folder.query("grant select on pgvouch.ledger, pgvouch.migration to reader")
        with psycopg.connect(url) as reader:
            for lock in (
                LOCK,
                "select from pgvouch.ledger for key share",
                "delete from pgvouch.ledger",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), reader.transaction():
                    reader.execute(lock)


def test_a_ledger_without_its_row(folder: Folder) -> None:
    folder.write(A)
    assert folder("migrate").code == 0
    folder.query("delete from pgvouch.ledger")
    folder.write({"002_b.sql": "create table b ();"})
    ran = folder("migrate")
    assert ran.code == 2
    assert "pgvouch.ledger has lost its row" in ran.err
    assert folder.query("select to_regclass('b')") == [(None,)]


def test_a_snapshot_that_is_older_than_the_lock_is_tried_again(folder: Folder) -> None:
    """Under REPEATABLE READ a runner could believe a ledger that has moved on since."""
    folder.write(A)
    assert folder("migrate").code == 0
    with psycopg.connect(folder.url) as late, psycopg.connect(folder.url) as first:
        late.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        late.execute("select 1")
        first.execute(LOCK)
        first.commit()
        from pgvouch.message import guard_sql

        with pytest.raises(psycopg.errors.SerializationFailure):
            late.execute(guard_sql("002_b", applied=False))
