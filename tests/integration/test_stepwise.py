"""Non-transactional migrations: statement by statement, going on where they stopped."""

import pytest

from conftest import Folder
from pgvouch.ledger import lease

HEAD = "-- transactional: false\n"


def test_what_cannot_run_in_a_transaction_runs(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (n int);",
            "002_i.sql": HEAD + "create index concurrently i on a (n);\nvacuum a;\n",
            "002_i.rollback.sql": HEAD + "drop index concurrently i;",
            "verify/002_i.sql": "-- check: valid\n"
            "select indisvalid from pg_index where indexrelid = 'i'::regclass;",
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query(
        "select state, checks_passed from pgvouch.migration where migration_id = '002_i'"
    ) == [("applied", 1)]
    assert folder("rollback").code == 0
    assert folder.query("select to_regclass('i')") == [(None,)]
    assert folder("migrate").code == 0


def test_without_the_directive_the_error_says_what_to_write(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a (n int); create index concurrently i on a (n);"})
    ran = folder("migrate")
    assert ran.code == 2
    assert "-- transactional: false" in ran.err


def test_it_goes_on_where_it_stopped(folder: Folder) -> None:
    folder.write({"001_a.sql": HEAD + "create table a (n int);\ncreate table b ();\nselect 1/0;\n"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "001_a.sql:4:1" in ran.err
    assert "2 of its 3 statements are done" in ran.err
    assert "incomplete" in folder("status").out
    (folder.path / "001_a.sql").unlink()  # an older release
    folder.write({"000_z.sql": "select 1;"})
    assert "!  001_a      incomplete" in folder("status").out
    (folder.path / "000_z.sql").unlink()
    assert folder("rollback").code == 2
    folder.write({"001_a.sql": HEAD + "create table a (m int);\ncreate table b ();\nselect 1;\n"})
    ran = folder("migrate")
    assert ran.code == 4
    assert "stopped after 2 statements, and these have changed" in ran.err
    assert "2 of the statements of 001_a are done and in the database." in ran.err
    assert "Nothing of 001_a" not in ran.err
    folder.write({"001_a.sql": HEAD + "create table a (n int);\ncreate table b ();\nselect 1;\n"})
    assert folder("migrate").code == 0
    assert "nothing to do (1 applied)" in folder("migrate").out


def test_what_was_run_in_part_is_not_run_as_a_whole(folder: Folder) -> None:
    text = "create table if not exists a (n int);\ninsert into a values (1);\n"
    folder.write({"001_a.sql": f"{HEAD}{text}select 1/0;\n"})
    assert folder("migrate").code == 1
    folder.write({"001_a.sql": f"{text}select 1;\n"})
    for command in ("migrate", "plan"):
        ran = folder(command)
        assert ran.code == 4, ran.err
        assert "stopped after 2 statements without a transaction" in ran.err
        assert "put `-- transactional: false` back into its header" in ran.err
    folder.write({"001_a.sql": f"{HEAD}{text}select 1;\n"})
    assert folder("migrate").code == 0
    assert folder.query("select n from a") == [(1,)]


def test_what_has_done_nothing_may_become_transactional(folder: Folder) -> None:
    folder.write({"001_a.sql": f"{HEAD}select 1/0;\n"})
    assert folder("migrate").code == 1
    folder.write({"001_a.sql": "select 1;\n"})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select state, transactional from pgvouch.migration") == [("applied", True)]


def test_a_failed_check_says_that_the_statements_stay(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": HEAD + "create table a ();",
            "verify/001_a.sql": "-- check: x\nselect false;",
        }
    )
    ran = folder("migrate")
    assert ran.code == 1
    assert "all of its statements are done and in the database" in ran.err
    assert folder.query("select state from pgvouch.migration") == [("incomplete",)]
    folder.write({"verify/001_a.sql": "-- check: x\nselect true;"})
    assert folder("migrate").code == 0


def test_it_cannot_be_part_of_one_transaction(folder: Folder) -> None:
    folder.write({"001_a.sql": HEAD + "create table a ();"})
    for option in ("--single-transaction", "--rehearse"):
        ran = folder("migrate", option)
        assert ran.code == 2
        assert "001_a is not transactional" in ran.err


def test_no_default_lock_timeout_for_what_runs_outside_of_a_transaction(folder: Folder) -> None:
    # The index calls the function once a row, so it sees what its own statement runs under.
    folder.write(
        {
            "001_f.sql": "create table a (n int); insert into a values (1);\n"
            "create table seen (lock_timeout text);\n"
            "create function f(n int) returns int immutable language plpgsql as $$ begin\n"
            "  raise warning 'lock_timeout is %', current_setting('lock_timeout'); return n;\n"
            "end $$;",
            "002_i.sql": HEAD + "insert into seen select current_setting('lock_timeout');\n"
            "create index concurrently i on a (f(n));",
            "003_j.sql": HEAD + "-- lock_timeout: 3s\n"
            "insert into seen select current_setting('lock_timeout');\n"
            "create index concurrently j on a (f(n));",
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "lock_timeout is 0" in ran.err
    assert "lock_timeout is 3s" in ran.err
    # What can be in a transaction is protected like every other migration.
    assert folder.query("table seen") == [("500ms",), ("3s",)]


def test_what_is_done_is_not_read_again_at_each_step(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file of 100,000 statements would otherwise take hours: the checksum is one of a chain.
    statements = [f"insert into a values ({number});" for number in range(60)]
    folder.write({"001_a.sql": HEAD + "\n".join(["create table a (n int);", *statements])})
    read: list[int] = []
    checksum = lease.checksum

    def counted(text: str) -> str:
        read.append(len(text))
        return checksum(text)

    monkeypatch.setattr(lease, "checksum", counted)
    assert folder("migrate").code == 0
    assert folder.query("select count(*) from a") == [(60,)]
    assert len(read) >= 61
    assert max(read) < 2 * len(checksum(""))


def test_the_checksum_is_of_all_that_is_done(folder: Folder) -> None:
    steps = ["create table a ()", "create table b ()"]
    folder.write({"001_a.sql": HEAD + ";\n".join([*steps, "select 1/0"])})
    assert folder("migrate").code == 1
    (progress,) = folder.query("select progress from pgvouch.migration")
    assert progress == (lease.progress_of(steps),)
    assert len({lease.progress_of(steps[:n]) for n in range(3)}) == 3
    assert lease.progress_of(reversed(steps)) != lease.progress_of(steps)


def test_what_stopped_on_its_way_is_not_called_a_newer_release(folder: Folder) -> None:
    folder.write(
        {"001_a.sql": "create table a ();", "002_b.sql": HEAD + "create table b ();\nselect 1/0;"}
    )
    assert folder("migrate").code == 1
    (folder.path / "002_b.sql").unlink()
    ran = folder("migrate")
    assert ran.code == 0  # an older replica has to be able to start
    assert "002_b stopped halfway, and its file is not here" in ran.err
    assert "pgvouch repair 002_b --undo" in ran.err
    assert "a newer release" not in ran.err
    assert "nothing to do (1 applied)" in ran.out
