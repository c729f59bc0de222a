"""`pgvouch init --from-database`: a database without files gets its first migration."""

import shutil
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from conftest import ROOT, SERVERS, Folder, Server, database_of, fresh, query, start
from pgvouch.operations import dump

SCHEMA = """
create schema shop;
create type shop.state as enum ('new', 'paid');
create table shop.customers (
  id bigint generated always as identity primary key, email text not null unique
);
create table shop.orders (
  id bigint generated always as identity primary key,
  customer bigint not null references shop.customers on delete cascade,
  state shop.state not null default 'new',
  total numeric(10, 2) not null check (total >= 0)
);
create index orders_customer on shop.orders (customer);
alter table shop.orders enable row level security;
create policy own on shop.orders using (customer = 1);
create function shop.total(of bigint) returns numeric language sql stable
  begin atomic select sum(o.total) from shop.orders as o where o.customer = of; end;
create view shop.paid as select id, total from shop.orders where state = 'paid';
create function shop.touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger touch before update on shop.orders for each row execute function shop.touch();
comment on table shop.orders is 'What was ordered; ''quoted''; and -- dashed';
insert into shop.customers (email) values ('a@example.org');
"""


@pytest.fixture(params=SERVERS)
def shop(request: pytest.FixtureRequest, make_folder) -> Folder:  # type: ignore[no-untyped-def]
    server: Server = start(request.param)
    for url in fresh(server):
        folder = make_folder(url)
        folder.path.rmdir()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SCHEMA)
        yield folder


def test_it_is_written_proved_and_recorded(shop: Folder) -> None:
    ran = shop("init", "--from-database")
    assert ran.code == 0, ran.out + ran.err
    assert "the database is what 1 migration makes" in ran.out
    assert {path.name for path in shop.path.rglob("*.*")} == {
        "000_baseline.sql",
        "000_baseline.delta",
    }
    text = (shop.path / "000_baseline.sql").read_text()
    assert "restrict" not in text
    assert "a@example.org" not in text
    assert "OWNER TO" not in text
    assert "nothing to do (1 applied)" in shop("migrate").out
    assert shop("drift", "--strict").code == 0
    assert shop.query("select count(*) from shop.customers") == [(1,)]


def test_an_empty_database_becomes_the_same(shop: Folder, url: str) -> None:
    assert shop("init", "--from-database").code == 0
    ran = shop("migrate", url=url)
    assert ran.code == 0, ran.err
    assert shop("verify", url=url).code == 0


def test_the_next_migration_comes_behind_it(shop: Folder) -> None:
    assert shop("init", "--from-database").code == 0
    assert shop("new", "more").code == 0
    assert (shop.path / "001_more.sql").exists()
    ran = shop("rollback", "--all")
    assert ran.code == 2
    assert "it is all that was there before" in ran.err


def test_the_same_database_gives_the_same_text(shop: Folder, tmp_path: Path) -> None:
    assert shop("init", "--from-database").code == 0
    before = (shop.path / "000_baseline.sql").read_text()
    shop.query("drop schema pgvouch cascade")
    shop.path.rename(tmp_path / "before")
    assert shop("init", "--from-database").code == 0
    assert (shop.path / "000_baseline.sql").read_text() == before


def test_a_schema_of_a_platform_is_left_out_with_a_reason(shop: Folder) -> None:
    shop.query("create schema platform; create table platform.t ()")
    ran = shop("init", "--from-database", "--exclude-schema", "platform")
    assert ran.code == 4
    assert "schema platform" in ran.out
    assert not shop.path.exists()
    ran = shop(
        *("init", "--from-database", "--exclude-schema", "platform"),
        *("--accept-difference", "the platform makes it"),
    )
    assert ran.code == 0, ran.err
    assert "platform" not in (shop.path / "000_baseline.sql").read_text()


