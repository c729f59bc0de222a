"""What stands in the folder of migrations besides plain files with plain names."""

import os
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Folder, Ran
from pgvouch.files import folder as reading

OK = "create table a ();"


def _migrate(folder: Folder) -> Ran:
    ran = folder("migrate")
    assert "Traceback" not in ran.err
    return ran


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere.sql")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _directory(path: Path) -> None:
    path.mkdir()
    (path / "001_x.sql").write_text("select 1;")


def _link_to_directory(path: Path) -> None:
    path.symlink_to(path.parent, target_is_directory=True)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


NO_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a pipe": (_fifo, "is neither a file nor a link to one"),
    "a dangling link": (_dangling, "is a symbolic link to a file that is not there"),
    "a link to itself": (_loop, "Too many levels of symbolic links"),
    "a folder": (_directory, "is a folder that is named like a file of migrations"),
    "a link to a folder": (_link_to_directory, "is a folder that is named like"),
    "a device without an end": (_device, "is neither a file nor a link to one"),
}


@pytest.mark.parametrize("name", ["002_b.sql", "001_a.rollback.sql", "verify/001_a.sql"])
@pytest.mark.parametrize("case", NO_FILES)
def test_what_is_no_file_is_never_just_left_out(folder: Folder, case: str, name: str) -> None:
    make, message = NO_FILES[case]
    folder.write({"001_a.sql": OK})
    (folder.path / "verify").mkdir()
    make(folder.path / name)
    ran = _migrate(folder)
    assert ran.code == 2
    assert message in ran.err
    assert f"  at      migrations/{name}" in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]


UNSHOWN = {
    "a line break": ("002_b\nc.sql", "002_b\\nc.sql"),
    "a terminal code": ("002_\x1b[2Jb.sql", "002_\\x1b[2Jb.sql"),
    "a letter that is not UTF-8": ("002_\udce9.sql", "002_\\udce9.sql"),
    "a mark that turns text around": ("002_\u202elqs.sql", "002_\\u202elqs.sql"),
    "a no-break space": ("002_b\u00a0c.sql", "002_b\\xa0c.sql"),
}


@pytest.mark.parametrize("case", UNSHOWN)
def test_a_name_that_cannot_be_shown_is_refused(folder: Folder, case: str) -> None:
    name, shown = UNSHOWN[case]
    folder.write({"001_a.sql": OK, name: "select 1;"})
    ran = _migrate(folder)
    assert ran.code == 2
    lines = [line.encode("unicode_escape").decode() for line in ran.err.splitlines()]
    assert f"the name {shown} holds a character that cannot be shown" in ran.err.replace(
        "\n", "\\n"
    ), lines


def test_links_to_files_are_files(folder: Folder) -> None:
    shared = folder.root / "shared.sql"
    shared.write_text(OK)
    (folder.path / "001_a.sql").symlink_to(shared)
    assert _migrate(folder).code == 0
    assert folder.query("select to_regclass('a')::text") == [("a",)]


def test_names_that_some_disks_hold_once(folder: Folder) -> None:
    folder.write({"001_a.sql": OK, "002_B.sql": "select 1;", "002_b.sql": "select 1;"})
    ran = _migrate(folder)
    assert ran.code == 2
    assert "differs from 002_B.sql only in case" in ran.err
    composed = unicodedata.normalize("NFC", "002_é.sql")
    (folder.path / "002_B.sql").unlink()
    (folder.path / "002_b.sql").unlink()
    folder.write({composed: "select 1;", unicodedata.normalize("NFD", composed): "select 1;"})
    ran = _migrate(folder)
    assert ran.code == 2
    assert "how an accent is stored" in ran.err


def test_the_longest_name_a_disk_takes(folder: Folder) -> None:
    stem = "001_" + "x" * (255 - len("001_.rollback.sql"))
    folder.write({f"{stem}.sql": OK, f"{stem}.rollback.sql": "drop table a;"})
    assert _migrate(folder).code == 0
    assert folder.query("select migration_id from pgvouch._yoyo_migration") == [(stem,)]
    assert folder("rollback").code == 0
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_a_file_that_gives_no_bytes(folder: Folder) -> None:
    """Reading a process's memory from its start fails, even for root."""
    folder.write({"001_a.sql": OK})
    (folder.path / "002_b.sql").symlink_to("/proc/self/mem")
    ran = _migrate(folder)
    assert ran.code == 2
    assert "cannot be read: Input/output error" in ran.err
    assert "  at      migrations/002_b.sql" in ran.err


