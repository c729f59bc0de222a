"""An empty file is what other people's folders hold: run, said, and refused only where asked for."""

import json

import pytest

from conftest import Folder

BLANK = ["", "\n\n", "-- nothing yet\n", "/* nothing /* at all */ */\n", ";;\n", "-- x\r\n"]


@pytest.mark.parametrize("text", BLANK)
@pytest.mark.parametrize(
    "head", ["", "-- transactional: false\n", "-- unless: current_user is null\n"]
)
def test_a_migration_without_a_statement_is_recorded_and_said(
    folder: Folder, text: str, head: str
) -> None:
    folder.write({"001_a.sql": head + text, "002_b.sql": "create table b ();"})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "warning: 001_a.sql holds no statement: it will be recorded, and do nothing" in ran.err
    assert "(migrations/001_a.sql)" in ran.err
    assert folder.query("select count(*) from pgvouch.migration") == [(2,)]
    assert "nothing to do (2 applied)" in folder("migrate").out


@pytest.mark.parametrize("head", ["", "-- transactional: false\n"])
@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_rollback_takes_nothing_back_and_is_said(
    folder: Folder, text: str, head: str
) -> None:
    folder.write({"001_a.sql": head + "create table a ();", "001_a.rollback.sql": text})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "warning: 001_a.rollback.sql is empty: a rollback will take nothing back" in ran.err
    (folder.path / "001_a.rollback.sql").unlink()
    back = folder("rollback")
    assert back.code == 0, back.err
    assert folder.query("select count(*) from pgvouch.migration") == [(0,)]
    assert folder.query("select to_regclass('a')::text") == [("a",)]


def test_an_empty_migration_is_rolled_back(folder: Folder) -> None:
    folder.write({"001_a.sql": "", "001_a.rollback.sql": "-- nothing to undo\n"})
    ran = folder("migrate", "--rehearse")
    assert ran.code == 0, ran.err
    assert ran.err.count("warning: ") == 1
    assert folder("migrate", "--single-transaction").code == 0
    assert folder("rollback").code == 0


def test_plan_counts_and_names_them(folder: Folder) -> None:
    folder.write({"001_a.sql": "", "001_a.rollback.sql": "", "002_b.sql": "create table b ();"})
    ran = folder("plan")
    assert ran.code == 0
    assert "2 to apply, 2 warnings" in ran.out
    assert ran.err.count("warning: ") == 2
    for command in ("plan", "migrate"):
        (document,) = json.loads(folder(command, "--json").out)["databases"]
        assert [warning["message"].split()[0] for warning in document["warnings"]] == [
            "001_a.sql",
            "001_a.rollback.sql",
        ]


@pytest.mark.parametrize("arguments", [("migrate",), ("plan",), ("migrate", "--dry-run")])
def test_a_strict_project_refuses_them(folder: Folder, arguments: tuple[str, ...]) -> None:
    folder.write({"001_a.sql": "-- nothing", "001_a.rollback.sql": ""})
    (folder.root / "pgvouch.toml").write_text("strict = true\n")
    ran = folder(*arguments, "--config", "pgvouch.toml")
    assert ran.code == 2
    assert ran.err.count("error: ") == 2
    assert "error: 001_a.sql holds no statement" in ran.err
    assert "error: 001_a.rollback.sql is empty" in ran.err
    assert folder.query("select to_regclass('pgvouch.migration')") == [(None,)]


def test_strict_is_a_boolean(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    (folder.root / "pgvouch.toml").write_text('strict = "yes"\n')
    ran = folder("migrate", "--config", "pgvouch.toml")
    assert ran.code == 2
    assert "strict is true or false, not 'yes'" in ran.err


REFUSED = {
    "a promise": {"verify/001_a.sql": "select true;"},
    "a rollback": {"001_a.rollback.sql": "commit;"},
    "a delta": {"verify/001_a.delta": "what?"},
    "a statement": {"001_a.sql": "vacuum;"},
    "until": {"verify/001_a.sql": "-- check: x\n-- until: 009_y\nselect true"},
    "a variable": {"001_a.sql": "-- var: nobody_has_it\nselect :nobody_has_it"},
}


@pytest.mark.parametrize("case", REFUSED)
def test_plan_refuses_what_migrate_refuses(folder: Folder, case: str) -> None:
    folder.write({"001_a.sql": "create table a ();", **REFUSED[case]})
    ran = folder("migrate")
    assert ran.code == 2
    for other in (("plan",), ("migrate", "--dry-run")):
        planned = folder(*other)
        assert (planned.code, planned.err) == (2, ran.err)
        assert planned.out == ""


def test_all_files_of_all_migrations_are_looked_at(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "commit;",
            "001_a.rollback.sql": "rollback;",
            "verify/001_a.sql": "select true;",
            "verify/001_a.delta": "what?",
            "002_b.sql": "-- var: nobody_has_it\nselect :nobody_has_it",
            "003_c.sql": "set transaction read only;",
        }
    )
    ran = folder("migrate")
    assert ran.code == 2
    assert ran.err.count("error: ") == 6
