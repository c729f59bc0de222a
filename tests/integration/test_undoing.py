"""A non-transactional rollback that fails: what is said of it, and how it goes on."""

import signal

import psycopg
import pytest

from conftest import Folder
from faults.processes import ended, spawn, until
from pgvouch.ledger import lease

HEAD = "-- transactional: false\n"
STATE = (
    "select state, statements_done, running, refused, token from pgvouch.migration "
    "where migration_id = '002_b'"
)
FILES = {
    "001_a.sql": "create table a (n int);",
    "002_b.sql": "create table b (n int);\ncreate index i on a (n);\n",
}


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "GRACE_S", 0.2)


def _applied(folder: Folder, rollback: str) -> None:
    folder.write(FILES | {"002_b.rollback.sql": HEAD + rollback})
    assert folder("migrate").code == 0


def test_a_half_done_rollback_is_shown(folder: Folder) -> None:
    _applied(folder, "drop table b;\ndrop index concurrently j;\n")
    ran = folder("rollback")
    assert ran.code == 1
    assert "002_b.rollback.sql:3:1" in ran.err
    assert "drop index concurrently j" in ran.err
    assert (
        "The rollback of 002_b is not transactional: 1 of its 2 statements is done, the others "
        "are not." in ran.err
    )
    shown = folder("status")
    assert shown.code == 0
    assert "«" in shown.out
    assert "undoing" in shown.out
    assert '"state": "undoing"' in folder("status", "--json").out
    assert folder("status", "--exit-code").code == 3


@pytest.mark.parametrize(
    ("statement", "column"),
    [("select 1/0", 1), ("drop table no_such", 1), ("select  nothing", 9)],
)
def test_the_place_is_the_statements(folder: Folder, statement: str, column: int) -> None:
    _applied(folder, f"select 1;\n\n{statement};\n")
    ran = folder("rollback")
    assert f"002_b.rollback.sql:4:{column}" in ran.err
    assert statement in ran.err


@pytest.mark.parametrize("command", ["migrate", "rollback"])
def test_a_constraint_that_speaks_at_the_commit_has_the_statements_place(
    folder: Folder, command: str
) -> None:
    text = (
        "create table c (n int primary key, m int references c deferrable initially deferred);\n\n"
        "insert into c values (1, 2);\n"
    )
    name = {"migrate": "003_c.sql", "rollback": "002_b.rollback.sql"}[command]
    _applied(folder, text)
    folder.write({"003_c.sql": HEAD + text} if command == "migrate" else {})
    ran = folder(command)
    assert ran.code == 1
    assert "23503" in ran.err
    assert f"{name}:4:1" in ran.err
    assert "insert into c values (1, 2)" in ran.err


def test_a_corrected_rollback_file_goes_on(folder: Folder) -> None:
    _applied(folder, "drop table b;\ndrop index concurrently j;\n")
    ran = folder("rollback")
    assert (
        "correct 002_b.rollback.sql from that statement on; pgvouch rollback --from-files then "
        "goes on there" in ran.err
    )
    refused = folder("migrate")
    assert refused.code == 2
    assert "the rollback of 002_b stopped after 1 statements" in refused.err
    assert "--from-files" in refused.err
    folder.write({"002_b.rollback.sql": HEAD + "drop table b;\ndrop index concurrently i;\n"})
    assert folder("rollback").code == 1  # the ledger's text
    assert folder("rollback", "--from-files").code == 0
    assert folder.query("select to_regclass('b'), to_regclass('i')") == [(None, None)]
    assert folder("migrate").code == 0


def test_a_rollback_that_was_run_in_part_is_not_run_as_a_whole(folder: Folder) -> None:
    _applied(folder, "insert into a values (1);\nselect 1/0;\n")
    assert folder("rollback").code == 1
    folder.write(
        {"002_b.rollback.sql": "insert into a values (1);\ndrop table b;\ndrop index i;\n"}
    )
    ran = folder("rollback", "--from-files")
    assert ran.code == 4
    assert "002_b stopped after 1 statements without a transaction" in ran.err
    assert folder.query("select n from a") == [(1,)]


@pytest.mark.parametrize("statement", ["select 1/0", "drop index concurrently j"])
def test_what_nothing_was_taken_back_of_is_applied(folder: Folder, statement: str) -> None:
    _applied(folder, f"{statement};\n")
    before = folder.query("select * from pgvouch.migration order by 1")
    ran = folder("rollback")
    assert ran.code == 1
    assert "002_b is still in the database, whole." in ran.err
    (row,) = folder.query(STATE)
    assert row == ("applied", None, None, None, None)
    after = folder.query("select * from pgvouch.migration order by 1")
    assert [row[:4] for row in after] == [row[:4] for row in before]
    assert folder("wait", "--for-schema").code == 0
    folder.write({"003_c.sql": "create table c ();"})
    assert "003_c" in folder("plan").out
    assert folder("migrate").code == 0


