"""docs/least_privilege.sql: the owner migrates, the application works with rows, and no more."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import psycopg.conninfo
import pytest

from conftest import ROOT, Folder, Ran, Server, query
from deploying.containers import line
from faults.processes import SLEEPING, ended, migrating, until

GUIDE = ROOT / "docs" / "least_privilege.sql"
NAMES = ("owner", "app", "waiter")

FILES = {
    "001_notes.sql": "create table notes (id serial primary key, body text not null);\n"
    "create view short_notes as select body from notes where length(body) < 10;\n"
    "create function shout(text) returns text language sql return upper($1);\n",
    "001_notes.rollback.sql": "drop function shout; drop view short_notes; drop table notes;\n",
    "002_archive.sql": "create schema archive;\ncreate table archive.notes (body text);\n",
    "002_archive.rollback.sql": "drop table archive.notes; drop schema archive;\n",
}


@dataclass(frozen=True)
class Roles:
    """The database with its three roles, and the same database as each of them."""

    server: Server
    url: str
    owner: str
    app: str
    waiter: str

    def of(self, role: str) -> str:
        return psycopg.conninfo.make_conninfo(self.url, user=getattr(self, role))

    def guide(self, *more: str, url: str = "") -> "subprocess.CompletedProcess[str]":
        given = [f"--set={name}={getattr(self, name)}" for name in NAMES]
        return psql(self.server, url or self.url, *given, *more)

    def refused(self, role: str, sql: str) -> str:
        """The SQLSTATE with which a role is refused; an empty text where it is not."""
        with psycopg.connect(self.of(role), autocommit=True) as connection:
            try:
                connection.execute(sql.encode())
            except psycopg.Error as exc:
                return str(exc.sqlstate)
        return ""


def psql(server: Server, url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [server.bin / "psql", "-X", "--quiet", "--dbname", url, "--file", GUIDE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def roles(every_server: Server, every_url: str) -> Iterator[Roles]:
    query(every_url, "grant create on schema public to public")  # as PostgreSQL 14 had it
    # Names that need quotes.
    mark = secrets.token_hex(4)
    found = Roles(every_server, every_url, f"O'wner {mark}", f'A"pp {mark}', f"Waiter {mark}")
    done = found.guide()
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    yield found
    query(
        every_url,
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()",
    )
    _drop(every_url, found.owner, found.app, found.waiter)


def _drop(url: str, *names: str) -> None:
    for name in names:
        quoted = psycopg.sql.Identifier(name).as_string(None)
        query(url, f"drop owned by {quoted} cascade")
        query(url, f"drop role {quoted}")


@pytest.fixture
def notes(roles: Roles, make_folder: Callable[[str], Folder]) -> Folder:
    """The folder, applied by the owner."""
    folder = make_folder(roles.of("owner"))
    folder.write(FILES)
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    return folder


CAN = (
    "insert into notes (body) values ('one'), ('two')",
    "select count(*) from notes",
    "select * from short_notes",
    "update notes set body = shout(body) where id = 1",
    "delete from notes where body = 'two'",
)
CANNOT = (
    # create
    "create table mine (n int)",
    "create temporary table mine (n int)",
    "create table archive.mine (n int)",
    "create table pgvouch.mine (n int)",
    "create view mine as select 1",
    "create function mine() returns int language sql return 1",
    "create schema mine",
    "create role mine",
    "create database mine",
    # change what is the owner's
    "alter table notes add column more text",
    "drop table notes",
    "truncate notes",
    "create index on notes (body)",
    "create policy mine on notes using (true)",
    "create trigger mine after insert on notes execute function pg_catalog.tsvector_update_trigger()",
    "alter sequence notes_id_seq restart",
    "select setval('notes_id_seq', 1)",
    "drop schema public cascade",
    "comment on table notes is 'mine'",
    "select * from archive.notes",
    # the ledger
    *(
        f"select * from pgvouch.{table}"
        for table in (
            *("ledger", "migration", "acceptance", "yoyo_lock"),
            *("_yoyo_migration", "_yoyo_log", "_yoyo_version"),
        )
    ),
    "insert into pgvouch.migration (migration_id, state) values ('003_mine', 'applied')",
    "update pgvouch.migration set checksum = null",
    "delete from pgvouch._yoyo_migration",
    "truncate pgvouch.migration",
    "drop schema pgvouch cascade",
    # become somebody
    "set role {owner}",
    "set session authorization {owner}",
    "grant {owner} to {app}",
    "alter role {owner} password 'mine'",
    "alter role {app} superuser",
    "alter role {app} createrole",
    "reassign owned by {owner} to {app}",
    "alter default privileges for role {owner} grant all on tables to {app}",
    "alter table notes owner to {app}",
)


def _filled(roles: Roles, sql: str) -> str:
    quoted = {n: psycopg.sql.Identifier(getattr(roles, n)).as_string(None) for n in NAMES}
    return sql.format(**quoted)


def _works_with_rows(roles: Roles) -> None:
    with psycopg.connect(roles.of("app"), autocommit=True) as connection:
        for sql in CAN:
            connection.execute(sql.encode())
        rows = connection.execute("select body from notes").fetchall()
        assert rows == [("ONE",)]


def _wrongly_let(roles: Roles) -> dict[str, str]:
    """What the application was not refused, or with another SQLSTATE than 42501."""
    said = {sql: roles.refused("app", _filled(roles, sql)) for sql in CANNOT}
    return {sql: state for sql, state in said.items() if state != "42501"}


def test_the_application_works_with_rows_and_no_more(roles: Roles, notes: Folder) -> None:
    _works_with_rows(roles)
    assert _wrongly_let(roles) == {}


def test_the_application_passes_nothing_on(roles: Roles, notes: Folder) -> None:
    acl = "select relacl::text from pg_class where oid = 'notes'::regclass"
    before = query(roles.url, acl)
    roles.refused("app", "grant all on notes to public")  # PostgreSQL warns, and does nothing
    assert query(roles.url, acl) == before


def test_the_same_after_a_rollback_and_another_migrate(roles: Roles, notes: Folder) -> None:
    ran = notes("rollback", "--all")
    assert ran.code == 0, ran.err
    assert roles.refused("app", "select * from notes") == "42P01"
    assert roles.refused("app", "select * from pgvouch.migration") == "42501"
    assert notes("migrate").code == 0
    _works_with_rows(roles)
    assert _wrongly_let(roles) == {}
    notes.write({"003_more.sql": "create table more (n int);"})
    assert notes("migrate").code == 0
    query(roles.of("app"), "insert into more values (1)")


@pytest.mark.parametrize(
    "command",
    [
        *(("status",), ("plan",), ("verify",), ("migrate",), ("migrate", "--dry-run")),
        *(("migrate", "--rehearse"), ("rollback",), ("rollback", "--dry-run")),
        *(("accept", "001_notes", "--why", "x"), ("wait", "--for-schema", "--wait", "0")),
    ],
    ids=" ".join,
)
def test_pgvouch_refuses_the_application(
    roles: Roles, notes: Folder, command: tuple[str, ...]
) -> None:
    ran = notes(*command, url=roles.of("app"))
    if command[0] == "wait":
        _refused_clearly(ran, 2, "server  42501: permission denied for schema pgvouch")
        assert "may not read the ledger" in ran.err
    else:
        _refused_clearly(ran, 2, "is not believed: its owner is")
        assert "the ledger belongs to another role" in ran.err


def _refused_clearly(ran: Ran, code: int, said: str) -> None:
    assert ran.code == code, ran.err
    assert said in ran.err
    assert "next  " in ran.err
    assert ran.out == ""


def test_without_a_ledger_the_application_makes_none(
    roles: Roles, make_folder: Callable[[str], Folder]
) -> None:
    folder = make_folder(roles.of("app"))
    folder.write(FILES)
    ran = folder("migrate")
    assert ran.code == 1
    assert "the ledger cannot be created: permission denied for database" in ran.err
    assert "a role that may create a schema" in ran.err
    assert query(roles.url, "select to_regnamespace('pgvouch')") == [(None,)]


def test_the_owner_is_nobody_elsewhere(roles: Roles, notes: Folder) -> None:
    for sql in (
        *("create role mine", "create database mine", "set session authorization postgres"),
        *("set role postgres", "select pg_read_file('PG_VERSION')", "alter system set fsync = off"),
        "drop owned by postgres",
    ):
        assert roles.refused("owner", sql) == "42501", sql
    assert query(
        roles.url,
        "select distinct tableowner from pg_tables where schemaname in ('public', 'pgvouch', 'archive')",
    ) == [(roles.owner,)]


def test_a_promise_sees_what_the_application_sees(roles: Roles, notes: Folder) -> None:
    role = psycopg.sql.Identifier(roles.app).as_string(None)
    notes.write(
        {
            "003_secret.sql": f"create table secret (n int);\nrevoke all on secret from {role};",
            "verify/003_secret.sql": f"-- check error 42501: the application does not read it\n"
            f"set local role {role};\nselect * from secret;\n\n"
            f"-- check: it reads the others\nset local role {role};\nselect count(*) >= 0 from notes;\n",
        }
    )
    ran = notes("migrate")
    assert ran.code == 0, ran.err
    assert "2 checks" in ran.err


def test_the_waiter_sees_the_ledger_when_a_migration_lets_it(roles: Roles, notes: Folder) -> None:
    url = roles.of("waiter")
    assert notes("wait", "--for-schema", "--wait", "0", url=url).code == 2
    notes.write(
        {
            "003_waiter.sql": '-- var: waiter\ngrant usage on schema pgvouch to :"waiter";\n'
            "grant select on pgvouch.ledger, pgvouch.migration, pgvouch._yoyo_migration\n"
            '  to :"waiter";\n'
        }
    )
    assert notes("migrate", "--var", f"waiter={roles.waiter}").code == 0
    ran = notes("wait", "--for-schema", "--wait", "0", url=url)
    assert ran.code == 0, ran.err
    # It is no member of the owner: it waits, and believes nothing that it would have to act on.
    assert notes("status", "--exit-code", url=url).code == 2
    notes.write({"004_more.sql": "create table public.more (n int);"})
    assert notes("wait", "--for-schema", "--wait", "0", url=url).code == 5
    ran = notes("migrate", url=url)
    assert (ran.code, "Traceback" in ran.err) == (2, False)
    assert "the ledger belongs to another role" in ran.err
    for sql in (
        *(
            "select * from public.notes",
            "create table public.m ()",
            "delete from pgvouch.migration",
        ),
        *("select * from pgvouch.acceptance", "insert into pgvouch.ledger values (2)"),
    ):
        assert roles.refused("waiter", sql) == "42501", sql


def test_a_runner_that_was_killed_is_noticed_by_the_server(roles: Roles, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    slow = tmp_path / "m" / "001_slow.sql"
    slow.write_text("create table slow (); select pg_sleep(600);")
    killed = migrating(tmp_path / "m", roles.of("owner"))
    until(roles.url, SLEEPING)
    killed.kill()
    ended(killed)
    slow.write_text("create table slow ();")
    again = migrating(tmp_path / "m", roles.of("owner"))
    assert "another runner is at work" in line(again)
    code, _, err = ended(again)
    assert code == 0, err


def test_nobody_is_a_member_of_the_owner(roles: Roles) -> None:
    members = "select count(*) from pg_auth_members where roleid = (select oid from pg_roles where rolname = {})"
    owner = psycopg.sql.Literal(roles.owner).as_string(None)
    assert query(roles.url, members.format(owner)) == [(0,)]
    waiter = psycopg.sql.Literal(roles.waiter).as_string(None)
    assert query(roles.url, f"select has_schema_privilege({waiter}, 'public', 'usage')") == [
        (False,)
    ]


def test_nobody_else_gets_in(roles: Roles) -> None:
    name = f"other_{secrets.token_hex(4)}"
    query(roles.url, f"create role {name} login")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(psycopg.conninfo.make_conninfo(roles.url, user=name))
    query(roles.url, f"drop role {name}")


def test_a_second_time_does_no_harm(roles: Roles, notes: Folder) -> None:
    # Other tests make roles of their own in the same moment.
    names = (roles.owner, roles.app, roles.waiter)
    ours = ", ".join(psycopg.sql.Literal(name).as_string(None) for name in names)
    state = (
        "select coalesce((select array_agg(a::text order by a) from pg_auth_members as m"
        " cross join lateral (select (m.roleid::regrole, m.member::regrole)::text) as t (a)"
        f" where pg_get_userbyid(m.roleid) in ({ours}) or pg_get_userbyid(m.member) in ({ours})), '{{}}'), (select array_agg((relname, relacl)::text order by oid)"
        " from pg_class where oid > 16383), (select array_agg(datacl::text) from pg_database"
        " where datname = current_database())"
    )
    before = query(roles.url, state)
    assert roles.guide().returncode == 0
    assert query(roles.url, state) == before
    _works_with_rows(roles)


def test_a_project_that_goes_on_keeps_the_old_ledger_from_the_application(
    roles: Roles, notes: Folder
) -> None:
    owner = psycopg.sql.Identifier(roles.owner).as_string(None)
    query(
        roles.url,
        "create table old (n serial); create table _yoyo_migration (migration_id text);"
        f"alter table old owner to {owner}; alter table _yoyo_migration owner to {owner}",
    )
    assert roles.refused("app", "select * from old") == "42501"
    assert roles.guide().returncode == 0
    query(roles.of("app"), "insert into old default values")
    assert roles.refused("app", "select * from _yoyo_migration") == "42501"


def test_an_administrator_who_is_no_superuser_can_run_it(every_server: Server) -> None:
    mark = secrets.token_hex(4)
    top = every_server.url("postgres")
    query(top, f"create role admin_{mark} login createrole createdb")
    admin = psycopg.conninfo.make_conninfo(top, user=f"admin_{mark}")
    query(admin, f"create database hosted_{mark}")
    names = tuple(f"hosted_{mark}_{name}" for name in NAMES)
    try:
        inside = psycopg.conninfo.make_conninfo(admin, dbname=f"hosted_{mark}")
        for _ in range(2):
            done = psql(every_server, inside)  # the names are made from the database's
            assert done.returncode == 0, done.stderr
        owner = psycopg.conninfo.make_conninfo(inside, user=names[0])
        query(owner, "create table notes (id int generated always as identity, body text)")
        app = psycopg.conninfo.make_conninfo(inside, user=names[1])
        query(app, "insert into notes (body) values ('one')")
        with (
            psycopg.connect(app) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("create table mine (n int)")
    finally:
        query(top, f"drop database hosted_{mark}")
        for name in (*names, f"admin_{mark}"):
            query(top, f"drop role if exists {name}")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("create role {0} superuser login", "{0} may do too much"),
        ("create role {0} createrole login", "{0} may do too much"),
        ("create role {0} bypassrls login", "{0} may do too much"),
        ("create role {0} login; grant {owner} to {0}", "{0} is a member of"),
        ("create role {0} login; grant postgres to {0}", "{0} is a member of postgres"),
    ],
)
def test_a_role_that_may_too_much_is_no_application(roles: Roles, made: str, said: str) -> None:
    name = f"mighty_{secrets.token_hex(4)}"
    query(roles.url, made.format(name, owner=psycopg.sql.Identifier(roles.owner).as_string(None)))
    try:
        done = roles.guide(f"--set=app={name}")
        assert done.returncode == 3
        assert said.format(name) in done.stderr
        held = f"select has_schema_privilege('{name}', 'public', 'usage') and relacl::text like '%{name}%' from pg_class"
        assert (True,) not in query(roles.url, held)
    finally:
        query(roles.url, f"drop role {name}")


def test_with_deltas_the_default_privileges_are_a_migration(
    roles: Roles, make_folder: Callable[[str], Folder]
) -> None:
    # A scratch database knows no default privileges but those of migrations.
    app = psycopg.sql.Identifier(roles.app).as_string(None)
    folder = make_folder(roles.of("owner"))
    folder.write({"002_notes.sql": "create table notes (n int);"})
    assert folder("accept-delta", "002_notes", url=roles.url).code == 0
    ran = folder("migrate")
    assert ran.code == 1
    assert "was not promised:  + grant on table public.notes" in ran.err

    owner = psycopg.sql.Identifier(roles.owner).as_string(None)
    query(
        roles.url,
        f"set role {owner}; alter default privileges in schema public revoke all on tables from {app};"
        f"alter default privileges in schema public revoke all on sequences from {app}",
    )
    assert roles.guide("--set=defaults=off").returncode == 0
    folder.write(
        {
            "001_defaults.sql": "alter default privileges in schema public\n"
            f"  grant select, insert, update, delete on tables to {app};\n"
            f"alter default privileges in schema public grant usage on sequences to {app};\n"
        }
    )
    assert folder("accept-delta", url=roles.url).code == 0
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    query(roles.of("app"), "insert into notes values (1)")
