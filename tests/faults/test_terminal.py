"""On a terminal a long migration shows that it runs; elsewhere nothing is written over."""

import re
import signal
from collections.abc import Mapping

import psycopg
import pytest

from conftest import Folder, query
from faults.processes import DEADLINE_S, SLEEPING, ended, migrating, spawn, until, wake
from support.screen import Terminal, running_for

STOP, START = b"\x13", b"\x11"
"""Ctrl-S and Ctrl-Q."""
NAP = {"001_a.sql": "select pg_sleep(600);"}


def _migrating(folder: Folder, *more: str, columns: int = 80, **environment: str) -> Terminal:
    given = ["--migrations", str(folder.path), "--url", folder.url]
    return Terminal("migrate", *given, *more, columns=columns, environment=environment)


def test_it_shows_the_seconds_and_takes_them_away(folder: Folder) -> None:
    folder.write(NAP)
    with _migrating(folder) as terminal:
        shown = terminal.until(running_for(2))
        assert re.fullmatch(r"  [⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] 001_a  \d s", shown)
        wake(folder.url)
        assert terminal.ended() == 1
        assert "  001_a" not in terminal.text
        assert terminal.text.startswith("error: 001_a failed")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_takes_the_line_away(folder: Folder, number: signal.Signals) -> None:
    folder.write(NAP)
    with _migrating(folder) as terminal:
        terminal.until(running_for(1))
        terminal.process.send_signal(number)
        assert terminal.ended() == 128 + number
        assert terminal.text.lstrip().startswith(f"error: interrupted by {number.name}")


def test_a_second_signal_takes_it_away_too(folder: Folder) -> None:
    """The program then ends where it stands, within a write of its own."""
    from pgvouch.cli import output, signals

    output.draw("x")
    assert signals.line_end == "\r\x1b[K"
    output.undraw()
    assert signals.line_end == ""


def test_nothing_of_it_elsewhere(folder: Folder) -> None:
    folder.write(NAP)
    process = migrating(folder.path, folder.url)
    until(folder.url, SLEEPING)
    query(folder.url, "select pg_sleep(2.5)")
    wake(folder.url)
    _, out, err = ended(process)
    assert "\r" not in out + err
    assert "\x1b" not in out + err


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"CI": "true"}], ids=str)
def test_nothing_is_drawn_over_where_that_cannot_be(
    folder: Folder, environment: Mapping[str, str]
) -> None:
    folder.write(NAP)
    with _migrating(folder, **environment) as terminal:
        until(folder.url, SLEEPING)
        query(folder.url, "select pg_sleep(2)")
        wake(folder.url)
        assert terminal.ended() == 1
        assert b"\x1b[K" not in terminal.raw
        assert terminal.text.startswith("error: 001_a failed")


def test_without_colour_the_line_has_none_and_nothing_spins(folder: Folder) -> None:
    folder.write(NAP)
    with _migrating(folder, NO_COLOR="1") as terminal:
        assert re.fullmatch(r"  … 001_a  \d s", terminal.until(running_for(2)))
        wake(folder.url)
        terminal.ended()
        assert set(re.findall(rb"\x1b\[[0-9;]*[a-zA-Z]", terminal.raw)) == {b"\x1b[K"}


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=str,
)
def test_a_terminal_that_knows_only_ascii(folder: Folder, environment: Mapping[str, str]) -> None:
    many = {f"{n:03}_{'a' * 60}.sql": "select 1;" for n in range(1, 16)}
    folder.write({**many, f"016_{'a' * 60}.sql": "select pg_sleep(600);"})
    with _migrating(folder, columns=60, **environment) as terminal:
        terminal.until(running_for(1))
        *done, line = terminal.text.splitlines()
        assert re.fullmatch(r"  [|/\\-] ={18}-- 15 of 16  016_a+\.\.\.a+  \d s", line)
        assert re.fullmatch(r"  \* 001_a+\.\.\.a+ +\d+ ms", done[0])
        wake(folder.url)
        assert terminal.ended() == 1
        assert terminal.raw.isascii()


