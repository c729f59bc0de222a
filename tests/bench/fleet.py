"""Measures a fleet beside a loop by hand and beside xargs, into docs/fleets.md: make bench-fleet, or

python -m bench.fleet [--databases 200] [--migrations 20] [--jobs 16] [--write docs/fleets.md]

All of it is done in one run on one server, in turn; what counts are the ratios.
"""

import argparse
import compileall
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

import pgvouch
from bench.page import machine
from pgvouch import embedded
from pgvouch.config.project import Project

_FEW = 40
"""Databases for what is slow, so that a run ends."""
_PLACE = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->\n)", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """What was measured of one way."""

    name: str
    databases: int
    wall_s: float
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.databases / self.wall_s


class Server:
    """A server of its own, with databases in it."""

    def __init__(self, root: Path) -> None:
        project = Project(root, root / "migrations", root, root)
        self.root, self.project = root, project
        self.running = embedded.ensure_running(project)
        self._run("alter system set max_connections = 300")
        embedded.stop(project)
        self.running = embedded.ensure_running(project)
        self.psql = embedded.psql(project)

    def _run(self, *statements: str) -> None:
        with psycopg.connect(self.running.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def make(self, prefix: str, count: int) -> list[str]:
        names = [f"{prefix}_{number:04}" for number in range(count)]
        self._run(*(f"create database {name}" for name in names))
        urls = [self.running.url(name) for name in names]
        # The first connection to a new database makes its caches.
        for url in urls:
            psycopg.connect(url).close()
        return urls

    def settle(self) -> None:
        """Write out what was changed before: whoever is measured next would pay for it."""
        self._run("checkpoint")


def _measured(server: Server, name: str, command: Sequence[str], urls: Sequence[str]) -> Row:
    server.settle()
    environment = {**os.environ, "PYTHONPATH": "tests", "NO_COLOR": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.perf_counter()
    ran = subprocess.run(
        command, input="\n".join(urls) + "\n", text=True, capture_output=True, check=False,
        env=environment,
    )  # fmt: skip
    wall_s = time.perf_counter() - began_s
    if ran.returncode:
        raise SystemExit(f"{name}: {ran.stdout}{ran.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Row(name, len(urls), wall_s, cpu_s)


def _migrations(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(1, count + 1):
        name = f"{number:03}_t{number}"
        (folder / f"{name}.sql").write_text(
            f"create table public.t{number} (id bigint generated always as identity primary key, "
            f"a int not null, b text);\ncreate index t{number}_a on public.t{number} (a);\n"
        )
        (folder / f"{name}.rollback.sql").write_text(f"drop table public.t{number};\n")


def measure(server: Server, databases: int, jobs: int) -> tuple[list[Row], list[Row]]:
    """Return what was measured with all migrations to apply, and with nothing to do."""
    folder = server.root / "migrations"
    loop = [sys.executable, "-m", "bench.fleet_loop"]
    program = str(Path(sys.executable).parent / "pgvouch")
    config = server.root / "pgvouch.toml"
    config.write_text('[fleet.all]\nfile = "-"\nwaves = ["rest"]\n')
    fleet = [program, "fleet", "migrate", "--config", str(config), "--jobs", str(jobs),
             "--per-server", str(jobs)]  # fmt: skip
    each = ["xargs", "-P", "8", "-I{}"]
    xargs = [*each, program, "migrate", "--migrations", str(folder), "--url", "{}"]
    script = server.root / "all.sql"
    files = sorted(p for p in folder.glob("*.sql") if "rollback" not in p.name)
    script.write_text("".join(f"begin;\n{p.read_text()}commit;\n" for p in files))
    psql = [*each, str(server.psql), "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(script), "-d", "{}"]
    few = min(_FEW, databases)
    urls = server.make("fleet", databases)
    slow = server.make("xargs", few)

    applying = [
        _measured(server, "a loop that runs the files", [*loop, "run", str(jobs), str(folder)],
            server.make("loop", databases)),
        _measured(server, "**pgvouch fleet**", fleet, urls),
        _measured(server, "xargs -P 8 psql", psql, server.make("psql", few)),
        _measured(server, "xargs -P 8 pgvouch migrate", xargs, slow),
    ]  # fmt: skip
    nothing = [*each, str(server.psql), "-qX", "-c", "select 1", "-o", "/dev/null", "-d", "{}"]
    idle = [
        _measured(
            server,
            "a loop that asks for the newest migration",
            [*loop, "read", str(jobs), str(folder)],
            urls,
        ),
        _measured(server, "**pgvouch fleet**", fleet, urls),
        _measured(server, "xargs -P 8 psql", nothing, urls[:few]),
        _measured(server, "xargs -P 8 pgvouch migrate", xargs, slow),
    ]
    return applying, idle


def measure_queue(server: Server, databases: int, jobs: int) -> tuple[list[Row], ...]:
    """Return what workers need for a rollout on the queue, beside one program, by the database's clock."""
    (control,) = server.make("control", 1)
    config = server.root / "queue.toml"
    config.write_text(
        '[fleet.all]\ncontrol = "CONTROL_URL"\ntargets = "select name, url from tenants order by name"\n'
        'waves = ["1", "rest"]\n'
    )
    ways = [
        ("**pgvouch fleet**", 0),
        *((f"queue, {n} worker{'s' * (n > 1)}", n) for n in (1, 2, 4)),
    ]
    applying, idle, waiting = [], [], []
    last = server.root / "migrations" / "900_wait.sql"
    for name, workers in ways:
        urls = server.make(f"queue{workers}", databases)
        for rows in (applying, idle, waiting):
            server.settle()
            if rows is waiting:
                last.write_text("select pg_sleep(0.5);\n")
            rows.append(_rollout(name, control, config, urls, workers, jobs))
        last.unlink()
    return applying, idle, waiting


