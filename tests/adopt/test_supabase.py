"""What is Supabase's own: its ledger has the SQL, and its CLI looks for what needs no transaction."""

from collections.abc import Iterator

import pytest

from adopt.test_contract import Project
from conftest import Folder


@pytest.fixture
def project(folder: Folder) -> Iterator[Project]:
    found = Project("supabase", folder)
    found.make()
    yield found


ROW = (
    "insert into supabase_migrations.schema_migrations values ('20240102000001', "
    "array['create table notes (id int) -- not;', 'comment on table notes is ''a;b'''], 'by_hand')"
)


def test_what_only_the_ledger_has_is_written_as_a_file(project: Project) -> None:
    project.run.query(ROW)
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert "its SQL comes from the ledger" in ran.out
    assert project.applied[2] == "20240102000001_by_hand"
    text = (project.run.path / "20240102000001_by_hand.sql").read_text()
    assert text == "create table notes (id int) -- not;\n;\ncomment on table notes is 'a;b';\n"
    assert "nothing to do" in project.migrate().out
    assert project.adopt().code == 0


def test_files_that_were_adopted_without_the_ledger_lack_it(project: Project) -> None:
    project.run.query(ROW)
    assert project.adopt("--files-only").code == 0
    for more in ((), ("--ledger-only",)):
        ran = project.adopt(*more)
        assert ran.code == 2
        assert "were adopted without it" in ran.err
        assert "empty that folder" in ran.err
    assert project.applied == []


def test_what_only_the_ledger_has_cannot_be_run_in_place(project: Project) -> None:
    project.run.query(ROW)
    ran = project.adopt("--in-place")
    assert ran.code == 2
    assert "has migrations that there are no files of" in ran.err
    assert "leave --in-place out" in ran.err
    assert project.applied == []


def test_all_of_it_may_be_in_the_ledger(project: Project) -> None:
    for path in (project.path / "supabase" / "migrations").iterdir():
        path.unlink()
    ran = project.adopt("--files-only")
    assert ran.code == 2
    assert "holds no migration of Supabase" in ran.err
    assert project.adopt().code == 0
    assert len(project.applied) == 3


def test_a_row_without_sql_and_file_is_unknown(project: Project) -> None:
    project.run.query("update supabase_migrations.schema_migrations set statements = null")
    (project.path / "supabase" / "migrations" / "20240103000000_seed.sql").unlink()
    ran = project.adopt()
    assert ran.code == 2
    assert "files do not" in ran.err


def test_an_old_ledger_has_versions_only(project: Project) -> None:
    project.run.query(
        "alter table supabase_migrations.schema_migrations drop statements, drop name"
    )
    assert project.adopt().code == 0
    assert len(project.applied) == 3


def test_the_ledgers_of_the_platform_are_left_alone(project: Project) -> None:
    project.run.query("drop schema supabase_migrations cascade")
    project.run.query("create schema auth")
    project.run.query("create table auth.schema_migrations (version text)")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert "there is no ledger of Supabase" in ran.out


def test_concurrently_needs_no_mark(project: Project) -> None:
    path = project.path / "supabase" / "migrations" / "20240105000000_cic.sql"
    path.write_text("create table t (a int);create index concurrently t_a on t (a);\n")
    assert project.adopt().code == 0
    text = (project.run.path / path.name).read_text()
    assert text.startswith("-- transactional: false\n")
    assert project.migrate().code == 0


def test_the_folder_itself_will_do(project: Project) -> None:
    for folder in ("supabase", "supabase/migrations"):
        ran = project.run("adopt", str(project.path / folder), "--dry-run")
        assert ran.code == 0, ran.err


def test_what_is_beside_the_migrations_is_told(project: Project) -> None:
    (project.path / "supabase" / "migrations" / "notes.sql").write_text("select 1;")
    ran = project.adopt("--files-only")
    assert "notes.sql is left out" in ran.out
    assert "seed.sql is no migration" in ran.out
