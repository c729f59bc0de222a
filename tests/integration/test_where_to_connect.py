"""Where the program connects: .env, PG… variables, and URLs as other programs write them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from conftest import Folder, Server, fresh, query
from pgvouch import Vouch
from pgvouch.cli import main
from pgvouch.errors import UsageError

SECRET = "S3krItX"


@pytest.fixture
def project(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Folder:
    """A folder whose URL stands in .env."""
    named = ("PG", "DATABASE_URL")  # by `make`, too
    for name in [n for n in os.environ if n.startswith(named) and "PGVOUCH" not in n]:
        monkeypatch.delenv(name)
    folder.write({"001_a.sql": "create table a ();", "001_a.rollback.sql": "drop table a;"})
    (folder.root / ".env").write_text(f"DATABASE_URL='{folder.url}'\n")
    capsys.readouterr()
    return folder


def _run(capsys: pytest.CaptureFixture[str], *arguments: str, **given: str) -> tuple[int, str, str]:
    code = main.run(arguments, given)
    return code, *capsys.readouterr()


@pytest.mark.usefixtures("project")
def test_the_file_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "migrate")[0] == 0
    assert "DATABASE_URL" not in os.environ
    code, _, err = _run(capsys, "status", "--no-dotenv")
    assert code == 2
    assert "no database is named" in err
    code, _, err = _run(capsys, "status", DATABASE_URL="postgresql://127.0.0.1:1/d")
    assert code == 5
    assert "the address is from DATABASE_URL\n" in err


def test_no_other_folder_is_looked_into(
    project: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    below = project.root / "below"
    (below / "migrations").mkdir(parents=True)
    (below / "migrations" / "001_a.sql").write_text("select 1;")
    monkeypatch.chdir(below)
    assert "no database is named" in _run(capsys, "status")[2]
    (below / "pgvouch.toml").write_text("")
    (project.root / "pgvouch.toml").write_text("")
    assert "no database is named" in _run(capsys, "status")[2]
    (below / "pgvouch.toml").unlink()
    assert _run(capsys, "status")[0] == 0  # from below, the project's root is found
    elsewhere = ("--migrations", str(project.path))
    assert "no database is named" in _run(capsys, "status", *elsewhere)[2]


def test_a_file_that_cannot_be_read_is_no_matter_where_it_is_not_needed(
    project: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / ".env").write_text(f"DATABASE_URL='{SECRET}\n")
    code, _, err = _run(capsys, "migrate")
    assert code == 2
    assert "error: a line of .env is not NAME=VALUE, or a quote in it is not closed\n" in err
    assert "  at      .env:1\n" in err
    assert SECRET not in err
    for arguments, given in (
        (("--url", project.url), {}),
        ((), {"DATABASE_URL": project.url}),
        (("--no-dotenv",), {"PGDATABASE": "none", "PGHOST": "127.0.0.1", "PGPORT": "1"}),
    ):
        code, _, err = _run(capsys, "status", *arguments, **given)
        assert code == (5 if "PGHOST" in given else 0), err
    assert "the address is from PGDATABASE\n" in err


def test_a_variable_of_a_migration_is_in_the_file(
    project: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write({"002_b.sql": "-- var: app_password\nselect :'app_password'::int;"})
    with (project.root / ".env").open("a") as file:
        file.write(f"APP_PASSWORD={SECRET}\n")
    code, out, err = _run(capsys, "migrate")
    assert code == 1
    assert "invalid input syntax" in err
    assert SECRET not in out + err
    assert (
        "the variable app_password has no value"
        in _run(capsys, "migrate", "--no-dotenv", DATABASE_URL=project.url)[2]
    )


def test_what_the_program_starts_sees_nothing_of_it(project: Folder) -> None:
    environment = {**os.environ, "DATABASE_URL": project.url}
    with (project.root / ".env").open("a") as file:
        file.write(f"APP_PASSWORD={SECRET}\n")
    shown = [sys.executable, "-c", "import os; print(*sorted(os.environ.items()))"]
    done = subprocess.run(
        [sys.executable, "-m", "pgvouch", "entrypoint", "--", *shown],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 applied" in done.stderr
    own = subprocess.run(shown, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == own.stdout


@pytest.mark.usefixtures("project")
def test_the_library_reads_no_file_unless_it_is_told_to() -> None:
    with pytest.raises(UsageError, match="no database is named"):
        Vouch(environment={}).migrate()
    with Vouch(environment={}, dotenv=True) as vouch:
        assert vouch.migrate().applied == 1


def _variables(url: str) -> dict[str, str]:
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
    return {names[key]: str(value) for key, value in conninfo_to_dict(url).items() if key in names}


@pytest.mark.parametrize("place", ["environment", "file"])
def test_variables_of_libpq_are_enough(
    project: Folder, place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = _variables(project.url)
    lines = [f"{name}={value}\n" for name, value in variables.items()]
    (project.root / ".env").write_text("".join(lines) if place == "file" else "")
    if place == "environment":
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
    code = main.run(["migrate"], os.environ)
    assert code == 0, capsys.readouterr().err
    assert f"{variables['PGDATABASE']}: 1 applied" in capsys.readouterr().out
    assert project.query("select count(*) from a") == [(0,)]


def test_a_missing_database_that_a_variable_names_is_created(
    project: Folder, pg18: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"{_variables(project.url)['PGDATABASE']}_new"
    given = {**_variables(project.url), "PGDATABASE": name}
    code, _, err = _run(capsys, "migrate", "--no-dotenv", **given)
    assert code == 5
    assert f"the database {name} does not exist" in err
    assert "the address is from PGDATABASE" in err
    with pg18.janitor(name) as janitor:
        janitor.drop()
        assert _run(capsys, "migrate", "--no-dotenv", "--create-database", **given)[0] == 0
        assert query(pg18.url(name), "select count(*) from a") == [(0,)]


@pytest.fixture
def two(project: Folder, pg18: Server) -> Iterator[dict[str, str]]:
    """The environment for two folders with a database each."""
    for file in project.path.iterdir():
        file.unlink()
    project.write({"x/001_a.sql": "create table a ();", "y/001_a.sql": "create table b ();"})
    (project.root / "pgvouch.toml").write_text('[databases.x]\nurl_env = "X_URL"\n')
    for other in fresh(pg18):
        x = project.url.replace("postgresql://", "postgresql+psycopg2://")
        y = f"{other}&pgbouncer=true"
        yield {"X_URL": f"{x}&pgbouncer=true", "DATABASE_URL_Y": y}


def test_what_is_left_out_is_said_once(
    two: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _run(capsys, "migrate", **two)
    assert code == 0, err
    assert err.count("is written for another program") == 2
    said = (
        "  the URL in X_URL is written for another program: left out are `+psycopg2`, `pgbouncer`"
    )
    assert err.splitlines()[0] == said
    code, out, err = _run(capsys, "status", "--json", **two)
    assert [len(each["migrations"]) for each in json.loads(out)["databases"]] == [1, 1]
    assert err == ""


def test_one_url_for_both_is_told_once(
    two: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    server = {**two, "DATABASE_URL": "postgresql+asyncpg://127.0.0.1:1/"}
    del server["X_URL"], server["DATABASE_URL_Y"]
    code, _, err = _run(capsys, "status", **server)
    assert code == 5
    assert err.count("left out are `+asyncpg`") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'url = "postgresql://u:{SECRET}@h/d"', "url is not read: a URL has a password in it"),
        (f'[databases.x]\nurl = "postgresql://u:{SECRET}@h/d"', "databases.x.url is not read"),
        (f'url_env = "postgresql://u:{SECRET}@h/d"', "url_env is the name of an environment"),
        ("[databases.x]\nurl_env = 1", "url_env is the name of an environment variable"),
    ],
)
def test_no_url_in_the_configuration(
    project: Folder, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "pgvouch.toml").write_text(text)
    code, _, err = _run(capsys, "status")
    assert code == 2
    assert said in err
    assert "url_env = " in err
    assert SECRET not in err


def test_a_variable_that_the_configuration_names(
    project: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "pgvouch.toml").write_text('url_env = "NOTES_URL"\n')
    given = {"NOTES_URL": project.url, "DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    assert _run(capsys, "migrate", **given)[0] == 0
    code, _, err = _run(capsys, "migrate", "--no-dotenv")
    assert code == 2
    assert "the configuration names NOTES_URL, which is not set" in err
