"""The program's entry: errors become text or JSON and an exit code, never a traceback."""

import gc
import os
import re
import signal
import sys

from pgvouch.cli import signals

_SHELL_ASKS = re.compile("(?:bash|zsh|fish)_(?:source|complete)")


def main() -> None:
    """Run pgvouch with the arguments of the command line."""
    if _SHELL_ASKS.fullmatch(asked := os.environ.get("_PGVOUCH_COMPLETE", "")):
        from pgvouch.cli.completion import complete

        os._exit(complete(asked))
    # A shell has those ignored that are not for what it starts in the background.
    listened = [n for n in signals.ENDING if signal.getsignal(n) is not signal.SIG_IGN]
    for number in listened:
        signal.signal(number, signals.end_now)
    # What is imported stays: looking for garbage among it is a tenth of the time that it takes.
    gc.disable()
    own = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    if {"--help", "-h", "help"} & set(own) or len(sys.argv) == 1:
        # Only a page of help is worth the time that rich takes to load.
        from rich_click.patch import patch

        patch()
        from pgvouch.cli.panels import arrange

        arrange()
    from pgvouch.cli import output
    from pgvouch.cli.endings import error_of
    from pgvouch.cli.main import run
    from pgvouch.errors import SIGNALLED

    gc.freeze()
    gc.enable()
    output.prepare_streams()
    try:
        signals.listen(listened)
        code = run(sys.argv[1:], os.environ)
    except KeyboardInterrupt as exc:  # it came outside of the command
        code = error_of(exc, ())[1]
    for number in (*listened, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    output.finish(may_wait=code < SIGNALLED)
    sys.exit(code)


if __name__ == "__main__":
    main()
