"""A check that meets other people's work is tried again; it is never reported as broken."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from conftest import Folder, Server
from pgvouch.config.options import Options
from pgvouch.config.project import Database, Project, read_database
from pgvouch.engine import commands
from pgvouch.events import Event, Waiting
from pgvouch.postgres.session import Session
from pgvouch.verify.checks import Verdict
from pgvouch.verify.live import verify_database

CHECKS = """
-- check: first
select true;
-- check: the busy one
select count(*) = 0 from busy;
-- check none: in the middle
select where false;
-- check error 42P01: nothing is there
select * from nowhere;
-- check error 42501: not even here
set local lock_timeout = '50ms';
lock table busy in access share mode;
do $$ begin raise insufficient_privilege; end $$;
"""


def raising(state: str) -> str:
    return f"do $$ begin raise exception 'no luck' using errcode = '{state}'; end $$;\nselect true;"


@pytest.fixture
def applied(folder: Folder) -> Folder:
    folder.write({"001_a.sql": "create table busy (n int);", "verify/001_a.sql": CHECKS})
    assert folder("migrate").code == 0
    return folder


@contextmanager
def holding(url: str, table: str = "busy") -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, application_name="holder") as connection:
        connection.execute(f"lock table {table} in access exclusive mode")
        yield connection


def database(folder: Folder) -> Database:
    project = Project(folder.root, folder.path, folder.root, folder.root)
    return Database("", folder.path, folder.url, read_database(project, ""))


def check_again(folder: Folder, listener: Any, **options: Any) -> Verdict:
    with Session.open(folder.url, "pgvouch verify") as session:
        rows = commands.read_ledger(session)
        (found,) = verify_database(session, database(folder), rows, Options(**options), listener)
    return found


def test_verify_says_so_and_judges_the_others(applied: Folder) -> None:
    with holding(applied.url):
        ran = applied("verify", "--retries", "0", "--lock-timeout", "50ms")
        as_json = applied("verify", "--retries", "0", "--lock-timeout", "50ms", "--json")
    assert ran.code == 5
    assert "3 checks hold, 0 broken, 2 could not be judged" in ran.out
    assert "? 001_a: the busy one (and 1 more)" in ran.out
    assert "55P03: canceling statement due to lock timeout" in ran.out
    assert "run pgvouch verify again" in ran.out
    document = json.loads(as_json.out)["databases"][0]
    assert (document["passed"], document["broken"]) == (3, [])
    assert [(f["sentence"], f["sqlstate"]) for f in document["unjudged"]] == [
        ("the busy one", "55P03"),
        ("not even here", "55P03"),
    ]


def test_without_a_budget_everything_is_tried_once(applied: Folder) -> None:
    with holding(applied.url):
        ran = applied("verify", "--retry-budget", "0", "--lock-timeout", "50ms")
    assert ran.code == 5
    assert "3 checks hold, 0 broken, 2 could not be judged" in ran.out
    assert "gave way" not in ran.err


def test_verify_goes_on_when_they_are_out_of_the_way_and_holds_nothing_meanwhile(
    applied: Folder,
) -> None:
    states: list[tuple[object, ...]] = []
    with holding(applied.url) as other:

        def on(event: Event) -> None:
            if isinstance(event, Waiting) and "2 checks gave way" in event.text:
                states.extend(
                    applied.query(
                        "select state, (select count(*) from pg_locks as l where l.pid = a.pid) "
                        "from pg_stat_activity as a where application_name = 'pgvouch verify'"
                        " and datname = current_database()"
                    )
                )
                other.rollback()

        found = check_again(applied, on, lock_timeout="50ms")
    assert states == [("idle", 0)]
    assert (found.passed, found.broken, found.unjudged) == (5, (), ())


def test_it_says_who_is_in_the_way(applied: Folder) -> None:
    told: list[str] = []
    with holding(applied.url):
        check_again(
            applied,
            lambda event: told.append(str(event)),
            lock_timeout="2s",
            retries=0,
        )
    assert any("waiting for public.busy (AccessShareLock), held by pid" in text for text in told)


def test_what_the_setup_needs_keeps_all_checks_waiting(folder: Folder) -> None:
    files = {"001_a.sql": "create table busy (n int);", "verify/001_a.sql": CHECKS}
    files["verify/001_a.sql"] = f"insert into busy values (1); delete from busy;\n{CHECKS}"
    folder.write(files)
    assert folder("migrate").code == 0
    with holding(folder.url):
        ran = folder("verify", "--retries", "0", "--lock-timeout", "50ms")
    assert ran.code == 5
    assert "0 checks hold, 0 broken, 5 could not be judged" in ran.out


def test_a_transaction_ends_with_the_check_that_met_others(folder: Folder) -> None:
    # A number drawn stays drawn: it tells how often the setup has run, once a transaction.
    folder.write({"001_a.sql": "create table busy (n int); create sequence transactions;"})
    assert folder("migrate").code == 0
    folder.write({"verify/001_a.sql": f"select nextval('transactions');\n{CHECKS}"})
    assert folder("verify").code == 0
    assert folder.query("select last_value from transactions") == [(1,)]
    with holding(folder.url):
        assert folder("verify", "--retries", "0", "--lock-timeout", "50ms").code == 5
    # The second one goes on behind the busy check, and nothing is left behind the last.
    assert folder.query("select last_value from transactions") == [(3,)]


def test_a_broken_promise_is_the_graver_finding(applied: Folder) -> None:
    applied.write({"verify/001_a.sql": f"{CHECKS}\n-- check: never\nselect false;\n"})
    with holding(applied.url):
        ran = applied("verify", "--retries", "0", "--lock-timeout", "50ms")
    assert ran.code == 1
    assert "3 checks hold, 1 broken, 2 could not be judged" in ran.out


@pytest.mark.parametrize("state", ["55P03", "40P01", "40001", "53200", "58030", "08001", "57014"])
def test_it_is_no_answer(applied: Folder, state: str) -> None:
    applied.write(
        {
            "verify/001_a.sql": f"-- check: unlucky\n{raising(state)}\n-- check: fine\nselect true;\n"
            f"-- check error 42501: unlucky too\n{raising(state)}"
            f"-- check error {state}: this very error\n{raising(state)}"
        }
    )
    ran = applied("verify", "--retries", "1", "--retry-budget", "2s")
    assert ran.code == 5
    assert "2 checks hold, 0 broken, 2 could not be judged" in ran.out
    # What will not pass by itself is not tried again.
    assert ("attempt 2 of 2" in ran.err) == (state in {"55P03", "40P01", "40001"})


@pytest.mark.parametrize("state", ["42501", "XX001", "23505", "P0001"])
def test_any_other_error_breaks_the_promise_and_the_rest_is_judged(
    applied: Folder, state: str
) -> None:
    checks = f"-- check: unlucky\n{raising(state)}\n{CHECKS}"
    applied.write({"verify/001_a.sql": checks.replace("42501: not even", "42501: not")})
    ran = applied("verify")
    assert ran.code == 1
    assert "5 checks hold, 1 broken\n" in ran.out
    assert f"{state}: no luck" in ran.out


def test_a_check_that_an_older_server_cannot_parse_hides_no_other(
    every_server: Server, every_url: str, make_folder: Callable[[str], Folder]
) -> None:
    folder = make_folder(every_url)
    folder.write({"001_a.sql": "create table busy (n int);", "verify/001_a.sql": CHECKS})
    assert folder("migrate").code == 0
    folder.write({"verify/001_a.sql": f"-- check: newer\nselect '1' is json;\n{CHECKS}"})
    ran = folder("verify")
    is_known = every_server.name != "pg15"
    assert ran.code == (0 if is_known else 1)
    assert ("6 checks hold, 0 broken\n" if is_known else "5 checks hold, 1 broken\n") in ran.out


def test_results_that_a_rule_adds_are_given_to_no_other_check(applied: Folder) -> None:
    applied.query("create table ruled (n int)")
    applied.query("create rule r as on insert to ruled do also (select true; select true)")
    checks = "-- check: false\ninsert into ruled values (1);\nselect false;\n" * 3
    applied.write({"verify/001_a.sql": f"{checks}\n-- check: busy\ntable busy;\nselect true;"})
    with holding(applied.url):
        ran = applied("verify", "--retries", "0", "--lock-timeout", "50ms")
    assert ran.code == 1
    assert "cannot be told apart" in ran.err
    assert "hold" not in ran.out


def test_a_setup_that_fails_is_one_finding(applied: Folder) -> None:
    applied.write({"verify/001_a.sql": f"select 1/0;\n{CHECKS}"})
    ran = applied("verify")
    assert ran.code == 1
    assert "0 checks hold, 1 broken\n" in ran.out


def test_a_limit_that_the_check_sets_is_part_of_its_promise(applied: Folder) -> None:
    slow = (
        "-- check: quick enough\nset local statement_timeout = '20ms';\nselect pg_sleep(5) is null;"
    )
    applied.write({"verify/001_a.sql": slow})
    ran = applied("verify")
    assert ran.code == 1
    assert "0 checks hold, 1 broken\n" in ran.out


def test_a_limit_from_outside_is_no_answer(applied: Folder) -> None:
    applied.write({"verify/001_a.sql": "-- check: slow\nselect pg_sleep(5) is not null;"})
    ran = applied("verify", "--statement-timeout", "20ms")
    assert ran.code == 5
    assert "0 checks hold, 0 broken, 1 could not be judged" in ran.out
    assert "--statement-timeout allows more" in ran.out


@pytest.mark.parametrize(
    ("header", "given", "expected"),
    [
        ("", [], "500ms"),
        ("", ["--lock-timeout", "70ms"], "70ms"),
        ("-- lock_timeout: 60ms\n", ["--lock-timeout", "70ms"], "60ms"),
    ],
)
def test_the_lock_timeout_is_the_files_the_command_lines_or_the_default(
    folder: Folder, header: str, given: list[str], expected: str
) -> None:
    shows = f"-- check: the limit\nselect current_setting('lock_timeout') = '{expected}';"
    folder.write({"001_a.sql": f"{header}create table t ();", "verify/001_a.sql": shows})
    assert folder("migrate", *given).code == 0
    ran = folder("verify", *given)
    assert (ran.code, ran.out) == (0, ran.out), ran.out


def test_the_checks_of_a_migration_have_its_statement_timeout(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "-- statement_timeout: 77s\ncreate table t ();",
            "verify/001_a.sql": "-- check: the limit\n"
            "select current_setting('statement_timeout') = '77s';",
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err


def test_migrate_tries_again_and_lands(applied: Folder) -> None:
    applied.write(
        {
            "002_b.sql": "-- lock_timeout: 50ms\ncreate table b ();",
            "verify/002_b.sql": "-- check: busy is empty\nselect count(*) = 0 from busy;",
        }
    )
    told: list[str] = []
    with holding(applied.url) as other:

        def on(event: Event) -> None:
            if isinstance(event, Waiting) and "gave way" in event.text:
                told.append(event.text)
                other.rollback()

        with Session.open(applied.url, "pgvouch migrate") as session:
            done = commands.migrate(session, database(applied), Options(), on)
    assert [event.id for event in done.finished] == ["002_b"]
    assert "002_b gave way: canceling statement due to lock timeout" in told[0]


def test_migrate_that_gives_up_does_not_call_the_promise_broken(applied: Folder) -> None:
    applied.write(
        {
            "002_b.sql": "-- lock_timeout: 200ms\ncreate table b ();",
            "verify/002_b.sql": "-- check: busy is empty\nselect count(*) = 0 from busy;",
        }
    )
    with holding(applied.url):
        ran = applied("migrate", "--retries", "1")
    assert ran.code == 1
    assert "the checks of 002_b could not be judged: canceling statement due to lock" in ran.err
    assert "verify/002_b.sql:2" in ran.err
    assert "does not keep" not in ran.err
    assert "tried 2 times" in ran.err
    assert "in the way: pid" in ran.err
    assert "Nothing of 002_b is in the database." in ran.err
    assert applied.query("select to_regclass('b')") == [(None,)]


def test_a_rollbacks_checks_are_tried_again_too(applied: Folder) -> None:
    applied.write(
        {
            "002_b.sql": "create table b ();",
            "002_b.rollback.sql": "-- lock_timeout: 100ms\ndrop table b;",
            "verify/002_b.rollback.sql": "-- check: busy is empty\nselect count(*) = 0 from busy;",
        }
    )
    assert applied("migrate").code == 0
    with holding(applied.url):
        ran = applied("rollback", "--retries", "1")
    assert ran.code == 1
    assert "the checks of the rollback of 002_b could not be judged" in ran.err
    assert "tried 2 times" in ran.err
    assert applied("rollback").code == 0
