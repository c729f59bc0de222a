"""history and current: what the ledger says was done, and where a database is."""

import getpass
import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from yoyo import get_backend, read_migrations

from conftest import Folder
from pgvouch import Vouch
from pgvouch.cli import main

A = {"001_a.sql": "create table a ();", "001_a.rollback.sql": "drop table a;"}
B = {"002_b.sql": "create table b ();", "002_b.rollback.sql": "drop table b;"}


@pytest.fixture
def folder(
    every_url: str,
    make_folder: Callable[[str], Folder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Folder:
    monkeypatch.chdir(tmp_path)
    return make_folder(every_url)


def _told(folder: Folder) -> list[tuple[str, str]]:
    with Vouch(folder.url, migrations=folder.path) as vouch:
        return [(entry.id, entry.what) for entry in vouch.history()]


def test_everything_that_was_done(folder: Folder) -> None:
    there = {"003_c.sql": "-- unless: to_regclass('a') is not null\nselect 1;"}
    folder.write(A | B | there | {"repeat/v.sql": "create or replace view v as select 1;"})
    assert _told(folder) == []
    folder("migrate", "--to", "2")
    folder("rollback")
    folder("redo")
    folder("migrate")
    folder.write({"001_a.sql": "create  table a ();"})
    folder("accept", "1", "--why", "a blank")
    assert _told(folder) == [
        ("001_a", "applied"),
        ("002_b", "applied"),
        ("002_b", "rolled back"),
        ("001_a", "rolled back"),
        ("001_a", "applied"),
        ("002_b", "applied"),
        ("003_c", "provided"),
        ("repeat/v", "applied"),
        ("001_a", "accepted"),
    ]
    document = json.loads(folder("history", "--json").out)
    entries = document["databases"][0]["history"]
    me, here = getpass.getuser(), socket.gethostname()
    assert {(e["by"], e["host"]) for e in entries if e["what"] == "rolled back"} == {(me, here)}
    ((role,),) = folder.query("select session_user::text")
    assert {e["role"] for e in entries[:3]} == {None}  # of what is there no more, it is not kept
    assert {e["role"] for e in entries[4:]} == {role}
    assert entries[-1]["why"] == "a blank"
    lines = folder("history").out.splitlines()
    assert lines[1].split() == ["when", "migration", "what", "by", "role", "why"]
    assert lines[2].split()[2:] == ["001_a", "applied", f"{me}@{here}"]
    assert lines[-1].endswith("a blank")


def test_it_writes_nothing(folder: Folder) -> None:
    folder.write(A)
    for command in ("history", "current"):
        assert folder(command).code == 0
        assert folder.query("select to_regnamespace('pgvouch')") == [(None,)]


def test_a_ledger_of_another_version_or_role_is_refused(folder: Folder) -> None:
    folder.write(A)
    folder("migrate")
    folder.query("update pgvouch.ledger set version = 99")
    ran = folder("history")
    assert ran.code == 2
    assert "version 99" in ran.err
    folder.query("update pgvouch.ledger set version = 1")
    folder.query("alter table pgvouch.acceptance enable row level security")
    ran = folder("history")
    assert ran.code == 2
    assert "pgvouch.acceptance is not believed" in ran.err


def test_what_only_stock_yoyo_has_done(folder: Folder) -> None:
    folder.write(A | B)
    with get_backend(folder.url.replace("postgresql:", "postgresql+psycopg:")) as backend:
        migrations = read_migrations(str(folder.path))
        backend.apply_migrations(backend.to_apply(migrations))
        backend.rollback_migrations(backend.to_rollback(migrations)[:1])
    told = [("001_a", "applied"), ("002_b", "applied"), ("002_b", "rolled back")]
    assert _told(folder) == told
    assert folder("current").out == "001_a\n"
    folder("migrate")
    assert _told(folder) == [*told, ("002_b", "applied")]


def test_what_was_recorded(folder: Folder) -> None:
    folder.write(A)
    folder.query("create table a ()")
    assert folder("baseline").code == 0
    assert _told(folder) == [("001_a", "recorded")]
    folder.query("delete from pgvouch._yoyo_log")
    assert _told(folder) == [("001_a", "recorded")]


def test_where_a_database_is(folder: Folder) -> None:
    folder.write(A | B)
    ran = folder("current")
    assert (ran.code, ran.out) == (0, "")
    assert "nothing is applied" in ran.err
    folder("migrate")
    ran = folder("current")
    assert (ran.code, ran.out, ran.err) == (0, "002_b\n", "")
    (document,) = json.loads(folder("current", "--json").out)["databases"]
    assert (document["id"], document["state"]) == ("002_b", "applied")
    folder.write({"003_c.sql": "-- transactional: false\ncreate table c (); select 1/0;"})
    folder("migrate")
    assert folder("current").out == "002_b\n"
    assert Vouch(folder.url, migrations=folder.path).current().id == "002_b"  # type: ignore[union-attr]


def test_of_several_databases(
    folder: Folder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder.write({"x/001_a.sql": "select 1;", "y/001_a.sql": "select 1;"})
    missing = folder.url.replace("/t_", "/gone_")
    given = {"DATABASE_URL_X": folder.url, "DATABASE_URL_Y": missing}
    place = ("--migrations", str(folder.path))
    assert main.run(["migrate", "x", *place], given) == 0
    capsys.readouterr()
    assert main.run(["current", *place], given) == 0
    assert capsys.readouterr().out == "x\t001_a\ny\t\n"
    assert main.run(["current", "y", *place], {"DATABASE_URL": "postgresql://127.0.0.1:1/d"}) == 5
