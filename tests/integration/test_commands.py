"""new, stamp, seed, accept-delta, and where the program connects."""

import json
import secrets
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from conftest import Folder, Server, database_of
from pgvouch.cli import main
from pgvouch.operations import scratch as scratch_databases

TABLE = "create table public.a (id int primary key, name varchar(20) not null default 'x');\n"


def test_new_writes_the_next_number_and_nothing_over(folder: Folder) -> None:
    assert folder("new", "create users").code == 0
    folder.write({"001_create_users.sql": "select 1;", "0041_x.sql": "select 1;"})
    (folder.path / "verify" / "001_create_users.sql").unlink()
    ran = folder("new", "Add-Roles")
    assert ran.out.split() == [
        "migrations/0042_add_roles.sql",
        "migrations/0042_add_roles.rollback.sql",
        "migrations/verify/0042_add_roles.sql",
    ]
    assert folder("new", "../escape").code == 2
    assert folder("migrate").code == 2  # what nobody has written yet does not run


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> str:
    """A query that counts this test's scratch databases: others make some in the same moment."""
    own = secrets.token_hex(6)
    monkeypatch.setattr(scratch_databases, "secrets", SimpleNamespace(token_hex=lambda _bytes: own))
    return f"select count(*) from pg_database where datname = 'pgvouch_scratch_{own}'"


def test_accept_delta_then_nothing_else_lands(folder: Folder, scratch: str) -> None:
    folder.write({"001_a.sql": TABLE})
    ran = folder("accept-delta")
    assert ran.code == 0, ran.err
    delta = (folder.path / "verify" / "001_a.delta").read_text()
    assert "+ column public.a.name character varying(20) not null default 'x'" in delta
    assert folder.query("select to_regclass('a')") == [(None,)]
    assert "unchanged" in folder("accept-delta", "1").out
    assert folder.query(scratch) == [(0,)]
    folder.write({"001_a.sql": TABLE.replace("20", "30")})
    ran = folder("migrate")
    assert ran.code == 1
    assert "did not happen:  + column public.a.name character varying(20)" in ran.err
    assert "was not promised:  + column public.a.name character varying(30)" in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]
    folder.write({"001_a.sql": TABLE})
    assert folder("migrate").code == 0


def test_if_not_exists_that_skips_another_shape_does_not_land(folder: Folder) -> None:
    folder.write({"001_a.sql": TABLE.replace("create table", "create table if not exists")})
    folder("accept-delta")
    folder.query("create table a (id text)")
    ran = folder("migrate")
    assert ran.code == 1
    assert "did not happen:  + table public.a" in ran.err


def test_another_search_path_or_default_privileges_do_not_land(folder: Folder) -> None:
    folder.write({"001_a.sql": TABLE.replace("public.", "")})
    folder("accept-delta")
    name = folder.query("select current_database()")[0][0]
    folder.query("create schema other")
    folder.query(f'alter database "{name}" set search_path = other')
    assert "was not promised:  + table other.a" in folder("migrate").err
    folder.query(f'alter database "{name}" reset search_path')
    folder.query("alter default privileges grant select on tables to public")
    assert "was not promised:  + grant on table public.a to public" in folder("migrate").err


def test_a_scratch_database_goes_also_when_a_migration_fails(folder: Folder, scratch: str) -> None:
    folder.write({"001_a.sql": "select 1/0;"})
    assert folder("accept-delta").code == 1
    assert folder.query(scratch) == [(0,)]


def test_verbose_shows_the_delta_and_notices(folder: Folder) -> None:
    folder.write({"001_a.sql": TABLE + "do $$begin raise notice 'hello'; end$$;"})
    folder("accept-delta")
    ran = folder("migrate", "--verbose")
    assert "NOTICE: hello" in ran.err
    assert "+ table public.a" in ran.err


