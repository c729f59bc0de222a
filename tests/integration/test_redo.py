"""redo: the newest migration rolled back and applied again, both or neither."""

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from conftest import LOCK, Folder
from pgvouch import DataLossError, MigrationError, Vouch

A = {"001_a.sql": "create table a ();", "001_a.rollback.sql": "drop table a;"}
B = {"002_b.sql": "create table b (x int);", "002_b.rollback.sql": "drop table b;"}
PROMISED = {
    "verify/002_b.sql": "-- check: it is there\nselect to_regclass('public.b') is not null;",
    "verify/always.sql": "-- check: there is a\nselect to_regclass('public.a') is not null;",
}


@pytest.fixture
def folder(
    every_url: str,
    make_folder: Callable[[str], Folder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Folder:
    monkeypatch.chdir(tmp_path)
    return make_folder(every_url)


def _columns(folder: Folder) -> list[str]:
    found = folder.query(
        "select attname from pg_attribute where attrelid = 'b'::regclass and attnum > 0"
    )
    return [str(row[0]) for row in found]


def test_an_edited_file_is_applied_again(folder: Folder) -> None:
    folder.write(A | B | PROMISED)
    folder("migrate")
    folder.write({"002_b.sql": "create table b (y int);", "003_c.sql": "create table c ();"})
    refused = folder("migrate")
    assert refused.code == 4
    assert refused.err.endswith("or, before anyone else has it, pgvouch redo\n")
    ran = folder("redo")
    assert ran.code == 0, ran.err
    assert ran.out.strip().endswith("002_b rolled back and applied again, 2 checks passed")
    assert [line.split()[:2] for line in ran.err.splitlines()] == [["↩", "002_b"], ["✓", "002_b"]]
    assert _columns(folder) == ["y"]
    assert folder("status").code == 0
    assert folder.query("select to_regclass('c')") == [(None,)]  # redo is about one
    counted = "select count(*), count(distinct xmin::text) from pgvouch._yoyo_log where migration_id = '002_b'"
    assert folder.query(counted) == [(3, 2)]
    folder("migrate")
    assert folder("redo").code == 2  # 003_c has no rollback
    assert folder("status").code == 0


def test_it_is_one_transaction(folder: Folder) -> None:
    folder.write(A | B | PROMISED)
    folder("migrate")
    before = folder.query("select * from pgvouch.migration order by 1")
    for text in ("create table b (y int); select 1/0;", "create table other ();"):
        folder.write({"002_b.sql": text})
        ran = folder("redo")
        assert ran.code == 1
        assert "002_b is in the database as it was: the redo was one transaction." in ran.err
        assert _columns(folder) == ["x"]
        assert folder.query("select * from pgvouch.migration order by 1") == before
    folder.write({"002_b.rollback.sql": "select 1/0;"})
    ran = folder("redo", "--from-files")
    assert ran.code == 1
    assert "as it was" in ran.err
    assert _columns(folder) == ["x"]


def test_one_check_is_not_called_several(folder: Folder) -> None:
    folder.write(A | {"verify/001_a.sql": "-- check: it is there\nselect true;"})
    folder("migrate")
    assert folder("redo").out.endswith("rolled back and applied again, 1 check passed\n")


def test_rows_are_not_lost(folder: Folder) -> None:
    folder.write(A | B)
    folder("migrate")
    folder.query("insert into b values (7)")
    ran = folder("redo")
    assert ran.code == 1
    assert "would lose data" in ran.err
    assert "as it was" in ran.err
    assert folder.query("select x from b") == [(7,)]
    assert folder("redo", "--discard-data").code == 0
    assert folder.query("select x from b") == []


def test_its_delta_is_compared(folder: Folder) -> None:
    folder.write(A | B)
    folder("migrate", "--to", "1")
    folder.write({"verify/002_b.delta": "+ table public.b\n+ column public.b.x integer\n"})
    assert folder("accept-delta", "2").code == 0
    assert folder("migrate").code == 0
    assert folder("redo").code == 0
    folder.write({"002_b.sql": "create table b (y int);"})
    ran = folder("redo")
    assert ran.code == 1
    assert "column public.b.y" in ran.err
    assert _columns(folder) == ["x"]
    folder.write(B | {"002_b.rollback.sql": "alter table b rename to c;"})
    assert "does not leave the catalog as it was" in folder("redo", "--from-files").err
    assert _columns(folder) == ["x"]


def test_what_is_not_transactional_is_two_steps(folder: Folder) -> None:
    folder.write(A | B)
    folder("migrate")
    folder.write({"002_b.sql": "-- transactional: false\ncreate table b (z int); select 1/0;"})
    ran = folder("redo")
    assert ran.code == 1
    assert "state   002_b was rolled back. " in ran.err
    assert "then pgvouch migrate --to 002_b applies it" in ran.err
    folder.write({"002_b.sql": "-- isolation: serializable\ncreate table b (z int);"})
    folder("repair", "2", "--undo")
    assert folder("migrate").code == 0
    assert folder("redo").code == 0  # two transactions, each with its isolation
    assert _columns(folder) == ["z"]
    newest = "select xmin::text from pgvouch._yoyo_log order by created_at_utc desc limit 2"
    assert len(set(folder.query(newest))) == 2


def test_what_is_pending_stays_so(folder: Folder) -> None:
    folder.write(A | B)
    folder("migrate")
    folder.write({"000_early.sql": "create table early ();", "003_c.sql": "create table c ();"})
    assert folder("redo").code == 0
    assert folder.query("select to_regclass('early'), to_regclass('c')") == [(None, None)]


def test_repeatable_migrations_come_back(folder: Folder) -> None:
    view = "create or replace view v as select x from b;"
    folder.write(A | B | {"repeat/v.sql": view, "repeat/v.rollback.sql": "drop view v;"})
    assert folder("migrate").code == 0
    ran = folder("redo")
    assert ran.code == 0, ran.err
    assert folder.query("select count(*) from v") == [(0,)]
    assert "nothing to do" in folder("migrate").out
    folder.write({"002_b.sql": "create table b (y int);"})
    assert folder("redo").code == 1
    assert folder.query("select count(*) from v") == [(0,)]


def test_what_cannot_be_done_again(folder: Folder) -> None:
    folder.write(A | B)
    assert "nothing to do again" in folder("redo").out
    folder("migrate")
    for name in B:
        (folder.path / name).unlink()
    ran = folder("redo")
    assert ran.code == 2
    assert "002_b has no file here, so it cannot be applied again" in ran.err
    folder.write(B | {"001_a.sql": "create table a (changed int);"})
    refused = folder("redo")
    assert refused.code == 4  # another file has changed
    assert "redo" not in refused.err
    assert _columns(folder) == ["x"]


def test_of_several_databases_one_is_named(folder: Folder) -> None:
    folder.write({"x/001_a.sql": "select 1;", "y/001_a.sql": "select 1;"})
    ran = folder("redo", url="postgresql://127.0.0.1:1/")
    assert ran.code == 2
    assert "pgvouch redo x" in ran.err


def test_the_library_and_json(folder: Folder) -> None:
    folder.write(A | B)
    with Vouch(folder.url, migrations=folder.path) as vouch:
        assert vouch.redo().finished == ()
        vouch.migrate()
        folder.query("insert into b values (7)")
        with pytest.raises(DataLossError):
            vouch.redo()
        outcome = vouch.redo(discard_data=True)
        assert [event.outcome for event in outcome.finished] == ["rolled back", "applied"]
        assert outcome.applied == 2
    folder.write({"002_b.sql": "select 1/0;"})
    with pytest.raises(MigrationError), Vouch(folder.url, migrations=folder.path) as vouch:
        vouch.redo()
    folder.write(B)
    document = json.loads(folder("redo", "--json").out)
    assert [each["outcome"] for each in document["databases"][0]["migrations"]] == [
        "rolled back",
        "applied",
    ]


def test_a_python_migration(folder: Folder) -> None:
    text = 'from yoyo import step\nsteps = [step("create table p ()", "drop table p")]\n'
    folder.write(A | {"002_p.py": text})
    folder("migrate")
    assert folder("redo").code == 0
    assert folder.query("select to_regclass('p')::text") == [("p",)]


def test_the_connection_is_lost_in_between(folder: Folder) -> None:
    folder.write(A | B)
    folder("migrate")
    text = "create table b (y int); select pg_terminate_backend(pg_backend_pid());"
    folder.write({"002_b.sql": text})
    ran = folder("redo")
    assert ran.code == 5
    assert "state   002_b is in the database: as it was, or redone as a whole" in ran.err
    assert _columns(folder) == ["x"]
    folder.write(B)
    assert folder("redo").code == 0


def test_another_runner_is_waited_for(folder: Folder) -> None:
    folder.write(A | B)
    folder("migrate")
    with psycopg.connect(folder.url) as other:
        other.execute(LOCK)
        ran = folder("redo", "--lock-wait", "200ms")
    assert ran.code == 5
    assert "as it was: the redo was one transaction" in ran.err
    assert "another runner has been at work" in ran.err
    assert _columns(folder) == ["x"]
