"""What is Drizzle's own: the journal, the marks between statements, and the layout of 1.0."""

import hashlib
import json
import shutil

import pytest

from adopt.test_contract import Project
from conftest import Folder


@pytest.fixture
def project(folder: Folder) -> Project:
    found = Project("drizzle", folder)
    found.make()
    return found


def test_a_statement_may_lack_its_semicolon(project: Project) -> None:
    path = project.path / "drizzle" / "0001_title_idx.sql"
    text = path.read_text().replace(";--> statement", " -- not;\n--> statement")
    path.write_text(text)
    ran = project.adopt("--in-place")
    assert ran.code == 2
    assert "does not run 0001_title_idx.sql as it is written" in ran.err
    assert project.adopt("--files-only").code == 0
    ours = (project.run.path / "0001_title_idx.sql").read_text()
    assert 'ADD COLUMN "isbn" text -- not;\n;\n\nCREATE INDEX' in ours
    assert "breakpoint" not in ours
    project.run.query("drop schema public cascade; create schema public")
    assert project.migrate().code == 0


def test_a_file_beside_the_journal_is_left_out(project: Project) -> None:
    (project.path / "drizzle" / "0003_x.sql").write_text("select 1;")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert "0003_x.sql is left out" in ran.out


def test_a_file_that_the_journal_has_must_be_there(project: Project) -> None:
    (project.path / "drizzle" / "0002_seed.sql").unlink()
    ran = project.adopt()
    assert ran.code == 2
    assert "0002_seed.sql is not there" in ran.err


def test_a_journal_with_other_times_is_told_by_the_digests(project: Project) -> None:
    path = project.path / "drizzle" / "meta" / "_journal.json"
    given = json.loads(path.read_text())
    for entry in given["entries"]:
        entry["when"] += 1
    path.write_text(json.dumps(given))
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert len(project.applied) == 3


@pytest.mark.parametrize("is_upgraded", [True, False])
def test_since_1_0_each_has_a_folder(project: Project, is_upgraded: bool) -> None:
    folder = project.path / "drizzle"
    shutil.rmtree(folder / "meta")
    names = ("20240101000001_create_books", "20240102000000_title_idx", "20240103000000_seed")
    project.run.query(
        "alter table drizzle.__drizzle_migrations add name text, add applied_at timestamptz"
    )
    for number, (path, name) in enumerate(zip(sorted(folder.glob("*.sql")), names, strict=True), 1):
        inside = folder / name
        inside.mkdir()
        (inside / "snapshot.json").write_text("{}")
        path.rename(inside / "migration.sql")
        stored = hashlib.sha256((inside / "migration.sql").read_bytes()).hexdigest()
        project.run.query(
            f"update drizzle.__drizzle_migrations set hash = '{stored}', "
            f"name = {'null' if is_upgraded else repr(name)} where id = {number}"
        )
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert project.applied == list(names)


def test_another_database_is_refused(project: Project) -> None:
    path = project.path / "drizzle" / "meta" / "_journal.json"
    path.write_text(path.read_text().replace('"postgresql"', '"mysql"'))
    ran = project.adopt()
    assert ran.code == 2
    assert "are for mysql" in ran.err
