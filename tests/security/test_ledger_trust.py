"""Who can stop or steer a runner through its ledger: nobody but those who own it."""

from collections.abc import Callable, Iterator
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
        from pgvouch.ledger.lock import guard_sql

        with pytest.raises(psycopg.errors.SerializationFailure):
            late.execute(";".join(guard_sql("002_b", applied=False)))


CLIMB = """
create function public.climb() returns text language plpgsql as $$begin
  perform nextval('public.ran');
  return '001_a';
end$$;
create sequence public.ran;
grant all on sequence public.ran to public;
create type public.odd as (x text);
create function public.of_odd(public.odd) returns text language sql as 'select public.climb()';
create cast (public.odd as text) with function public.of_odd as implicit;
create type public.late as (x timestamp);
create function public.of_late(public.late) returns timestamptz language plpgsql as
  'begin perform public.climb(); return now(); end';
create cast (public.late as timestamptz) with function public.of_late as implicit;
create function public.fixed(int) returns int immutable language plpgsql as
  'begin perform public.climb(); return 1; end';
"""
LEDGER = """
create schema pgvouch;
create table pgvouch.ledger (version int);
create table pgvouch._yoyo_migration (migration_id text, applied_at_utc timestamp);
create table pgvouch.migration (
  migration_id text, state text, checksum text, rollback_sql text, statements_done int, running text,
  refused text, applied_order bigint, applied_at timestamptz, applied_by text, duration_ms float,
  checks_passed int);
insert into pgvouch.ledger values (1);
grant usage on schema pgvouch to public;
grant select on all tables in schema pgvouch to public;
"""
CODE = {
    "cast": "alter table pgvouch._yoyo_migration drop applied_at_utc, add applied_at_utc public.late;"
    "insert into pgvouch._yoyo_migration values ('001_a', row(now()))",
    "index": "create index on pgvouch.ledger ((public.fixed(1)))",
    "statistics": "create statistics pgvouch.s on (public.fixed(1)), (version + 1) from pgvouch.ledger",
    "check": "alter table pgvouch.ledger add check (public.fixed(1) = 1)",
    "exclusion": "alter table pgvouch.ledger add exclude using btree (version with =) "
    "where (public.fixed(1) = 1)",
}


@pytest.mark.parametrize("owner", ["of anybody", "of the database's owner"])
@pytest.mark.parametrize("trick", sorted(CODE))
def test_nothing_that_hangs_on_a_ledger_is_run(folder: Folder, trick: str, owner: str) -> None:
    """A cast is found without a search_path; planning evaluates what is constant in an index."""
    folder.write(A)
    name = folder.query("select current_database()")[0][0]
    climber = f"climber_{name}"  # roles are of the whole server, where other tests run, too
    with role(folder, climber) as url, role(folder, f"bystander_{name}") as bystander:
        folder.query(f'grant create on database "{name}" to {climber}')
        folder.query(f"grant create on schema public to {climber}")
        with psycopg.connect(url) as session:
            session.execute(CLIMB + LEDGER)
            session.execute(CODE[trick])
            session.execute("select setval('public.ran', 1, false)")
        said = "it has a type or a function that is not PostgreSQL's"
        if owner == "of anybody":
            _refused(folder, " is not believed: it", ["wait", "--for-schema"], ["status"])
            _refused(folder, said, ["wait", "--for-schema"], url=bystander)
        else:
            folder.query(f'alter database "{name}" owner to {climber}')
            _refused(folder, said, *COMMANDS, ["wait", "--for-schema"])
            folder.query(f'alter database "{name}" owner to postgres')
        assert folder.query("select is_called from public.ran") == [(False,)]


def test_a_ledger_of_yoyo_with_a_cast(folder: Folder) -> None:
    folder.write(A)
    folder.query(
        CLIMB + "create table public._yoyo_migration "
        "(migration_hash text, migration_id public.odd, applied_at_utc public.late)"
    )
    said = "public._yoyo_migration is not believed: it has a type or a function that is not"
    _refused(folder, said, ["status"], ["plan"], ["migrate"])


