"""What a container is to its first process: a folder, a PATH, an environment; two ways into it."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from conftest import ROOT
from faults.processes import SPAWNED, ended

BIN = Path(sys.executable).parent
SCRIPT = ROOT / "docker" / "entrypoint.sh"
WAYS = ("command", "script")

Process = subprocess.Popen[str]


class Container:
    """A folder with migrations, commands on a PATH of its own, and processes started in it."""

    def __init__(self, root: Path, url: str, way: str) -> None:
        self.root = root
        self.url = url
        self.way = way
        self.bin = root / "bin"
        self.bin.mkdir()
        # As in the image: the command alone is on the PATH, not the environment that it lives in.
        (self.bin / "pgvouch").symlink_to(BIN / "pgvouch")
        (root / "migrations").mkdir()
        self.command("app", 'touch "$0.ran"; printf "%s\\n" "app runs" "$@"')

    def migrations(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.root / "migrations" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def command(self, name: str, body: str) -> Path:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    @property
    def app_ran(self) -> bool:
        return (self.bin / "app.ran").exists()

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if k in {"PYTHONPATH", "HOME"}}
        path = f"{self.bin}:{os.environ['PATH']}"
        return {**inherited, "PATH": path, "DATABASE_URL": self.url, **more}

    def start(
        self, *command: str, migrate: bool = True, wait: str = "60s", **environment: str
    ) -> Process:
        """Start the entrypoint with a command."""
        if self.way == "script":
            environment = {"PGVOUCH_WAIT": wait, **environment}
            if not migrate:
                environment["PGVOUCH_MIGRATE"] = "no"
            return self.run("/bin/sh", str(SCRIPT), *command, **environment)
        options = ["--wait", wait, *([] if migrate else ["--no-migrate"])]
        return self.run("pgvouch", "entrypoint", *options, "--", *command, **environment)

    def run(self, *arguments: str, **environment: str) -> Process:
        """Start any process as this container's first one."""
        given = self.environment(**environment)
        program = self.bin / arguments[0]
        process = subprocess.Popen(
            [str(program) if program.exists() else arguments[0], *arguments[1:]],
            cwd=self.root,
            env={name: value for name, value in given.items() if value},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="surrogateescape",
        )
        SPAWNED.append(process)
        return process

    def ends(self, *command: str, **options: object) -> tuple[int, str, str]:
        """Start, wait for the end; the exit code, stdout and stderr."""
        return ended(self.start(*command, **options))  # type: ignore[arg-type]

    def refused(self, code: int, *command: str, **options: object) -> str:
        """It ends with this code, the application has not run; what was said."""
        found, out, err = self.ends(*(command or ("app",)), **options)
        assert (found, out) == (code, ""), err
        assert not self.app_ran
        assert "Traceback" not in err
        return err


def line(process: Process) -> str:
    """The next line of stderr."""
    assert process.stderr is not None
    return process.stderr.readline()


def terminate(process: Process, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    process.send_signal(number)
    return ended(process)


def up(process: Process) -> None:
    """Wait until the application says so."""
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n", process.communicate(timeout=60)
