"""`--log-format json`: one object a line on stderr, whatever happens."""

import json
import sys
from datetime import datetime
from typing import Any

import pytest

from conftest import Folder, query
from faults.processes import ended, migrating, spawn, until, wake

SOUND = {
    "001_a.sql": "create table public.a (id int); do $$begin raise warning 'two\nlines'; end$$;",
    "verify/001_a.delta": "+ column public.a.id integer\n+ table public.a (id)\n",
    "001_a.rollback.sql": "drop table public.a;",
    "002_empty.sql": "",
    "002_empty.rollback.sql": "select 1;",
}


def _lines(text: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        assert datetime.fromisoformat(line["at"]).tzinfo is not None
        assert line["level"] in {"info", "warning", "error"}
    return lines


def test_each_event_is_a_line(folder: Folder) -> None:
    folder.write(SOUND)
    ran = folder("migrate", "--log-format", "json")
    assert ran.code == 0
    assert "2 applied" in ran.out
    lines = _lines(ran.err)
    assert [line["event"] for line in lines] == [
        "doubted", "scheduled", "started", "notice", "finished", "started", "finished",
    ]  # fmt: skip
    assert len({line["database"] for line in lines}) == 1
    doubted, scheduled, started, notice, finished, *_ = lines
    assert (doubted["level"], doubted["file"]) == ("warning", str(folder.path / "002_empty.sql"))
    assert scheduled["count"] == 2
    assert (started["id"], started["direction"]) == ("001_a", "migrate")
    assert (notice["level"], notice["text"]) == ("warning", "two\nlines")
    assert (finished["outcome"], finished["delta"]) == ("applied", 2)
    assert [line["event"] for line in _lines(folder("rollback", "--log-format=json").err)] == [
        "scheduled", "started", "finished",
    ]  # fmt: skip


def test_errors_are_lines_too(folder: Folder) -> None:
    folder.write({"001_a.sql": "\\i x", "002_b.sql": "commit;"})
    ran = folder("migrate", "--log-format", "json")
    assert (ran.code, ran.out) == (2, "")
    first, second = _lines(ran.err)
    assert (first["event"], first["level"], first["line"]) == ("error", "error", 1)
    assert (second["file"], second["exit_code"]) == (str(folder.path / "002_b.sql"), 2)
    (wrong,) = _lines(folder("migrate", "--nope", "--log-format", "json").err)
    assert (wrong["event"], wrong["kind"]) == ("error", "usage")


def test_beside_a_document_on_stdout(folder: Folder) -> None:
    folder.write(SOUND)
    ran = folder("migrate", "--json", "--log-format", "json")
    assert json.loads(ran.out)["databases"][0]["applied"] == 2
    assert _lines(ran.err)[-1]["event"] == "finished"


@pytest.mark.parametrize("command", ["plan", "verify", "drift", "seed"])
def test_of_every_running_command(folder: Folder, command: str) -> None:
    folder.write(SOUND)
    folder("migrate")
    folder.write({"003_empty.sql": ""})
    ran = folder(command, "--log-format", "json")
    _lines(ran.err)
    assert bool(ran.err) is (command in {"plan", "seed"})


def test_an_entrypoint_logs_and_becomes_its_command(folder: Folder) -> None:
    folder.write(SOUND)
    program = [sys.executable, "-c", "print('started')"]
    process = spawn(
        "entrypoint", "--log-format", "json", "--migrations", str(folder.path), "--url",
        folder.url, "--", *program,
    )  # fmt: skip
    code, out, err = ended(process)
    assert (code, out) == (0, "started\n")
    assert _lines(err)[-1]["event"] == "done"
    assert "2 applied" in _lines(err)[-1]["text"]


def test_what_runs_is_told_now_and_then(folder: Folder) -> None:
    text = "-- transactional: false\nselect pg_sleep(1);\nselect pg_sleep(600);"
    folder.write({"001_a.sql": text})
    process = migrating(folder.path, folder.url, "--log-format", "json")
    until(folder.url, "to_regclass('pgvouch.migration') is not null")
    until(folder.url, "(select statements_done from pgvouch.migration) = 1")
    query(folder.url, "select pg_sleep(2)")
    wake(folder.url)
    _, _, err = ended(process)
    running = [line for line in _lines(err) if line["event"] == "running"]
    assert [(line["statement"], line["statements"]) for line in running] == [(1, 2), (2, 2)]


def test_text_in_any_encoding_is_json(folder: Folder) -> None:
    folder.write({"001_a.sql": "do $$begin raise warning 'é ✓'; end$$;"})
    process = spawn(
        "migrate", "--log-format", "json", "--migrations", str(folder.path), "--url", folder.url,
        PYTHONIOENCODING="ascii",
    )  # fmt: skip
    _, _, err = ended(process)
    assert [line["text"] for line in _lines(err) if line["event"] == "notice"] == ["é ✓"]
