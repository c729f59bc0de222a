"""What every tool's project has in common: adopted in one command, and nothing of it is changed.

tests/adopt/projects/NAME holds a project of three migrations (a table, an index, a row), the ledger that
the tool has left of it, and in contract.toml what is the tool's own.
"""

import hashlib
import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conftest import Folder
from pgvouch.adopt.tools import NAMES
from pgvouch.cli import main

PROJECTS = Path(__file__).parent / "projects"
SCHEMA = (
    "create table books (id bigint primary key, title text not null);"
    "create index books_title_idx on books (title);"
    "insert into books values (1, 'One');"
)
SHAPE = (
    "select c.relname, pg_get_indexdef(c.oid), a.attname, format_type(a.atttypid, a.atttypmod) "
    "from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 "
    "where c.relnamespace = 'public'::regnamespace and c.relname like 'book%' order by 1, a.attnum"
)


class Project:
    """A copy of a tool's project, and a database in which the tool has applied it."""

    def __init__(self, name: str, folder: Folder) -> None:
        self.name, self.run = name, folder
        self.given: dict[str, Any] = tomllib.loads((PROJECTS / name / "contract.toml").read_text())
        self.path = folder.root / name
        shutil.copytree(PROJECTS / name, self.path)
        shutil.rmtree(folder.path)
        self.before = self.files()

    def files(self) -> dict[str, str]:
        """Every file of it with what is in it."""
        return {
            str(path.relative_to(self.path)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.path.rglob("*")
            if path.is_file()
        }

    def make(self) -> None:
        """Make the schema and the ledger, as the tool has done it."""
        with psycopg.connect(self.run.url, autocommit=True) as connection:
            connection.execute(self.given.get("schema", SCHEMA))
            connection.execute((PROJECTS / self.name / "ledger.sql").read_bytes())
            connection.execute("set search_path = public")

    def spoil(self, how: str) -> None:
        self.run.query(self.given[how])

    def ledger(self) -> list[tuple[object, ...]]:
        """Everything but our own schema that is in the database, and the rows of all tables."""
        tables = self.run.query(
            "select format('%I.%I', n.nspname, c.relname) from pg_class as c "
            "join pg_namespace as n on n.oid = c.relnamespace where c.relkind = 'r' "
            "and n.nspname !~ '^pg_|^information_schema$|^pgvouch$' order by 1"
        )
        return [
            (name, self.run.query(f"select t::text from {name} as t order by 1"))
            for (name,) in tables
        ]

    def adopt(self, *more: str) -> Any:
        return self.run("adopt", str(self.path), *self.variables, *more)

    def migrate(self, *more: str) -> Any:
        return self.run("migrate", *self.variables, *more)

    @property
    def table(self) -> str:
        """The tool's ledger, qualified and quoted."""
        (told,) = json.loads(self.adopt("--dry-run", "--json").out)["databases"]
        return str(told["ledger"])

    @property
    def variables(self) -> list[str]:
        given = self.given.get("variables", {})
        return [f"--var={name}={value}" for name, value in given.items()]

    @property
    def applied(self) -> list[object]:
        there = "select to_regclass('pgvouch.migration') is not null"
        if self.run.query(there) == [(False,)]:
            return []
        rows = self.run.query("select migration_id from pgvouch.migration order by applied_order")
        if self.run.query("select to_regclass('pgvouch.repeatable') is not null") == [(True,)]:
            again = "select distinct repeatable_id from pgvouch.repeatable order by 1"
            rows += self.run.query(again)
        return [row[0] for row in rows]


@pytest.fixture(params=NAMES)
def project(request: pytest.FixtureRequest, folder: Folder) -> Project:
    return Project(request.param, folder)


def test_it_is_adopted_in_one_command(project: Project) -> None:
    project.make()
    before = project.ledger()
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert len(project.applied) == project.given.get("applied", 3)
    assert project.ledger() == before
    assert project.files() == project.before
    assert project.migrate().code == 0
    assert "nothing to do" in project.migrate().out
    assert project.run("status", "--exit-code").code == 0


def test_our_files_make_the_same_schema(project: Project) -> None:
    """On an empty database, without the tool."""
    assert project.adopt("--files-only").code == 0
    ran = project.migrate()
    assert ran.code == 0, ran.err
    ours = project.run.query(SHAPE), project.run.query("select id, title from books")
    project.run.query("drop schema public cascade; create schema public")
    project.run.query("drop schema pgvouch cascade")
    project.make()
    assert (project.run.query(SHAPE), project.run.query("select id, title from books")) == ours


def test_it_goes_on_with_a_migration_and_its_rollback(project: Project) -> None:
    project.make()
    assert project.adopt().code == 0
    before = project.applied
    project.run.write(
        {
            "99999999999999_next.sql": "alter table books add isbn13 text;",
            "99999999999999_next.rollback.sql": "alter table books drop isbn13;",
        }
    )
    assert project.migrate().code == 0
    assert sorted(project.applied) == sorted([*before, "99999999999999_next"])
    assert project.run("rollback").code == 0
    assert project.applied == before


def test_rollbacks_are_carried_over_and_run(project: Project) -> None:
    project.make()
    assert project.adopt().code == 0
    found = sorted(project.run.path.glob("*.rollback.sql"))
    assert len(found) == project.given["rollbacks"]
    if len(found) < len(project.applied):
        return
    ran = project.run("rollback", "--all", "--discard-data")
    assert ran.code == 0, ran.err
    assert project.run.query("select to_regclass('books') is null") == [(True,)]


def test_what_is_not_applied_is_pending(project: Project) -> None:
    project.make()
    project.spoil("undone")
    project.run.query("truncate books")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    ran = project.migrate()
    assert ran.code == 0, ran.err
    assert "1 applied" in ran.out
    assert project.run.query("select id from books") == [(1,)]


def test_files_that_we_read_as_the_tool_does_can_stay_where_they_are(project: Project) -> None:
    project.make()
    ran = project.adopt("--in-place")
    assert project.files() == project.before
    assert not project.run.path.exists()
    if not project.given.get("in_place"):
        assert ran.code == 2
        assert "leave --in-place out" in ran.err
        assert project.applied == [] or project.given.get("taken_over")
        return
    assert ran.code == 0, ran.err
    folder = str(project.path / project.given.get("folder", ""))
    given = ["migrate", "--migrations", folder, "--url", project.run.url, *project.variables]
    assert main.run(given, {}) == 0
    assert len(project.applied) == 3
    if project.given["rollbacks"] == len(project.applied):
        back = ["rollback", "--discard-data", "--migrations", folder, "--url", project.run.url]
        assert main.run(back, {}) == 0
        assert len(project.applied) == 2


def test_a_dry_run_shows_all_of_it_and_writes_nothing(project: Project) -> None:
    project.make()
    ran = project.adopt("--dry-run")
    assert ran.code == 0, ran.err
    assert "would be" in ran.out
    assert not project.run.path.exists()
    assert project.applied == []
    document = json.loads(project.adopt("--dry-run", "--json").out)
    (told,) = document["databases"]
    assert told["tool"] == project.name
    assert {one["state"] for one in told["migrations"]} <= {"applied", "pending"}
    assert told["recorded"] == 0


def test_twice_is_once(project: Project) -> None:
    project.make()
    assert project.adopt().code == 0
    before = project.applied, sorted(project.run.path.rglob("*"))
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert "already" in ran.out
    assert (project.applied, sorted(project.run.path.rglob("*"))) == before


def test_files_first_and_the_ledger_elsewhere_later(project: Project) -> None:
    """As it is done: reviewed, committed, and then on each database."""
    project.make()
    assert project.adopt("--files-only").code == 0
    assert project.applied == []
    ran = project.adopt("--ledger-only")
    assert ran.code == 0, ran.err
    assert "nothing to do" in project.migrate().out


def refused(project: Project, ran: Any, *words: str) -> None:
    """Nothing was adopted, and the error says what and how to go on."""
    assert ran.code == 2, ran.out
    for word in words:
        assert word in ran.err
    assert "  next " in ran.err or "\n  next" in ran.err
    assert not project.run.path.exists()
    assert project.applied == [] or project.given.get("taken_over")


def test_a_hole_is_an_error(project: Project) -> None:
    if "hole" not in project.given:
        pytest.skip("its ledger can have none")
    project.make()
    project.spoil("hole")
    refused(project, project.adopt(), "is not applied, and")


def test_an_unknown_version_is_an_error(project: Project) -> None:
    project.make()
    project.spoil("unknown")
    refused(project, project.adopt(), "files do not")


def test_an_empty_ledger_says_that_nothing_is_applied(project: Project) -> None:
    project.make()
    project.run.query(f"truncate {project.table} cascade")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert project.applied == []


def test_a_half_done_migration_is_an_error(project: Project) -> None:
    if "dirty" not in project.given:
        pytest.skip("its ledger does not say")
    project.make()
    project.spoil("dirty")
    refused(project, project.adopt(), project.given["dirty_says"])


def test_another_text_than_was_applied_is_an_error(project: Project) -> None:
    if "changed" not in project.given:
        pytest.skip("its ledger keeps no checksum")
    project.make()
    path = project.path / project.given["changed"]
    path.write_bytes(path.read_bytes().rstrip() + b"\n-- changed\n")
    says = project.given.get("changed_says", "is not what")
    refused(project, project.adopt(), path.name, says)


def test_the_tool_at_work_is_waited_for_by_hand(project: Project) -> None:
    project.make()
    with psycopg.connect(project.run.url) as tool:
        tool.execute(project.given["locked"])
        refused(project, project.adopt(), "is at work on this database")
    assert project.adopt().code == 0


def test_a_view_in_place_of_the_ledger_is_not_read(project: Project) -> None:
    """It would run with our rights what its owner has put into it."""
    project.make()
    table = project.table
    schema, _, _ = table.rpartition(".")
    project.run.query(f"alter table {table} rename to real_ledger")
    project.run.query(f"create view {table} as select * from {schema}.real_ledger")
    ran = project.adopt()
    assert ran.code == 2
    assert "it is no ordinary table" in ran.err


def test_a_folder_that_is_not_empty_is_left_alone(project: Project) -> None:
    project.make()
    project.run.path.mkdir()
    project.run.write({"001_mine.sql": "select 1;"})
    ran = project.adopt()
    assert ran.code == 2
    assert "holds migrations already" in ran.err
    assert [path.name for path in project.run.path.iterdir()] == ["001_mine.sql"]
    assert project.applied == []


def test_without_a_ledger_the_files_come_over_and_nothing_counts_as_applied(
    project: Project,
) -> None:
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert "there is no ledger of" in ran.out
    assert project.applied == []
    assert project.migrate().code == 0
    assert project.run.query("select id from books") == [(1,)]


def test_its_folder_given_to_migrate_by_mistake_loses_nothing(project: Project) -> None:
    """Whatever is made of it: no way back is run, no row goes, and its ledger is as it was."""
    project.make()
    before = project.ledger()
    project.run.path = project.path / project.given.get("folder", "migrations")
    project.migrate()
    assert project.ledger() == before


def test_its_folder_as_it_is_makes_all_of_it_or_nothing(project: Project) -> None:
    """With --migrations, on an empty database."""
    project.run.path = project.path / project.given.get("folder", "migrations")
    ran = project.migrate()
    if project.given.get("runs_as_it_is"):
        assert ran.code == 0, ran.err
    if ran.code != 0:
        assert project.run.query("select to_regclass('books') is null") == [(True,)]
        return
    ours = project.run.query(SHAPE), project.run.query("select id, title from books")
    assert "nothing to do" in project.migrate().out
    project.run.query("drop schema public cascade; create schema public")
    project.make()
    assert (project.run.query(SHAPE), project.run.query("select id, title from books")) == ours


def killed_at(monkeypatch: pytest.MonkeyPatch, name: str) -> Callable[..., Any]:
    """Have the program end at a call, as if it were killed there."""

    class Killed(BaseException):
        pass

    def end(*_given: object, **_named: object) -> None:
        raise Killed

    monkeypatch.setattr(name, end)
    return lambda run: pytest.raises(Killed)


@pytest.mark.parametrize(
    "where",
    [
        "pgvouch.adopt.take_over.create_ledger",
        "pgvouch.adopt.record.own_query",
        "pgvouch.adopt.writing.shutil.rmtree",
        "pathlib.Path.rename",
    ],
)
def test_interrupted_anywhere_nothing_is_half_adopted(
    project: Project, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    project.make()
    with monkeypatch.context() as patched:
        killed_at(patched, where)
        with pytest.raises(BaseException):  # noqa: B017
            project.adopt()
    there = project.run.path.exists()
    assert not there or len(list(project.run.path.glob("*.sql"))) >= 3
    assert len(project.applied) in {0, project.given.get("applied", 3)}
    assert there or not project.applied or project.given.get("taken_over")
    ran = project.adopt()
    assert ran.code == 0, ran.err
    assert "nothing to do" in project.migrate().out


def test_files_that_came_out_of_version_control_with_other_line_ends(project: Project) -> None:
    project.make()
    assert project.adopt("--files-only").code == 0
    for path in project.run.path.rglob("*.sql"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    ran = project.adopt("--ledger-only")
    assert ran.code == 0, ran.err
    assert "nothing to do" in project.migrate().out


def test_a_ledger_of_another_type_is_named(folder: Folder) -> None:
    project = Project("dbmate", folder)
    folder.query("create table public.schema_migrations (version bytea primary key)")
    ran = project.adopt()
    refused(project, ran, "public.schema_migrations cannot be read as a ledger", "--ledger")