def test_a_foreign_key_on_the_ledger(folder: Folder) -> None:
    """Up to 17 a cascade's triggers run as the role that migrates."""
    folder.write(A)
    assert folder("migrate").code == 0
    folder.query("create table public.r (i text references pgvouch.migration on delete cascade)")
    _refused(folder, "a foreign key refers to it")


def test_a_log_that_comes_up_while_yoyo_is_taken_over(folder: Folder) -> None:
    """What is judged is what is read: it is locked first."""
    from pgvouch.errors import PlanError
    from pgvouch.ledger import ledger
    from pgvouch.postgres.session import Session

    folder.query(
        CLIMB + "create table public._yoyo_migration (migration_hash varchar(64) primary key, "
        "migration_id varchar(255), applied_at_utc timestamp)"
    )
    with Session.open(folder.url) as session:
        ask = session.ask

        def late(statements: str) -> object:
            found = ask(statements)
            session.ask = ask  # type: ignore[method-assign]
            folder.query(
                "create view public._yoyo_log as select public.climb() as a, 'b' as b, 'c' as c, "
                "'d' as d, 'e' as e, 'f' as f, 'g' as g, null::timestamp as h"
            )
            return found

        session.ask = late  # type: ignore[method-assign,assignment]
        with pytest.raises(PlanError, match="_yoyo_log is not believed"):
            ledger.ensure(session)
    assert folder.query("select is_called from public.ran") == [(False,)]


def test_a_ledger_that_comes_up_between_trust_and_use(folder: Folder) -> None:
    """The tables are locked ahead of the judgement: nobody puts others in their place."""
    from pgvouch.ledger import ledger
    from pgvouch.sqltext.own import own_query

    with role(folder, "swapper"):
        folder.query(LEDGER)
        text: list[str] = []

        class Seen:
            is_idle = True

            def ask(self, statements: str) -> object:
                text.append(statements)
                raise InterruptedError

        with pytest.raises(InterruptedError):
            ledger.read(Seen())  # type: ignore[arg-type]
    rows = own_query("ledger", "rows")
    for quickly, judgement in (
        (True, "pgvouch: unsure"),
        (False, "do $pgvouch$"),
    ):
        message = ledger.read_sql(quickly=quickly)
        assert message.index("lock table") < message.index(judgement) < message.index(rows)
    assert text == [ledger.read_sql(quickly=True)]


