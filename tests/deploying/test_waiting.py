"""`wait` and `--no-migrate`: they look until another one has migrated, and never write."""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import psycopg.conninfo
import pytest

from conftest import Server, database_of, query
from deploying.containers import Container, line
from faults import world
from faults.processes import ended, free_port, migrating
from support.proxy import recording

LEDGER = "pgvouch.ledger, pgvouch.migration, pgvouch._yoyo_migration"


def _migrate(container: Container, url: str = "") -> None:
    code, _, err = ended(migrating(container.root / "migrations", url or container.url))
    assert code == 0, err


def _everything(url: str) -> list[tuple[object, ...]]:
    """The ledger and the catalog, row by row with the transaction that wrote each."""
    tables = [
        *("pgvouch.ledger", "pgvouch.migration", "pgvouch.acceptance", "pgvouch._yoyo_migration"),
        *("pgvouch._yoyo_log", "pgvouch._yoyo_version", "pgvouch.yoyo_lock"),
        *("pg_class", "pg_attribute", "pg_namespace", "pg_type", "pg_proc", "pg_default_acl"),
    ]
    # VACUUM and ANALYZE of the server's own may write their counts into pg_class meanwhile.
    found: list[tuple[object, ...]] = []
    for table in tables:
        written = "0" if table == "pg_class" else "t.xmin::text"
        columns = "t.oid, t.relname, t.relacl" if table == "pg_class" else "t.*"
        found += query(
            url, f"select '{table}', {written}, ({columns})::text from {table} t order by 3"
        )
    return found


@pytest.fixture
def role(pg18: Server, url: str) -> Iterator[str]:
    """A role that may connect, and nothing else."""
    name = f"Waits {secrets.token_hex(4)}"
    query(url, f'create role "{name}" login')
    yield name
    query(url, f'drop owned by "{name}"')
    query(url, f'drop role "{name}"')


def _as(role: str, url: str) -> str:
    return psycopg.conninfo.make_conninfo(url, user=role)


def test_it_waits_for_the_database_and_for_the_newest_file(
    container: Container, pg18: Server
) -> None:
    name = f"later_{secrets.token_hex(4)}"
    container.url = pg18.url(name)
    worker = container.start("app", migrate=False)
    assert f"the database {name} does not exist" in line(worker)
    with pg18.janitor(name):
        assert "001_a is not applied yet" in line(worker)
        container.migrations({"002_b.sql": "create table b ();"})
        second = container.start("app", migrate=False)
        assert "001_a is not applied yet" in line(second)
        _migrate(container)
        # The first one shipped without 002: it is content with 001, the database being ahead.
        assert ended(worker)[:2] == (0, "app runs\n")
        assert ended(second)[:2] == (0, "app runs\n")


def test_it_writes_nothing(container: Container) -> None:
    (container.root / "migrations" / "001_a.sql").unlink()
    world.write(container.root / "migrations")
    _migrate(container)
    before = _everything(container.url)
    assert len(before) > 1000
    assert container.ends("app", migrate=False)[:2] == (0, "app runs\n")
    assert _everything(container.url) == before


def test_it_makes_no_ledger(container: Container) -> None:
    err = container.refused(5, migrate=False, wait="300ms")
    assert "001_a was not applied within" in err
    assert query(container.url, "select to_regnamespace('pgvouch')") == [(None,)]


def test_a_role_that_may_only_read_the_ledger_is_enough(container: Container, role: str) -> None:
    container.migrations(
        {
            "002_waits.sql": f'grant usage on schema pgvouch to "{role}";\n'
            f'grant select on {LEDGER} to "{role}";'
        }
    )
    query(container.url, f'alter role "{role}" set default_transaction_read_only = on')
    given, container.url = container.url, _as(role, container.url)
    worker = container.start("app", migrate=False)
    assert "001_a is not applied yet" in line(worker)
    _migrate(container, given)
    code, out, err = ended(worker)
    assert (code, out) == (0, "app runs\n"), err


def test_a_role_without_rights_waits_for_the_migration_that_grants_them(
    container: Container, role: str
) -> None:
    _migrate(container)
    given, container.url = container.url, _as(role, container.url)
    worker = container.start("app", migrate=False)
    assert f"the role {role} may not read the ledger" in line(worker)
    query(given, f'grant usage on schema pgvouch to "{role}"; grant select on {LEDGER} to "{role}"')
    assert ended(worker)[:2] == (0, "app runs\n")


def test_a_role_without_rights_is_told_what_it_needs(container: Container, role: str) -> None:
    _migrate(container)
    given, container.url = container.url, _as(role, container.url)
    err = container.refused(2, migrate=False, wait="0")
    assert "42501" in err
    for grant in re.findall(r"(grant (?:usage|select) on [^;]+);", err):
        query(given, grant)
    assert container.ends("app", migrate=False, wait="0")[:2] == (0, "app runs\n")


