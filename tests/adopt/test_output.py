"""What a newcomer reads: each line is true, and says how to go on."""

import click
import pytest

from adopt.test_contract import Project
from conftest import Folder
from pgvouch.cli import table


def test_each_step_says_the_next(folder: Folder) -> None:
    project = Project("dbmate", folder)
    project.make()
    ours = f"--migrations {folder.path.relative_to(folder.root)}"
    said = [
        project.adopt(step).out.splitlines()[-1]
        for step in ("--dry-run", "--files-only", "--ledger-only")
    ]
    assert said == [
        "  next    the same command without --dry-run",
        "  next    review migrations/ and commit it; then the same command on each database, "
        "with --ledger-only in the place of --files-only",
        f"  next    commit migrations/; pgvouch migrate {ours} has nothing to do; "
        "leave dbmate out from now on",
    ]


def test_without_a_ledger_it_says_both_ways_on(folder: Folder) -> None:
    ran = Project("dbmate", folder).adopt()
    assert "pgvouch baseline" in ran.out.splitlines()[-1]
    assert "--ledger TABLE where dbmate's has another name" in ran.out.splitlines()[-1]


def test_what_is_pending_is_counted(folder: Folder) -> None:
    project = Project("golang-migrate", folder)
    project.make()
    project.spoil("undone")
    out = project.adopt().out
    assert (
        "2 are recorded as applied, as public.schema_migrations says, which stays as it is; 1 pending"
        in out
    )
    assert "applies what is pending" in out
    assert "2 were recorded as applied already; 1 pending" in project.adopt().out


def test_steps_of_python_are_no_missing_rollback(folder: Folder) -> None:
    project = Project("yoyo", folder)
    path = project.path / "migrations" / "0009.more.py"
    path.write_text("from yoyo import step\nsteps = [step('create table m ()', 'drop table m')]\n")
    out = project.adopt("--files-only").out
    (line,) = (line for line in out.splitlines() if "0009.more" in line)
    assert line.endswith("its own")


@pytest.mark.parametrize("name", ["dbmate", "golang-migrate", "diesel", "alembic", "yoyo"])
@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, name: str, width: int
) -> None:
    """With every name told apart from the others, and the state of each."""
    drawn: list[str] = []

    def draw(columns: list[table.Column], rows: list[list[str]]) -> None:
        drawn.extend(click.unstyle(table.render(columns, rows, width)).splitlines())

    monkeypatch.setattr(table, "echo", draw)
    project = Project(name, folder)
    project.make()
    if name == "golang-migrate":
        path = project.path / "migrations" / f"000004_{'a_long_name_' * 12}.up.sql"
        path.write_text("select 1;")
    assert project.adopt().code == 0
    assert len(drawn) >= 4
    assert len(set(drawn)) == len(drawn)
    assert max(map(len, drawn)) <= width
    assert all(line.endswith(("applied", "pending")) for line in drawn[1:])