EVERY_TABLE = (
    "ledger",
    "migration",
    "acceptance",
    "repeatable",
    "_yoyo_migration",
    "_yoyo_log",
    "_yoyo_version",
)
ODD = """
create role {role};
create type public.odd as (x text);
create function public.odd(int) returns int immutable language sql as 'select 1';
create function public.odd() returns trigger language plpgsql as 'begin return new; end';
create table public.parent ();
create table public.parts (id text primary key);
"""
FLAWS = {
    "view": "alter table {table} rename to was; create view {table} as select * from pgvouch.was",
    "another kind": "drop table {table} cascade; create table {table} (i int) partition by list (i)",
    "owner": "alter table {table} owner to {role}",
    "owner of the schema": "alter schema pgvouch owner to {role}",
    "row security": "alter table {table} enable row level security",
    "rule": "create rule r as on insert to {table} do also select 1",
    "trigger": "create trigger t before insert on {table} execute function public.odd()",
    "trigger of PostgreSQL's own": "create trigger t before update on {table} "
    "for each row execute function suppress_redundant_updates_trigger()",
    "child": "create table public.child () inherits ({table})",
    "parent": "alter table {table} inherit public.parent",
    "catalog as parent": "drop table {table} cascade;"
    "create table {table} () inherits (pg_catalog.pg_am)",
    "key to it": "alter table {table} add k text unique;"
    "create table public.r (k text references {table} (k))",
    "key to it, not enforced": "alter table {table} add k text unique;"
    "create table public.r (k text references {table} (k) not enforced)",
    "key to itself, not enforced": "alter table {table} add k text unique;"
    "alter table {table} add l text references {table} (k) not enforced",
    "type": "alter table {table} add o public.odd",
    "array": "alter table {table} add o public.odd[]",
    "type of the standard's schema": "alter table {table} add o information_schema.sql_identifier",
    "of a type": "drop table {table} cascade; create table {table} of public.odd",
    "default": "alter table {table} add o int default public.odd(1)",
    "generated": "alter table {table} add n int, "
    "add o int generated always as (public.odd(1)) stored",
    "index": "create index on {table} (public.odd(1))",
    "part of an index": "alter table {table} add n int;"
    "create index on {table} (n) where public.odd(1) = 1",
    "operators of an index": "create operator class public.odd for type text using hash as "
    "operator 1 =, function 1 hashtext(text); alter table {table} add o text;"
    "create index on {table} using hash (o public.odd)",
    "statistics": "create statistics pgvouch.s on (public.odd(1)), (1) from {table}",
    "check": "alter table {table} add check (public.odd(1) = 1)",
    "exclusion": "alter table {table} add n int;"
    "alter table {table} add exclude using btree (n with =) where (public.odd(1) = 1)",
    "operators of a key": "create function public.cmp(json, json) returns int immutable strict "
    "language sql as 'select 0'; create function public.same(json, json) returns bool immutable "
    "strict language sql as 'select true'; create operator public.=== "
    "(leftarg = json, rightarg = json, function = public.same);"
    "create operator class public.keys default for type json using btree as "
    "operator 3 public.===, function 1 public.cmp(json, json);"
    "alter table {table} add k json unique",
    "policy": "create policy p on {table} using (public.odd(1) = 1);"
    "alter table {table} enable row level security",
}


@pytest.mark.parametrize("flaw", sorted(FLAWS))
def test_what_is_refused_is_never_plain(
    make_folder: Callable[[str], Folder], every_url: str, flaw: str
) -> None:
    """The quick judgement passes nothing that the whole one refuses, whichever table it is."""
    from pgvouch.ledger import ledger
    from pgvouch.postgres.session import QueryError, Session

    folder = make_folder(every_url)
    folder.write(A | {"repeat/v.sql": "create or replace view v as select 1;"})
    assert folder("migrate").code == 0
    name = f"odd_{folder.query('select current_database()')[0][0]}"
    with Session.open(folder.url) as session:
        if "not enforced" in flaw and session.connection.info.server_version < 180000:
            pytest.skip("from PostgreSQL 18 on")
        for table in EVERY_TABLE:
            places = {"table": f"pgvouch.{table}", "role": name}
            assert ledger.read(session) is not None
            session.run("begin;" + (ODD + FLAWS[flaw]).format(**places))
            whole, quick = (
                ledger.read_sql(quickly=quickly, in_transaction=True) for quickly in (False, True)
            )
            session.run("savepoint s")
            said = []
            for message in (whole, quick):
                with pytest.raises(QueryError) as refused:
                    session.run(f"set local search_path = pg_catalog, pg_temp;{message}")
                said.append(refused.value)
                session.run("rollback to s")
            assert said[0].server.sqlstate == ledger.UNTRUSTED, (table, said[0].server)
            assert said[1].word == ledger.UNSURE, (table, said[1].server)
            session.run("rollback")


