"""A rollout at a terminal: how far it is, how fast, what failed, and nothing of that at the end."""

import re
import signal

import pytest

from faults.processes import wake
from fleet.conftest import Tenants
from pgvouch.cli.fleet_live import Rate
from support.screen import Terminal

SLEEPS = {
    "003_c.sql": "do $$ begin if current_database() ~ '_[35]$' then raise 'no luck'; end if; end $$;"
    "\nselect pg_sleep(600) where current_database() ~ '_9$';",
}


@pytest.fixture
def ten(tenants: Tenants) -> Tenants:
    """Two of them fail, for the same reason, and the last one does not end."""
    tenants.prefix = tenants.prefix[:3]  # a screen has few columns
    tenants.make(*range(10))
    tenants.write(SLEEPS)
    return tenants


def _terminal(tenants: Tenants, *more: str, columns: int = 100, **environment: str) -> Terminal:
    arguments = ["fleet", "migrate", "--pattern", f"{tenants.prefix}_*", "--jobs", "1"]
    arguments += ["--url", tenants.server.url("postgres"), "--max-failures", "5", "--wave", "1"]
    return Terminal(*arguments, *more, columns=columns, environment=environment)


def _last(text: str) -> str:
    return text[text.rfind("\n") + 1 :]


@pytest.mark.parametrize(
    ("columns", "environment", "shown"),
    [
        (100, {}, r"  ━{18}─{2}  9 of 10  rest: 8 of 9  [\d.]+/s  0 s left  2 failed"),
        (60, {}, r"  ━{7,}─{1,2}  9 of 10  rest: 8 of 9  [\d.]+/s  0 s left  2 failed"),
        (
            60,
            {"LC_ALL": "C", "PYTHONUTF8": "0"},
            r"  ={7,}-{1,2}  9 of 10  rest: 8 of 9  .* failed",
        ),
        (50, {}, r"  ━{7,}─{1,2}  9 of 10  0 s left  2 failed"),
        (40, {}, r"  ━{7,}─{1,2}  9 of 10  0 s left  2 failed"),
        (20, {}, r"  9 of 10  2 failed"),
    ],
)
def test_it_shows_how_far_it_is(
    ten: Tenants, columns: int, environment: dict[str, str], shown: str
) -> None:
    with _terminal(ten, columns=columns, **environment) as terminal:
        text = terminal.until(lambda text: "9 of 10" in _last(text))
        assert re.fullmatch(shown, _last(text)), text
        assert len(_last(text)) < columns
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ended() == 130
        assert "9 of 10" not in terminal.text
        assert "error: interrupted" in terminal.text


def test_it_names_what_takes_its_time(ten: Tenants) -> None:
    with _terminal(ten) as terminal:
        waits = rf"9 of 10  rest: 8 of 9  .*2 failed  {ten.prefix}_9 for [1-9]\d* s$"
        terminal.until(lambda text: re.search(waits, _last(text)) is not None)
        wake(ten.url(9))
        assert terminal.ended() == 1
        assert " for " not in terminal.text


def test_a_cause_is_told_once_and_counted_at_the_end(ten: Tenants) -> None:
    with _terminal(ten) as terminal:
        terminal.until(lambda text: "9 of 10" in _last(text))
        wake(ten.url(9))
        assert terminal.ended() == 1
        lines = terminal.text.splitlines()
    cause = "failed: 003_c.sql:1: 003_c failed: no luck (P0001)"
    begun = lines.index("rest  9 databases")
    assert lines[:begun] == ["canary  1 database"]
    assert lines[begun + 1] == f"  ✗ {ten.prefix}_3  {cause}"
    assert lines[begun + 2].startswith(f"  ✗ {ten.prefix}_9  failed: ")
    assert lines[begun + 3] == f"  ✗ 1 more {cause}"
    assert lines[begun + 4].startswith("fleet  10 databases")
    end = "\n".join(lines[begun:])
    assert re.search(r"\nfleet: 7 done, 3 failed in [\d.]+ s: rollout 1\n", end)
    assert "  next    mend what failed, and run the same command again" in end


def test_elsewhere_each_failure_has_its_line(ten: Tenants) -> None:
    ten.write({"003_c.sql": SLEEPS["003_c.sql"].partition("\n")[0]})
    ran = ten("migrate", "--jobs", "1", "--max-failures", "5", "--wave", "1")
    assert re.findall(r"✗ \w+_(\d)", ran.err) == ["3", "5"]
    assert "\r" not in ran.err
    assert "10" not in ran.err


def test_a_question_has_a_line_of_its_own(ten: Tenants) -> None:
    with _terminal(ten, "--pause", "--gate-command", "true") as terminal:
        text = terminal.until(lambda text: text.endswith("Go on? [y/N]:"))
        assert text.splitlines() == [
            "canary  1 database", "  gate_command", "canary: 1 done, 0 failed. Go on? [y/N]:",
        ]  # fmt: skip
        terminal.press(b"n\n")
        assert terminal.ended() == 1
        assert "stopped  the answer was no: nothing new is begun" in terminal.text
    assert [ten.applied(n) for n in range(10)] == [3, *[0] * 9]


def test_the_rate_is_that_of_the_last_seconds() -> None:
    rate = Rate()
    rate.pause(0.0)
    assert rate(5.0) == 0.0
    for n in range(1000):  # it was quick for a second
        rate.count(n / 1000)
    assert rate(1.0) > 900
    for n in range(1, 61):  # and is slow now
        rate.count(1.0 + n)
    assert rate(61.0) == pytest.approx(1.0)
    assert rate(121.0) < 0.25, "what does not end makes it slower"
    rate.pause(200.0)
    assert rate(201.0) == 0.0
