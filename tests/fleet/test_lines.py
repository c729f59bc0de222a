"""`--json` of a rollout is a line for each thing that happens, when it happens."""

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from conftest import Ran
from faults.processes import DEADLINE_S, SLEEPING, until
from fleet.conftest import Tenants
from pgvouch.cli.fleet_lines import Lines
from pgvouch.fleet.rollout import Began, UnderWay


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def _told(ran: Ran) -> list[tuple[object, ...]]:
    keys = ("event", "wave", "name", "state", "failed", "reason")
    return [tuple(line[key] for key in keys if key in line) for line in _lines(ran.out)]


def _process(tenants: Tenants, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "pgvouch", "fleet", *arguments, "--json",
         "--url", tenants.server.url("postgres"), "--pattern", f"{tenants.prefix}_*"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_rollout_has_a_line_for_each_database_and_a_summary(tenants: Tenants) -> None:
    a, b, c = tenants.make("a", "b", "c")
    tenants.query("b", "create table public.b ()")
    ran = tenants("migrate", "--json", "--wave", "1", "--wave", "1", "--max-failures", "0")
    assert ran.code == 1
    assert _told(ran) == [
        ("wave", "canary"),
        ("database", "canary", a, "done"),
        ("wave", "1"),
        ("database", "1", b, "failed"),
        ("stopped", "1", 1, None),
        ("summary", None),
    ]
    wave, _, _, database, stopped, summary = _lines(ran.out)
    assert {line["fleet"] for line in _lines(ran.out)} == {"fleet"}
    assert (wave["databases"], wave["may_fail"]) == (1, 0)
    assert (database["version"], database["finished"]) == ("001_a", ["001_a"])
    assert (database["done"], database["of"]) == (1, 1)
    assert 'relation "b" already exists' in database["cause"]
    assert stopped["may_fail"] == 0
    assert summary["stopped_in"] == "1"
    assert [d["state"] for d in summary["databases"]] == ["done", "failed", "left"]
    assert summary["databases"][2]["name"] == c
    assert ran.err == ""


@pytest.mark.parametrize("action", ["verify", "drift", "rollback"])
def test_so_have_the_others(tenants: Tenants, action: str) -> None:
    tenants.make(0)
    tenants("migrate")
    ran = tenants(action, "--json")
    assert [line["event"] for line in _lines(ran.out)] == ["wave", "database", "summary"]


def test_a_gate_is_told_of(tenants: Tenants) -> None:
    tenants.make(0, 1)
    ran = tenants("migrate", "--json", "--wave", "1", "--gate-command", "false")
    assert ran.code == 1
    reason = "gate_command says no (exit code 1)"
    assert _told(ran)[2:] == [
        ("gate", "canary"), ("stopped", "canary", 0, reason), ("summary", reason),
    ]  # fmt: skip
    assert _lines(ran.out)[2]["asks"] == "gate_command"


@pytest.mark.parametrize("action", ["status", "plan"])
def test_what_only_looks_is_one_document(tenants: Tenants, action: str) -> None:
    tenants.make(0)
    ran = tenants(action, "--json")
    assert json.loads(ran.out)["databases"][0]["fleet"] == "fleet"


def test_a_line_comes_when_it_happens(tenants: Tenants) -> None:
    tenants.write({"003_c.sql": "select pg_sleep(600) where current_database() like '%_1';"})
    tenants.make(0, 1)
    process = _process(tenants, "migrate", "--wave", "1")
    assert process.stdout is not None
    events = [json.loads(process.stdout.readline())["event"] for _ in range(3)]
    assert events == ["wave", "database", "wave"]
    until(tenants.url(1), SLEEPING)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE_S)
    (line,) = _lines(out)
    assert line["event"] == "error"
    assert line["error"]["message"] == "interrupted by SIGINT"
    assert (process.returncode, "Traceback" in err) == (130, False)


def test_a_reader_who_has_seen_enough_stops_nothing(tenants: Tenants) -> None:
    tenants.make(*range(4))
    process = _process(tenants, "migrate", "--wave", "1")
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(DEADLINE_S) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert [tenants.applied(n) for n in range(4)] == [2] * 4


def test_an_error_is_a_line_as_well(tenants: Tenants) -> None:
    ran = tenants("rollback", "--json", "--rollout", "7")
    (line,) = _lines(ran.out)
    assert (ran.code, line["event"], line["error"]["kind"]) == (2, "error", "usage")
    (tenants.root / "pgvouch.toml").write_text("[fleet.a]\njobs = 0\n")
    (line,) = _lines(tenants("migrate", "a", "--json").out)
    assert line["event"] == "error"


def test_a_silent_rollout_says_now_and_then_what_is_under_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now_s = 0.0
    lines = Lines("f", lambda: now_s)
    for now_s in range(0, 100, 5):
        if now_s == 40:
            lines(Began("w", 2, 0))
        lines(UnderWay("w", 2, "a", now_s + 0.1234, 0, 2))
    told = [(line["event"], line.get("seconds")) for line in _lines(capsys.readouterr().out)]
    assert told == [("under_way", 30.123), ("wave", None), ("under_way", 70.123)]
