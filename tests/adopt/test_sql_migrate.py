"""What is sql-migrate's own."""

import pytest

from adopt.test_contract import Project
from conftest import Folder


@pytest.fixture
def project(folder: Folder) -> Project:
    return Project("sql-migrate", folder)


def test_its_order_and_its_names_are_kept(project: Project) -> None:
    project.make()
    assert project.adopt().code == 0
    assert project.applied == ["1_create_books", "2_title_idx", "10_seed"]


def test_names_without_a_number_come_last_and_all_are_numbered_anew(project: Project) -> None:
    project.make()
    project.run.query("insert into gorp_migrations values ('after.sql', now())")
    (project.path / "migrations" / "after.sql").write_text("-- +migrate Up\nselect 1;\n")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert project.applied == ["001_create_books", "002_title_idx", "003_seed", "004_after"]
    assert "numbered anew" in ran.out


def test_its_folder_is_where_its_configuration_says(project: Project) -> None:
    project.make()
    (project.path / "migrations").rename(project.path / "sql")
    configuration = project.path / "dbconfig.yml"
    configuration.write_text(configuration.read_text().replace("dir: migrations", "dir: sql"))
    assert project.adopt().code == 0
    assert len(project.applied) == 3


def test_a_table_of_another_name(project: Project) -> None:
    project.make()
    project.run.query("alter table gorp_migrations rename to done")
    ran = project.adopt("--ledger", "public.done")
    assert ran.code == 0, ran.err
    assert len(project.applied) == 3
