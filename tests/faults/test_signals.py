"""SIGINT and SIGTERM: the statement is cancelled, its migration rolled back, the code the field's."""

import signal
from pathlib import Path

import psycopg
import pytest

from conftest import query
from faults.processes import SLEEPING, ended, migrating, spawn, until


def _write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_and_rolls_back(
    url: str, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    folder = _write(
        tmp_path / "m",
        {
            "001_a.sql": "create table a ();",
            "002_b.sql": "create table b (); select pg_sleep(600);",
        },
    )
    process = migrating(folder, url)
    until(url, SLEEPING)
    process.send_signal(number)
    assert ended(process)[0] == code
    until(url, f"not {SLEEPING}")
    assert query(url, "select to_regclass('a')::text, to_regclass('b')") == [("a", None)]
    assert query(url, "select migration_id from pgvouch.migration") == [("001_a",)]


def test_a_signal_that_is_ignored_stays_ignored(url: str, tmp_path: Path) -> None:
    folder = _write(
        tmp_path / "m", {"001_a.sql": "create table a (); select pg_advisory_xact_lock(4712);"}
    )
    with psycopg.connect(url) as other:
        other.execute("select pg_advisory_xact_lock(4712)")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            process = migrating(folder, url, "--lock-timeout", "0")
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        until(url, "exists (select from pg_locks where locktype = 'advisory' and not granted)")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        other.rollback()
        assert ended(process)[0] == 0


def test_what_is_in_the_database_is_said(url: str, tmp_path: Path) -> None:
    folder = _write(
        tmp_path / "m",
        {"001_a.sql": "create table a ();", "002_b.sql": "select pg_sleep(600);"},
    )
    process = migrating(folder, url)
    until(url, SLEEPING)
    process.send_signal(signal.SIGTERM)
    _, _, err = ended(process)
    assert "interrupted by SIGTERM" in err
    assert "Nothing of 002_b is in the database. Landed before it: 001_a." in err
    assert "Traceback" not in err


def test_a_build_that_is_interrupted_is_done_by_the_next_run(url: str, tmp_path: Path) -> None:
    folder = _write(
        tmp_path / "m",
        {
            "001_a.sql": "create table a (n int); insert into a values (1);\n"
            "create function slow(n int) returns int immutable language plpgsql as $$ begin\n"
            "  if current_setting('pgvouch.quick', true) is null then perform pg_sleep(600); end if;\n"
            "  return n;\nend $$;",
            "002_i.sql": "-- transactional: false\ncreate index concurrently i on a (slow(n));\n",
        },
    )
    process = migrating(folder, url)
    until(url, f"{SLEEPING} and exists (select from pg_stat_progress_create_index)")
    process.send_signal(signal.SIGTERM)
    code, _, err = ended(process)
    assert code == 143
    assert "002_i is not transactional: 0 of its statements are recorded as done" in err
    assert query(url, "select indisvalid from pg_index where indexrelid = 'i'::regclass") == [
        (False,)
    ]
    (name,) = query(url, "select current_database()")
    query(url, f"alter database {name[0]} set pgvouch.quick = on")
    code, _, err = ended(migrating(folder, url))
    assert code == 0, err
    assert "dropped public.i" in err
    assert query(url, "select indisvalid from pg_index where indexrelid = 'i'::regclass") == [
        (True,)
    ]


def test_a_runner_that_waits_for_another_ends_as_well(url: str, tmp_path: Path) -> None:
    folder = _write(tmp_path / "m", {"001_b.sql": "select pg_sleep(600);"})
    first = migrating(folder, url)
    until(url, SLEEPING)
    second = migrating(folder, url)
    assert second.stderr is not None
    assert "another runner is at work: pid" in second.stderr.readline()
    second.send_signal(signal.SIGINT)
    assert ended(second)[0] == 130
    first.send_signal(signal.SIGINT)
    assert ended(first)[0] == 130


def test_help_does_not_need_a_server() -> None:
    assert ended(spawn("--help"))[0] == 0


def test_a_step_that_makes_another_error_of_the_signal(url: str, tmp_path: Path) -> None:
    step = (
        "from yoyo import step\n\n\n"
        "def apply(connection):\n"
        "    try:\n"
        "        connection.cursor().execute('select pg_sleep(600)')\n"
        "    except KeyboardInterrupt:\n"
        "        raise ValueError('no')\n\n\n"
        "steps = [step(apply)]\n"
    )
    process = migrating(_write(tmp_path / "m", {"001_a.py": step}), url)
    until(url, SLEEPING)
    process.send_signal(signal.SIGTERM)
    code, _, err = ended(process)
    assert code == 143
    assert "interrupted by SIGTERM" in err
    assert "Nothing of 001_a is in the database." in err
