"""The program's entry: errors become text or JSON and an exit code, never a traceback."""

import os
import signal
import sys


def main() -> None:
    """Run pgvouch with the arguments of the command line."""
    own = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    if {"--help", "-h"} & set(own) or len(sys.argv) == 1:
        # Only a page of help is worth the time that rich takes to load.
        from rich_click.patch import patch

        patch()
    from pgvouch.cli import run
    from pgvouch.errors import Interrupted

    def interrupt(number: int, _frame: object) -> None:
        raise Interrupted(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    sys.exit(run(sys.argv[1:], os.environ))


if __name__ == "__main__":
    main()
