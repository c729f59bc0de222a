"""The benchmarks do what they measure. What is not run between two releases is broken by the second.

How long anything takes is no test's business: of the figures only that they are there.
"""

import os
import re
import subprocess
import sys

from conftest import ROOT


def _page(*command: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_a_fleet_is_measured_beside_a_loop_and_on_the_queue() -> None:
    page = _page("bench.fleet", "--databases", "3", "--migrations", "2", "--jobs", "2")
    rows = re.findall(r"^\| \**(.*?)\** \| 3 \| [\d.]+ \| [\d.]+ \| [\d.]+ ms \|$", page, re.M)
    each = ["pgvouch fleet", "xargs -P 8 psql", "xargs -P 8 pgvouch migrate"]
    queue = ["pgvouch fleet", "queue, 1 worker", "queue, 2 workers", "queue, 4 workers"]
    loops = ["a loop that runs the files", "a loop that asks for the newest migration"]
    assert rows == [loops[0], *each, loops[1], *each, *queue, *queue, *queue]


def test_pgvouch_is_measured_beside_the_floor() -> None:
    few = "--count 5 --many 12 --repeat 1 --deltas 3 --latency-ms 1 --only floor pgvouch"
    rows = re.findall(r"^\| \**pgvouch\** \|.*", _page("bench", *few.split()), re.M)
    assert len(rows) == len(("5", "round trips", "12", "deltas", "latency"))
    assert [row for row in rows if "–" in row or not re.search(r"\d", row)] == []
