"""What is node-pg-migrate's own."""

import shutil

import pytest

from adopt.test_contract import Project
from conftest import Folder


@pytest.fixture
def project(folder: Folder) -> Project:
    return Project("node-pg-migrate", folder)


@pytest.mark.parametrize("ending", ["js", "cjs", "mjs", "ts", "mts"])
def test_code_is_named_and_refused_with_the_way_on(project: Project, ending: str) -> None:
    project.make()
    sql = project.path / "migrations" / "1704153600000_title-idx.sql"
    text = sql.read_text()
    code = sql.with_suffix(f".{ending}")
    sql.rename(code)
    ran = project.adopt()
    assert ran.code == 2
    assert f"{code.name} is code, which only node-pg-migrate can run" in ran.err
    assert "--dry-run" in ran.err
    assert f"migrations/{code.name}" in ran.err
    assert not project.run.path.exists()
    assert project.applied == []
    code.unlink()
    sql.write_text(text)
    assert project.adopt().code == 0
    assert len(project.applied) == 3


def test_a_project_of_code_alone_is_recognised_by_its_package(project: Project) -> None:
    folder = project.path / "migrations"
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "1_a.js").write_text("exports.up = () => {};")
    (folder / "2_b.ts").write_text("export const up = () => {};")
    ran = project.adopt()
    assert ran.code == 2
    assert "1_a.js is code" in ran.err
    assert "2_b.ts is code" in ran.err


def test_without_a_mark_all_of_a_file_goes_forward(project: Project) -> None:
    (project.path / "migrations" / "1704240000000_seed.sql").write_text(
        "insert into books values (1, 'One');\n"
    )
    project.make()
    assert project.adopt().code == 0
    assert len(project.applied) == 3
    assert len(list(project.run.path.glob("*.rollback.sql"))) == 2


def test_seventeen_digits_are_a_time_and_sort_among_milliseconds(project: Project) -> None:
    """20240101120000000 is noon of the first day, between the first file and the second."""
    path = project.path / "migrations" / "20240101120000000_between.sql"
    path.write_text("-- Up Migration\nselect 1;\n")
    ran = project.adopt("--files-only")
    assert ran.code == 0, ran.err
    names = sorted(path.name for path in project.run.path.glob("*.sql") if "roll" not in path.name)
    assert names == ["001_create-books.sql", "002_between.sql", "003_title-idx.sql", "004_seed.sql"]


def test_files_of_one_number_sort_by_the_numbers_in_their_names(project: Project) -> None:
    for name in ("1_a10", "1_a9", "1_B1"):
        (project.path / "migrations" / f"{name}.sql").write_text("select 1;\n")
    assert project.adopt("--files-only").code == 0
    names = sorted(path.name for path in project.run.path.glob("*.sql") if "roll" not in path.name)
    assert names[:3] == ["001_a9.sql", "002_a10.sql", "003_B1.sql"]


def test_pairs_of_files_are_one_migration(project: Project) -> None:
    folder = project.path / "migrations"
    (folder / "1704240000000_seed.sql").unlink()
    (folder / "1704240000000_seed.up.sql").write_text("insert into books values (1, 'One');\n")
    (folder / "1704240000000_seed.down.sql").write_text("delete from books where id = 1;\n")
    project.make()
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert len(list(project.run.path.glob("*.rollback.sql"))) == 3


def test_a_file_that_takes_back_nothing_is_refused(project: Project) -> None:
    (project.path / "migrations" / "1704240000001_x.down.sql").write_text("select 1;")
    ran = project.adopt()
    assert ran.code == 2
    assert "1704240000001_x.down.sql has no 1704240000001_x.up.sql beside it" in ran.err
