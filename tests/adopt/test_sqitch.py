"""What is Sqitch's own: the plan, reworked changes, verify scripts, psql's variables."""

import pytest

from adopt.test_contract import Project
from conftest import Folder
from pgvouch.adopt.verifying import as_checks


@pytest.fixture
def project(folder: Folder) -> Project:
    return Project("sqitch", folder)


def change(project: Project, name: str, **scripts: str) -> None:
    plan = project.path / "sqitch.plan"
    line = f"{name} 2026-11-21T16:00:00Z release <release@example.org> # more\n"
    plan.write_text(plan.read_text() + line)
    for kind, text in scripts.items():
        (project.path / kind / f"{name}.sql").write_text(text)


def test_a_reworked_change_is_two_migrations(project: Project) -> None:
    project.make()
    assert project.adopt().code == 0
    assert project.applied == ["001_books", "002_title_idx", "003_books", "004_seed"]
    assert "create table" in (project.run.path / "001_books.sql").read_text()
    assert "add isbn" in (project.run.path / "003_books.sql").read_text()
    assert not (project.run.path / "verify" / "001_books.sql").exists()
    assert "drop isbn" in (project.run.path / "003_books.rollback.sql").read_text()


def test_a_verify_script_becomes_a_promise_that_can_fail(project: Project) -> None:
    project.make()
    assert project.adopt().code == 0
    assert project.run("verify").code == 0
    project.run.query("delete from books")
    ran = project.run("verify")
    assert ran.code == 1
    assert "the first row is there" in ran.out + ran.err
    assert "division by zero" in ran.out + ran.err
    project.run.query("alter table books rename title to name")
    ran = project.run("verify")
    assert "books: select id, title from books where false" in ran.out + ran.err


def test_a_promise_that_is_not_kept_rolls_the_migration_back(project: Project) -> None:
    change(project, "more", deploy="select 1;", verify="select 1/count(*) from books where id = 9;")
    assert project.adopt("--files-only").code == 0
    assert project.migrate().code == 1
    assert project.applied == ["001_books", "002_title_idx", "003_books", "004_seed"]


def test_statements_that_build_on_each_other_are_one_check() -> None:
    text = as_checks(
        "BEGIN; set local search_path = app; create temp table t (a int);\nselect a from t; ROLLBACK;",
        "more",
    )
    assert text == (
        "set local search_path = app;\n\n-- check: more is as its verify script wants it\n"
        "create temp table t (a int);\nselect a from t;\nselect true;\n"
    )


def test_a_verify_script_without_a_statement_promises_nothing() -> None:
    assert (
        as_checks("-- Verify x\nBEGIN;\n-- XXX Add verifications here.\nROLLBACK;\n", "x") is None
    )


@pytest.mark.parametrize("sql", ["begin; select 1; savepoint a; rollback;", "\\i x.sql\nselect 1;"])
def test_what_cannot_be_a_promise_is_told(project: Project, sql: str) -> None:
    change(project, "more", deploy="select 1;", verify=sql)
    ran = project.adopt("--files-only")
    assert ran.code == 0, ran.err
    assert "more.sql: its checks are left out" in ran.out
    assert not (project.run.path / "verify" / "005_more.sql").exists()


def test_psql_variables_are_declared(project: Project) -> None:
    conf = project.path / "sqitch.conf"
    conf.write_text(conf.read_text() + '[deploy "variables"]\n\trole = app\n')
    change(project, "more", deploy='grant :role to :"who"; select \'{":"a":1}\', x[1:n];')
    ran = project.adopt("--files-only")
    assert ran.code == 0, ran.err
    text = (project.run.path / "005_more.sql").read_text()
    assert text.startswith("-- var: role\n-- var: who\n\ngrant :role")
    assert "with --var who=" in ran.out


def test_other_projects_of_the_registry_are_not_looked_at(project: Project) -> None:
    project.make()
    project.run.query(
        "insert into sqitch.projects values ('other', null, now(), 'release', '');"
        "insert into sqitch.changes select 'y' || change_id, null, 'theirs', 'other', note, now(), "
        "'release', '', now(), 'release', '' from sqitch.changes"
    )
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert len(project.applied) == 4


def test_a_plan_elsewhere(project: Project) -> None:
    top = project.path / "db"
    top.mkdir()
    for name in ("deploy", "revert", "verify", "sqitch.plan"):
        (project.path / name).rename(top / name)
    (project.path / "sqitch.conf").write_text("[core]\n\tengine = pg\n\ttop_dir = db\n")
    for folder in (project.path, top):
        ran = project.run("adopt", str(folder), "--dry-run")
        assert ran.code == 0, ran.err


def test_a_script_of_the_plan_must_be_there(project: Project) -> None:
    change(project, "more")
    ran = project.adopt("--files-only")
    assert ran.code == 2
    assert "deploy/more.sql is not there" in ran.err
    assert "sqitch.plan:11" in ran.err
