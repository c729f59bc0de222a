"""A longer, seeded version of the fault tests; it writes what it saw into docs/reliability.md.

make torture, or python -m faults.torture [--minutes 10] [--seed 1] [--write docs/reliability.md]
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from conftest import _SERVERS, Server, _project, query, start
from faults import tries, world
from faults.processes import BOUNCER, ended, migrating
from pgvouch import embedded as servers
from support.proxy import When

LOCK_TIMEOUT_S = 1.0
BUSY_S = 6.0
BEGIN, END = "<!-- torture: begin -->", "<!-- torture: end -->"


@dataclass
class Line:
    """A line of the table: a fault, and what came of it."""

    fault: str
    points: str
    tries: int = 0
    codes: Counter[int] = field(default_factory=Counter)

    def add(self, code: int) -> None:
        self.tries += 1
        self.codes[code] += 1


_WORDS = {
    0: "went on",
    1: "exit 1",
    2: "exit 2",
    5: "exit 5",
    143: "exit 143",
    -9: "killed",
}


@contextmanager
def servers_of_our_own() -> Iterator[tuple[Server, Server]]:
    """A server to work on, and one that may die."""
    memory = Path("/dev/shm")
    root = Path(
        tempfile.mkdtemp(prefix="pgvouch-torture-", dir=memory if memory.is_dir() else None)
    )
    root.chmod(0o755)
    os.environ[_SERVERS] = str(root)
    try:
        yield start("pg18"), start("pg18", "mortal")
    finally:
        for name in ("", "mortal"):
            servers.stop(_project("pg18", name))
        shutil.rmtree(root)


def torture(seed: int, minutes: float, scratch: Path) -> tuple[list[Line], int]:
    """Strike until the time is up, each kind of fault in turn."""
    chosen = random.Random(seed)
    folder = world.write(scratch / "m")
    with servers_of_our_own() as (server, mortal):
        messages = tries.count_messages(server, folder)
        points = f"{messages} messages × {len(When)} places"
        strikes: list[tuple[Line, Callable[[int, When], int]]] = [
            (Line("connection cut", points), lambda a, w: tries.cut(server, folder, a, w)),
            (Line("kill -9 of the program", points), lambda a, w: tries.kill(server, folder, a, w)),
            (Line("SIGTERM, then the connection ends", points),
             lambda a, w: tries.end(server, folder, a, w)),
            (Line("backend terminated by an administrator", points),
             lambda a, w: tries.terminate(server, folder, a, w)),
            (Line("crash of the server (kill -9 of one of its processes)", points),
             lambda a, w: tries.crash_server(mortal, folder, a, w)),
            (Line("full disk of the server", points),
             lambda a, w: tries.fill_disk(mortal, folder, a, w)),
            (Line("the network is gone, then SIGTERM", points),
             lambda a, w: tries.freeze(server, folder, a, w)),
            (Line("SIGSTOP, another run meanwhile, SIGCONT", points),
             lambda a, w: tries.stop(server, folder, a, w)),
        ]  # fmt: skip
        races = [Line("10 replicas at once, up to 4 killed", "at random moments")]
        run_race = [lambda: tries.race(server, folder, chosen)]
        if BOUNCER is not None:
            races.append(Line("the same through PgBouncer, transaction mode", "at random moments"))
            run_race.append(lambda: tries.pooled_race(server, folder, chosen, scratch))
        # Every point of every kind, in an order of chance; a race between them now and then.
        todo = [(s, at, when) for s in strikes for at in range(messages) for when in When]
        chosen.shuffle(todo)
        until = time.monotonic() + minutes * 60
        for number, ((line, strike), at, when) in enumerate(todo):
            if time.monotonic() > until:
                break
            line.add(strike(at, when))
            if number % 25 == 0:
                turn = (number // 25) % len(races)
                run_race[turn]()
                races[turn].add(0)
                print(f"{number} of {len(todo)} points", file=sys.stderr)
        return [line for line, _ in strikes] + races, messages


def _worst_stall(url: str, stop: threading.Event) -> float:
    """Read and write a table as an application does; return the longest that took, in seconds."""
    worst = 0.0
    with psycopg.connect(url, autocommit=True) as connection:
        while not stop.is_set():
            began = time.perf_counter()
            connection.execute("insert into people (id, name) values (default, 'x')")
            connection.execute("select count(*) from people where id < 10")
            worst = max(worst, time.perf_counter() - began)
    return worst


def stalls(scratch: Path) -> tuple[float, float]:
    """How long clients wait behind a migration that waits for a reader: with pgvouch, and without
    a lock_timeout, as a plain `psql -f` (and most runners) would do it."""
    folder = scratch / "busy"
    folder.mkdir()
    (folder / "001_people.sql").write_text(
        "create table people (id int primary key generated always as identity, name text);"
    )
    change = "alter table people add column mail text;"

    def ours(url: str) -> None:
        (folder / "002_mail.sql").write_text(change)
        code, _, err = ended(migrating(folder, url, "--lock-timeout", f"{LOCK_TIMEOUT_S:g}s"))
        assert code == 0, err

    def theirs(url: str) -> None:
        query(url, change)

    with servers_of_our_own() as (server, _):
        return _stall(server, folder, ours), _stall(server, folder, theirs)


def _stall(server: Server, folder: Path, migrate: Callable[[str], None]) -> float:
    with tries.database(server) as name:
        url = server.url(name)
        (folder / "002_mail.sql").unlink(missing_ok=True)
        assert ended(migrating(folder, url))[0] == 0
        stop = threading.Event()
        found: list[float] = []
        clients = [
            threading.Thread(target=lambda: found.append(_worst_stall(url, stop))) for _ in range(4)
        ]
        with psycopg.connect(url) as reader:
            reader.execute("select count(*) from people")
            for client in clients:
                client.start()
            change = threading.Thread(target=migrate, args=(url,))
            change.start()
            time.sleep(BUSY_S)
            reader.rollback()
        change.join()
        stop.set()
        for client in clients:
            client.join()
        return max(found)


def report(lines: list[Line], seed: int, minutes: float, worst: tuple[float, float]) -> str:
    """The part of docs/reliability.md that is made by this program."""
    rows = [
        f"| {line.fault} | {line.points} | {line.tries} | nothing | {_codes(line)} |"
        for line in lines
    ]
    total = sum(line.tries for line in lines)
    limit = LOCK_TIMEOUT_S * 1.1
    return "\n".join(
        [
            BEGIN,
            f"`make torture SEED={seed} MINUTES={minutes:g}`: {total} tries, PostgreSQL 18.",
            "",
            "| fault | points | tried | lost | how the run went on |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"Clients of a table that a reader keeps busy for {BUSY_S:g} s, while a migration wants to "
            "change it:",
            "",
            "| | the longest that one of four clients had to wait |",
            "|---|---|",
            f"| pgvouch, `--lock-timeout {LOCK_TIMEOUT_S:g}s` | {worst[0]:.2f} s "
            f"(promised: at most {limit:.2f} s) |",
            f"| the same statement without a lock_timeout | {worst[1]:.2f} s |",
            END,
        ]
    )


def _codes(line: Line) -> str:
    if line.codes.keys() == {0}:
        return "all exit 0, each migration once"
    told = [f"{_WORDS[code]} {count} ×" for code, count in sorted(line.codes.items())]
    return f"{', '.join(told)}; a plain `migrate` did the rest"


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        worst = stalls(Path(scratch))
        lines, _ = torture(given.seed, given.minutes, Path(scratch))
    text = report(lines, given.seed, given.minutes, worst)
    print(text)
    assert worst[0] <= LOCK_TIMEOUT_S * 1.1, worst
    if given.write:
        page = given.write.read_text()
        head, _, rest = page.partition(BEGIN)
        given.write.write_text(head + text + rest.partition(END)[2])


if __name__ == "__main__":
    main()
