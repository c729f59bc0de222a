"""Rollback: from the ledger, newest first, with promises of its own."""

from conftest import Folder

A = {"001_a.sql": "create table a ();\n", "001_a.rollback.sql": "drop table a;\n"}
B = {"002_b.sql": "create table b ();\n", "002_b.rollback.sql": "drop table b;\n"}
C = {"003_c.sql": "create table c ();\n", "003_c.rollback.sql": "drop table c;\n"}
TABLES = "select to_regclass('a')::text, to_regclass('b')::text, to_regclass('c')::text"


def test_one_step_then_some_then_all(folder: Folder) -> None:
    folder.write(A | B | C)
    folder("migrate")
    assert folder("rollback").code == 0
    assert folder.query(TABLES) == [("a", "b", None)]
    folder("migrate")
    folder("rollback", "--steps", "2")
    assert folder.query(TABLES) == [("a", None, None)]
    folder("migrate")
    folder("rollback", "--to", "002_b")
    assert folder.query(TABLES) == [("a", "b", None)]
    ran = folder("rollback", "--all")
    assert "2 rolled back, 0 still applied" in ran.out
    assert folder.query(TABLES) == [(None, None, None)]
    assert "nothing to roll back" in folder("rollback").out


def test_an_older_release_without_the_file_can_roll_back(folder: Folder) -> None:
    folder.write(A | B)
    folder("migrate")
    for name in B:
        (folder.path / name).unlink()
    assert folder("rollback").code == 0
    assert folder.query(TABLES) == [("a", None, None)]


def test_the_ledger_s_text_is_used_and_a_changed_file_is_named(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    folder.write({"001_a.rollback.sql": "select 1/0;"})
    ran = folder("rollback")
    assert ran.code == 0
    assert "001_a.rollback.sql has changed since; the ledger's own text is used" in ran.err


def test_the_file_is_used_where_that_is_said(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    folder.write({"001_a.rollback.sql": "drop table a; create table instead ();"})
    ran = folder("rollback", "--from-files")
    assert ran.code == 0
    assert "001_a.rollback.sql has changed since; the file is used" in ran.err
    assert folder.query("select to_regclass('instead')::text") == [("instead",)]
    folder("migrate")
    folder.write({"001_a.rollback.sql": "commit;"})
    assert folder("rollback", "--from-files").code == 2


def test_what_cannot_be_rolled_back_is_found_before_anything_is(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a ();"} | B)
    folder("migrate")
    ran = folder("rollback", "--all")
    assert ran.code == 2
    assert "001_a has no rollback" in ran.err
    assert "Nothing was rolled back." in ran.err
    assert folder.query(TABLES) == [("a", "b", None)]
    assert "write 001_a.rollback.sql beside the migration" in ran.err
    (folder.path / "001_a.sql").unlink()
    assert "its file is not here either: put it back" in folder("rollback", "--all").err


def test_a_rollback_file_written_later_is_used(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a ();"})
    folder("migrate")
    folder.write(A)
    assert folder("rollback").code == 0


def test_irreversible_refuses_with_its_reason(folder: Folder) -> None:
    folder.write({"001_a.sql": "-- irreversible: the old rows are gone\ncreate table a ();"})
    folder("migrate")
    ran = folder("rollback")
    assert ran.code == 2
    assert "the old rows are gone" in ran.err


def test_a_comment_alone_says_that_nothing_is_undone(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a ();", "001_a.rollback.sql": "-- a stays\n"})
    folder("migrate")
    assert folder("rollback").code == 0
    assert folder.query(TABLES) == [("a", None, None)]


def test_a_failing_rollback_leaves_the_migration_whole(folder: Folder) -> None:
    folder.write(A | {"002_b.sql": "create table b ();"})
    folder.write({"002_b.rollback.sql": "drop table b;\nselect 1/0;\n"} | C)
    folder("migrate")
    ran = folder("rollback", "--all")
    assert ran.code == 1
    assert "002_b.rollback.sql:2:1" in ran.err
    assert "002_b is still in the database, whole. Rolled back before it: 003_c." in ran.err
    assert folder.query(TABLES) == [("a", "b", None)]
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(2,)]


def test_a_rollback_promises_too(folder: Folder) -> None:
    folder.write(A | {"001_a.rollback.sql": "select 1;"})
    folder.write(
        {"verify/001_a.rollback.sql": "-- check: a is gone\nselect to_regclass('a') is null;"}
    )
    folder("migrate")
    ran = folder("rollback")
    assert ran.code == 1
    assert "does not keep its promise: a is gone" in ran.err
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(1,)]


def test_a_rollback_may_promise_that_rows_stay_the_same(folder: Folder) -> None:
    folder.write(A | {"002_b.sql": "create table b (n int); insert into b values (1), (2);"})
    folder.write({"002_b.rollback.sql": "delete from b where n = 2; alter table b rename to c;"})
    folder.write(
        {
            "verify/002_b.rollback.sql": "-- same: the rows\n-- before:\nselect n from b\n"
            "-- after:\nselect n from c;"
        }
    )
    folder("migrate")
    ran = folder("rollback", "--discard-data")
    assert ran.code == 1
    assert "does not keep its promise: the rows" in ran.err
    folder.query("update pgvouch.migration set rollback_sql = 'alter table b rename to c'")
    assert folder("rollback").code == 0


def test_options_that_exclude_each_other(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    assert folder("rollback", "--all", "--steps", "1").code == 2
    assert folder("rollback", "--steps", "0").code == 2
    assert folder("rollback", "--to", "nope").code == 2
    assert folder.query(TABLES) == [("a", None, None)]
