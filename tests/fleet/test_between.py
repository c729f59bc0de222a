"""Behind each wave something is asked; only a plain yes goes on, and again it is asked again."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from conftest import query
from faults.processes import DEADLINE_S
from fleet.conftest import Tenants
from pgvouch.address.where import Given
from pgvouch.config.project import find_project
from pgvouch.errors import UsageError
from pgvouch.fleet.between import Asks, Halted, asker
from pgvouch.fleet.fleet import Fleet
from pgvouch.fleet.listing import Listing
from pgvouch.fleet.rollout import Event, Stopped, Summary
from pgvouch.fleet.settings import FleetSettings
from pgvouch.fleet.target import Result, State
from pgvouch.fleet.waves import Wave

ALL = range(4)
VERIFIED = {"verify/001_a.sql": "-- check: a is empty\nselect not exists (select from public.a);"}


def _python(*lines: str) -> tuple[str, ...]:
    return (sys.executable, "-c", "\n".join(("import os, sys", *lines)))


def _controlled(tenants: Tenants, **options: object) -> Fleet:
    return Fleet(
        "fleet",
        environment={"CONTROL_URL": tenants.url("control"), "DATABASE_URL": tenants.url("control")},
        control="CONTROL_URL",
        pattern=f"{tenants.prefix}_*",
        waves=("1", "50%"),
        **options,
    )


def _control(tenants: Tenants, sql: str) -> None:
    tenants.make("control", *ALL)
    tenants.query("control", sql)


def _stopped(summary: Summary) -> tuple[str | None, str | None, int]:
    return summary.stopped_in, summary.reason, summary.count(State.LEFT)


def test_a_promise_that_the_canary_breaks_keeps_all_others_as_they_were(tenants: Tenants) -> None:
    tenants.write(VERIFIED)
    names = tenants.make(*ALL)
    tenants.fleet().migrate(to="1")
    tenants.query(0, "insert into public.a values (1)")
    told: list[Event] = []
    fleet = tenants.fleet(waves=("1", "rest"), gate_verify=True, on_event=told.append)
    reason = f"gate_verify says no in {names[0]}: 001_a: a is empty"
    for _ in range(2):  # the canary has nothing to do the second time, and is asked about again
        assert _stopped(fleet.migrate()) == ("canary", reason, 3)
    assert [tenants.applied(n) for n in ALL] == [2, 1, 1, 1]
    assert [e.reason for e in told if isinstance(e, Stopped)] == [reason] * 2
    tenants.query(0, "delete from public.a")
    assert fleet.migrate().stopped_in is None
    assert [tenants.applied(n) for n in ALL] == [2] * 4


def test_the_last_wave_is_asked_about_too(tenants: Tenants) -> None:
    tenants.write(VERIFIED)
    tenants.make(*ALL)
    tenants.fleet().migrate(to="1")
    tenants.query(3, "insert into public.a values (1)")
    ran = tenants("migrate", "--wave", "1", "--wave", "rest", "--gate-verify")
    assert ran.code == 1
    assert [tenants.applied(n) for n in ALL] == [2] * 4
    assert f"stopped in rest: gate_verify says no in {tenants.prefix}_3" in ran.out
    assert "mend what was found, and run the same command again" in ran.out
    assert f"gate_verify says no in {tenants.prefix}_3: 001_a: a is empty: nothing new" in ran.err


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("select true", None),
        ("select share < 0.01, 'share ' || share from errors", "gate_query says no: share 0.04"),
        ("select false", "gate_query says no"),
        ("select null::boolean", "gate_query says no"),
        ("select true where false", "gate_query gives no row, not one"),
        ("select true from errors, errors as more", None),
        ("select true from generate_series(1, 2)", "gate_query gives 2 rows, not one"),
        ("select 1", "gate_query gives '1', which is neither true nor false"),
        ("select nonsense", 'gate_query fails: column "nonsense" does not exist'),
        ("delete from errors returning true", "gate_query fails: cannot execute DELETE in a read-"),
        ("select true; select true", "gate_query is one statement"),
        ("select pg_sleep(600) is null", "gate_query fails: canceling statement due to statement"),
        ("select :'wave' <> 'canary' or :rollout < 1 or :fleet <> 'fleet'", "gate_query says no"),
        ("select '{wave}' = '{' || 'wave}'", None),
    ],
)
def test_a_query_says_whether_to_go_on(tenants: Tenants, text: str, reason: str | None) -> None:
    _control(tenants, "create table errors as select 0.04 as share")
    timeout_s = 0.2 if "sleep" in text else 60.0
    summary = _controlled(tenants, gate_query=text, gate_timeout_s=timeout_s).migrate()
    if reason is None:
        assert (summary.stopped_in, summary.count(State.DONE)) == (None, 4)
        return
    assert (summary.stopped_in, summary.count(State.LEFT)) == ("canary", 3)
    assert str(summary.reason).startswith(reason)
    assert tenants.query("control", "select count(*) from errors") == [(1,)]
    outcome = "select outcome from pgvouch_fleet.rollout"
    assert tenants.query("control", outcome) == [("stopped in canary",)]


def test_a_wave_s_name_cannot_leave_its_literal(tenants: Tenants) -> None:
    _control(tenants, "create table tenants (name text, wave text)")
    wave = "x', true); drop table tenants; --"
    tenants.query("control", f"insert into tenants values ('{tenants.prefix}_0', $w${wave}$w$)")
    fleet = Fleet(
        "fleet",
        environment={"CONTROL_URL": tenants.url("control"), "DATABASE_URL": tenants.url("control")},
        control="CONTROL_URL",
        targets="select name, wave from tenants",
        gate_query="select false, 'in ' || :'wave'",
    )
    assert fleet.migrate().reason == f"gate_query says no: in {wave}"


def test_a_control_database_that_is_gone_is_no_yes(tenants: Tenants) -> None:
    tenants.make(*ALL)
    fleet = tenants.fleet(gate_query="select true", control="CONTROL_URL")
    fleet.listing.given.environment["CONTROL_URL"] = "postgresql://x@127.0.0.1:1/x"  # type: ignore[index]
    fleet.__dict__["store"] = None
    summary = fleet.migrate()
    assert _stopped(summary) == ("canary", "no connection to x at 127.0.0.1:1", 3)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("sys.exit(0)",), None),
        (
            ("print('one\\ntwo  words ', file=sys.stderr)", "sys.exit(3)"),
            "gate_command says no (exit code 3): two words",
        ),
        (("print('said')", "sys.exit(1)"), "gate_command says no (exit code 1): said"),
        (("sys.exit(1)",), "gate_command says no (exit code 1)"),
        (("os.kill(os.getpid(), 9)",), "gate_command says no (signal 9)"),
        (("os.write(2, b'\\xff\\x1b[31m')", "sys.exit(1)"), "(exit code 1): \ufffd\x1b[31m"),
    ],
)
def test_a_command_says_whether_to_go_on(
    tenants: Tenants, lines: tuple[str, ...], reason: str | None
) -> None:
    tenants.make(*ALL)
    summary = tenants.fleet(gate_command=_python(*lines), waves=("1",)).migrate()
    assert summary.stopped_in == (None if reason is None else "canary")
    assert str(summary.reason).endswith(str(reason))


def test_a_command_is_told_of_the_wave_and_of_no_password(tenants: Tenants) -> None:
    names = tenants.make(*ALL)
    told = tenants.root / "told"
    command = _python(
        f"told = open({str(told)!r}, 'a')",
        "print(*(os.environ['PGVOUCH_' + n] for n in ('FLEET', 'WAVE', 'ROLLOUT')),",
        "  os.getcwd(), *sys.stdin.read().split(), file=told)",
    )
    tenants.query(2, "create table public.b (id text)")
    fleet = tenants.fleet(gate_command=command, waves=("1", "50%"), gate_wait_s=0.001)
    fleet.migrate()
    folder = Path.cwd()
    assert told.read_text().splitlines() == [
        f"fleet canary 1 {folder} {names[0]}",
        f"fleet 50% 1 {folder} {names[1]}",  # the one that failed is not among them
        f"fleet rest 1 {folder} {names[3]}",
    ]


def test_a_command_that_takes_too_long_is_ended_with_all_it_has_started(tenants: Tenants) -> None:
    tenants.make(0, 1)
    pids = tenants.root / "pids"
    fleet = tenants.fleet(
        gate_command=("sh", "-c", f"sleep 600 & echo $$ $! > {pids}; wait"), gate_timeout_s=0.5
    )
    assert fleet.migrate().reason == "gate_command took longer than gate_timeout, 0.5 s"
    left = [psutil.Process(int(pid)) for pid in pids.read_text().split() if _runs(int(pid))]
    assert psutil.wait_procs(left, timeout=DEADLINE_S)[1] == []


def test_a_wave_is_left_to_itself_until_a_signal_comes(tenants: Tenants) -> None:
    tenants.make(0, 1)
    process = subprocess.Popen(
        [sys.executable, "-m", "pgvouch", "fleet", "migrate", "--wave", "1", "--gate-wait", "1h",
         "--url", tenants.server.url("postgres"), "--pattern", f"{tenants.prefix}_*"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline() == "canary  1 database\n"
    assert process.stderr.readline() == "  gate_wait  1 h 00 min\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 128 + signal.SIGINT
    assert [tenants.applied(n) for n in (0, 1)] == [2, 0]


def test_nothing_is_waited_for_where_nothing_changed_or_nothing_follows(tenants: Tenants) -> None:
    tenants.make(0)
    told: list[Event] = []
    tenants.fleet(gate_wait_s=3600.0, on_event=told.append).migrate()
    tenants.make(1)
    tenants.fleet(gate_wait_s=3600.0, waves=("1",), on_event=told.append).migrate()
    assert [e for e in told if isinstance(e, Asks)] == []
    tenants.fleet(gate_command=("true",), on_event=told.append).migrate()
    assert [(e.wave, e.what) for e in told if isinstance(e, Asks)] == [
        ("canary", "gate_command"), ("1%", "gate_command"),
    ]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_too(tenants: Tenants, number: signal.Signals) -> None:
    tenants.make(0, 1)
    fifo = tenants.root / "fifo"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [sys.executable, "-m", "pgvouch", "fleet", "migrate", "--wave", "1",
         "--gate-command", f"sh -c 'echo $$ > {fifo}; exec sleep 600'",
         "--url", tenants.server.url("postgres"), "--pattern", f"{tenants.prefix}_*"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    pid = int(fifo.read_text())
    command = psutil.Process(pid)
    process.send_signal(number)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 128 + number
    assert f"interrupted by {number.name}" in err
    assert psutil.wait_procs([command], timeout=DEADLINE_S)[1] == []
    assert [tenants.applied(n) for n in (0, 1)] == [2, 0]


def test_promises_that_are_asked_end_when_the_rollout_is_cancelled(tenants: Tenants) -> None:
    tenants.make(*ALL)
    tenants.fleet().migrate()
    fleet, halt = tenants.fleet(gate_verify=True), threading.Event()
    asks = fleet.gate(lambda: 1, lambda _asks: halt.set(), halt=halt)
    targets = tuple(fleet.listing.targets())
    results = [Result(target.name, State.CURRENT) for target in targets]
    with pytest.raises(Halted):
        asks(Wave("all", targets), results)


class _SignalledError(Exception):
    pass


def test_a_signal_that_comes_with_its_start_ends_it_too(tmp_path: Path) -> None:
    """Nobody would know of a command whose start was interrupted. On one processor, for there the
    command runs ahead of those who have started it."""
    told = tmp_path / "pids"
    script = f"echo $$ >> {told}; kill -TERM $PPID; exec sleep 600"
    settings = FleetSettings("f", gate_command=("sh", "-c", script))
    listing = Listing(find_project(None), settings, Given())
    asks = asker(listing, lambda _targets: (), lambda: 0, lambda _event: None)

    def end(_number: int, _frame: object) -> None:
        raise _SignalledError

    before, processors = signal.signal(signal.SIGTERM, end), os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        for _ in range(200):
            with pytest.raises(_SignalledError):
                asks(Wave("w", ()), ())
    finally:
        os.sched_setaffinity(0, processors)
        signal.signal(signal.SIGTERM, before)
    left = [psutil.Process(pid) for pid in map(int, told.read_text().split()) if _runs(pid)]
    assert psutil.wait_procs(left, timeout=5)[1] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"gate_query": "select true"}, "gate_query has no control database to ask"),
        ({"gate_command": ("no-such-program",)}, "there is no program no-such-program"),
        ({"gate_command": "echo hi; exit 3"}, "for a shell, write sh -c"),
        ({"gate_command": ("./no-such-program",)}, "there is no program ./no-such-program"),
    ],
)
def test_what_cannot_be_asked_is_known_ahead_of_the_first_wave(
    tenants: Tenants, options: dict[str, object], said: str
) -> None:
    tenants.make(0)
    with pytest.raises(UsageError, match=said):
        tenants.fleet(**options).migrate()
    assert tenants.applied(0) == 0


def test_the_question_comes_behind_what_is_asked(tenants: Tenants) -> None:
    tenants.make(*ALL)
    asked: list[tuple[str, bool]] = []
    fleet = tenants.fleet(
        waves=("1", "50%"), gate_command=_python("sys.exit('rest' in os.environ['PGVOUCH_WAVE'])")
    )
    summary = fleet.migrate(between=lambda wave, _: asked.append((wave.name, wave.is_last)))
    assert asked == [("canary", False), ("50%", False)]
    assert summary.stopped_in == "rest"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gate_verify = 1", "true or false"),
        ('gate_command = "echo \'"', "is a command such as"),
        ("gate_command = []", "is a command such as"),
        ("gate_command = [1]", "is a command such as"),
        ('gate_wait = "soon"', "a time such as 5min"),
        ("gate_query = 1", "is a text"),
        ('password_command = ""', "is a command such as"),
    ],
)
def test_what_the_configuration_may_not_say(tenants: Tenants, text: str, said: str) -> None:
    (tenants.root / "pgvouch.toml").write_text(f'[fleet.a]\npattern = "x"\n{text}\n')
    with pytest.raises(UsageError, match=said):
        Fleet("a", environment={})


def test_the_configuration_says_it(tenants: Tenants) -> None:
    (tenants.root / "pgvouch.toml").write_text(
        '[fleet.a]\npattern = "x"\ngate_command = "sh -c \'exit 1\'"\ngate_wait = "5min"\n'
        'gate_verify = true\ngate_timeout = 7\npassword_command = ["a b", "{name}"]\n'
    )
    found = Fleet("a", environment={}).settings
    assert found.gate_command == ("sh", "-c", "exit 1")
    assert (found.gate_wait_s, found.gate_verify, found.gate_timeout_s) == (300.0, True, 7.0)
    assert found.password_command == ("a b", "{name}")


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid)


def test_nothing_is_asked_behind_a_wave_that_failed(tenants: Tenants) -> None:
    tenants.make(0, 1)
    tenants.query(0, "create table public.b (id text)")
    summary = tenants.fleet(gate_command=_python("sys.exit(1)"), waves=("1",)).migrate()
    assert _stopped(summary) == ("canary", None, 1)
    assert query(tenants.url(1), "select to_regclass('pgvouch.migration') is null") == [(True,)]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo $$ > pids; sleep 601 & echo $! >> pids; exit 0", None),
        (
            "echo $$ > pids; (trap '' TERM; sleep 602; sleep 603) & echo $! >> pids; wait",
            "gate_timeout",
        ),
        ("echo $$ > pids; yes", "gate_timeout"),
    ],
)
def test_what_a_command_has_started_ends_with_it(
    tenants: Tenants, script: str, said: str | None
) -> None:
    tenants.make(0)
    fleet = tenants.fleet(gate_command=("sh", "-c", script), gate_timeout_s=1.0)
    summary = fleet.migrate()
    assert (said is None) == (summary.reason is None)
    assert said is None or said in str(summary.reason)
    pids = [int(pid) for pid in (tenants.root / "pids").read_text().split()]
    assert not [pid for pid in pids if _runs(pid)]
    assert psutil.Process().memory_info().rss < 1 << 30


def test_what_leaves_a_command_s_session_and_never_reads_holds_nobody_up(tmp_path: Path) -> None:
    """It keeps the pipe of the names, which are more than a pipe takes."""
    script = _python(
        "import subprocess",
        "child = subprocess.Popen(['sleep', '60'], start_new_session=True, stdout=subprocess.DEVNULL,",
        "    stderr=subprocess.DEVNULL)",
        f"print(child.pid, file=open({str(tmp_path / 'pid')!r}, 'w'))",
    )
    listing = Listing(find_project(None), FleetSettings("f", gate_command=script), Given())
    results = [Result(f"tenant_{n}", State.DONE) for n in range(10_000)]
    asks = asker(listing, lambda _targets: (), lambda: 0, lambda _event: None)
    assert asks(Wave("w", ()), results) is None
    child = psutil.Process(int((tmp_path / "pid").read_text()))
    assert child.status() != psutil.STATUS_ZOMBIE  # it was there still
    child.kill()
