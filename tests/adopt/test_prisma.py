"""What is Prisma's own: a row an attempt, a checksum of bytes."""

import pytest

from adopt.test_contract import Project
from conftest import Folder

SEED = "20240103000000_seed"


@pytest.fixture
def project(folder: Folder) -> Project:
    found = Project("prisma", folder)
    found.make()
    return found


def attempt(project: Project, name: str, *, finished: str, back: str) -> None:
    project.run.query(
        "insert into _prisma_migrations select 'x' || (random() * 1e9)::bigint, checksum, "
        f"{finished}, '{name}', '', {back}, now(), 0 from _prisma_migrations limit 1"
    )


def test_an_attempt_that_was_taken_back_does_not_count(project: Project) -> None:
    attempt(project, SEED, finished="null", back="now()")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert len(project.applied) == 3


def test_a_migration_with_no_other_attempt_is_pending(project: Project) -> None:
    project.run.query(
        f"update _prisma_migrations set rolled_back_at = now() where migration_name = '{SEED}'"
    )
    assert project.adopt().code == 0
    assert len(project.applied) == 2


def test_a_crash_and_its_way_on(project: Project) -> None:
    attempt(project, SEED, finished="null", back="null")
    ran = project.adopt()
    assert ran.code == 2
    assert f"prisma migrate resolve --rolled-back {SEED}" in ran.err


def test_other_line_ends_are_the_same_text(project: Project) -> None:
    path = project.path / "prisma" / "migrations" / SEED / "migration.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    ran = project.adopt()
    assert ran.code == 0, ran.err


def test_a_rollback_beside_it_is_taken(project: Project) -> None:
    path = project.path / "prisma" / "migrations" / SEED / "down.sql"
    path.write_text("delete from books;\n")
    assert project.adopt().code == 0
    assert (project.run.path / f"{SEED}.rollback.sql").read_text() == "delete from books;\n"


def test_folders_of_one_number_are_numbered_anew(project: Project) -> None:
    folder = project.path / "prisma" / "migrations" / "20240103000000_also"
    folder.mkdir()
    (folder / "migration.sql").write_text("")
    ran = project.adopt("--files-only")
    assert ran.code == 0, ran.err
    found = sorted(path.name for path in project.run.path.glob("*.sql"))
    assert found == ["001_create_books.sql", "002_title_idx.sql", "003_also.sql", "004_seed.sql"]


def test_a_folder_without_its_file_is_refused_as_prisma_does(project: Project) -> None:
    (project.path / "prisma" / "migrations" / "20250101000000_x").mkdir()
    ran = project.adopt("--files-only")
    assert ran.code == 2
    assert "P3015" in ran.err


def test_another_database_is_refused(project: Project) -> None:
    path = project.path / "prisma" / "migrations" / "migration_lock.toml"
    path.write_text('provider = "mysql"\n')
    ran = project.adopt("--files-only")
    assert ran.code == 2
    assert "are for mysql" in ran.err
