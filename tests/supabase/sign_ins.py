"""How many people who sign in are ended or kept waiting, by command and system, on the stand-in.

python tests/supabase/sign_ins.py [--project DIR] [--clients 12] [--pause 0.02] [--runs 3] [--server pg18]
    [--lock-timeout 5s]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import _SERVERS, BINARIES, ROOT, Server, _project, start
from pgvouch import embedded as servers
from supabase.project import Live, project, signing_in

SYSTEMS = ("learning_plans", "coding_sessions", "feature_planner")
COMMANDS = {
    "migrate": ("migrate",),
    "verify": ("verify",),
    "rehearse": ("migrate", "--rehearse"),
    "rollback": ("rollback", "--all", "--discard-data"),
}
PATIENCE_S = 30.0
"""Longer than any wait, so that its length is seen; only a deadlock ends a client."""


@contextmanager
def server_of_our_own(name: str) -> Iterator[Server]:
    """A server that nobody else uses."""
    memory = Path("/dev/shm")
    root = Path(tempfile.mkdtemp(prefix="pgvouch-live-", dir=memory if memory.is_dir() else None))
    root.chmod(0o755)
    os.environ[_SERVERS] = str(root)
    try:
        yield start(name)
    finally:
        servers.stop(_project(name))
        shutil.rmtree(root)


def run(
    source: Path, live: Live, system: str, command: str, more: list[str]
) -> tuple[int, float, str]:
    """Run the program of a source tree over its migrations, as the project's administrator."""
    verb, *given = COMMANDS[command]
    began = time.perf_counter()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pgvouch", verb, system, *given, *more),
            *("--config", str(source / "pyproject.toml"), "--url", live.admin),
        ],
        env={**os.environ, "PYTHONPATH": str(source / "runner")},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    said += done.stdout.splitlines()
    return done.returncode, time.perf_counter() - began, said[0]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=ROOT, help="another checkout of this one")
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between two sign-ins")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--server", choices=sorted(BINARIES), default="pg18")
    parser.add_argument("--lock-timeout", help="of the commands, instead of their own")
    given = parser.parse_args()
    more = ["--lock-timeout", given.lock_timeout] if given.lock_timeout else []
    print("| system | command | exit | s | sign-ins/s | ended | longest s | said |")
    print("|---|---|---|---|---|---|---|---|")
    with server_of_our_own(given.server) as server:
        for system in [s for s in SYSTEMS for _ in range(given.runs)]:
            with project(server) as live:
                # A rehearsal and what is said of it come ahead of the migration itself.
                for command in ("rehearse", "migrate", "verify", "rollback"):
                    with signing_in(live, given.clients, given.pause, PATIENCE_S) as traffic:
                        code, took_s, said = run(given.project, live, system, command, more)
                    ended: Counter[str] = traffic.killed
                    print(
                        f"| {system} | {command} | {code} | {took_s:.1f} "
                        f"| {traffic.done / took_s:.0f} | {dict(ended) or 0} "
                        f"| {traffic.longest_s:.2f} | {said} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
