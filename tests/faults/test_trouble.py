"""What else goes wrong on a bad night: each has an error of its own, and nothing lands by halves."""

import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from conftest import Folder, Server, _project, database_of, query, start
from faults.processes import free_port
from pgvouch import embedded
from pgvouch.config.options import Options
from pgvouch.config.project import Database, read_database
from pgvouch.config.project import Project as Configured
from pgvouch.engine import commands
from pgvouch.errors import ConnectError
from pgvouch.events import Event
from pgvouch.postgres.session import Session
from support.proxy import Fault, When, recording

A = {"001_a.sql": "create table a (n int);"}


def _refused(folder: Folder, sql: str, *words: str, code: int = 1) -> str:
    """Migration 2 fails, and the database is as it was after 1."""
    folder.write(A)
    folder("migrate")
    folder.write({"002_b.sql": sql})
    ran = folder("migrate")
    assert ran.code == code, ran.err
    for word in words:
        assert word in ran.err
    assert "Traceback" not in ran.err
    assert folder.query("select migration_id from pgvouch.migration") == [("001_a",)]
    assert folder.query("select to_regclass('b')") == [(None,)]
    return ran.err


def test_a_statement_timeout(folder: Folder) -> None:
    _refused(
        folder,
        "-- statement_timeout: 50ms\ncreate table b (); select pg_sleep(60);",
        "57014",
        "Nothing of 002_b is in the database.",
        "-- statement_timeout",
    )


def test_the_role_s_own_limits(folder: Folder) -> None:
    name = database_of(folder.url)
    query(folder.url, f"alter database {name} set statement_timeout = '60ms'")
    query(folder.url, f"alter database {name} set idle_in_transaction_session_timeout = '2s'")
    _refused(folder, "create table b (); select pg_sleep(60);", "57014", "statement timeout")
    folder.write({"002_b.sql": "-- statement_timeout: 60s\nselect pg_sleep(0.1);"})
    assert folder("migrate").code == 0


def test_an_idle_limit_while_we_wait_for_another_runner(folder: Folder) -> None:
    folder.write(A)
    query(
        folder.url, f"alter database {database_of(folder.url)} set idle_session_timeout = '100ms'"
    )
    with psycopg.connect(folder.url) as other:
        other.execute("set idle_session_timeout = 0; select 1")
        other.execute("create schema pgvouch")
        project = Configured(folder.root, folder.path, folder.root, folder.root)
        database = Database("", folder.path, folder.url, read_database(project, ""))
        waits = 0

        def on(event: Event) -> None:
            nonlocal waits
            waits += 1
            if waits == 6:
                other.rollback()

        with Session.open(folder.url) as session:
            commands.migrate(session, database, Options(), on)
    assert waits > 6
    assert folder.query("select to_regclass('a')::text") == [("a",)]


def test_a_deferred_constraint_speaks_before_the_commit(folder: Folder) -> None:
    _refused(
        folder,
        "create table b (n int primary key, m int references b deferrable initially deferred);"
        "insert into b values (1, 2);",
        "23503",
        "Nothing of 002_b is in the database.",
    )


def test_a_trigger_that_raises_at_the_commit(folder: Folder) -> None:
    _refused(
        folder,
        "create table b (n int);"
        "create function no() returns trigger language plpgsql as $$ begin raise 'not today'; "
        "end $$;"
        "create constraint trigger t after insert on b deferrable initially deferred "
        "for each row execute function no(); insert into b values (1);",
        "not today",
    )


def test_a_migration_that_ends_its_own_backend(folder: Folder) -> None:
    _refused(
        folder,
        "create table b (); select pg_terminate_backend(pg_backend_pid());",
        "the connection was lost during 002_b",
        "Nothing of 002_b is in the database. Landed before it: 001_a.".partition(" Landed")[0],
        code=5,
    )


def test_a_migration_that_drops_the_ledger(folder: Folder) -> None:
    _refused(
        folder,
        "create table b (); drop schema pgvouch cascade;",
        "this is where its row is written into the ledger",
        "does the migration itself change the schema pgvouch?",
    )


def test_a_migration_that_locks_the_ledger(folder: Folder) -> None:
    folder.write({"001_a.sql": "lock table pgvouch._yoyo_migration, pgvouch.migration;"})
    assert folder("migrate").code == 0


def test_a_ledger_that_somebody_keeps_locked(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    folder.write({"002_b.sql": "create table b ();"})
    with psycopg.connect(folder.url) as other:
        other.execute("lock table pgvouch.migration in exclusive mode")
        ran = folder("migrate", "--lock-timeout", "100ms", "--retries", "1")
        assert ran.code == 1
        assert "002_b gave way" in ran.err
        other.execute("lock table pgvouch._yoyo_migration")
        ran = folder("migrate", "--lock-timeout", "100ms", "--retries", "0")
        assert ran.code == 5
        assert "another session has kept the ledger locked" in ran.err
    assert folder("migrate").code == 0


@pytest.fixture(scope="module")
def small(pg18: Server) -> Iterator[Server]:
    """A server that cannot write a file of more than 20 MB: more than a segment of WAL."""
    del pg18
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20 << 20, before[1]))
    try:
        found = start("pg18", "small")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    yield found
    embedded.stop(_project("pg18", "small"))
    shutil.rmtree(_project("pg18", "small").server_data)


