"""What catalog deltas cost: the same migrations with and without, and one on top of many tables."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import workload

NEXT = 5
"""Migrations on top of the others: the first one reads the most."""


@dataclass(frozen=True)
class Cost:
    """Of one version, with so many migrations. Times in seconds."""

    version: str
    count: int
    plain_s: float
    with_deltas_s: float
    accept_all_s: float
    accept_last_s: float
    accept_last_again_s: float
    first_on_top_ms: float
    next_on_top_ms: float
    plain_on_top_ms: float
    """The median of those without a delta."""
    verify_s: float
    drift_s: float | None


def measure(
    root: Path, package: Path, version: str, count: int, url: str, fresh: Callable[[], None]
) -> Cost:
    """Measure one version.

    Args:
        root: for folders.
        package: where the version is.
        version: its name.
        count: of migrations.
        url: of the database.
        fresh: makes it anew.
    """
    plain = workload.write(root / f"plain-{version}-{count}", count)
    folder = Path(shutil.copytree(plain, root / f"deltas-{version}-{count}"))
    top = Path(shutil.copytree(plain, root / f"top-{version}-{count}"))

    def run(*words: str, at: Path = folder) -> tuple[float, str]:
        command = [sys.executable, "-m", "pgvouch", *words, "--url", url, "--migrations", str(at)]
        environment = {**os.environ, "PYTHONPATH": str(package / "runner")}
        began = time.perf_counter()
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        took_s = time.perf_counter() - began
        if ran.returncode:
            raise RuntimeError(f"{command}: {ran.stderr[-2000:]}")
        return took_s, ran.stdout

    fresh()
    accept_all_s, _ = run("accept-delta")
    accept_last_s, _ = run("accept-delta", str(count))
    accept_again_s, _ = run("accept-delta", str(count))
    plain_s, _ = run("migrate", at=plain)
    fresh()
    with_s, _ = run("migrate")
    verify_s, _ = run("verify")
    has_drift = (package / "runner" / "pgvouch" / "cli" / "drift.py").exists()
    drift_s = run("drift")[0] if has_drift else None
    fresh()
    run("migrate", at=top)
    plain_ms = _on_top(top, folder, count, with_delta=False, run=run)
    top_ms = _on_top(top, folder, count + NEXT, with_delta=True, run=run)
    return Cost(
        version,
        count,
        plain_s,
        with_s,
        accept_all_s,
        accept_last_s,
        accept_again_s,
        top_ms[0],
        statistics.median(top_ms[1:]),
        statistics.median(plain_ms),
        verify_s,
        drift_s,
    )


def _on_top(
    top: Path,
    folder: Path,
    count: int,
    *,
    with_delta: bool,
    run: Callable[..., tuple[float, str]],
) -> list[float]:
    """Apply some more, and return how long each took, in ms."""
    delta = (folder / "verify" / "00001_notes.delta").read_text()
    (top / "verify").mkdir(exist_ok=True)
    for n in range(count + 1, count + NEXT + 1):
        (top / f"{n:05}_notes.sql").write_text(workload.APPLY.format(n=n))
        if with_delta:
            renamed = delta.replace("notes_1", f"notes_{n}")
            (top / "verify" / f"{n:05}_notes.delta").write_text(renamed)
    _, said = run("migrate", "--json", at=top)
    document = json.loads(said)
    return [float(item["duration_ms"]) for item in _finished(document)]


def _finished(document: object) -> Iterator[dict[str, float]]:
    """Yield what has a duration in a document, in order."""
    if isinstance(document, dict):
        if "duration_ms" in document:
            yield document
        for value in document.values():
            yield from _finished(value)
    elif isinstance(document, list):
        for value in document:
            yield from _finished(value)


def table(costs: Sequence[Cost]) -> Iterator[list[str]]:
    """The rows for the page."""
    yield [
        "",
        "migrations",
        "apply",
        "with deltas",
        "one more at that size: first, next (without)",
        "`accept-delta`",
        "… of the last one",
        "… once more",
        "`verify`",
        "`drift`",
    ]
    for cost in costs:
        yield [
            cost.version,
            f"{cost.count:,}",
            f"{cost.plain_s:.2f} s",
            f"{cost.with_deltas_s:.2f} s ({cost.with_deltas_s / cost.plain_s:.2f} ×)",
            f"{cost.first_on_top_ms:.0f} ms, {cost.next_on_top_ms:.0f} ms "
            f"({cost.plain_on_top_ms:.0f} ms)",
            f"{cost.accept_all_s:.1f} s",
            f"{cost.accept_last_s:.1f} s",
            f"{cost.accept_last_again_s:.1f} s",
            f"{cost.verify_s:.2f} s",
            "–" if cost.drift_s is None else f"{cost.drift_s:.2f} s",
        ]
