"""An applied file that was edited, deleted, renamed or moved: what is said, and that it works."""

import os
import re
import shutil

from conftest import Folder

FILES = {
    "001_a.sql": "create table a ();",
    "001_a.rollback.sql": "drop table a;",
    "002_b.sql": "create table b ();",
    "002_b.rollback.sql": "drop table b;",
    "003_c.sql": "create table c ();",
    "003_c.rollback.sql": "drop table c;",
}


def _next(error: str) -> str:
    (line,) = re.findall(r"^  next +(.*)$", error, re.MULTILINE)
    return line


def test_an_edited_file_says_since_when(folder: Folder) -> None:
    folder.write(FILES)
    folder("migrate")
    (folder.path / "002_b.sql").write_text("create table b (n int);")
    ran = folder("migrate")
    assert ran.code == 4
    assert re.search(
        r"002_b: applied 20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ by \S+ as sha256:\w{12}, the file is now "
        r"sha256:\w{12}",
        ran.err,
    )
    assert "git log -p" in _next(ran.err)


def test_an_edit_that_keeps_size_and_date_is_noticed(folder: Folder) -> None:
    folder.write(FILES)
    folder("migrate")
    path = folder.path / "002_b.sql"
    before = path.stat()
    path.write_text(FILES["002_b.sql"].replace(" b ", " d "))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    ran = folder("migrate")
    assert ran.code == 4
    assert "002_b was applied and its file has changed since" in ran.err


def test_a_deleted_file_can_be_rolled_back_as_the_hint_says(folder: Folder) -> None:
    folder.write(FILES)
    folder("migrate")
    (folder.path / "002_b.sql").unlink()
    (folder.path / "002_b.rollback.sql").unlink()
    ran = folder("migrate")
    assert ran.code == 4
    assert "error: 002_b was applied and its file is gone" in ran.err
    said = _next(ran.err)
    assert "version control" in said
    assert "accept" not in said
    command = said.rpartition("pgvouch ")[2]
    assert command == "rollback --to 001_a"
    assert folder(*command.split()).code == 0
    assert folder("migrate").code == 0
    assert folder.query("select to_regclass('b'), to_regclass('c')::text") == [(None, "c")]


def test_the_first_one_deleted(folder: Folder) -> None:
    folder.write(FILES)
    folder("migrate")
    (folder.path / "001_a.sql").unlink()
    (folder.path / "001_a.rollback.sql").unlink()
    assert _next(folder("migrate").err).endswith("pgvouch rollback --all")
    assert folder("rollback", "--all").code == 0


def test_a_deleted_file_without_a_rollback(folder: Folder) -> None:
    folder.write({name: text for name, text in FILES.items() if "rollback" not in name})
    folder("migrate")
    (folder.path / "002_b.sql").unlink()
    assert "pgvouch rollback" not in _next(folder("migrate").err)


def test_a_renamed_file_is_recognised_and_the_hint_works(folder: Folder) -> None:
    folder.write(FILES)
    folder("migrate")
    shutil.move(folder.path / "002_b.sql", folder.path / "002_better.sql")
    shutil.move(folder.path / "002_b.rollback.sql", folder.path / "002_better.rollback.sql")
    ran = folder("migrate")
    assert ran.code == 4
    assert "error: 002_b was applied and its file is called 002_better now" in ran.err
    assert "  at      migrations/002_better.sql" in ran.err
    assert "rename it back to 002_b.sql" in _next(ran.err)
    shutil.move(folder.path / "002_better.sql", folder.path / "002_b.sql")
    shutil.move(folder.path / "002_better.rollback.sql", folder.path / "002_b.rollback.sql")
    assert "nothing to do" in folder("migrate").out


def test_the_newest_one_renamed_to_a_lower_number_is_no_newer_release(folder: Folder) -> None:
    files = {name.replace("003", "009"): text for name, text in FILES.items()}
    folder.write(files)
    folder("migrate")
    shutil.move(folder.path / "009_c.sql", folder.path / "003_c.sql")
    shutil.move(folder.path / "009_c.rollback.sql", folder.path / "003_c.rollback.sql")
    ran = folder("migrate")
    assert ran.code == 4
    assert "009_c was applied and its file is called 003_c now" in ran.err
    status = folder("status")
    assert status.code == 4
    assert re.search(r"009_c +missing", status.out)


def test_the_same_text_twice_is_no_renaming(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;", "002_b.sql": "select 1;", "003_c.sql": "select 1;"})
    folder("migrate")
    (folder.path / "002_b.sql").unlink()
    folder.write({"004_d.sql": "select 1;"})
    ran = folder("migrate")
    assert ran.code == 4
    assert "002_b was applied and its file is gone" in ran.err


def test_accept_says_why_there_is_nothing_to_accept(folder: Folder) -> None:
    folder.write(FILES)
    folder("migrate", "--to", "2")
    ran = folder("accept", "003_c", "--why", "x")
    assert ran.code == 2
    assert "003_c is not applied, so there is no change to accept" in ran.err
    assert "-- unless:" in ran.err
    (folder.path / "001_a.sql").unlink()
    (folder.path / "001_a.rollback.sql").unlink()
    ran = folder("accept", "1", "--why", "x")
    assert "001_a has no file here" in ran.err