def test_a_folder_of_one_database_has_no_name(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    assert "are one database: leave the name out" in folder("status", "one").err


def test_warnings_are_always_shown(folder: Folder) -> None:
    folder.write({"001_a.sql": "do $$begin raise warning 'look'; raise notice 'quiet'; end$$;"})
    ran = folder("migrate")
    assert "WARNING: look" in ran.err
    assert "quiet" not in ran.err


def test_seed_is_one_transaction(folder: Folder) -> None:
    folder.write({"001_a.sql": TABLE})
    folder("migrate")
    seed = folder.root / "seed" / f"{database_of(folder.url)}.sql"
    assert folder("seed").code == 2
    seed.parent.mkdir()
    seed.write_text("insert into a values (1);\ninsert into a values (1);\n")
    ran = folder("seed")
    assert ran.code == 1
    assert f"seed/{seed.name}:2:1" in ran.err
    assert folder.query("select count(*) from a") == [(0,)]
    seed.write_text("insert into a values (1) on conflict do nothing;")
    assert folder("seed").code == 0
    assert folder("seed").code == 0
    assert folder.query("select count(*) from a") == [(1,)]


STAMPED = '-- stamp: grants(table="a", to={"pg_monitor": ["select"]}, revoke=["public"])\n'


def test_stamp_check_and_write(folder: Folder) -> None:
    folder.write({"001_a.sql": TABLE + STAMPED})
    ran = folder("stamp", "--check")
    assert ran.code == 1
    assert "1 stale" in ran.out
    assert "001_a.sql:2" in ran.err
    assert folder("stamp").code == 0
    assert (
        "grant select on table public.a to pg_monitor;" in (folder.path / "001_a.sql").read_text()
    )
    assert folder("stamp", "--check").code == 0
    assert folder("migrate").code == 0


def test_a_stale_stamp_in_an_applied_file_stays(folder: Folder) -> None:
    folder.write({"001_a.sql": TABLE + STAMPED})
    folder("stamp")
    folder("migrate")
    changed = (folder.path / "001_a.sql").read_text().replace('["select"]', '["select", "insert"]')
    folder.write({"001_a.sql": changed})
    ran = folder("stamp")
    assert ran.code == 2
    assert "applied" in ran.err
    assert "pgvouch new" in ran.err
    assert (folder.path / "001_a.sql").read_text() == changed


def test_stamp_list_shows_arguments_and_a_sample(folder: Folder) -> None:
    ran = folder("stamp", "--list", "--json")
    listed = {item["template"]: item for item in json.loads(ran.out)["databases"]}
    assert set(listed) >= {
        "grants",
        "owner_policies",
        "owner_via_policies",
        "service_policies",
        "updated_at_trigger",
    }
    assert "(select auth.uid())" in listed["owner_policies"]["expansion"]
    text = folder("stamp", "--list").out
    assert "-- stamp: owner_policies(" in text


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("one", "two"):
        folder = tmp_path / "migrations" / name
        folder.mkdir(parents=True)
        (folder / "001_a.sql").write_text(f"create table {name} ();")
    (tmp_path / "migrations" / "_platform").mkdir()
    (tmp_path / "migrations" / "_platform" / "001_a.sql").write_text("create table platform ();")
    (tmp_path / "pgvouch.toml").write_text('[databases.one]\nrequires = ["_platform"]\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_folder_is_a_database(
    two: Path, pg18: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    del two
    base = make_conninfo(pg18.url("x"), dbname="")
    names = {"one": "t_each_one", "two": "t_each_two"}
    with pg18.janitor(names["one"]), pg18.janitor(names["two"]):
        environment = {
            "DATABASE_URL_ONE": pg18.url(names["one"]),
            "DATABASE_URL_TWO": pg18.url(names["two"]),
        }
        assert main.run(["migrate"], environment) == 0
        said = capsys.readouterr()
        assert said.out.splitlines()[0].startswith("one: 2 applied")
        with psycopg.connect(environment["DATABASE_URL_ONE"]) as connection:
            rows = connection.execute("select migration_id from pgvouch.migration").fetchall()
        assert rows == [("_platform/001_a",), ("001_a",)]
    assert main.run(["migrate", "one", "two"], {"DATABASE_URL": pg18.url("one")}) == 2
    assert "several folders" in capsys.readouterr().err
    assert main.run(["migrate", "three"], {"DATABASE_URL": base}) == 2
    assert "the databases here: one, two" in capsys.readouterr().err
    assert main.run(["migrate"], {}) == 2
    assert "DATABASE_URL" in capsys.readouterr().err


def test_a_folder_s_name_is_its_database(
    two: Path, pg18: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    del two
    parts = psycopg.conninfo.conninfo_to_dict(pg18.url("x"))
    del parts["dbname"]
    url = make_conninfo(**parts)
    assert main.run(["migrate"], {"DATABASE_URL": url}) == 5
    assert "--create-database" in capsys.readouterr().err
    try:
        assert main.run(["migrate", "--create-database"], {"DATABASE_URL": url}) == 0
        assert "two: 1 applied" in capsys.readouterr().out
    finally:
        for name in ("one", "two"):
            pg18.janitor(name).drop()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("migration = 'x'", "did you mean migrations?"),
        ("verify = 'yes'", '"required" or "optional"'),
        ("= 1", "is not TOML"),
        ("[databases.x]\nrequire = []", "databases.x.require is not known"),
    ],
)
def test_a_wrong_configuration(folder: Folder, text: str, message: str) -> None:
    (folder.root / "pgvouch.toml").write_text(text)
    ran = folder("status", "--config", "pgvouch.toml")
    assert ran.code == 2
    assert message in ran.err


def test_an_owner_that_is_no_superuser_can_do_all_of_it(folder: Folder) -> None:
    name = folder.query("select current_database()")[0][0]
    folder.query("create role plain_owner login")
    try:
        folder.query(f'alter database "{name}" owner to plain_owner')
        folder.query("alter schema public owner to plain_owner")
        url = folder.url.replace("postgres@", "plain_owner@")
        folder.write(
            {
                "001_a.sql": TABLE + "set work_mem = '5MB';",
                "001_a.rollback.sql": "drop table public.a;",
                "verify/001_a.sql": "-- check: mine\nselect count(*) = 0 from public.a;",
            }
        )
        folder("accept-delta")
        assert folder("migrate", url=url).code == 0
        assert folder("verify", url=url).code == 0
        assert folder("rollback", url=url).code == 0
    finally:
        folder.query(f'alter database "{name}" owner to postgres')
        folder.query("drop owned by plain_owner cascade")
        folder.query("drop role plain_owner")


def test_help_needs_no_database(folder: Folder) -> None:
    assert "Apply pending migrations" in folder("migrate", "--help").out


def test_usage_errors_are_json_too(folder: Folder) -> None:
    ran = folder("migrate", "--json", "--nope")
    assert ran.code == 2
    assert json.loads(ran.out)["error"]["kind"] == "usage"