def test_a_full_disk(folder: Folder, small: Server) -> None:
    folder.write(A)
    url = small.url("postgres")
    assert folder("migrate", url=url).code == 0
    folder.write(
        {
            "002_b.sql": "create table b (t text); alter table b alter t set storage plain;"
            "insert into b select repeat('x', 8000) from generate_series(1, 4000);"
        }
    )
    ran = folder("migrate", url=url)
    assert ran.code == 1
    assert "could not extend file" in ran.err
    assert "Nothing of 002_b is in the database." in ran.err
    assert query(url, "select to_regclass('b')") == [(None,)]
    folder.write({"002_b.sql": "create table b (t text);"})
    assert folder("migrate", url=url).code == 0


@contextmanager
def _role(url: str, definition: str) -> Iterator[str]:
    name = f"r_{database_of(url)}"
    query(url, f"create role {name} login {definition}")
    try:
        yield name
    finally:
        query(url, f"drop role {name}")


def _as(url: str, role: str) -> str:
    return url.replace("postgres@", f"{role}@", 1)


def test_a_role_that_may_not_create(folder: Folder) -> None:
    folder.write(A)
    with _role(folder.url, "") as role:
        ran = folder("migrate", url=_as(folder.url, role))
        assert ran.code == 1
        assert "the ledger cannot be created" in ran.err
        assert "42501" in ran.err
        assert folder("migrate").code == 0
        ran = folder("status", url=_as(folder.url, role))
        assert ran.code == 2
        assert "the ledger belongs to another role" in ran.err


