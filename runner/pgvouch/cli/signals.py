"""SIGINT and SIGTERM become an exception, once; a second one ends the program at once."""

import os
import signal
import time
from collections.abc import Sequence

ENDING = (signal.SIGINT, signal.SIGTERM)
_PATIENCE_S = 1.0
"""A second signal ends the program at once if it comes later than this; the server rolls back."""
_LONGEST_S = 10.0
"""How long a clean end may take after the first signal; then the program ends at once, too."""


line_end = ""
"""What takes away a line that is being redrawn on the terminal, while there is one."""


def end_now(number: int, _frame: object = None) -> None:
    """End the program: nothing has begun yet, or a second signal has come."""
    try:
        os.write(2, f"{line_end}error: interrupted by {signal.Signals(number).name}\n".encode())
    finally:  # also where stderr takes nothing
        os._exit(128 + number)


def listen(numbers: Sequence[signal.Signals]) -> None:
    """Let a signal be an exception from now on, once."""
    from pgvouch.errors import Interrupted

    first_s: float | None = None

    def interrupt(number: int, _frame: object) -> None:
        nonlocal first_s
        if first_s is None:
            first_s = time.monotonic()
            # A driver may wait for an answer of its own to what we have cancelled.
            signal.signal(signal.SIGALRM, lambda *_: end_now(number))
            signal.setitimer(signal.ITIMER_REAL, _LONGEST_S)
            raise Interrupted(number)
        if time.monotonic() - first_s > _PATIENCE_S:
            end_now(number)

    for number in numbers:
        signal.signal(number, interrupt)
