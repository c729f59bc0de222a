"""docs/performance.md: what was measured, as tables."""

import argparse
import os
import platform
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench.deltas import Cost, table
from bench.measured import Call

Turn = Mapping[str, Sequence[tuple[Call, int]]]
"""Of each action the calls, each with its round trips."""

_INTRODUCTION = """\
# Performance

Written by `make bench`, which measures anew on your machine. Each does the same work in turn, in a database of its own:
{count:,} migrations, each a table with two indexes, row security and four policies. Times are wall clock with
the start of the program, medians of {repeat}. The **floor** is a loop over psycopg that sends a file and its row in a ledger
in one message, without a lock, a clean session, checks or errors with a place. `psql` runs one script: begin, a file,
a row, commit. `before` is {against}.

{machine}
"""


@dataclass
class Measured:
    """All calls."""

    machine: str
    calls: dict[tuple[str, str, str], list[tuple[Call, int]]] = field(default_factory=dict)
    """By scenario, subject and action."""
    deltas: list[Cost] = field(default_factory=list)

    def add(self, scenario: str, subject: str, turn: Turn) -> None:
        for action, calls in turn.items():
            self.calls.setdefault((scenario, subject, action), []).extend(calls)

    def of(self, scenario: str, subject: str, action: str, what: str = "wall_s") -> float | None:
        """The median of something."""
        calls = self.calls.get((scenario, subject, action))
        if not calls:
            return None
        return statistics.median(
            trips if what == "trips" else getattr(call, what) for call, trips in calls
        )

    def subjects(self, scenario: str) -> list[str]:
        return list(dict.fromkeys(subject for at, subject, _ in self.calls if at == scenario))


def machine(url: str) -> str:
    """The machine, and the versions."""
    with psycopg.connect(url) as connection:
        server = connection.execute("show server_version").fetchone()
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    version = server[0] if server else "?"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {model[1] if model else platform.machine()}, "
        f"{os.cpu_count()} cores, load average {os.getloadavg()[1]:.1f} when it began; PostgreSQL "
        f"{version} with its defaults on the same machine, over a unix socket; Python "
        f"{platform.python_version()}, psycopg {psycopg.__version__}."
    )


def render(measured: Measured, options: argparse.Namespace) -> str:
    """The page."""
    given = " ".join(f"--{name} {getattr(options, name)}" for name in ("count", "many", "repeat"))
    against = f"pgvouch at the commit {options.against}" if options.against else "not measured"
    parts = [
        _INTRODUCTION.format(
            machine=measured.machine, count=options.count, repeat=options.repeat, against=against
        ),
        f"Command: `make bench{f' AGAINST={options.against}' if options.against else ''}` ({given}).\n",
        f"## {options.count:,} migrations\n",
        _table(_many(measured)),
        "Behind each time: its ratio to the floor. CPU is that of the client and that of the server, in seconds.\n",
        "## Round trips\n",
        _table(_trips(measured)),
        "Counted by a proxy, over 100 migrations. A first run makes the ledger and applies one migration. Connecting counts.\n",
    ]
    if options.many:
        parts += ["## As the number grows\n", _table(_growth(measured, options))]
    if measured.deltas:
        parts += [
            "## With catalog deltas\n",
            "Each migration has a .delta file of 14 lines, which is compared. One more is the time that the "
            "program tells, without its start.\n",
            _table(table(measured.deltas)),
        ]
    parts += [
        f"## With {options.latency_ms:g} ms of latency\n",
        "100 migrations, over a proxy that delays each direction by half of that.\n",
        _table(_latency(measured)),
    ]
    return "\n".join(parts)


Rows = Iterator[list[str]]


def _many(measured: Measured) -> Rows:
    yield ["", "apply", "CPU", "roll back all", "CPU", "nothing to do", "status"]
    for subject in measured.subjects("many"):
        row = [f"**{subject}**" if subject == "pgvouch" else subject]
        for action in ("apply", "rollback", "nothing", "status"):
            row.append(_time(measured, "many", subject, action))
            if action in {"apply", "rollback"}:
                used = [
                    measured.of("many", subject, action, what) for what in ("client_s", "server_s")
                ]
                row.append(" + ".join(f"{value:.1f}" for value in used if value is not None))
        yield row


def _trips(measured: Measured) -> Rows:
    yield ["", "a migration", "a rollback", "nothing to do", "a first run of one"]
    for subject in measured.subjects("trips"):
        row = [subject]
        for action, count in (("apply", 100), ("rollback", 100), ("nothing", 1)):
            trips = measured.of("trips", subject, action, "trips")
            row.append("–" if trips is None else f"{trips / count:.{2 if count > 1 else 0}f}")
        yield [*row, f"{measured.of('first', subject, 'apply', 'trips') or 0:.0f}"]


def _growth(measured: Measured, options: argparse.Namespace) -> Rows:
    many = str(options.many)
    yield [
        "",
        f"apply {options.many:,}",
        f"… in times of {options.count:,}",
        "memory",
        "nothing to do at 10",
        f"… at {options.many:,}",
        f"status at {options.many:,}",
    ]
    for subject in measured.subjects(many):
        apply, less = measured.of(many, subject, "apply"), measured.of("many", subject, "apply")
        memory = measured.of(many, subject, "apply", "memory_mb")
        assert apply and less and memory
        yield [
            subject,
            f"{apply:.1f} s",
            f"{apply / less:.1f} ×",
            f"{memory:.0f} MB",
            _time(measured, "10", subject, "nothing"),
            _time(measured, many, subject, "nothing"),
            _time(measured, many, subject, "status"),
        ]


def _latency(measured: Measured) -> Rows:
    yield ["", "apply", "roll back all", "nothing to do", "status"]
    for subject in measured.subjects("latency"):
        yield [
            subject,
            *(
                _time(measured, "latency", subject, a)
                for a in ("apply", "rollback", "nothing", "status")
            ),
        ]


def _time(measured: Measured, scenario: str, subject: str, action: str) -> str:
    found, least = (measured.of(scenario, who, action) for who in (subject, "floor"))
    if found is None:
        return "–"
    shown = f"{found:.2f} s"
    return shown if least is None or subject == "floor" else f"{shown} ({found / least:.2f} ×)"


def _table(rows: Rows) -> str:
    title, *others = rows
    lines = [title, ["---"] * len(title), *others]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