def test_a_ledger_of_a_newer_version(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    folder.query("update pgvouch.ledger set version = 99")
    ran = folder("migrate")
    assert ran.code == 2
    assert "the ledger is of version 99" in ran.err


def test_no_connection_left(folder: Folder) -> None:
    folder.write(A)
    with _role(folder.url, "connection limit 0") as role:
        ran = folder("migrate", "--json", url=_as(folder.url, role))
        assert ran.code == 5
        assert '"kind": "too many connections"' in ran.out
        ran = folder("migrate", "--wait", "1s", url=_as(folder.url, role))
        assert ran.code == 5
        assert "has no connection left; waiting up to" in ran.err


def test_nobody_listens(folder: Folder) -> None:
    folder.write(A)
    url = f"postgresql://postgres:hunter2@127.0.0.1:{free_port()}/x"
    ran = folder("migrate", "--json", url=url)
    assert ran.code == 5
    assert '"kind": "not ready"' in ran.out
    assert "hunter2" not in ran.out + ran.err


def test_a_server_that_comes_up_is_waited_for(folder: Folder, pg18: Server) -> None:
    folder.write(A)
    port = free_port()
    url = f"postgresql://postgres@127.0.0.1:{port}/{database_of(folder.url)}?sslmode=disable"
    path = f"{pg18.running.socket_folder}/.s.PGSQL.{pg18.running.port}"
    from pgvouch.postgres.reach import open_session

    opened = []

    def on(event: Event) -> None:
        if not opened:
            opened.append(event)
            proxies.enter_context(recording(path, port))

    from contextlib import ExitStack

    with (
        ExitStack() as proxies,
        open_session(url, application_name="x", wait_s=30, tell=on) as session,
    ):
        assert session.run("select 1")[0].rows == (("1",),)
    assert opened


def test_the_lost_answer_to_a_commit(folder: Folder, pg18: Server) -> None:
    folder.write(A | {"002_b.sql": "create table b ();", "003_c.sql": "create table c ();"})
    folder("migrate", "--to", "1")
    path = f"{pg18.running.socket_folder}/.s.PGSQL.{pg18.running.port}"
    with recording(path) as proxy:
        url = f"postgresql://postgres@127.0.0.1:{proxy.port}/{database_of(folder.url)}"
        url += "?sslmode=disable"
        # The ledger, then two messages a migration: the second one ends with its commit.
        for when, landed in ((When.BEFORE, False), (When.SILENT, True)):
            proxy.messages = 0
            proxy.fault = Fault(2, when)
            ran = folder("migrate", "--to", "2", url=url)
            assert ran.code == 5
            said = (
                "002_b is in the database, whole."
                if landed
                else "Nothing of 002_b is in the database."
            )
            assert said in ran.err
            assert (folder.query("select to_regclass('b')::text") == [("b",)]) is landed
    assert folder("migrate").code == 0


@pytest.fixture(scope="module")
def own(pg18: Server) -> Iterator[Server]:
    """A server whose configuration tests may change."""
    del pg18
    yield start("pg18", "own")
    embedded.stop(_project("pg18", "own"))
    shutil.rmtree(_project("pg18", "own").server_data)


def test_more_relations_than_one_transaction_can_lock(folder: Folder, own: Server) -> None:
    """On a server of its own: every other test on it would run out of locks in the same moment."""
    url = own.url("locks")
    query(own.url("postgres"), "create database locks")
    table = "create table t{} (id int primary key, name text unique); create index on t{} (name);"
    folder.write(
        {f"{n:03}_t.sql": "".join(table.format(k, k) for k in range(n * 100, n * 100 + 100))
         for n in range(1, 41)}
    )  # fmt: skip
    ran = folder("migrate", "--single-transaction", url=url)
    assert ran.code == 1
    assert "out of shared memory" in ran.err
    assert "leave out --single-transaction" in ran.err
    assert "max_locks_per_transaction" in ran.err
    assert "Nothing is in the database: all of it was one transaction." in ran.err
    assert query(url, "select to_regclass('t100'), count(*) from pgvouch.migration") == [(None, 0)]
    assert folder("migrate", "--single-transaction", "--to", "7", url=url).code == 0
    assert folder("migrate", url=url).code == 0


def test_a_wrong_password(own: Server, folder: Folder) -> None:
    data = _project("pg18", "own").server_data
    hba = data / "pg_hba.conf"
    before = hba.read_text()
    query(own.url("postgres"), "create role strict login password 'right'")
    hba.write_text("local all strict scram-sha-256\n" + before)
    query(own.url("postgres"), "select pg_reload_conf()")
    folder.write(A)
    query(own.url("postgres"), "create database strict owner strict")
    url = _as(own.url("strict"), "strict:wr0ng")
    ran = folder("migrate", "--json", url=url)
    assert ran.code == 5
    assert '"kind": "authentication"' in ran.out
    assert "wr0ng" not in ran.out + ran.err
    assert folder("migrate", url=url.replace("wr0ng", "right")).code == 0


def test_a_prepared_transaction_in_the_way_is_named(own: Server, folder: Folder) -> None:
    project = _project("pg18", "own")
    query(own.url("postgres"), "alter system set max_prepared_transactions = 2")
    embedded.stop(project)
    embedded.ensure_running(project)
    folder.write(A)
    query(own.url("postgres"), "create database prepared")
    url = own.url("prepared")
    assert folder("migrate", url=url).code == 0
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("begin")
        other.execute("lock table a in share mode")
        other.execute("prepare transaction 'forgotten'")
    folder.write({"002_b.sql": "alter table a add m int;"})
    ran = folder("migrate", "--lock-timeout", "200ms", "--retries", "0", url=url)
    assert ran.code == 1
    assert "a prepared transaction, in a transaction for" in ran.err
    assert "PREPARE TRANSACTION forgotten" in ran.err
    assert "select * from pg_prepared_xacts" in ran.err
    query(url, "rollback prepared 'forgotten'")
    assert folder("migrate", url=url).code == 0


def test_a_read_only_standby(own: Server, folder: Folder) -> None:
    folder.write(A)
    url = own.url("standby")
    query(own.url("postgres"), "create database standby")
    assert folder("migrate", url=url).code == 0
    project = _project("pg18", "own")
    embedded.stop(project)
    signal_file = project.server_data / "standby.signal"
    signal_file.touch()
    shutil.chown(signal_file, *_owner(project.server_data))
    try:
        embedded.ensure_running(project)
        assert folder("migrate", url=url).code == 0  # nothing to do is nothing to write
        folder.write({"verify/001_a.sql": "-- check: a check may write\nselect true;"})
        ran = folder("verify", "--json", url=url)
        assert ran.code == 5
        assert '"kind": "standby"' in ran.out
        folder.write({"002_b.sql": "create table b ();"})
        for target in (url, own.url("postgres")):
            ran = folder("migrate", "--json", url=target)
            assert ran.code == 5, ran.out
            assert '"kind": "standby"' in ran.out
            assert "target_session_attrs" in ran.out
    finally:
        embedded.stop(project)
        signal_file.unlink(missing_ok=True)
        embedded.ensure_running(project)
    assert folder("migrate", url=url).code == 0


def _owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


def test_a_lost_connection_is_told_outside_of_a_migration(folder: Folder) -> None:
    from pgvouch.postgres.reach import open_session, telling_of_loss

    with (
        pytest.raises(ConnectError, match="the connection was lost"),
        open_session(folder.url, application_name="x") as session,
        telling_of_loss(),
    ):
        session.run("select pg_terminate_backend(pg_backend_pid())")
