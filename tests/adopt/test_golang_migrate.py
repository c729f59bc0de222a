"""What is golang-migrate's own."""

import psycopg
import pytest

from adopt.test_contract import Project
from conftest import Folder, database_of
from pgvouch.adopt.golang_migrate import TOOL
from pgvouch.adopt.history import Table


@pytest.fixture
def project(folder: Folder) -> Project:
    return Project("golang-migrate", folder)


def lock(database: str) -> tuple[int, ...]:
    table = Table("public", "schema_migrations", "public.schema_migrations", frozenset())
    keys = TOOL.lock(table, database)
    assert isinstance(keys, tuple)
    return keys


def test_its_lock_is_the_one_that_it_was_seen_to_take() -> None:
    assert lock("lk_gm2")[0] == 2990900926


@pytest.mark.parametrize("which", [0, 1])
def test_it_is_kept_out_by_either_lock(project: Project, which: int) -> None:
    """Its command locks another number than a program that hands over an open connection."""
    project.make()
    key = lock(database_of(project.run.url))[which]
    with psycopg.connect(project.run.url) as tool:
        tool.execute("select pg_advisory_lock(%s)", [key])
        ran = project.adopt()
    assert ran.code == 2
    assert "golang-migrate is at work on this database" in ran.err
    assert project.applied == []


@pytest.mark.parametrize("version", [-1, 2, 4])
def test_dirty_anywhere_is_refused(project: Project, version: int) -> None:
    """Forwards or back, by hand or half way: the row does not say."""
    project.make()
    project.run.query(f"update schema_migrations set version = {version}, dirty = true")
    ran = project.adopt()
    assert ran.code == 2
    assert f"public.schema_migrations is dirty at {version}" in ran.err
    assert "migrate force" in ran.err
    assert project.applied == []


@pytest.mark.parametrize("version", [None, -1])
def test_no_row_and_nil_are_nothing_applied(project: Project, version: int | None) -> None:
    project.make()
    project.run.query("delete from schema_migrations")
    if version is not None:
        project.run.query(f"insert into schema_migrations values ({version}, false)")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert project.applied == []


def test_what_cannot_be_in_a_transaction_is_seen_by_its_statement(project: Project) -> None:
    ran = project.adopt("--files-only")
    assert ran.code == 0, ran.err
    text = (project.run.path / "000002_title_idx.sql").read_text()
    assert text.startswith("-- transactional: false\n")
    assert "runs without a transaction" in ran.out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("3_again.up.sql", "are one migration to golang-migrate: 3"),
        ("3_again.down.sql", "take back one migration"),
        ("4_more.down.sql", "takes back a migration that is not here"),
    ],
)
def test_what_it_would_refuse_is_refused(project: Project, name: str, said: str) -> None:
    project.make()
    (project.path / "migrations" / name).write_text("select 1;")
    ran = project.adopt()
    assert ran.code == 2
    assert said in ran.err
    assert project.applied == []


def test_a_file_of_another_name_is_left_out_and_named(project: Project) -> None:
    (project.path / "migrations" / "readme.sql").write_text("select 1;")
    ran = project.adopt("--files-only")
    assert ran.code == 0, ran.err
    assert "readme.sql is left out, as golang-migrate does" in ran.out
