"""What is asked behind a wave, before the next one: the promises, a query, a command.

Only a plain yes goes on. A query that fails and a command that cannot be started are a no, like any
other: nobody has said yes.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from psycopg.sql import Literal

from pgvouch.errors import UsageError, VouchError
from pgvouch.files.variables import Value, fill
from pgvouch.fleet.listing import Listing
from pgvouch.fleet.settings import FleetSettings
from pgvouch.fleet.target import Result, State, Target, storable
from pgvouch.fleet.waves import Wave

Between = Callable[[Wave, Sequence[Result]], str | None]
"""Is told of each wave that went through; a reason stops the rollout there, None goes on."""


class Halted(Exception):  # noqa: N818 - it is no mistake
    """What was asked has ended without a yes or a no."""


def goes_on(_wave: Wave, _results: Sequence[Result]) -> None:
    """Go on."""


@dataclass(frozen=True, slots=True)
class Asks:
    """Something is asked behind a wave, or the wave is left to itself."""

    wave: str
    what: str
    """`gate_wait`, `gate_verify`, `gate_query` or `gate_command`."""
    seconds: float | None = None
    """How long the wave is left to itself."""


_SOUND = {State.DONE, State.CURRENT}
"""Whose promises are run again: the others are known to be behind, ahead or gone."""
_NAMED = 3
_GRACE_S = 5.0
"""How long a command has for its own end."""
_STEP_S = 0.02
_KEPT = 16_384
"""Bytes of what a command says: the last line of it is told."""
_LOOK_S = 0.2
"""How often it is looked whether a command is to end."""


def asker(
    listing: Listing,
    verify: Callable[[Sequence[Target]], Sequence[Result]],
    rollout: Callable[[], int],
    tell: Callable[[Asks], None],
    then: Between = goes_on,
    *,
    halt: threading.Event | None = None,
) -> Between:
    """Return what asks behind each wave whether the rollout goes on.

    It blocks. A signal ends it where it is called in the main thread; elsewhere it raises Halted.

    Args:
        listing: of the fleet: its settings say what is asked, its control database is asked.
        verify: runs every promise again in some databases.
        rollout: returns the number of the rollout; 0 where it has none.
        tell: is told what is asked.
        then: asked when all of it goes on: a question at a terminal.
        halt: ends what is asked once it is set.

    Returns:
        A function that is told of a wave and its results, and returns a reason to stop, in one
        line, or None.

    Raises:
        UsageError: something cannot be asked at all, which is known ahead of the first wave.
    """
    settings = listing.settings
    ends = halt or threading.Event()
    _refuse_unaskable(listing)

    def ask(wave: Wave, results: Sequence[Result]) -> str | None:
        if any(result.state is State.DONE for result in results):
            _wait(settings, wave, tell, ends)
        names = [result.target for result in results if result.state in _SOUND]
        facts = {"fleet": settings.name, "wave": wave.name, "rollout": str(rollout())}
        reason = None
        if settings.gate_verify:
            tell(Asks(wave.name, "gate_verify"))
            among = set(names)
            reason = _broken(verify([target for target in wave.targets if target.name in among]))
        if reason is None and settings.gate_query is not None:
            tell(Asks(wave.name, "gate_query"))
            reason = _queried(listing, settings.gate_query, facts)
        if reason is None and settings.gate_command:
            tell(Asks(wave.name, "gate_command"))
            reason = _commanded(settings, listing.project.root, facts, names, ends)
        return storable(reason) if reason is not None else then(wave, results)

    return ask


def _refuse_unaskable(listing: Listing) -> None:
    settings = listing.settings
    if settings.gate_query is not None and settings.control is None:
        raise UsageError(
            "gate_query has no control database to ask",
            hint=f'control = "CONTROL_URL" under [fleet.{settings.name}], or --control',
        )
    if settings.gate_command and not _found(settings.gate_command[0], listing.project.root):
        raise UsageError(
            f"gate_command cannot be run: there is no program {settings.gate_command[0]}",
            hint="it is run without a shell; for one, write sh -c '…'",
        )


def _found(program: str, root: Path) -> bool:
    return shutil.which(str(root / program) if "/" in program else program) is not None


def _wait(
    settings: FleetSettings, wave: Wave, tell: Callable[[Asks], None], halt: threading.Event
) -> None:
    """Leave a wave to itself for a while: errors need time to show."""
    asks = settings.gate_verify or settings.gate_query is not None or settings.gate_command
    if settings.gate_wait_s and (asks or not wave.is_last):
        tell(Asks(wave.name, "gate_wait", settings.gate_wait_s))
        if halt.wait(settings.gate_wait_s):
            raise Halted


def _broken(verified: Sequence[Result]) -> str | None:
    broken = [result for result in verified if not result.is_well]
    if not broken:
        return None
    names = ", ".join(result.target for result in broken[:_NAMED])
    more = f" and {len(broken) - _NAMED} more" if broken[_NAMED:] else ""
    return f"gate_verify says no in {names}{more}: {broken[0].cause}"


def _queried(listing: Listing, query: str, facts: Mapping[str, str]) -> str | None:
    """Ask the control database; a second column says why not."""
    values = {name: Value(text, Literal(text).as_string(None)) for name, text in facts.items()}
    timeout_s = listing.settings.gate_timeout_s
    try:
        answer = listing.ask(fill(query, values).text, "gate_query", timeout_s)
    except VouchError as exc:
        said = exc.server.primary if exc.server else None
        return exc.message if said is None or said in exc.message else f"{exc.message}: {said}"
    if len(answer.rows) != 1:
        return f"gate_query gives {len(answer.rows) or 'no'} row{'s' * bool(answer.rows)}, not one"
    (is_well, *why) = answer.rows[0]
    if is_well == "t":
        return None
    if is_well not in {"f", None}:
        return f"gate_query gives {is_well!r}, which is neither true nor false"
    return f"gate_query says no{''.join(f': {_one_line(text)}' for text in why[:1] if text)}"


def _commanded(
    settings: FleetSettings,
    root: Path,
    facts: Mapping[str, str],
    names: Sequence[str],
    halt: threading.Event,
) -> str | None:
    """Run a command, with the names on its stdin; the last line of its stderr says why not."""
    if strange := next((name for name in names if "\n" in name), None):
        return f"gate_command cannot be told of {strange!r}: names are lines there"
    told = {f"PGVOUCH_{name.upper()}": text for name, text in facts.items()}
    with _signals_later() as let_come:
        try:
            process = subprocess.Popen(  # noqa: S603 - it is the project's own
                settings.gate_command,
                cwd=root,
                env={**os.environ, **told},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # so that what it has started ends with it
            )
        except OSError as exc:
            return f"gate_command cannot be run: {exc.strerror or exc}"
        with process:
            try:
                # Ahead of a signal: one that comes while a thread is started leaves half of it.
                said = _listened_to(process, "".join(f"{name}\n" for name in names).encode())
                let_come()
                _await(process, settings.gate_timeout_s, halt)
            except subprocess.TimeoutExpired:
                return f"gate_command took longer than gate_timeout, {settings.gate_timeout_s:g} s"
            finally:
                _end(process)
            out, err = (tail.text() for tail in said)
    if process.returncode == 0:
        return None
    lines = [line for line in (err.strip() or out.strip()).splitlines() if line.strip()]
    code = process.returncode
    ended = f"exit code {code}" if code > 0 else f"signal {-code}"
    return f"gate_command says no ({ended}){f': {_one_line(lines[-1])}' if lines else ''}"


class _Tail(threading.Thread):
    """Reads what a program says until nobody can say more, and keeps the end of it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._pipe, self._kept = pipe, b""
        self.start()

    def run(self) -> None:
        """Read."""
        with suppress(ValueError, OSError):  # it was closed
            while some := os.read(self._pipe.fileno(), _KEPT):
                self._kept = (self._kept + some)[-_KEPT:]

    def text(self) -> str:
        """Return the end of what was said."""
        self.join(_GRACE_S)  # so long only where somebody else holds the other end
        return self._kept.decode(errors="replace")