def test_it_refuses_to_create(plain: Container) -> None:
    process = plain.run("pgvouch", "entrypoint", "--no-migrate", "--create-database", "app")
    code, out, err = ended(process)
    assert (code, out) == (2, "")
    assert "--no-migrate creates nothing" in err


def test_the_entrypoint_has_no_json(plain: Container) -> None:
    code, _, _ = ended(plain.run("pgvouch", "entrypoint", "--json", "--", "app"))
    assert code == 2
    assert not plain.app_ran


# The command `wait`.


def _wait(container: Container, *options: str) -> tuple[int, str, str]:
    return ended(container.run("pgvouch", "wait", *options))


def test_wait_for_a_server(plain: Container, pg18: Server) -> None:
    name = database_of(plain.url)
    assert _wait(plain)[:2] == (0, f"{name}: answers\n")
    port = free_port()
    plain.url = f"postgresql://postgres@127.0.0.1:{port}/{name}?sslmode=disable"
    assert _wait(plain, "--wait", "0")[0] == 5
    process = plain.run("pgvouch", "wait")
    assert "no connection to" in line(process)
    with recording(f"{pg18.running.socket_folder}/.s.PGSQL.{pg18.running.port}", port):
        assert ended(process)[:2] == (0, f"{name}: answers\n")


def test_a_server_without_the_database_answers_too(plain: Container, pg18: Server) -> None:
    name = f"never_{secrets.token_hex(4)}"
    plain.url = pg18.url(name)
    code, out, err = _wait(plain)
    assert (code, out) == (0, f"{name}: the server answers; there is no such database yet\n"), err
    assert _wait(plain, "--for-schema", "--wait", "0")[0] == 5
    there = query(pg18.url("postgres"), f"select from pg_database where datname = '{name}'")
    assert there == []


def test_wait_for_a_schema(plain: Container) -> None:
    code, out, err = _wait(plain, "--for-schema", "--wait", "0")
    assert (code, out) == (5, "")
    assert "001_a was not applied" in err
    _migrate(plain)
    code, out, _ = _wait(plain, "--for-schema", "--json")
    assert code == 0
    assert json.loads(out)["databases"] == [{"database": database_of(plain.url), "ready": True}]
    plain.migrations({"001_a.sql": "create table a (n int);"})
    assert _wait(plain, "--for-schema")[0] == 4


def test_several_databases_share_one_time(plain: Container, pg18: Server) -> None:
    names = [f"{letter}_{secrets.token_hex(4)}" for letter in "ab"]
    (plain.root / "migrations" / "001_a.sql").unlink()
    for name in names:
        plain.migrations({f"{name}/001_a.sql": "create table a ();"})
    plain.url = re.sub("/t_[0-9a-f]+", "", plain.url)
    process = plain.run("pgvouch", "entrypoint", "--no-migrate", "--", "app")
    assert f"the database {names[0]} does not exist" in line(process)
    migrate = plain.run("pgvouch", "migrate", "--create-database")
    try:
        assert ended(migrate)[0] == 0
        assert ended(process)[:2] == (0, "app runs\n")
        only = plain.run("pgvouch", "entrypoint", "--database", names[1], "--", "app")
        code, _, err = ended(only)
        assert code == 0
        assert f"{names[1]}: nothing to do" in err
        assert names[0] not in err
    finally:
        for name in names:
            query(pg18.url("postgres"), f"drop database if exists {name}")


def test_where_to_connect_may_be_in_a_service_file(plain: Container, tmp_path: Path) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(plain.url)
    (tmp_path / "services").write_text(
        "[notes]\n" + "".join(f"{name}={value}\n" for name, value in parts.items())
    )
    process = plain.start(
        "app", DATABASE_URL="postgresql://?service=notes", PGSERVICEFILE=str(tmp_path / "services")
    )
    assert ended(process)[:2] == (0, "app runs\n")
    assert query(plain.url, "select to_regclass('a')::text") == [("a",)]


# The script's own settings.


def test_the_script_runs_pgvouch_itself_as_it_is(tmp_path: Path, url: str) -> None:
    container = Container(tmp_path, url, "script")
    container.migrations({"001_a.sql": "create table a ();"})
    code, out, err = container.ends("pgvouch", "plan")
    assert code == 0, err
    assert "001_a" in out
    assert query(url, "select to_regnamespace('pgvouch')") == [(None,)]


@pytest.mark.parametrize("value", ["false", "0", "No", "never"])
def test_the_script_takes_yes_and_no_alone(tmp_path: Path, url: str, value: str) -> None:
    container = Container(tmp_path, url, "script")
    container.migrations({"001_a.sql": "create table a ();"})
    assert f"yes or no, not '{value}'" in container.refused(2, PGVOUCH_MIGRATE=value)
    assert query(url, "select to_regnamespace('pgvouch')") == [(None,)]
