"""`init` begins a project whose first migration works as it stands."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from conftest import Ran
from pgvouch import Vouch
from pgvouch.cli.main import run

MIGRATION = {
    "migrations/001_create_notes.sql",
    "migrations/001_create_notes.rollback.sql",
    "migrations/verify/001_create_notes.sql",
}
WORKFLOW = ".github/workflows/migrations.yml"
ALL = {*MIGRATION, "pgvouch.toml", WORKFLOW, ".env", ".gitignore"}


@dataclass
class Here:
    """A working directory, and a program that is run in it."""

    path: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, **environment: str) -> Ran:
        code = run(arguments, environment)
        out, err = self.capture.readouterr()
        return Ran(code, out, err)

    def files(self) -> set[str]:
        return {
            str(path.relative_to(self.path))
            for path in self.path.rglob("*")
            if path.is_file() and ".git/" not in str(path)
        }

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Here:
    monkeypatch.chdir(tmp_path)
    return Here(tmp_path, capsys)


def test_what_it_writes_works_as_it_stands(here: Here, every_url: str) -> None:
    ran = here("init")
    assert ran.code == 0, ran.err
    assert here.files() == ALL
    assert ran.out.endswith("next      pgvouch migrate\n")
    migrated = here("migrate", "--rehearse", DATABASE_URL=every_url)
    assert migrated.code == 0, migrated.err
    assert "1 rehearsed, 3 checks passed" in migrated.out
    assert here("migrate", DATABASE_URL=every_url).code == 0
    assert here("verify", DATABASE_URL=every_url).code == 0
    assert here("rollback", DATABASE_URL=every_url).code == 0


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (("check (body <> '')", "check (true)"), "an empty note is refused"),
        (("default now()", "default '2000-01-01'"), "a note gets a number and the time"),
        (("enable row level", "disable row level"), "row security is on"),
    ],
)
def test_each_promise_of_the_first_migration_can_fail(
    here: Here, url: str, broken: tuple[str, str], sentence: str
) -> None:
    here("init")
    path = here.path / "migrations" / "001_create_notes.sql"
    path.write_text(path.read_text().replace(*broken))
    ran = here("migrate", DATABASE_URL=url)
    assert ran.code == 1
    assert sentence in ran.err


def test_the_url_is_looked_for_where_init_has_written_it(here: Here) -> None:
    here("init")
    assert (here.path / ".env").read_text().splitlines()[-1] == "DATABASE_URL=embedded:"


@pytest.mark.parametrize("variable", ["DATABASE_URL", "DATABASE_URL_NOTES"])
def test_a_database_that_is_named_already_is_not_named_again(here: Here, variable: str) -> None:
    ran = here("init", **{variable: "postgresql://h/d"})
    assert ran.code == 0
    assert here.files() == ALL - {".env"}


def test_nothing_that_is_there_is_touched(here: Here) -> None:
    there = {
        "pgvouch.toml": 'migrations = "sql"\n',
        ".env": "SECRET=1\n",
        WORKFLOW: "name: mine\n",
        ".gitignore": "node_modules",
    }
    here.write(there)
    ran = here("init")
    assert ran.code == 0, ran.err
    for name in (".env", WORKFLOW, "pgvouch.toml"):
        assert (here.path / name).read_text() == there[name]
    assert f"kept      {WORKFLOW}" in ran.out
    assert (here.path / ".gitignore").read_text() == "node_modules\n.env\n.pgvouch/\n"
    assert (here.path / "sql" / "001_create_notes.sql").is_file()
    here.write({"sql/001_create_notes.sql": "select 1;"})
    again = here("init")
    assert again.code == 2
    assert "there are migrations already, such as 001_create_notes" in again.err
    assert "Nothing was written." in again.err


@pytest.mark.parametrize(
    ("arguments", "there", "said", "way"),
    [
        (
            (),
            ("migrations/billing/001_a.sql", "migrations/shop/001_b.sql"),
            "migrations/ has a folder for each database already: billing, shop",
            "init --database DB",
        ),
        (
            ("--database", "shop"),
            ("migrations/001_a.sql",),
            "migrations/ holds the migrations of one database, and none of them would be in shop/",
            "--migrations DIR",
        ),
        (
            (),
            ("migrations/001_a.rollback.sql", "migrations/001_a.sql"),
            "there are migrations already, such as 001_a.sql",
            "pgvouch new NAME",
        ),
        (
            (),
            ("migrations/V1__a.sql", "flyway.toml"),
            "this project has migrations of Flyway already",
            "pgvouch adopt . --from flyway",
        ),
        (
            (),
            ("migrations/alembic.ini", "migrations/env.py", "migrations/versions/1f_a.py"),
            "this project has migrations of Alembic already",
            "pgvouch adopt . --from alembic",
        ),
    ],
)
def test_no_first_migration_where_it_would_be_in_the_way(
    here: Here, arguments: tuple[str, ...], there: tuple[str, ...], said: str, way: str
) -> None:
    here.write(dict.fromkeys(there, ""))
    ran = here("init", *arguments)
    assert ran.code == 2
    assert f"error: {said}\n" in ran.err
    assert "  state   Nothing was written.\n" in ran.err
    assert way in ran.err
    assert here.files() == set(there)


def test_no_baseline_beside_the_folders_of_databases(here: Here, url: str) -> None:
    here.write({"migrations/shop/001_a.sql": "select 1;"})
    ran = here("init", "--from-database", "--url", url)
    assert ran.code == 2
    assert "migrations/ has a folder for each database already: shop" in ran.err
    assert here.files() == {"migrations/shop/001_a.sql"}


def test_a_database_is_begun_beside_others(here: Here, url: str) -> None:
    here.write({"migrations/shop/001_a.sql": "select 1;"})
    assert here("init", "--database", "notes").code == 0
    assert here("migrate", "notes", "--url", url).code == 0


def test_one_may_begin_beside_the_files_of_another_tool(here: Here) -> None:
    here.write({"migrations/V1__a.sql": "", "flyway.toml": ""})
    assert here("init", "--migrations", "sql").code == 0
    assert (here.path / "sql" / "001_create_notes.sql").is_file()


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ("SECRET=1\n", "next      add DATABASE_URL=postgresql://user@host/name to .env\n"),
        ("DATABASE_URL=postgresql://h/d\n", ""),
    ],
)
def test_a_dotenv_that_is_there_names_a_database_or_is_to_do_so(
    here: Here, there: str, said: str
) -> None:
    here.write({".env": there})
    ran = here("init", "--no-ci")
    assert ran.code == 0
    assert ran.out.partition(".gitignore\n")[2].removeprefix("kept      .env\n") == (
        f"{said}next      pgvouch migrate\n"
    )
    assert (here.path / ".env").read_text() == there


def test_the_ignored_are_named_once(here: Here) -> None:
    here.write({".gitignore": ".pgvouch/\n"})
    here("init")
    assert (here.path / ".gitignore").read_text() == ".pgvouch/\n.env\n"


def test_the_workflow_stands_where_github_looks_for_it(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here.path / ".git").mkdir()
    below = here.path / "services" / "notes"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert here("init").code == 0
    job = yaml.safe_load((here.path / WORKFLOW).read_text())["jobs"]["migrations"]
    assert job["defaults"]["run"]["working-directory"] == "services/notes"
    assert (below / "pgvouch.toml").is_file()


def test_each_step_of_the_workflow_passes(here: Here, url: str) -> None:
    here("init")
    job = yaml.safe_load((here.path / WORKFLOW).read_text())["jobs"]["migrations"]
    steps = [step["run"].split() for step in job["steps"] if "run" in step]
    assert [words[0] for words in steps] == ["pip", "pgvouch", "pgvouch", "pgvouch", "pgvouch"]
    for _, *words in steps[1:]:
        ran = here(*words, DATABASE_URL=url)
        assert ran.code == 0, ran.err
    path = here.path / "migrations" / "001_create_notes.sql"
    path.write_text(path.read_text().replace("(body <> '')", "(true)"))
    assert here("rollback", DATABASE_URL=url).code == 0
    ran = here(*steps[2][1:], DATABASE_URL=url)
    assert ran.code == 1
    assert "::error file=migrations/verify/001_create_notes.sql,line=8" in ran.err


def test_no_workflow_where_it_is_not_wanted(here: Here) -> None:
    assert here("init", "--no-ci").code == 0
    assert here.files() == ALL - {WORKFLOW}


def test_the_folder_of_a_database_and_of_migrations_can_be_named(here: Here) -> None:
    assert here("init", "--migrations", "db/sql", "--database", "notes").code == 0
    assert (here.path / "db/sql/notes/001_create_notes.sql").is_file()
    assert 'migrations = "db/sql"' in (here.path / "pgvouch.toml").read_text()


def test_its_json_names_the_files(here: Here) -> None:
    ran = here("init", "--json")
    (document,) = json.loads(ran.out)["databases"]
    assert {str(Path(p).relative_to(here.path)) for p in document["written"]} == ALL
    assert document["kept"] == []


def test_options_for_a_database_that_is_there_want_one(here: Here) -> None:
    ran = here("init", "--exclude-schema", "auth")
    assert ran.code == 2
    assert "--from-database" in ran.err
    assert here.files() == set()


def test_the_library_does_the_same(here: Here) -> None:
    started = Vouch(environment={}).init(ci=False)
    assert {str(path.relative_to(here.path)) for path in started.written} == ALL - {WORKFLOW}
    assert started.kept == ()


def test_a_folder_may_be_called_anything(
    here: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    odd = 'a: "b" #\\x'
    here.write({".git/HEAD": "", f"{odd}/README.md": ""})
    monkeypatch.chdir(tmp_path / odd)
    assert here("init", "--migrations", odd).code == 0
    assert tomllib.loads(Path("pgvouch.toml").read_text())["migrations"] == odd
    job = yaml.safe_load((tmp_path / WORKFLOW).read_text())["jobs"]["migrations"]
    assert job["defaults"]["run"]["working-directory"] == odd
    assert here("lint").code == 0


def test_what_cannot_be_written_leaves_no_file(here: Here) -> None:
    here.write({".github": ""})
    ran = here("init")
    assert (ran.code, ".github" in ran.err) == (2, True)
    assert here.files() == {".github"}
    (here.path / ".github").unlink()
    (here.path / "pgvouch.toml").symlink_to("nowhere")
    assert "kept      pgvouch.toml" in here("init").out
