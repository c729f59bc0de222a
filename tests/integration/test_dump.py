"""`dump` writes the schema into a file: the same text for the same schema, on any database."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import Folder, Server, fresh, query
from pgvouch.cli.main import run
from pgvouch.operations.dump import find_pg_dump

FILES = {
    "001_notes.sql": "create table public.notes (id bigint primary key, owner text not null, "
    "body text default 'no%% \\ :x');\n"
    "create index notes_owner on public.notes (owner);\n"
    "alter table public.notes enable row level security;\n"
    "create policy own on public.notes using (owner = current_user);\n",
    "001_notes.rollback.sql": "drop table public.notes;",
    "002_tags.sql": "create schema app; create type app.tag as enum ('a', 'b');\n"
    "create function app.later() returns int language sql as 'select count(*) from app.t';\n"
    "create table app.t (tag app.tag);\n",
    "002_tags.rollback.sql": "drop schema app cascade;",
}
FILES["002_tags.sql"] = FILES["002_tags.sql"].replace("'select count(*) from app.t'", "'select 1'")


@pytest.fixture
def migrated(folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Folder:
    monkeypatch.chdir(tmp_path)
    folder.write(FILES)
    assert folder("migrate").code == 0
    return folder


def schema_file() -> str:
    return Path("schema.sql").read_text()


def test_the_file_makes_the_same_schema_again(migrated: Folder, pg18: Server) -> None:
    ran = migrated("dump")
    assert (ran.code, ran.out) == (0, "written   schema.sql\n")
    written = schema_file()
    assert "pgvouch." not in written
    assert "CREATE POLICY own" in written
    for other in fresh(pg18):
        subprocess.run(
            [pg18.bin / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", "schema.sql", other],
            check=True,
        )
        again = migrated("dump", "--check", url=other)
        assert (again.code, again.out) == (0, "unchanged schema.sql\n")


def test_where_a_table_lies_is_kept(migrated: Folder) -> None:
    name = f"ts_{secrets.token_hex(4)}"
    with psycopg.connect(migrated.url, autocommit=True) as connection:
        connection.execute("set allow_in_place_tablespaces = on")
        connection.execute(f"create tablespace {name} location ''")
    try:
        query(migrated.url, f"create table public.far () tablespace {name}")
        query(migrated.url, "create table public.near ()")
        migrated("dump")
        written = schema_file()
        far, near = written.index("CREATE TABLE public.far"), written.index("TABLE public.near")
        assert written.index(f"SET default_tablespace = {name};") < far
        assert far < written.index("SET default_tablespace = '';") < near
        assert "default_table_access_method" not in written
    finally:
        query(migrated.url, "drop table if exists public.far")
        query(migrated.url, f"drop tablespace {name}")


def test_a_stale_file_is_a_finding_and_stays(migrated: Folder) -> None:
    migrated("dump")
    query(migrated.url, "alter table public.notes add column done boolean")
    before = schema_file()
    ran = migrated("dump", "--check")
    assert ran.code == 1
    assert "differs   schema.sql" in ran.out
    assert "+    done boolean" in ran.out
    assert "next    pgvouch dump" in ran.out
    assert schema_file() == before
    assert migrated("dump").out == "written   schema.sql\n"
    assert "done boolean" in schema_file()
    assert migrated("dump").out == "unchanged schema.sql\n"


def test_a_file_that_is_not_there_is_stale(migrated: Folder) -> None:
    assert migrated("dump", "--check").code == 1
    assert not Path("schema.sql").exists()


def test_a_long_difference_is_shown_whole_on_demand(migrated: Folder) -> None:
    columns = ", ".join(f"add column c{n} int" for n in range(60))
    migrated("dump")
    query(migrated.url, f"alter table public.notes {columns}")
    short, whole = migrated("dump", "--check"), migrated("dump", "--check", "-v")
    assert "more lines: --verbose" in short.out
    assert "c59" not in short.out
    assert "c59" in whole.out


def test_it_follows_each_change(migrated: Folder) -> None:
    migrated("rollback", "--all")
    migrated("migrate", "--to", "1", "--dump")
    assert "notes" in schema_file()
    assert "app" not in schema_file()
    ran = migrated("migrate", "--dump")
    assert "written   schema.sql" in ran.err
    assert "CREATE TYPE app.tag" in schema_file()
    Path("schema.sql").unlink()
    assert "schema.sql" not in migrated("migrate", "--dump").err, "nothing has changed"
    assert not Path("schema.sql").exists()
    assert migrated("rollback", "--dump").code == 0
    assert "app" not in schema_file()


def test_a_rehearsal_writes_none(migrated: Folder) -> None:
    migrated("rollback", "--all")
    assert migrated("migrate", "--rehearse", "--dump").code == 0
    assert not Path("schema.sql").exists()


def test_where_pg_dump_fails_the_migrations_stay_and_that_is_said(
    migrated: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrated("rollback", "--all")
    (tmp_path / "pgvouch.toml").write_text('[dump]\npg_dump = "/bin/false"\n')
    code = run(["migrate", "--dump", "--config", "pgvouch.toml"], {"DATABASE_URL": migrated.url})
    assert code == 2
    err = capsys.readouterr().err
    assert "The migrations are applied; the file of the schema is as it was." in err
    assert query(migrated.url, "select count(*) from pgvouch.migration") == [(2,)]


def test_schemas_of_a_platform_are_left_out(migrated: Folder, tmp_path: Path) -> None:
    assert "app" not in migrated("dump", "-o", "-", "--exclude-schema", "app").out
    (tmp_path / "pgvouch.toml").write_text('[dump]\nexclude_schemas = ["app"]\nfile = "db/s.sql"')
    assert run(["dump", "--config", "pgvouch.toml"], {"DATABASE_URL": migrated.url}) == 0
    assert "CREATE SCHEMA" not in (tmp_path / "db" / "s.sql").read_text()


def test_several_databases_have_a_file_each(
    migrated: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        (tmp_path / "migrations" / name).mkdir()
        (tmp_path / "migrations" / name / "001_a.sql").write_text(f"create table {name} ();")
    for name in FILES:
        (tmp_path / "migrations" / name).unlink()
    environment = {"DATABASE_URL_ONE": migrated.url, "DATABASE_URL_TWO": migrated.url}
    assert run(["dump"], environment) == 0
    assert {p.name for p in (tmp_path / "schema").iterdir()} == {"one.sql", "two.sql"}
    assert run(["dump", "--output", "x.sql"], environment) == 2
    assert "several databases" in capsys.readouterr().err


def test_stdout_holds_the_schema_alone(migrated: Folder) -> None:
    ran = migrated("dump", "-o", "-")
    assert ran.out.startswith("-- The schema, ")
    assert not Path("schema.sql").exists()
    migrated("dump")
    assert ran.out == schema_file()
    assert migrated("dump", "-o", "-", "--check").code == 2


def test_its_json_says_what_differs(migrated: Folder) -> None:
    (document,) = json.loads(migrated("dump", "--check", "--json").out)["databases"]
    assert (document["fresh"], document["written"]) == (False, False)
    assert any("CREATE TABLE public.notes" in line for line in document["difference"])


def test_a_file_that_cannot_be_written_is_named(migrated: Folder) -> None:
    Path("schema.sql").mkdir()
    ran = migrated("dump")
    assert ran.code == 2
    assert "schema.sql" in ran.err
    Path("other.sql").write_bytes(b"\xff")
    assert "not UTF-8" in migrated("dump", "-o", "other.sql").err


def test_an_older_pg_dump_is_refused(migrated: Folder) -> None:
    assert find_pg_dump(18)
    ran = migrated("dump", "--pg-dump", "/bin/false")
    assert ran.code == 2
    assert "no pg_dump of version 18" in ran.err


def test_text_that_looks_like_pg_dumps_own_stays(migrated: Folder) -> None:
    body = (
        "\n/* ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public\n"
        "\\restrict abc\n\\unrestrict abc\n*/ select 1\n"
    )
    query(migrated.url, f"create function public.f() returns int language sql as $_$ {body} $_$")
    query(
        migrated.url, "alter default privileges in schema public grant select on tables to public"
    )
    query(migrated.url, f"comment on function public.f() is $_${body}$_$")
    text = migrated("dump", "-o", "-").out
    assert text.count(body) == 2
    assert "\nALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT" in text
    assert text.count("restrict ") == 4, "psql's own is gone"


@pytest.fixture
def a_locked_table(migrated: Folder) -> Iterator[None]:
    with psycopg.connect(migrated.url) as other:
        other.execute("lock table public.notes in access exclusive mode")
        yield


@pytest.mark.usefixtures("a_locked_table")
def test_a_locked_table_is_not_waited_for_without_end(migrated: Folder) -> None:
    ran = migrated("dump", "--lock-timeout", "50ms")
    assert ran.code == 5
    assert "another session has locked a table" in ran.err
    assert not Path("schema.sql").exists()


def test_a_secret_is_on_no_command_line(migrated: Folder) -> None:
    ran = migrated("dump", url=f"{migrated.url}&sslpassword=GEHEIM")
    assert ran.code == 2
    assert "sslpassword in the URL cannot be given to pg_dump" in ran.err
    assert "GEHEIM" not in ran.err


def test_what_is_no_file_is_neither_read_nor_written(migrated: Folder, tmp_path: Path) -> None:
    """A link in a pull request would show what it leads to, and a FIFO is waited for."""
    (tmp_path / "other").write_text("SECRET\n")
    Path("schema.sql").symlink_to(tmp_path / "other")
    for command in (("dump", "--check", "-v"), ("dump",)):
        ran = migrated(*command)
        assert ran.code == 2
        assert "schema.sql is a link" in ran.err
        assert "SECRET" not in ran.out + ran.err
    assert (tmp_path / "other").read_text() == "SECRET\n"
    Path("schema.sql").unlink()
    os.mkfifo("schema.sql")
    assert "it is no regular file" in migrated("dump", "--check").err
