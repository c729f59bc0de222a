"""A call of a program: how long it took, and what client and server computed meanwhile."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """One call; times in seconds."""

    wall_s: float
    client_s: float
    server_s: float
    memory_mb: float
    """The most that the client held."""


def server_cpu_s(postmaster: int) -> float:
    """What a server's processes have computed, those that have ended included."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            own = int(entry.name) == postmaster
            if own or int(fields[1]) == postmaster:
                ticks += sum(int(fields[at]) for at in ((11, 12, 13, 14) if own else (11, 12)))
    return ticks / os.sysconf("SC_CLK_TCK")


def call(command: Sequence[str], environment: Mapping[str, str], postmaster: int) -> Call:
    """Run a program, and measure it.

    Raises:
        RuntimeError: it failed.
    """
    before = server_cpu_s(postmaster)
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{command}: {said.read().decode()[-2000:]}")
    used_s = used.ru_utime + used.ru_stime
    return Call(wall, used_s, server_cpu_s(postmaster) - before, used.ru_maxrss / 1024)