def test_an_invalid_index_is_not_nothing(folder: Folder) -> None:
    _applied(folder, "-- statement_timeout: 500ms\ndrop index concurrently i;\n")
    with psycopg.connect(folder.url) as reader:
        reader.execute("select from a")
        ran = folder("rollback")
    assert "public.i is still there, and invalid" in ran.err
    assert "none of its statements is done" in ran.err
    (row,) = folder.query(STATE)
    assert row[0] == "undoing"
    assert folder("migrate").code == 2
    assert folder("rollback").code == 0


WAITING = (
    "exists (select from pg_stat_activity where wait_event_type = 'Lock' "
    "and datname = current_database())"
)


def test_a_rollback_that_was_killed_ahead_of_its_first_statement_blocks_nobody(
    folder: Folder,
) -> None:
    _applied(folder, "drop table b;\ndrop index i;\n")
    with psycopg.connect(folder.url) as other:
        other.execute("select from b")
        arguments = ("rollback", "--migrations", str(folder.path), "--url", folder.url)
        process = spawn(*arguments, "--lock-timeout", "60s")
        until(folder.url, WAITING)
        assert folder.query("select state from pgvouch.migration order by 1") == [
            ("applied",),
            ("undoing",),
        ]
        # Somebody is at work on it: to take a migration on top of it would leave a hole.
        folder.write({"003_c.sql": "create table c ();"})
        ran = folder("migrate", "--lock-wait", "1s")
        assert ran.code == 5
        assert "another runner is at work: pid" in ran.err
        process.send_signal(signal.SIGKILL)
        ended(process)
    until(folder.url, "not exists (select from pg_stat_activity where query like '%drop table b%' "
          "and pid <> pg_backend_pid() and datname = current_database())")  # fmt: skip
    assert folder("plan").code == 0
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query(STATE) == [("applied", None, None, None, None)]
    folder.write({"003_c.rollback.sql": "drop table c;"})
    assert folder("rollback", "--steps", "2").code == 0


def test_an_undone_migration_that_was_never_applied_does_not_become_so(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": HEAD + "create table a ();\nselect 1/0;\n",
            "001_a.rollback.sql": HEAD + "drop table no_such;\ndrop table a;\n",
        }
    )
    folder("migrate")
    ran = folder("repair", "001_a", "--undo")
    assert ran.code == 1
    assert "001_a is what it was: 1 of its statements are done and in the database" in ran.err
    assert folder.query("select state, statements_done from pgvouch.migration") == [
        ("incomplete", 1)
    ]


def test_a_rollback_under_way_is_not_begun_anew(folder: Folder) -> None:
    _applied(folder, "drop table b;\nselect 1/0;\n")
    folder("rollback")
    ran = folder("repair", "002_b", "--undo")
    assert ran.code == 2
    assert "its rollback stopped after 1 statements" in ran.err
    assert "pgvouch rollback goes on with it" in ran.err
    for how in ("--done", "--redo"):
        ran = folder("repair", "002_b", how)
        assert ran.code == 2
        assert "nothing is unknown of 002_b" in ran.err
    (row,) = folder.query(STATE)
    assert row[:2] == ("undoing", 1)


def test_what_nobody_can_know_of_a_rollback_is_asked_of_a_person(folder: Folder) -> None:
    _applied(
        folder,
        "do $$ begin commit; perform pg_terminate_backend(pg_backend_pid()); end $$;\n"
        "drop table b;\ndrop index i;\n",
    )
    assert folder("rollback").code == 5
    ran = folder("rollback")
    assert ran.code == 1
    assert "it cannot be known whether a statement of 002_b was done" in ran.err
    assert "pg_terminate_backend" in ran.err
    assert "pgvouch repair 002_b --done (it was), --redo (it was not)\n" in ran.err
    ran = folder("repair", "002_b", "--done")
    assert "the statement counts as done; pgvouch rollback goes on" in ran.out
    assert folder("rollback").code == 0
    assert folder.query("select to_regclass('b')") == [(None,)]


def test_a_rollback_that_lost_its_connection_says_how_far_it_came(folder: Folder) -> None:
    _applied(
        folder, "drop index i;\nselect pg_terminate_backend(pg_backend_pid());\ndrop table b;\n"
    )
    ran = folder("rollback")
    assert ran.code == 5
    assert (
        "The rollback of 002_b is not transactional: 1 of its statements are recorded as done."
        in ran.err
    )
    (row,) = folder.query(STATE)
    assert row[:3] == ("undoing", 1, None)