def test_a_file_that_vanishes(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write({"001_a.sql": OK, "002_b.sql": "select 1;"})
    read = reading._read

    def vanishing(name: str, path: Path) -> bytes:
        if name.endswith("/002_b.sql"):
            Path(name).unlink(missing_ok=True)
        return read(name, path)

    monkeypatch.setattr(reading, "_read", vanishing)
    ran = _migrate(folder)
    assert ran.code == 2
    assert "cannot be read: No such file or directory" in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]


@contextmanager
def _nobody_in_particular() -> Iterator[None]:
    """Root reads everything: be somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("closed", ["migrations/001_a.sql", "migrations/verify", "migrations"])
def test_what_must_not_be_read(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    folder.write({"000_first.sql": "select 1;", "001_a.sql": OK, "verify/000_first.sql": "x"})
    open_to_all = Path(tempfile.mkdtemp())
    try:
        open_to_all.chmod(0o755)
        folder.path = shutil.copytree(folder.path, open_to_all / "migrations")
        monkeypatch.chdir(open_to_all)
        (open_to_all / closed).chmod(0)
        with _nobody_in_particular():
            ran = _migrate(folder)
            assert ran.code == 2
            assert "ermission denied" in ran.err
            assert closed in ran.err
    finally:
        (open_to_all / closed).chmod(0o755)
        shutil.rmtree(open_to_all)


def test_what_editors_leave_and_notes_are_left_alone(folder: Folder) -> None:
    names = [".002_b.sql", "003_c.sql~", "#004_d.sql#", "005_e.sql.orig", "006_f.sql.swp"]
    folder.write({"001_a.sql": OK} | dict.fromkeys([*names, "README.md", "~007_g.sql"], "x"))
    assert _migrate(folder).code == 0
    assert folder.query("select migration_id from pgvouch.migration") == [("001_a",)]


def test_blanks_accents_and_pictures_in_names(folder: Folder) -> None:
    folder.write(
        {
            "001_a b.sql": OK,
            "001_a b.rollback.sql": "drop table a;",
            "002_é 🐘 'x' \"y\" %s {z} $1 ;.sql": "select 1;",
            "002_é 🐘 'x' \"y\" %s {z} $1 ;.rollback.sql": "select 1;",
        }
    )
    assert _migrate(folder).code == 0
    assert folder.query("select migration_id from pgvouch.migration order by 1") == [
        ("001_a b",),
        ("002_é 🐘 'x' \"y\" %s {z} $1 ;",),
    ]
    assert folder("rollback", "--all").code == 0
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_digits_of_another_script_are_no_number(folder: Folder) -> None:
    folder.write({"001_a.sql": OK, "٠٠٢_b.sql": "select 1;"})
    ran = _migrate(folder)
    assert ran.code == 2
    assert "has no number" in ran.err


NO_PYTHON = {
    "__depends__ is a number": ("__depends__ = 5\n", "__depends__ is no set of names"),
    "a parenthesis is open": ("step('select 1'\n", "is not a yoyo migration"),
    "nested too deeply": ("x = " + "(" * 500 + ")" * 500, "is not a yoyo migration"),
    "__depends__ is computed": ("__depends__ = {open('/dev/null').name}\n", "is not a yoyo"),
}


@pytest.mark.parametrize("case", NO_PYTHON)
def test_python_that_is_no_migration(folder: Folder, case: str) -> None:
    text, message = NO_PYTHON[case]
    folder.write({"000_first.sql": OK, "001_a.py": text})
    ran = _migrate(folder)
    assert ran.code == 2
    assert message in ran.err
    assert "  at      migrations/001_a.py" in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_a_folder_that_is_a_file(folder: Folder) -> None:
    folder.path.rmdir()
    folder.path.write_text(OK)
    ran = _migrate(folder)
    assert ran.code == 2
    folder.path.unlink()
    assert _migrate(folder).code == 2
    folder.path.mkdir()


def test_a_file_that_is_too_large_is_not_read(folder: Folder) -> None:
    folder.write({"001_a.sql": OK, "002_b.sql": "select 1;\n"})
    os.truncate(folder.path / "002_b.sql", 1 << 30)
    ran = _migrate(folder)
    assert ran.code == 2
    assert "is 1,074 MB; 100 MB is the most that is read" in ran.err
    assert "  at      migrations/002_b.sql" in ran.err