@pytest.mark.parametrize("flaw", sorted(FLAWS))
def test_what_a_fleet_copies_is_its_own(
    make_folder: Callable[[str], Folder], every_url: str, flaw: str
) -> None:
    """A look passes over what a COPY does not run; it has nothing where there are no such tables."""
    from pgvouch.sqltext.own import own_query

    folder = make_folder(every_url)
    folder.write(A)
    assert folder("migrate").code == 0
    name = f"odd_{folder.query('select current_database()')[0][0]}"

    def copied(session: psycopg.Connection[object]) -> None:
        session.execute("set local search_path = pg_catalog, pg_temp")
        for statement in own_query("ledger", "copies").split(";\n"):
            if statement.startswith("copy"):
                with session.cursor().copy(statement.encode()) as copy:
                    assert list(copy) is not None
            else:
                session.execute(statement.encode())

    with psycopg.connect(folder.url) as session:
        if "not enforced" in flaw and session.info.server_version < 180000:
            pytest.skip("from PostgreSQL 18 on")
        for table in ("ledger", "migration", "_yoyo_migration"):
            places = {"table": f"pgvouch.{table}", "role": name}
            session.execute((ODD + FLAWS[flaw]).format(**places).encode())
            if flaw in {"view", "another kind", "of a type", "catalog as parent"}:
                with pytest.raises(
                    (psycopg.errors.WrongObjectType, psycopg.errors.UndefinedColumn)
                ):
                    copied(session)
            else:
                copied(session)
            session.rollback()


HOSTILE = {
    **CODE,
    "view": "alter table pgvouch.migration rename to was;"
    "create view pgvouch.migration as select * from pgvouch.was where public.climb() <> ''",
    "row security": "alter table pgvouch.migration enable row level security;"
    "alter table pgvouch.migration force row level security;"
    "create policy p on pgvouch.migration using (public.climb() <> '')",
    "rule": "create rule r as on insert to pgvouch.ledger do also select public.climb()",
    "child": "create table public.child (check (public.fixed(1) = 1)) inherits (pgvouch.migration)",
    "domain": "create domain public.small as int check (public.fixed(value) = 1);"
    "alter table pgvouch.ledger add small public.small",
    "generated column": "alter table pgvouch.migration drop state, "
    "add state text generated always as ((public.fixed(1))::text) stored",
}


@pytest.mark.parametrize("trick", sorted(HOSTILE))
def test_a_fleet_runs_nothing_of_a_strangers_ledger(folder: Folder, trick: str) -> None:
    folder.write(A)
    name = folder.query("select current_database()")[0][0]
    climber = f"climber_{name}"
    with role(folder, climber) as url:
        folder.query(f'grant create on database "{name}" to {climber}')
        folder.query(f"grant create on schema public to {climber}")
        with psycopg.connect(url) as session:
            # What it says would do: all is applied.
            session.execute(CLIMB + LEDGER)
            session.execute("insert into pgvouch.migration (migration_id) values ('001_a')")
            session.execute(HOSTILE[trick])
            session.execute("select setval('public.ran', 1, false)")
        assert _looked(folder) is None
        # Who owns the schema answers for what is in it; run is nothing, whoever put it there.
        folder.query("alter schema pgvouch owner to postgres")
        _looked(folder)
        assert folder.query("select is_called from public.ran") == [(False,)]


@pytest.mark.parametrize("trick", [*sorted(CODE), "row security", "rule", "child"])
def test_a_fleet_runs_nothing_that_hangs_on_its_own_ledger(folder: Folder, trick: str) -> None:
    folder.write(A)
    assert folder("migrate").code == 0
    folder.query(CLIMB)
    current = _looked(folder)
    flaw = HOSTILE[trick].replace(
        "insert into pgvouch._yoyo_migration values ('001_a', row(now()))", ""
    )
    folder.query(flaw)
    if trick == "cast":
        folder.query("update pgvouch._yoyo_migration set applied_at_utc = row(now())")
    folder.query("select setval('public.ran', 1, false)")
    found = _looked(folder)
    assert found == current
    assert folder.query("select is_called from public.ran") == [(False,)]


