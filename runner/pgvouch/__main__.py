"""The program's entry: errors become text or JSON and an exit code, never a traceback."""

import os
import signal
import sys
import time
from collections.abc import Sequence

_ENDING = (signal.SIGINT, signal.SIGTERM)
_PATIENCE_S = 1.0
"""A second signal after that ends the program where it stands; the server rolls back."""
_LONGEST_S = 10.0
"""So does the first one after that, if the clean end has not come by then."""


def _end_now(number: int, _frame: object = None) -> None:
    """End the program: nothing has begun yet, or somebody has asked twice."""
    try:
        os.write(2, f"error: interrupted by {signal.Signals(number).name}\n".encode())
    finally:  # also where stderr takes nothing
        os._exit(128 + number)


def _listen_to_signals(numbers: Sequence[signal.Signals]) -> None:
    """Let a signal be an exception from now on, once."""
    from pgvouch.errors import Interrupted

    first_s: float | None = None

    def interrupt(number: int, _frame: object) -> None:
        nonlocal first_s
        if first_s is None:
            first_s = time.monotonic()
            # A driver may wait for an answer of its own to what we have cancelled.
            signal.signal(signal.SIGALRM, lambda *_: _end_now(number))
            signal.setitimer(signal.ITIMER_REAL, _LONGEST_S)
            raise Interrupted(number)
        if time.monotonic() - first_s > _PATIENCE_S:
            _end_now(number)

    for number in numbers:
        signal.signal(number, interrupt)


def main() -> None:
    """Run pgvouch with the arguments of the command line."""
    # A shell has those ignored that are not for what it starts in the background.
    listened = [n for n in _ENDING if signal.getsignal(n) is not signal.SIG_IGN]
    for number in listened:
        signal.signal(number, _end_now)
    own = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    if {"--help", "-h"} & set(own) or len(sys.argv) == 1:
        # Only a page of help is worth the time that rich takes to load.
        from rich_click.patch import patch

        patch()
    from pgvouch.cli import output
    from pgvouch.cli.endings import error_of
    from pgvouch.cli.main import run

    output.prepare_streams()
    try:
        _listen_to_signals(listened)
        code = run(sys.argv[1:], os.environ)
    except KeyboardInterrupt as exc:  # it came outside of the command
        code = error_of(exc)[1]
    for number in (*listened, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    output.finish()
    sys.exit(code)


if __name__ == "__main__":
    main()