def test_a_folder_with_migrations_is_left_alone(shop: Folder) -> None:
    shop.path.mkdir()
    shop.write({"001_a.sql": "select 1;"})
    ran = shop("init", "--from-database")
    assert ran.code == 2
    assert "holds migrations already, such as 001_a.sql" in ran.err


def test_a_pg_dump_that_is_too_old_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump, "_major", lambda path: 15)
    with pytest.raises(dump.UsageError, match="no pg_dump for PostgreSQL 18 is here"):
        dump.find_pg_dump(18)
    assert dump.find_pg_dump(15)


def test_the_password_is_not_on_the_command_line(
    shop: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every user of the machine reads the arguments of every process."""
    program, said = tmp_path / "pg_dump", tmp_path / "said"
    told = '[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 18.0" && exit\n'
    program.write_text(f'#!/bin/sh\n{told}echo "$@ / $PGPASSWORD" > {said}\n')
    program.chmod(0o755)
    address = shop.url.replace("postgres@", "postgres:se%2Fcret@")
    shop("init", "--from-database", "--pg-dump", str(program), url=address)
    arguments, _, password = said.read_text().rpartition(" / ")
    assert password.strip() == "se/cret"
    assert "cret" not in arguments


def test_a_system_comes_back_as_it_is(folder: Folder) -> None:
    """All of a real one: policies, grants, triggers, functions, comments."""
    shutil.rmtree(folder.path)
    shutil.copytree(ROOT / "migrations" / "workouts", folder.path)
    assert folder("migrate").code == 0
    folder.query("drop schema pgvouch cascade")
    shutil.rmtree(folder.path)
    ran = folder("init", "--from-database")
    assert ran.code == 0, ran.out + ran.err


def test_a_folder_with_other_files_in_it_keeps_them(folder: Folder) -> None:
    folder.write({".gitkeep": "", "README.md": "About."})
    folder.query("create table public.a (id int)")
    ran = folder("init", "--from-database")
    assert ran.code == 0, ran.err
    assert {p.name for p in folder.path.rglob("*") if p.is_file()} == {
        ".gitkeep",
        "README.md",
        "000_baseline.sql",
        "000_baseline.delta",
    }
    assert "nothing to do" in folder("migrate").out


def test_another_encoding_and_names_that_need_quotes(pg18: Server, folder: Folder) -> None:
    name = f"a \"b' {database_of(folder.url)}"
    quoted = name.replace('"', '""')
    query(
        pg18.url("postgres"),
        f"create database \"{quoted}\" encoding latin1 locale 'C' template template0",
    )
    url = make_conninfo(folder.url, dbname=name)
    try:
        query(
            url,
            'create schema "Ä ""b"; create table "Ä ""b"."t Ö" (id serial, "select" text); '
            """comment on table "Ä ""b"."t Ö" is 'ä'""",
        )
        ran = folder("init", "--from-database", url=url)
        assert ran.code == 0, ran.out + ran.err
        assert 'COMMENT ON TABLE "Ä ""b"."t Ö" IS \'ä\'' in (
            folder.path / "000_baseline.sql"
        ).read_text(encoding="utf-8")
        assert folder("drift", "--strict", url=url).code == 0
    finally:
        query(pg18.url("postgres"), f'drop database "{quoted}" with (force)')


def test_a_schema_public_with_an_owner_of_its_own(folder: Folder) -> None:
    folder.query("alter schema public owner to current_user; create table public.a (id int)")
    ran = folder("init", "--from-database")
    assert ran.code == 0, ran.out + ran.err
    assert "nothing to do" in folder("migrate").out


@pytest.mark.parametrize("program", ["/nowhere/pg_dump", "/bin/false"])
def test_a_program_that_is_none_is_said_to_be_none(folder: Folder, program: str) -> None:
    folder.query("create table public.a (id int)")
    ran = folder("init", "--from-database", "--pg-dump", program)
    assert ran.code == 2
    assert f"{program} is no pg_dump of version 18" in ran.err
    assert "next" in ran.err
