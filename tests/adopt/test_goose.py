"""What is goose's own."""

import json

import pytest

from adopt.test_contract import Project
from conftest import Folder


@pytest.fixture
def project(folder: Folder) -> Project:
    return Project("goose", folder)


def test_it_runs_without_a_transaction_where_goose_does(project: Project) -> None:
    assert project.adopt("--files-only").code == 0
    text = (project.run.path / "00002_title_idx.sql").read_text()
    assert text.startswith("-- transactional: false\n")
    assert "+goose" not in (project.run.path / "00001_create_books.sql").read_text()


def test_the_newest_row_of_a_version_counts(project: Project) -> None:
    """Old versions wrote a row for a way back; one that is applied again has two that say so."""
    project.make()
    project.run.query(
        "insert into goose_db_version values (7, 20240103000000, false, now()), "
        "(8, 2, false, now()), (9, 2, true, '2026-11-22 10:00')"
    )
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert project.applied == ["00001_create_books", "00002_title_idx"]
    (at,) = project.run.query(
        "select applied_at::timestamp::text from pgvouch.migration where migration_id ~ '^00002'"
    )
    assert at == ("2026-11-22 10:00:00",)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("00003_x.go", "package migrations", "00003_x.go is a migration in Go"),
        ("00003_x.sql", "-- +goose ENVSUB ON\n-- +goose Up\nselect '$A';", "fills in a part of"),
        ("00003_x.sql", "", "has no line `-- +goose Up`"),
        ("2_x.sql", "-- +goose Up\nselect 1;", "are one migration to goose: 2"),
        ("00000_x.sql", "-- +goose Up\nselect 1;", "has no number above 0 ahead of a _"),
        ("3b_x.sql", "-- +goose Up\nselect 1;", "has no number above 0 ahead of a _"),
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
    assert name in ran.err
    assert not project.run.path.exists()
    assert project.applied == []


def test_what_is_said_ahead_of_the_mark_is_kept(project: Project) -> None:
    path = project.path / "migrations" / "00001_create_books.sql"
    path.write_text("-- The shelf.\n" + path.read_text())
    assert project.adopt("--files-only").code == 0
    text = (project.run.path / path.name).read_text()
    assert text.startswith("-- The shelf.\n")
    assert json.loads(project.run("plan", "--json").out)["databases"][0]["pending"]