def test_a_fleet_sees_nothing_of_a_ledger_through_a_policy(folder: Folder) -> None:
    """Rows that it hides would be migrations that are not there."""
    folder.write(A)
    name = folder.query("select current_database()")[0][0]
    with role(folder, f"team_{name}") as team:
        folder.query(f'grant create on database "{name}" to team_{name}')
        folder.query(f"grant create on schema public to team_{name}")
        assert folder("migrate", url=team).code == 0
        current = _looked(folder, team)
        assert current is not None
        folder.query("alter table pgvouch.migration enable row level security")
        assert _looked(folder, team) == current  # they are not for the owner
        folder.query(CLIMB + HOSTILE["row security"])
        folder.query("select setval('public.ran', 1, false)")
        assert _looked(folder, team) is None
        assert folder.query("select is_called from public.ran") == [(False,)]


def _looked(folder: Folder, url: str | None = None) -> object:
    """Ask a database as a fleet does, and return its state."""
    import asyncio

    from pgvouch.config.project import Project, read_files
    from pgvouch.fleet.look import look
    from pgvouch.fleet.target import Target

    project = Project(folder.root, folder.path, folder.root, folder.root)
    database = read_files(project, "")
    found = asyncio.run(look(Target("t", url or folder.url, "s"), database))
    return found and (found.state, found.version, found.pending)


def test_an_ordinary_ledger_is_judged_quickly(
    make_folder: Callable[[str], Folder], every_url: str
) -> None:
    """Otherwise all databases of a fleet would be asked at length."""
    from pgvouch.ledger import ledger
    from pgvouch.postgres.session import Session

    folder = make_folder(every_url)
    folder.write(A | {"repeat/v.sql": "create or replace view v as select 1;"})
    assert folder("migrate").code == 0
    name = folder.query("select current_database()")[0][0]
    with role(folder, f"team_{name}") as team:
        for url in (folder.url, team):
            if url == team:
                folder.query("drop schema pgvouch cascade; drop table a; drop view v")
                folder.query(f'grant create on database "{name}" to team_{name}')
                folder.query(f"grant create on schema public to team_{name}")
                assert folder("migrate", url=team).code == 0
            with Session.open(url) as session:
                (*_, ours, theirs) = session.ask(ledger.read_sql(quickly=True))
                assert [row[0] for row in ours.rows] == [row[0] for row in theirs.rows] == ["001_a"]


def test_who_is_a_member_of_the_owner_is_asked_at_length(folder: Folder) -> None:
    from pgvouch.ledger import ledger
    from pgvouch.postgres.session import QueryError, Session

    folder.write(A)
    name = folder.query("select current_database()")[0][0]
    with role(folder, f"team_{name}") as team, role(folder, f"member_{name}") as member:
        folder.query(f'grant create on database "{name}" to team_{name}')
        folder.query(f"grant create on schema public to team_{name}")
        folder.query(f"grant team_{name} to member_{name}")
        assert folder("migrate", url=team).code == 0
        with Session.open(member) as session:
            with pytest.raises(QueryError) as unsure:
                session.ask(ledger.read_sql(quickly=True))
            assert unsure.value.word == ledger.UNSURE
            assert [row.id for row in ledger.read(session) or ()] == ["001_a"]


def test_who_cannot_write_the_ledger_is_no_runner(folder: Folder) -> None:
    """Whoever reads a token in the ledger could pass for the runner, and stop the others."""
    folder.write({"001_a.sql": "-- transactional: false\nselect 1;\n"})
    assert folder("migrate").code == 0
    folder.query(
        "update pgvouch.migration set state = 'incomplete', token = 'beefbeefbeefbeef', "
        "statements_done = 0, progress = encode(sha256(''), 'hex'), touched_at = now() - "
        "interval '1 h'; delete from pgvouch._yoyo_migration"
    )
    with role(folder, "pretender") as url, psycopg.connect(url) as pretender:
        pretender.execute("/* beefbeefbeefbeef */ select 1")
        ran = folder("migrate", "--lock-wait", "300ms")
        assert ran.code == 0, ran.err
