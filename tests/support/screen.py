"""The program on a terminal of a given size, and what a person would see on it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyte

DEADLINE_S = 60


def _style(cell: Any) -> str:
    named = [cell.fg] if cell.fg != "default" else []
    return " ".join(named + ["bold"] * cell.bold + ["dim"] * cell.italics)


def running_for(seconds: int) -> Callable[[str], bool]:
    """Whether the last line of a screen says that something has run for so long, or longer."""

    def holds(text: str) -> bool:
        found = re.search(r"  (\d+) s\b", text[text.rfind("\n") + 1 :])
        return found is not None and int(found[1]) >= seconds

    return holds


class Terminal:
    """A process whose stdin, stdout and stderr are a terminal."""

    def __init__(
        self,
        *arguments: str,
        columns: int = 80,
        lines: int = 50,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._ours, theirs = pty.openpty()
        self.resize(columns)
        dropped = ("PG", "DATABASE_URL", "NO_COLOR", "COLUMNS", "LC_", "LANG")
        given = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
        given = {**given, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        given.pop("CI", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pgvouch", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env={**given, **(environment or {})},
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _exc: BaseException | None,
        _tb: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def resize(self, columns: int) -> None:
        size = struct.pack("HHHH", self.screen.lines, columns, 0, 0)
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, size)
        self.screen.resize(columns=columns)

    def press(self, keys: bytes) -> None:
        """Type something."""
        os.write(self._ours, keys)

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    @property
    def styled(self) -> str:
        """The same with its colours: `[green]✓[/]`, `[dim]`, `[bold]`."""
        lines = []
        for number in range(self.screen.lines):
            cells = [self.screen.buffer[number][column] for column in range(self.screen.columns)]
            pieces = []
            for style, run in groupby(cells, _style):
                text = "".join(cell.data for cell in run)
                pieces.append(f"[{style}]{text}[/]" if style and text.strip() else text)
            lines.append("".join(pieces).rstrip())
        return "\n".join(lines).rstrip()

    def until(self, holds: Callable[[str], bool]) -> str:
        """Read until the screen is such; return it."""
        deadline = time.monotonic() + DEADLINE_S
        while not holds(self.text):
            if not self._read(deadline - time.monotonic()):
                raise AssertionError(f"never came; the screen is\n{self.text}")
        return self.text

    def ended(self) -> int:
        """Read until the program has ended, and return its exit code."""
        deadline = time.monotonic() + DEADLINE_S
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(DEADLINE_S)

    def _read(self, left_s: float) -> bool:
        readable, _, _ = select.select([self._ours], [], [], max(left_s, 0))
        more = b""
        if readable:
            with suppress(OSError):  # the other end is closed
                more = os.read(self._ours, 65536)
        self.raw += more
        # The screen knows no dim, and italics are not used.
        self._stream.feed(more.replace(b"\x1b[2m", b"\x1b[3m"))
        return bool(more)
