"""verify/always.sql: what holds whatever is applied, with the last migration of a run and by verify."""

import json
from pathlib import Path

import pytest

from conftest import Folder, Server, fresh
from pgvouch import CheckError, Vouch

RULE = """
-- check none: a table of public without row security
select oid::regclass from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r' and not relrowsecurity;
"""
FILES = {
    "verify/always.sql": RULE,
    "001_a.sql": "create table public.a (n int); alter table public.a enable row level security;",
    "001_a.rollback.sql": "drop table public.a;",
    "002_b.sql": "create table public.b (n int);",
    "002_b.rollback.sql": "drop table public.b;",
    "003_c.sql": "alter table public.b enable row level security;",
    "003_c.rollback.sql": "alter table public.b disable row level security;",
}
THERE = "select to_regclass('public.a')::text, to_regclass('public.b')::text"


def test_it_holds_with_the_last_migration_of_a_run(folder: Folder) -> None:
    folder.write(FILES)
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert [line.split("ms")[1].strip() for line in ran.err.splitlines()] == ["", "", "1 check"]
    assert "1 check passed" in ran.out


def test_where_it_does_not_the_last_migration_is_rolled_back(folder: Folder) -> None:
    folder.write(FILES)
    ran = folder("migrate", "--to", "002")
    assert ran.code == 1
    assert "002_b does not keep its promise: a table of public without row security" in ran.err
    assert "migrations/verify/always.sql:2" in ran.err
    assert "(b)" in ran.err
    assert folder.query(THERE) == [("a", None)]
    assert folder("migrate").code == 0


def test_a_single_transaction_is_judged_as_a_whole(folder: Folder) -> None:
    folder.write(FILES)
    assert folder("migrate", "--single-transaction", "--to", "002").code == 1
    assert folder.query(THERE) == [(None, None)]
    assert folder("migrate", "--single-transaction").code == 0


def test_a_rehearsal_asks_too(folder: Folder) -> None:
    folder.write(FILES)
    assert folder("migrate", "--rehearse", "--to", "002").code == 1
    assert folder("migrate", "--rehearse").code == 0


def test_what_was_provided_last_is_no_way_around_it(folder: Folder) -> None:
    folder.write(FILES | {"003_c.sql": "-- unless: to_regclass('public.b') is not null\nselect 1;"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "003_c does not keep its promise" in ran.err
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(2,)]


def test_beside_checks_and_a_delta_of_the_migration(folder: Folder) -> None:
    folder.write(FILES | {"verify/003_c.sql": "-- check: it is\nselect true;"})
    assert folder("accept-delta").code == 0
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "2 checks" in ran.err.splitlines()[-1]


def test_a_non_transactional_one(folder: Folder) -> None:
    folder.write(FILES | {"002_b.sql": f"-- transactional: false\n{FILES['002_b.sql']}"})
    ran = folder("migrate", "--to", "002")
    assert ran.code == 1
    assert "all of its statements are done" in ran.err
    folder.query("alter table public.b enable row level security")
    assert folder("migrate", "--to", "002").code == 0


def test_what_it_writes_is_gone(folder: Folder) -> None:
    text = "insert into public.a values (1);\n-- check: one\nselect count(*) = 1 from public.a;"
    folder.write(FILES | {"verify/always.sql": text})
    assert folder("migrate").code == 0
    assert folder("verify").code == 0
    assert folder.query("select count(*) from public.a") == [(0,)]


def test_verify_asks_of_the_live_database(folder: Folder) -> None:
    folder.write(FILES)
    assert "0 checks hold" in folder("verify").out  # nothing is applied: nothing has to hold
    assert folder("migrate").code == 0
    assert "1 checks hold, 0 broken" in folder("verify").out
    folder.query("create table public.leak (n int)")
    ran = folder("verify", "--json")
    assert ran.code == 1
    (broken,) = json.loads(ran.out)["databases"][0]["broken"]
    assert (broken["id"], broken["found"]) == ("always", "(leak)")
    with Vouch(folder.url, migrations=folder.path) as vouch:
        assert [verdict.id for verdict in vouch.verify() if verdict.broken] == ["always"]
        with pytest.raises(CheckError, match="a table of public"):
            folder.write({"004_d.sql": "select 1;"})
            Vouch(folder.url, migrations=folder.path).migrate()


def test_a_rollback_is_not_asked(folder: Folder) -> None:
    """It leads back to what an earlier release had, whose rules were its own."""
    folder.write(FILES)
    assert folder("migrate").code == 0
    assert folder("rollback").code == 0
    assert folder("verify").code == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- same: x\n-- before:\nselect 1;\n-- after:\nselect 1;", "`-- same:` is about one"),
        ("-- check: x\n-- until: 003_c\nselect true;", "`-- until:` is about one migration"),
        ("select 1;", "names no check"),
    ],
)
def test_what_it_may_not_hold(folder: Folder, text: str, message: str) -> None:
    folder.write(FILES | {"verify/always.sql": text})
    for command in ("plan", "migrate"):
        ran = folder(command)
        assert ran.code == 2
        assert message in ran.err
    assert folder.query(THERE) == [(None, None)]


@pytest.mark.parametrize("name", ["always.rollback.sql", "always.delta", "always_.sql"])
def test_only_that_name_is_known(folder: Folder, name: str) -> None:
    folder.write(FILES | {f"verify/{name}": "-- check: x\nselect true;"})
    assert folder("plan").code == 2


def test_a_platform_set_has_one_for_each_database_that_requires_it(
    pg18: Server, tmp_path: Path
) -> None:
    def write(name: str, text: str) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    write("pgvouch.toml", '[databases.shop]\nrequires = ["_platform"]\n')
    write("migrations/_platform/001_p.sql", "create schema platform;")
    write("migrations/_platform/verify/always.sql", RULE.replace("'public'", "'shop'"))
    write("migrations/shop/001_s.sql", "create schema shop; create table shop.t (n int);")
    write("migrations/shop/verify/always.sql", "-- check: fine\nselect true;")
    write("migrations/other/001_o.sql", "create schema shop; create table shop.t (n int);")
    for url in fresh(pg18):
        with Vouch(url, project=tmp_path / "pgvouch.toml", database="shop") as vouch:
            with pytest.raises(CheckError, match="row security") as caught:
                vouch.migrate()
            assert caught.value.place
            assert caught.value.place.path.parent.parent.name == "_platform"
            write("migrations/shop/002_s.sql", "alter table shop.t enable row level security;")
        with Vouch(url, project=tmp_path / "pgvouch.toml", database="shop") as vouch:
            assert vouch.migrate().finished[-1].checks == 2
            assert [v.id for v in vouch.verify()] == ["_platform/always", "always"]
    for url in fresh(pg18):
        with Vouch(url, project=tmp_path / "pgvouch.toml", database="other") as vouch:
            assert vouch.migrate().applied == 1