def _listened_to(process: "subprocess.Popen[bytes]", given: bytes) -> tuple[_Tail, _Tail]:
    """Give a command its stdin, and return what listens to its stdout and stderr."""
    assert process.stdin and process.stdout and process.stderr
    # Its own from now on: who closes a pipe waits for who writes, as long as any child holds it.
    stdin, process.stdin = process.stdin, None

    def give() -> None:
        with suppress(ValueError, OSError), stdin:
            stdin.write(given)

    threading.Thread(target=give, daemon=True).start()
    return _Tail(process.stdout), _Tail(process.stderr)


def _await(process: "subprocess.Popen[bytes]", timeout_s: float, halt: threading.Event) -> None:
    until_s = time.monotonic() + timeout_s
    while not halt.is_set():
        left_s = until_s - time.monotonic()
        try:
            process.wait(max(min(left_s, _LOOK_S), 0.0))
        except subprocess.TimeoutExpired:
            if left_s <= _LOOK_S:
                raise
        else:
            return
    raise Halted


@contextmanager
def _signals_later() -> Iterator[Callable[[], None]]:
    """Keep signals until what is yielded is called: within a block that ends what was started.

    One that came ahead of that block would leave a process that nobody knows.
    """
    came: list[int] = []
    before: dict[int, Any] = {}

    def let_come() -> None:
        while before:
            signal.signal(*before.popitem())
        while came:
            signal.raise_signal(came.pop())

    try:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before[number] = signal.getsignal(number)
                signal.signal(number, lambda caught, _: came.append(caught))
        yield let_come
    finally:
        let_come()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a command that still runs, and what it has started, which may run on without it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        until_s = time.monotonic() + _GRACE_S
        while time.monotonic() < until_s and _is_there(process):
            time.sleep(_STEP_S)


def _is_there(process: "subprocess.Popen[bytes]") -> bool:
    """Whether anything of a command's group of processes is left."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _one_line(text: str) -> str:
    return " ".join(text.split())