def test_many_migrations_have_a_bar(folder: Folder) -> None:
    folder.write({f"{n:03}_a.sql": "select 1;" for n in range(1, 20)})
    folder.write({"012_a.sql": "select pg_sleep(600);"})
    with _migrating(folder) as terminal:
        shown = terminal.until(running_for(1))
        bar = "━" * 11 + "─" * 9
        assert re.fullmatch(rf"{bar} 11 of 19  012_a  \d s", shown.splitlines()[-1][4:])
        assert [line.split()[1] for line in shown.splitlines()[:-1]] == [
            f"{n:03}_a" for n in range(1, 12)
        ]
        wake(folder.url)
        terminal.ended()


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_a_resize_in_the_middle(folder: Folder, columns: int) -> None:
    name = "001_" + "a_long_name_" * 6
    folder.write({f"{name}.sql": "select pg_sleep(600);"})
    with _migrating(folder, columns=120) as terminal:
        terminal.until(running_for(1))
        terminal.resize(columns)
        terminal.until(running_for(3))
        line = terminal.text.splitlines()[-1]
        assert re.match(r"  [⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] 0", line)  # it did not wrap
        assert len(line) < columns
        wake(folder.url)
        assert terminal.ended() == 1


def test_a_stopped_terminal_holds_no_migration_up(folder: Folder) -> None:
    """Ctrl-S in a window stops what is written to it; the locks of a migration would stay."""
    notices = "do $$ begin for i in 1..40 loop raise warning '%', i; end loop; end $$;"
    folder.write(
        {
            "001_a.sql": f"create table a ();\n{notices}\nselect pg_advisory_xact_lock(1);\n{notices}",
            "002_b.sql": "create table b ();",
        }
    )
    with (
        psycopg.connect(folder.url) as other,
        _migrating(folder, "--lock-timeout", "0") as terminal,
    ):
        other.execute("select pg_advisory_lock(1)")
        terminal.until(running_for(1))
        terminal.press(STOP)
        query(folder.url, "select pg_sleep(1)")  # some frames
        other.close()
        until(folder.url, "to_regclass('public.b') is not null")
        terminal.press(START)
        assert terminal.ended() == 0
        assert re.findall(r"✓ (\w+)", terminal.text) == ["001_a", "002_b"]
        assert terminal.raw.count(b"WARNING: ") == 50


def test_a_stopped_terminal_delays_no_end_that_a_signal_asks_for(folder: Folder) -> None:
    folder.write(NAP)
    with _migrating(folder) as terminal:
        terminal.until(running_for(1))
        terminal.press(STOP)
        query(folder.url, "select pg_sleep(0.5)")
        terminal.process.terminate()
        assert terminal.process.wait(DEADLINE_S) == 128 + signal.SIGTERM
    until(folder.url, f"not {SLEEPING}")


def test_it_names_the_statement_of_a_migration_that_runs_step_by_step(folder: Folder) -> None:
    text = "-- transactional: false\nselect 1;\nselect pg_sleep(600);\nselect 3;"
    folder.write({"001_a.sql": text})
    with _migrating(folder) as terminal:
        shown = terminal.until(running_for(1))
        assert re.fullmatch(r"001_a  \d s  statement 2 of 3", shown[4:])
        wake(folder.url)
        assert terminal.ended() == 1


def test_it_says_what_an_index_waits_for(folder: Folder) -> None:
    folder.query("create table t (a int)")
    folder.write({"001_a.sql": "-- transactional: false\ncreate index concurrently i on t (a);"})
    with psycopg.connect(folder.url) as other:
        other.execute("insert into t values (1)")
        with _migrating(folder, columns=120) as terminal:
            shown = terminal.until(lambda text: "CREATE INDEX" in text)
            assert shown.splitlines()[-1].endswith(
                "statement 1 of 1  0 %  CREATE INDEX CONCURRENTLY on public.t: "
                "waiting for writers before build"
            )
            assert "… waiting for" in shown
            other.commit()
            assert terminal.ended() == 0
            assert "CREATE INDEX" not in terminal.text


def test_the_wait_for_another_runner_is_told_once(folder: Folder) -> None:
    folder.write(NAP)
    first = migrating(folder.path, folder.url)
    until(folder.url, SLEEPING)
    second = spawn(
        "migrate", "--migrations", str(folder.path), "--url", folder.url, "--lock-wait", "4s"
    )
    code, _, err = ended(second)
    wake(folder.url)
    ended(first)
    assert code == 5
    assert err.count("  … another runner is at work") == 1


def test_on_a_terminal_that_wait_is_counted_down(folder: Folder) -> None:
    folder.write(NAP)
    first = migrating(folder.path, folder.url)
    until(folder.url, SLEEPING)
    with _migrating(folder, "--lock-wait", "60s") as terminal:
        terminal.until(lambda text: "waiting, for up to 5" in text)
        wake(folder.url)
        ended(first)
        terminal.until(running_for(1))
        wake(folder.url)
        assert terminal.ended() == 1
        assert "for up to" not in terminal.text
