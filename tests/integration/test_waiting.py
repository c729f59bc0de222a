"""A busy table makes the migration wait its turn, not the application queue behind it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from conftest import LOCK, Folder, database_of, query
from pgvouch.config.options import Options
from pgvouch.config.project import Database, Project, read_database
from pgvouch.engine import commands
from pgvouch.errors import ConnectError, MigrationError, PlanError
from pgvouch.events import Event, Finished, Started, Waiting
from pgvouch.postgres.session import Session

BUSY = {
    "001_t.sql": "create table t (n int);",
    "002_t.sql": "-- lock_timeout: 300ms\nalter table t add column m int;",
}


def _database(folder: Folder) -> Database:
    project = Project(folder.root, folder.path, folder.root, folder.root)
    return Database("", folder.path, folder.url, read_database(project, ""))


def _migrate(folder: Folder, on: Callable[[Event], None], **options: Any) -> list[Event]:
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        on(event)

    with Session.open(folder.url, "pgvouch migrate") as session:
        commands.migrate(session, _database(folder), Options(**options), listen)
    return events


@contextmanager
def _reader(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, application_name="report") as connection:
        connection.execute("select count(*) from t")
        yield connection


def _waits(event: Event, words: str) -> bool:
    return isinstance(event, Waiting) and words in event.text


def test_it_gives_way_the_clients_go_on_and_it_tries_again(folder: Folder) -> None:
    folder.write(BUSY)
    folder("migrate", "--to", "1")
    order: list[str] = []

    def client() -> None:
        query(folder.url, "insert into t (n) values (1)")
        order.append("the client goes on")

    queued = threading.Thread(target=client)
    with _reader(folder.url) as reader:
        pid = reader.info.backend_pid

        def on(event: Event) -> None:
            if _waits(event, "waiting for public.t (AccessExclusiveLock), held by pid"):
                order.append("the migration waits")
                queued.start()  # and queues behind it
            elif _waits(event, "002_t gave way"):
                queued.join(10)  # the reader still reads: only the migration was in the way
                reader.rollback()
            elif isinstance(event, Finished):
                order.append("it lands")

        events = _migrate(folder, on)
    assert order == [
        "the migration waits",
        "the client goes on",
        "it lands",
    ]
    assert any(_waits(event, "gave way") for event in events)
    (waited,) = [e for e in events if _waits(e, "held by")]
    assert f"pid {pid} (report, role postgres), in a transaction for 0 s" in str(waited)
    assert "idle in transaction: select count(*) from t" in str(waited)
    assert folder.query("select n, m from t") == [(1, None)]


def test_giving_up_says_who_was_in_the_way(folder: Folder) -> None:
    folder.write(BUSY)
    folder("migrate", "--to", "1")
    with _reader(folder.url) as reader:
        ran = folder("migrate", "--retries", "1")
        pid = reader.info.backend_pid
    assert ran.code == 1
    assert "002_t gave way: canceling statement due to lock timeout; attempt 2 of 2" in ran.err
    assert f"in the way: pid {pid} (report, role postgres)" in ran.err
    assert "tried 2 times" in ran.err
    assert f"select * from pg_stat_activity where pid in ({pid})" in ran.err
    assert "Nothing of 002_t is in the database." in ran.err
    assert folder.query("select migration_id from pgvouch.migration") == [("001_t",)]


def test_the_budget_ends_the_attempts(folder: Folder) -> None:
    folder.write(BUSY)
    folder("migrate", "--to", "1")
    with _reader(folder.url):
        ran = folder("migrate", "--retry-budget", "0")
    assert ran.code == 1
    assert "gave way" not in ran.err
    assert "canceling statement due to lock timeout" in ran.err


def test_a_single_transaction_is_tried_again_as_a_whole(folder: Folder) -> None:
    folder.write(BUSY)
    folder("migrate", "--to", "1")
    folder.write({"0015_before.sql": "create table b ();"})
    with _reader(folder.url) as reader:
        events = _migrate(
            folder,
            lambda event: reader.rollback() if _waits(event, "gave way") else None,
            single_transaction=True,
        )
    landed = [event.id for event in events if isinstance(event, Finished)]
    assert landed[-2:] == ["002_t", "0015_before"]
    assert folder.query("select count(*) from pgvouch.migration") == [(3,)]


def test_a_rollback_gives_way_too(folder: Folder) -> None:
    folder.write(BUSY | {"002_t.rollback.sql": "alter table t drop column m;"})
    folder("migrate")
    with _reader(folder.url):
        ran = folder("rollback", "--lock-timeout", "100ms", "--retries", "1")
    assert ran.code == 1
    assert "002_t gave way" in ran.err
    assert "002_t is still in the database, whole." in ran.err
    assert folder("rollback").code == 0


def test_a_deadlock_is_tried_again(folder: Folder) -> None:
    folder.write({"001_ab.sql": "create table a (); create table b ();"})
    folder("migrate")
    folder.write({"002_ab.sql": "alter table a add n int; alter table b add n int;"})
    name = database_of(folder.url)
    query(folder.url, f"alter database {name} set deadlock_timeout = '2s'")
    with psycopg.connect(folder.url) as other:
        # Only the migration looks for deadlocks, so it is the one to give way.
        other.execute("set local deadlock_timeout = '1h'")
        other.execute("lock table b in share mode")
        blocked = threading.Thread(target=lambda: other.execute("lock table a in share mode"))

        def on(event: Event) -> None:
            if _waits(event, "waiting for public.b"):
                blocked.start()
            elif _waits(event, "002_ab gave way: deadlock detected"):
                blocked.join(10)
                other.rollback()

        events = _migrate(folder, on, lock_timeout="1min")
    assert any(_waits(e, "gave way: deadlock detected") for e in events)
    assert isinstance(events[-1], Finished)
    assert folder.query("select n from a union all select n from b") == []


def test_in_a_deadlock_it_is_the_migration_that_gives_way(folder: Folder) -> None:
    folder.write({"001_ab.sql": "create table a (); create table b ();"})
    folder("migrate")
    folder.write({"002_ab.sql": "alter table a add n int; alter table b add n int;"})
    with psycopg.connect(folder.url) as client:
        client.execute("lock table b in share mode")
        blocked = threading.Thread(target=lambda: client.execute("lock table a in share mode"))

        def on(event: Event) -> None:
            if _waits(event, "waiting for public.b"):
                blocked.start()
            elif _waits(event, "002_ab gave way: canceling statement due to lock timeout"):
                blocked.join(10)
                assert client.info.transaction_status == TransactionStatus.INTRANS  # and sound
                client.rollback()

        events = _migrate(folder, on)
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(
    ("asked", "deadlock", "said"),
    [
        ("2s", "1s", "waits for a lock for 2s, not less than the server's deadlock_timeout of 1s"),
        ("0", "1s", "waits for a lock without end"),
        ("2s", "3s", None),
        ("900ms", "1s", None),
        (None, "10ms", None),
    ],
)
def test_a_longer_lock_timeout_is_said(
    folder: Folder, asked: str | None, deadlock: str, said: str | None
) -> None:
    name = database_of(folder.url)
    query(folder.url, f"alter database {name} set deadlock_timeout = '{deadlock}'")
    header = f"-- lock_timeout: {asked}\n" if asked else ""
    folder.write({"001_a.sql": header + "create table a ();"})
    ran = folder("migrate")
    assert ran.code == 0
    assert (said or "001_a") in ran.err
    assert ("waits for a lock" in ran.err) is (said is not None)


def test_a_longer_lock_timeout_of_all_is_said_once(folder: Folder) -> None:
    folder.write({f"{n:03}_t.sql": f"create table t_{n} ();" for n in range(1, 5)})
    ran = folder("migrate", "--lock-timeout", "2s")
    assert ran.code == 0
    assert ran.err.count("a migration waits for a lock for 2s, not less than the server's") == 1


def test_the_default_follows_the_server(folder: Folder) -> None:
    name = database_of(folder.url)
    query(folder.url, f"alter database {name} set deadlock_timeout = '2min'")
    see = "do $$begin if current_setting('lock_timeout') <> '{}' then raise 'no'; end if; end$$;"
    folder.write({"001_a.sql": see.format("1min")})
    assert folder("migrate").code == 0
    query(folder.url, f"alter database {name} set deadlock_timeout = '1ms'")
    folder.write({"002_b.sql": see.format("1ms")})
    assert folder("migrate").code == 0


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03"])
def test_what_may_be_gone_the_next_time_is_tried_again(folder: Folder, sqlstate: str) -> None:
    # A sequence goes on when its transaction is rolled back: the third attempt succeeds.
    query(folder.url, "create sequence attempts")
    folder.write(
        {
            "001_a.sql": "create table a (); do $$ begin if nextval('attempts') < 3 then "
            f"raise exception using errcode = '{sqlstate}'; end if; end $$;"
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select last_value from attempts") == [(3,)]
    assert ran.err.count("001_a gave way") == 2


def test_what_will_fail_again_is_not_tried_again(folder: Folder) -> None:
    query(folder.url, "create sequence attempts")
    folder.write({"001_a.sql": "select nextval('attempts'); select 1/0;"})
    assert folder("migrate").code == 1
    assert folder.query("select last_value from attempts") == [(1,)]


def test_a_connection_lost_in_the_pause_is_made_anew(folder: Folder) -> None:
    folder.write(BUSY)
    folder("migrate", "--to", "1")
    with _reader(folder.url) as reader:

        def on(event: Event) -> None:
            if _waits(event, "gave way"):
                reader.rollback()
                query(
                    folder.url,
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                    "where application_name like 'pgvouch migrate%' "
                    "and datname = current_database()",
                )

        events = _migrate(folder, on)
    assert isinstance(events[-1], Finished)


def test_pg_stat_activity_shows_what_is_done(folder: Folder) -> None:
    see = "select application_name from pg_stat_activity where pid = pg_backend_pid()"
    folder.write(
        {
            "001_a.sql": f"create table seen as {see};",
            "verify/001_a.sql": f"-- check: also while it is verified\n"
            f"select ({see}) = 'pgvouch migrate 001_a';",
            "001_a.rollback.sql": "drop table seen;",
            "verify/001_a.rollback.sql": "-- check: and while it is rolled back\n"
            f"select ({see}) = 'pgvouch rollback 001_a';",
        }
    )
    assert folder("migrate").code == 0
    assert folder.query("table seen") == [("pgvouch migrate 001_a",)]
    assert folder("rollback", "--discard-data").code == 0


def test_a_runner_that_waits_says_for_whom(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a ();"})
    folder("migrate")
    folder.write({"002_b.sql": "create table b ();"})
    with psycopg.connect(folder.url, application_name="pgvouch migrate 002_b") as other:
        other.execute(f"{LOCK} /* mine */")
        with pytest.raises(ConnectError) as caught:
            _migrate(folder, lambda _event: None, lock_wait_s=0.3)
        holder = f"pid {other.info.backend_pid} (pgvouch migrate 002_b, role postgres)"
        assert holder in caught.value.notes[0]
        assert "/* mine */" in caught.value.notes[0]

        def on(event: Event) -> None:
            if _waits(event, holder):
                other.rollback()

        events = _migrate(folder, on)
    assert isinstance(events[-1], Finished)


def test_a_ledger_is_not_waited_for_in_the_server(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a ();"})
    with psycopg.connect(folder.url) as other:
        other.execute("create schema pgvouch")

        def on(event: Event) -> None:
            if _waits(event, f"another runner is at work: pid {other.info.backend_pid}"):
                waiting = query(
                    folder.url,
                    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
                    "and datname = current_database()",
                )
                assert waiting == [(0,)]
                other.rollback()

        _migrate(folder, on)
    assert folder.query("select to_regclass('a')::text") == [("a",)]


def test_the_watch_does_without_a_connection_of_its_own(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write(BUSY)
    folder("migrate", "--to", "1")
    with _reader(folder.url), Session.open(folder.url) as session:
        session.conninfo = "host=/nowhere"
        with pytest.raises(MigrationError) as caught:
            commands.migrate(session, _database(folder), Options(retries=0), lambda _event: None)
    assert caught.value.server is not None
    assert caught.value.server.sqlstate == "55P03"


def test_after_a_run_nobody_looks_who_is_in_the_way(folder: Folder) -> None:
    folder.write(BUSY)
    with Session.open(folder.url) as session:
        commands.migrate(session, _database(folder), Options(), lambda _event: None)
        assert session.while_waiting is None
        watching = "select pid from pg_stat_activity where application_name = 'pgvouch watch'"
        assert not query(folder.url, f"{watching} and datname = current_database()")


def test_settings_come_from_the_configuration(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write(BUSY)
    folder("migrate", "--to", "1")
    config = tmp_path / "pgvouch.toml"
    config.write_text('retries = 1\nlock_wait = "200ms"\nstatement_timeout = "7s"\n')
    from pgvouch.cli import main

    with _reader(folder.url):
        code = main.run(["migrate", "--config", str(config), "--url", folder.url], {})
    assert code == 1
    assert "attempt 2 of 2" in capsys.readouterr().err
    main.run(["plan", "--config", str(config), "--url", folder.url], {})
    assert "7s" in capsys.readouterr().out
    for wrong in (
        'retries = "many"',
        'lock_wait = "long"',
        'retry_budget = "1 month"',
        "lock_timeout = 5",
    ):
        config.write_text(wrong)
        assert main.run(["status", "--config", str(config), "--url", folder.url], {}) == 2
        assert wrong.split()[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    "meddling",
    [
        "delete from pgvouch._yoyo_migration where migration_id = '001_a'",
        "insert into pgvouch._yoyo_migration values ('x', '009_z', now())",
    ],
)
def test_a_ledger_that_changes_on_the_way_stops_the_run(folder: Folder, meddling: str) -> None:
    folder.write({f"{n:03}_{c}.sql": f"create table {c} ();" for n, c in enumerate("abc", 1)})
    folder("migrate", "--to", "1")

    def on(event: Event) -> None:
        if isinstance(event, Finished) and event.id == "002_b":
            query(folder.url, meddling)

    with pytest.raises(PlanError, match="another runner has applied or rolled back something"):
        _migrate(folder, on)
    assert folder.query("select to_regclass('b')::text, to_regclass('c')") == [("b", None)]


def test_only_the_newest_is_rolled_back(folder: Folder) -> None:
    folder.write({f"{n:03}_{c}.sql": f"create table {c} ();" for n, c in enumerate("ab", 1)})
    folder.write({f"{n:03}_{c}.rollback.sql": f"drop table {c};" for n, c in enumerate("ab", 1)})
    folder("migrate", "--to", "1")

    def on(event: Event) -> None:
        if isinstance(event, Started):
            assert folder("migrate").code == 0  # 002_b lands after the plan was made

    with (
        Session.open(folder.url) as session,
        pytest.raises(PlanError, match="another runner has applied or rolled back something"),
    ):
        commands.roll_back_steps(session, _database(folder), Options(), on, steps=1, to=None)
    assert folder.query("select to_regclass('a')::text, to_regclass('b')::text") == [("a", "b")]


def test_a_ledger_that_is_locked_on_the_way_is_not_waited_for_without_end(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a ();"})
    folder("migrate")
    folder.write({"002_b.sql": "create table b ();"})
    with psycopg.connect(folder.url) as other:
        attempts = []

        def on(event: Event) -> None:
            if isinstance(event, Started) and not attempts:
                attempts.append(event)
                other.execute("lock table pgvouch._yoyo_migration")
            elif _waits(event, "002_b gave way"):
                other.rollback()

        events = _migrate(folder, on, lock_timeout="100ms")
    assert any(_waits(event, "gave way") for event in events)
    assert isinstance(events[-1], Finished)
