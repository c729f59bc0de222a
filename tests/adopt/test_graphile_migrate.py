"""What is graphile-migrate's own: headers, hashes, placeholders, what is not committed."""

import pytest

from adopt.test_contract import Project
from conftest import Folder


@pytest.fixture
def project(folder: Folder) -> Project:
    return Project("graphile-migrate", folder)


def put(project: Project, body: str, header: str = "--! Previous: -\n--! Hash: sha1:0\n") -> None:
    path = project.path / "migrations" / "committed" / "000004.sql"
    path.write_text(f"{header}\n{body}")


def test_the_header_and_the_marks_of_includes_are_left_out(project: Project) -> None:
    put(project, "--! Included a.sql\nselect 1;\n--! EndIncluded a.sql\nselect 2;\n")
    assert project.adopt("--files-only").code == 0
    (path,) = project.run.path.glob("*4_*.sql")
    assert path.read_text() == "select 1;\n\nselect 2;\n"
    (path,) = project.run.path.glob("*title*.sql")
    assert path.read_text().startswith("-- transactional: false\n\ncreate index concurrently")


def test_placeholders_are_psql_variables(project: Project) -> None:
    (project.path / ".gmrc").write_text('{ "placeholders": { ":APP_USER": "!ENV" } }')
    put(project, "grant :APP_USER to \":DATABASE_OWNER\"; select ':APP_USER', ':OTHER', x[1:Y];\n")
    ran = project.adopt("--files-only")
    assert ran.code == 0, ran.err
    (path,) = project.run.path.glob("*4_*.sql")
    assert path.read_text() == (
        "-- var: APP_USER\n-- var: DATABASE_OWNER\n\n"
        "grant :APP_USER to :\"DATABASE_OWNER\"; select :'APP_USER', ':OTHER', x[1:Y];\n"
    )
    assert "give it with --var APP_USER=" in ran.out


def test_a_placeholder_in_a_body_is_refused_with_its_line(project: Project) -> None:
    put(project, "do $$ begin\nexecute ':DATABASE_NAME'; end $$;\n")
    ran = project.adopt("--files-only")
    assert ran.code == 2
    assert "000004.sql:5" in ran.err


def test_what_is_not_committed_is_told(project: Project) -> None:
    assert "not committed" not in project.adopt("--dry-run", "--files-only").out
    (project.path / "migrations" / "current.sql").write_text("select 1;")
    assert "not committed" in project.adopt("--files-only").out


def test_a_hash_that_is_allowed_to_be_wrong(project: Project) -> None:
    project.make()
    path = project.path / "migrations" / "committed" / "000003.sql"
    text = path.read_text().replace("\n\n", "\n--! AllowInvalidHash\n\n")
    path.write_text(text + "-- and more\n")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert len(project.applied) == 3


def test_a_file_without_the_header_is_refused(project: Project) -> None:
    put(project, "select 1;", header="")
    ran = project.adopt("--files-only")
    assert ran.code == 2
    assert "000004.sql is no committed migration" in ran.err