def _rollout(
    name: str, control: str, config: Path, urls: Sequence[str], workers: int, jobs: int
) -> Row:
    program = [str(Path(sys.executable).parent / "pgvouch"), "fleet"]
    environment = {**os.environ, "CONTROL_URL": control, "NO_COLOR": "1"}
    more = ["--config", str(config), "--per-server", str(jobs)]
    with psycopg.connect(control, autocommit=True) as connection:
        connection.execute("drop table if exists tenants")
        connection.execute("create table tenants (name text, url text)")
        with connection.cursor().copy("copy tenants from stdin") as copy:
            for number, url in enumerate(urls):
                copy.write_row((f"{number:05}", url))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        each = ["--jobs", str(max(jobs // max(workers, 1), 1))]
        started = [
            subprocess.Popen(
                [*program, "worker", *more, *each], env=environment, stdout=subprocess.DEVNULL
            )
            for _ in range(workers)
        ]
        try:
            row = _ended(
                connection,
                workers,
                [*program, "enqueue", *more] if workers else [*program, "migrate", *more, *each],
                environment,
            )
        finally:
            for process in started:
                process.terminate()
                process.wait()
        done = "select count(*) from pgvouch_fleet.result where rollout = (select max(id) from pgvouch_fleet.rollout) and state in ('done', 'current')"
        assert connection.execute(done).fetchone() == (len(urls),)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Row(name, len(urls), row, cpu_s)


def _ended(
    connection: psycopg.Connection[tuple[object, ...]],
    workers: int,
    command: Sequence[str],
    environment: Mapping[str, str],
) -> float:
    """Begin a rollout once the workers are there, and return the seconds that it took."""
    count = "select count(*) from pgvouch_queue.procrastinate_workers"
    there = "select to_regclass('pgvouch_queue.procrastinate_workers') is not null"
    while workers and (connection.execute(there).fetchone() != (True,)
                       or connection.execute(count).fetchone() != (workers,)):  # fmt: skip
        connection.execute("select pg_sleep(0.05)")
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    took = (
        "select extract(epoch from ended_at - began_at)::float8 from pgvouch_fleet.rollout "
        "order by id desc limit 1"
    )
    while (row := connection.execute(took).fetchone()) == (None,):
        connection.execute("select pg_sleep(0.02)")
    assert row is not None
    return float(str(row[0]))


def table(rows: Sequence[Row]) -> str:
    """Return rows as a table; the first is what the others are beside."""
    first = rows[0]
    lines = ["| | databases | a second | ratio | client CPU each |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.name} | {row.databases} | {row.rate:.1f} | {row.rate / first.rate:.2f} | "
        f"{row.cpu_s / row.databases * 1000:.1f} ms |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", type=int, default=200)
    parser.add_argument("--migrations", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=16)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="pgvouch-bench-fleet-"))
    root.chmod(0o755)
    compileall.compile_dir(str(Path(pgvouch.__file__).parent), quiet=1)  # as an installer does
    try:
        _migrations(root / "migrations", given.migrations)
        server = Server(root)
        try:
            about = machine(server.running.url("postgres"))
            applying, idle = measure(server, given.databases, given.jobs)
            queued, queued_idle, waiting = measure_queue(server, given.databases, given.jobs)
        finally:
            embedded.stop(server.project)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    text = (
        f"{about}\n\n{given.migrations} migrations to apply, each a table with an index, {given.jobs} "
        f"databases at once:\n\n{table(applying)}\nNothing to do:\n\n{table(idle)}\n"
        f"On the queue, {given.jobs} databases at once over all workers together, from the start of the rollout to its "
        f"end by the control database's clock. {given.migrations} migrations to apply:\n\n{table(queued)}\n"
        f"Nothing to do:\n\n{table(queued_idle)}\n"
        f"One migration that waits half a second, so that it is not the processor that counts:\n\n{table(waiting)}"
    )
    print(text)
    if given.write:
        page = given.write.read_text()
        assert _PLACE.search(page)
        given.write.write_text(_PLACE.sub(lambda match: f"{match[1]}{text}{match[2]}", page))


if __name__ == "__main__":
    main()
