"""The password of a database from a command, run when the database is connected to.

What it printed is kept for a while, in the memory of this process alone: tokens of a cloud are good
for a quarter of an hour, and a command that is the same for many databases is run once.
"""

import asyncio
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from psycopg.conninfo import make_conninfo

from pgvouch.errors import AuthenticationError
from pgvouch.fleet.target import Target

_KEPT_S = 300.0
_KEPT_FAILED_S = 10.0
"""A command that fails is not asked a thousand times at once."""
_TIMEOUT_S = 30.0


@dataclass(slots=True)
class _Asked:
    """What a command has printed, if it was run."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    until_s: float = 0.0
    password: str | None = field(default=None, repr=False)
    error: str = ""


_ASKED: dict[tuple[str, ...], _Asked] = {}


def reached(target: Target) -> str:
    """Return where a database is, password and all; may run a command, for up to half a minute.

    Raises:
        AuthenticationError: the command gives no password.
    """
    if not target.password_command:
        return target.conninfo
    return make_conninfo(target.conninfo, password=_password(target.password_command))


async def with_password(target: Target) -> Target:
    """Return a database with its password, while other things go on.

    Raises:
        AuthenticationError: the command gives no password.
    """
    if not target.password_command:
        return target
    conninfo = await asyncio.to_thread(reached, target)
    return replace(target, conninfo=conninfo, password_command=())


def _password(command: tuple[str, ...]) -> str:
    asked = _ASKED.setdefault(command, _Asked())
    with asked.lock:
        if time.monotonic() >= asked.until_s:
            asked.password, asked.error = _run(command)
            kept_s = _KEPT_S if asked.password is not None else _KEPT_FAILED_S
            asked.until_s = time.monotonic() + kept_s
        if asked.password is not None:
            return asked.password
    raise AuthenticationError(
        f"password_command {asked.error}",
        hint="it is run without a shell, and prints the password as its first line",
    )


def _run(command: Sequence[str]) -> tuple[str | None, str]:
    """Return the password, or why there is none; nothing of stdout is ever told."""
    try:
        ran = subprocess.run(  # noqa: S603 - it is the project's own
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return None, f"took longer than {_TIMEOUT_S:.0f} s"
    except (OSError, ValueError) as exc:
        return None, f"cannot be run: {getattr(exc, 'strerror', None) or 'a null byte'}"
    if ran.returncode:
        lines = ran.stderr.decode(errors="replace").strip().splitlines()
        said = f": {' '.join(lines[-1].split())}" if lines else ""
        return None, f"failed with exit code {ran.returncode}{said}"
    try:
        password = ran.stdout.decode().partition("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        return None, "printed something that is not UTF-8"
    if "\0" in password:
        return None, "printed a null byte"
    return (password, "") if password else (None, "printed no password")
