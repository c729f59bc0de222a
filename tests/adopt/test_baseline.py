"""`pgvouch baseline`: what is there and was never recorded, compared before it is believed."""

import json
from pathlib import Path

import psycopg
import pytest

from conftest import ROOT, Folder

FILES = {
    "001_books.sql": "create table public.books (id int primary key, title text not null);",
    "001_books.rollback.sql": "drop table public.books;",
    "002_index.sql": "-- transactional: false\n"
    "create index concurrently books_title on public.books (title);",
    "003_view.sql": "create view public.titles as select title from public.books;",
}


def by_hand(folder: Folder, *files: str) -> None:
    with psycopg.connect(folder.url, autocommit=True) as connection:
        for name in files:
            connection.execute((folder.path / name).read_bytes())


def applied(folder: Folder) -> list[object]:
    if folder.query("select to_regclass('pgvouch.migration') is null") == [(True,)]:
        return []
    return [r[0] for r in folder.query("select migration_id from pgvouch.migration order by 1")]


@pytest.fixture
def made(folder: Folder) -> Folder:
    """Files, and a database that was made of them by other means."""
    folder.write(FILES)
    by_hand(folder, "001_books.sql", "002_index.sql", "003_view.sql")
    return folder


def test_a_database_that_is_what_they_make_is_recorded(made: Folder) -> None:
    made.query("insert into public.books values (1, 'One')")
    ran = made("baseline")
    assert ran.code == 0, ran.err
    assert "the database is what 3 migrations make" in ran.out
    assert applied(made) == ["001_books", "002_index", "003_view"]
    assert made.query("select count(*) from public.books") == [(1,)]
    assert "nothing to do (3 applied)" in made("migrate").out
    assert made("status", "--exit-code").code == 0


def test_what_comes_after_is_applied_and_rolled_back(made: Folder) -> None:
    assert made("baseline").code == 0
    made.write({"004_c.sql": "create table public.c ();", "004_c.rollback.sql": "drop table c;"})
    assert made("migrate").code == 0
    assert made("rollback").code == 0
    made.write({"003_view.rollback.sql": "drop view public.titles;"})
    assert made("rollback", "--from-files").code == 0
    assert applied(made) == ["001_books", "002_index"]


def test_only_the_first_ones(folder: Folder) -> None:
    folder.write(FILES)
    by_hand(folder, "001_books.sql")
    ran = folder("baseline", "--to", "001")
    assert ran.code == 0, ran.err
    assert applied(folder) == ["001_books"]
    assert folder("migrate").code == 0
    assert applied(folder) == ["001_books", "002_index", "003_view"]


DIFFERENCES = [
    ("drop view public.titles", "missing, but 003_view makes it: view public.titles"),
    ("alter table public.books alter title drop not null", "not as 001_books makes it"),
    ("create table public.more ()", "+ table public.more ()"),
    ("drop index public.books_title", "missing, but 002_index makes it"),
]


@pytest.mark.parametrize(("change", "told"), DIFFERENCES, ids=[c for c, _ in DIFFERENCES])
def test_a_difference_is_listed_and_nothing_recorded(made: Folder, change: str, told: str) -> None:
    made.query(change)
    ran = made("baseline")
    assert ran.code == 4
    assert told in ran.out
    assert "nothing was recorded" in ran.out
    assert "--accept-difference" in ran.out
    assert "--to the last one that is" in ran.out
    assert applied(made) == []


def test_a_difference_is_accepted_with_a_reason_that_is_kept(made: Folder) -> None:
    made.query("create table public.more ()")
    ran = made("baseline", "--accept-difference", "more is another team's")
    assert ran.code == 0, ran.err
    assert len(applied(made)) == 3
    kept = made.query("select migration_id, why from pgvouch.acceptance")
    assert kept == [("003_view", "more is another team's")]


def test_a_dry_run_only_compares(made: Folder) -> None:
    ran = made("baseline", "--dry-run", "--json")
    assert ran.code == 0
    (told,) = json.loads(ran.out)["databases"]
    assert (told["recorded"], told["migrations"]) == (0, ["001_books", "002_index", "003_view"])
    assert applied(made) == []


def test_a_database_with_a_ledger_is_refused(folder: Folder) -> None:
    folder.write(FILES)
    assert folder("migrate").code == 0
    ran = folder("baseline")
    assert ran.code == 2
    assert "the ledger has 3 migrations already" in ran.err


def test_one_that_fails_on_an_empty_database_records_nothing(made: Folder) -> None:
    made.write({"004_bad.sql": "alter table public.nowhere add x int;"})
    ran = made("baseline")
    assert ran.code == 1
    assert "It failed in a scratch database, which is gone. Nothing was recorded." in ran.err
    assert applied(made) == []


def test_what_the_platform_provides_is_provided(folder: Folder) -> None:
    """Its condition holds here, so what it would make is neither compared nor applied."""
    condition = "-- unless: to_regclass('public.platform') is not null\n"
    table = "create table public.platform (id int);"
    folder.write({"000_platform.sql": condition + table} | FILES)
    folder.query("create table public.platform (id int, much_more text)")
    by_hand(folder, "001_books.sql", "002_index.sql", "003_view.sql")
    ran = folder("baseline", "--accept-difference", "the platform has more")
    assert ran.code == 0, ran.err
    states = folder.query("select migration_id, state from pgvouch.migration order by 1 limit 2")
    assert states == [("000_platform", "provided"), ("001_books", "applied")]


def test_a_system_that_psql_made(folder: Folder, url: str) -> None:
    """A real one: what psql has run is what the migrations make."""
    system = ROOT / "migrations" / "monthly_planner"
    with psycopg.connect(url, autocommit=True) as connection:
        for path in sorted(Path(system).glob("[0-9]*.sql")):
            if not path.name.endswith(".rollback.sql"):
                connection.execute(path.read_bytes())
    for path in system.rglob("*"):
        if path.is_file():
            folder.write({str(path.relative_to(system)): path.read_bytes()})
    ran = folder("baseline")
    assert ran.code == 0, ran.out + ran.err
    assert folder("verify").code == 0


def test_what_repeatable_migrations_make_may_be_there(made: Folder) -> None:
    made.query("create view public.ids as select id from public.books")
    view = "create or replace view public.ids as select id from public.books;"
    made.write({"repeat/ids.sql": view})
    ran = made("baseline")
    assert ran.code == 0, ran.out
    assert applied(made) == ["001_books", "002_index", "003_view"]
    assert made("migrate").code == 0
    assert "nothing to do" in made("migrate").out
    assert made("drift").code == 0
