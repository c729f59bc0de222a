"""What is tern's own."""

import pytest

from adopt.test_contract import Project
from conftest import Folder


@pytest.fixture
def project(folder: Folder) -> Project:
    return Project("tern", folder)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("003_seed.sql", "-- x\ninsert into books values (1, '{{ .prefix }}');", "fills in a part"),
        ("005_x.sql", "select 1;", "is there where number 4 is to be"),
        ("02_x.sql", "select 1;", "is there where number 3 is to be"),
        ("004_x.sql", "-- x\n---- create above / drop below ----\nselect 1;", "no statement that"),
    ],
)
def test_what_cannot_be_carried_over_is_named(
    project: Project, name: str, text: str, said: str
) -> None:
    project.make()
    (project.path / "migrations" / name).write_text(text)
    ran = project.adopt()
    assert ran.code == 2
    assert said in ran.err
    assert not project.run.path.exists()
    assert project.applied == []


def test_a_half_that_runs_without_a_transaction(project: Project) -> None:
    path = project.path / "migrations" / "002_title_idx.sql"
    path.write_text(
        "---- tern: disable-tx ----\n"
        "create index concurrently books_title_idx on books (title);\n"
        "---- create above / drop below ----\n"
        "drop index books_title_idx;\n"
    )
    project.make()
    assert project.adopt().code == 0
    header = "-- transactional: false\n"
    assert (project.run.path / "002_title_idx.sql").read_text().startswith(header)
    assert header not in (project.run.path / "002_title_idx.rollback.sql").read_text()
    assert "nothing to do" in project.migrate().out


def test_it_is_recognised_by_its_configuration_where_nothing_goes_back(project: Project) -> None:
    for path in (project.path / "migrations").glob("00[12]*.sql"):
        path.write_text(path.read_text().partition("----")[0])
    project.make()
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert len(project.applied) == 3


def test_flyway_s_old_table_of_that_name_is_not_its_ledger(project: Project) -> None:
    project.run.query("create table schema_version (version_rank int, version text)")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert "there is no ledger of tern" in ran.out


def test_zero_is_nothing_applied(project: Project) -> None:
    project.make()
    project.run.query("update schema_version set version = 0")
    assert project.adopt().code == 0
    assert project.applied == []
