"""What lies in a folder and does not fit is named, and all of it at once."""

import json

import pytest

from conftest import Folder

OK = "create table a ();"

NAMED: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "a folder inside a flat folder": (
        {"002_b.sql": OK, "2024/001_a.sql": OK},
        ("the folder 2024/ holds 001_a.sql, which would be left out", "migrations/2024/001_a.sql"),
    ),
    "a folder two levels down": (
        {"002_b.sql": OK, "old/2024/001_a.sql": OK},
        ("the folder old/ holds 001_a.sql", "migrations/old/2024/001_a.sql"),
    ),
    "a folder in verify/": (
        {"001_a.sql": OK, "verify/old/001_a.sql": "-- check: x\nselect true"},
        ("the folder old/ holds 001_a.sql", "migrations/verify/old/001_a.sql"),
    ),
    "a folder in a database's folder, and nothing else": (
        {"app/2024/001_a.sql": OK},
        ("the folder 2024/ holds 001_a.sql", "migrations/app/2024/001_a.sql"),
    ),
    "a file without a number, alone": (
        {"add_users.sql": OK},
        ("add_users.sql has no number", "name it NNN_name.sql"),
    ),
    "an ending in capitals, alone": (
        {"001-add.SQL": OK},
        ("001-add.SQL would be left out: its ending is not .sql",),
    ),
    "a file without a number beside folders": (
        {"add_users.sql": OK, "app/001_a.sql": OK},
        ("add_users.sql has no number", "the folder app/ holds 001_a.sql"),
    ),
    "a number and no name": ({"001.sql": OK}, ("001.sql has no name behind its number",)),
    "Flyway, alone": (
        {"V1__init.sql": OK},
        ("V1__init.sql has no number", "it is Flyway's: name it 001_init.sql"),
    ),
    "Flyway, parts of a number": (
        {"V1.2__more.sql": OK},
        ("it is Flyway's: name it 001_002_more.sql",),
    ),
    "Flyway's undo": (
        {"001_a.sql": OK, "U1__init.sql": "drop table a;"},
        ("rolls a migration back: name it 001_init.rollback.sql",),
    ),
    "Flyway's repeatable": (
        {"001_a.sql": OK, "R__views.sql": OK},
        ("to be run at each change", "R__views.sql has no number"),
    ),
    "golang-migrate in other letters": (
        {"001_a.up.sql": OK, "001_a.DOWN.sql": "drop table a;"},
        ("001_a.up.sql and 001_a.DOWN.sql are the two halves", "001_a.sql and 001_a.rollback.sql"),
    ),
    "postgrator": (
        {"001.do.a.sql": OK, "001-do.sql": OK, "001-undo.sql": "drop table a;"},
        ("001-do.sql and 001-undo.sql are the two halves",),
    ),
    "a way back alone": (
        {"001_a.sql": OK, "002_a.down.sql": "drop table a;"},
        ("002_a.down.sql rolls a migration back, by its name", "002_a.rollback.sql"),
    ),
    "Diesel": (
        {"2024-01-01-000000_a/up.sql": OK, "2024-01-01-000000_a/down.sql": "drop table a;"},
        (
            "it is Diesel's: name it 2024-01-01-000000_a.sql, and put it one folder up",
            "it is Diesel's: name it 2024-01-01-000000_a.rollback.sql",
        ),
    ),
    "Prisma": (
        {"20240101000000_init/migration.sql": OK, "migration_lock.toml": 'provider = "postgresql"'},
        ("it is Prisma's: name it 20240101000000_init.sql",),
    ),
}


@pytest.mark.parametrize("case", NAMED)
@pytest.mark.parametrize("command", ["migrate", "plan", "status"])
def test_nothing_is_left_out_in_silence(folder: Folder, case: str, command: str) -> None:
    files, said = NAMED[case]
    folder.write(files)
    ran = folder(command)
    assert ran.code == 2
    for fragment in said:
        assert fragment in ran.err
    assert "no migration yet" not in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_known_folders_are_no_strays(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": OK,
            "verify/001_a.sql": "-- check: x\nselect true",
            "queries/of_a.sql": "select 1;",
            "repeat/view.sql": "select 1;",
            "_archive/000_old.sql": "select 1;",
            ".hidden/000_old.sql": "select 1;",
            "images/schema.png": "",
            "tools/helper.py": "print()",
            "README.md": "",
        }
    )
    assert folder("migrate").code == 0
    assert folder.query("select count(*) from pgvouch.migration") == [(1,)]


def test_what_editors_leave_behind_makes_no_database(folder: Folder) -> None:
    folder.write(
        {
            "._001_a.sql": "",
            ".#001_a.sql": "",
            "#001_a.sql": "",
            "~001_a.sql": "",
            "__pycache__/001_a.py": "",
            "notes/~001_a.sql": "",
            "app/001_a.sql": OK,
            "app/old/001_a.sql.orig": "",
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "1 applied" in ran.out


def _broken(count: int) -> dict[str, str]:
    return {f"{n:03}_a.sql": "-- transactional: maybe\nselect 1;" for n in range(1, count + 1)}


def test_all_refusals_are_listed_at_once(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "-- transactional: maybe\nselect 1;",
            "002_b.sql": b"\xff".decode("latin-1"),
            "003_c.sql": "-- lock_timeout: soon\nselect 1;",
            "003_d.sql": OK,
            "004_e.sql": OK,
            "verify/009_x.sql": "-- check: x\nselect true",
            "add.sql": OK,
        }
    )
    (folder.path / "002_b.sql").write_bytes(b"\xff")
    ran = folder("migrate")
    assert ran.code == 2
    assert ran.err.count("error: ") == 5
    for place in ("001_a.sql:1", "002_b.sql:1", "003_c.sql:1", "verify/009_x.sql", "add.sql"):
        assert f"  at      migrations/{place}\n" in ran.err
    assert folder("plan").err == ran.err


def test_many_refusals_are_counted(folder: Folder) -> None:
    folder.write(_broken(123))
    ran = folder("migrate")
    assert ran.err.count("error: ") == 20
    assert "and 103 more errors in the files" in ran.err.splitlines()[-1]
    document = json.loads(folder("migrate", "--json").out)
    assert document["error"]["kind"] == "files"
    assert document["error"]["count"] == 123
    assert len(document["error"]["errors"]) == 20
    assert document["error"]["errors"][1]["line"] == 1


@pytest.mark.parametrize("name", ["00003_x.go", "20240101_x.rb", "002_x.js", "002_x.mts"])
def test_a_migration_in_code_is_not_left_out_in_silence(folder: Folder, name: str) -> None:
    folder.write({"001_a.sql": "create table a ();", name: "package migrations"})
    for command in ("plan", "migrate", "status"):
        ran = folder(command)
        assert ran.code == 2
        assert f"{name} is a migration in code of another tool, and would be left out" in ran.err


def test_yoyo_s_hook_is_called_that(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a ();", "post-apply.sql": "select 1;"})
    ran = folder("migrate")
    assert ran.code == 2
    assert "yoyo's hook, which yoyo runs after each apply and pgvouch does not" in ran.err
