"""Measures, and writes docs/performance.md: make bench, or

python -m bench [--against COMMIT] [--count 1000] [--many 10000] [--repeat 3] [--write docs/performance.md]

The same work is done in turn by each, in a database of its own; of each time the median is taken.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from bench import deltas, page, subjects, workload
from bench.measured import Call, call
from bench.subjects import Subject
from bench.wire import Wire, proxied
from pgvouch import embedded
from pgvouch.config.project import Project

ROOT = Path(__file__).parent.parent.parent
ACTIONS = ("apply", "nothing", "status", "rollback")


@dataclass
class Bench:
    """A server of its own, and what was measured on it."""

    root: Path
    socket: Path
    port: int
    postmaster: int

    def turn(
        self,
        subject: Subject,
        folder: Path,
        actions: Sequence[str],
        wire: Wire | None = None,
    ) -> dict[str, list[tuple[Call, int]]]:
        """Have a subject do actions in a database of its own.

        Returns:
            For each of them its calls, and the round trips where there is a wire.
        """
        at = subject.convert(folder)
        host = f"?host={quote(str(self.socket), safe='')}&port={self.port}"
        url = "postgresql://postgres@/bench" + host
        if wire:
            url = f"postgresql://postgres@127.0.0.1:{wire.port}/bench?sslmode=disable"
        self.make_database()
        environment = {**os.environ, **subject.environment}
        found: dict[str, list[tuple[Call, int]]] = {}
        for action in actions:
            if action in subject.actions:
                if wire:
                    wire.round_trips = 0
                try:
                    done = call(subject.actions[action](url, at), environment, self.postmaster)
                except RuntimeError as exc:
                    _say(str(exc)[-300:])
                    continue
                there = {"apply": workload.size(folder), "rollback": 0}
                # What has not done the work has no time.
                if self._tables() == there.get(action, self._tables()):
                    found.setdefault(action, []).append((done, wire.round_trips if wire else 0))
        return found

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.socket}&port={self.port}"

    def _tables(self) -> int:
        with psycopg.connect(self.url("bench")) as connection:
            rows = connection.execute(
                "select from pg_tables where schemaname = 'public' and tablename like 'notes%'"
            )
            return len(rows.fetchall())

    def make_database(self) -> None:
        """Make the database anew."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute("drop database if exists bench with (force)")
            connection.execute("create database bench")
            connection.execute("checkpoint")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", help="a commit of pgvouch to measure beside this one")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10_000, help="0: leave that out")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--deltas", type=int, nargs="*", default=[200, 1000], help="migrations with deltas"
    )
    parser.add_argument("--latency-ms", type=float, default=20.0, help="0: no proxy")
    parser.add_argument("--only", nargs="*", help="the names of what is measured")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="pgvouch-bench-"))
    root.chmod(0o755)
    project = Project(root, root, root, root, embedded_data=root / "server")
    try:
        running = embedded.ensure_running(project)
        pid = int((embedded.data_folder(project) / "postmaster.pid").read_text().split()[0])
        bench = Bench(root, running.socket_folder, running.port, pid)
        text = page.render(measure(bench, options), options)
        if options.write:
            options.write.write_text(text)
        sys.stdout.write(text)
    finally:
        embedded.stop(project)
        shutil.rmtree(root, ignore_errors=True)


def measure(bench: Bench, options: argparse.Namespace) -> page.Measured:
    """Measure everything that the page shows."""
    packages = {"pgvouch": _copy(bench.root / "here")}
    if options.against:
        before = _checkout(options.against, bench.root / "before")
        packages = {"before": before, **packages}
    versions = [subjects.pgvouch(name, package) for name, package in packages.items()]
    everyone = [subjects.floor(), *versions, *subjects.others()]
    everyone = [s for s in everyone if not options.only or s.name in options.only]
    own = [s for s in everyone if s.name in {"floor", "before", "pgvouch"}]
    measured = page.Measured(machine=page.machine(bench.url()))
    folder = workload.write(bench.root / "migrations", options.count)
    actions = ("apply", *["nothing"] * 3, *["status"] * 3, "rollback")
    for number in range(options.repeat):
        for subject in everyone:
            _say(f"{number + 1} of {options.repeat}: {subject.name}")
            measured.add("many", subject.name, bench.turn(subject, folder, actions))
    for count in (10, options.many) if options.many else ():
        folder = workload.write(bench.root / f"migrations-{count}", count)
        for subject in own:
            _say(f"{count} migrations: {subject.name}")
            actions = ("apply", *["nothing"] * 5, "status")
            measured.add(str(count), subject.name, bench.turn(subject, folder, actions))
    small, one = (workload.write(bench.root / f"migrations-{n}s", n) for n in (100, 1))
    socket_path = f"{bench.socket}/.s.PGSQL.{bench.port}"
    proxies = (("trips", 0.0), ("latency", options.latency_ms / 1000))
    for scenario, latency_s in proxies if options.latency_ms else ():
        with proxied(socket_path, latency_s) as wire:
            for subject in everyone:
                _say(f"through a proxy, {latency_s:g} s: {subject.name}")
                measured.add(scenario, subject.name, bench.turn(subject, small, ACTIONS, wire))
                if scenario == "trips":
                    measured.add("first", subject.name, bench.turn(subject, one, ("apply",), wire))
    for count in options.deltas:
        for name, package in packages.items():
            # What reads the whole catalog for each migration takes minutes with more.
            if name == "pgvouch" or count == min(options.deltas):
                _say(f"{count} migrations with deltas: {name}")
                url, fresh = bench.url("bench"), bench.make_database
                cost = deltas.measure(bench.root, package, name, count, url, fresh)
                measured.deltas.append(cost)
    return measured


def _copy(folder: Path) -> Path:
    """Copy the package as it is here, for both versions are to lie alike."""
    shutil.copytree(
        ROOT / "runner", folder / "runner", ignore=shutil.ignore_patterns("__pycache__")
    )
    return _compiled(folder)


def _checkout(commit: str, folder: Path) -> Path:
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", commit, "runner"], cwd=ROOT, capture_output=True, check=True
    )
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return _compiled(folder)


def _compiled(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(folder)], check=True)
    return folder


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


main()
