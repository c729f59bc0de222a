"""Everything printed goes through here: what others wrote cannot control the terminal.

Values found by checks, messages of the server, names of databases, roles and files may hold
anything. Whatever is printed is given here as plain pieces, and each piece has its control
characters made visible; colour is added afterwards, so that no piece can bring its own.
"""

import codecs
import errno
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any, TextIO

from pgvouch.errors import VouchError

_SIMPLE = {
    "✓": "*", "·": ".", "○": "o", "≠": "!", "»": ">", "↩": "<", "✗": "x", "…": "...",
    "“": '"', "”": '"', "’": "'", "–": "-", "—": "-", "→": "->", "─": "-", "━": "-",
}  # fmt: skip
"""For terminals that know nothing but ASCII."""
_GONE = {errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN}
_TO_END = "\x1b[K"
_TICKING: list[bool] = []
"""Not empty while there is a line on the terminal that goes away again."""
_BROKEN: dict[int, OSError] = {}
"""The file descriptors that can no longer be written to, and why."""


class OutputError(VouchError):
    """The results cannot be written: a full disk, for example."""

    kind = "output"


@dataclass(frozen=True, slots=True)
class Styled:
    """A piece of a line with a colour."""

    text: str
    colour: str | None = None
    bold: bool = False


Line = str | tuple[str | Styled, ...]


def visible(text: str, *, keep: str = "") -> str:
    """Return a text with every unprintable character spelled out.

    Args:
        text: anything at all.
        keep: characters that pass as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    number = ord(character)
    if short or number < 0x100:
        return short or f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def say(*pieces: str | Styled, err: bool = False) -> None:
    """Print one line.

    Args:
        pieces: printed one behind the other.
        err: to stderr, where a reader who is gone stops nothing.
    """
    import click

    line = "".join(
        click.style(visible(piece.text), fg=piece.colour, bold=piece.bold or None)
        if isinstance(piece, Styled)
        else visible(piece)
        for piece in pieces
    )
    _write(line, err=err)


def tick(text: str) -> None:
    """Show a line on a terminal until the next one is printed; elsewhere nothing."""
    if not sys.stderr.isatty() or 2 in _BROKEN:
        return
    _TICKING.append(True)
    with written_to(2):
        sys.stderr.write(f"\r  … {visible(text)}{_TO_END}")
        sys.stderr.flush()


def _end_tick() -> None:
    if _TICKING:
        _TICKING.clear()
        with written_to(2):
            sys.stderr.write(f"\r{_TO_END}")
            sys.stderr.flush()


def say_text(text: str, *, err: bool = False) -> None:
    """Print several lines that belong together, such as SQL, with their tabs."""
    lines = text.replace("\r\n", "\n").split("\n")
    _write("\n".join(visible(line, keep="\t") for line in lines), err=err)


def say_drawn(text: str) -> None:
    """Print what was laid out and coloured elsewhere, of pieces that went through visible()."""
    _write(text, err=False)


def say_json(document: Mapping[str, Any]) -> None:
    """Print a JSON document; what a terminal would act on is escaped in it."""
    text = json.dumps(document, indent=2, ensure_ascii=not _takes_unicode(sys.stdout))
    _write("".join(c if c.isprintable() or c == "\n" else _in_json(c) for c in text), err=False)


def _in_json(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) >= 0x80 else f"\\u{ord(character):04x}"


def _takes_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "ascii").lower().replace("-", "") in {"utf8", "utf16", "utf32"}


def begin() -> None:
    """Forget what could not be written in a run before this one."""
    _BROKEN.clear()


@contextmanager
def written_to(number: int) -> Iterator[None]:
    """Let what writes to stdout (1) or stderr (2) go on without an error.

    A reader who is gone has seen enough, and stderr stops no work. Any other failure of stdout is
    reported at the end, by finish().
    """
    try:
        yield
    except OSError as exc:
        _BROKEN.setdefault(number, exc)
    except ValueError as exc:  # it was closed
        _BROKEN.setdefault(number, OSError(errno.EPIPE, str(exc)))


def _write(text: str, *, err: bool) -> None:
    import click

    _end_tick()
    number = 2 if err else 1
    if number not in _BROKEN:
        with written_to(number):
            # Left to choose, click writes UTF-8 to a terminal that says it knows only ASCII.
            stream = sys.stderr if err else sys.stdout
            click.echo(text, stream, color=False if os.environ.get("NO_COLOR") else None)


def kept_for_data() -> AbstractContextManager[object]:
    """Keep stdout for data while migrations run: what a Python step prints goes to stderr."""
    return redirect_stdout(sys.stderr)


def prepare_streams() -> None:
    """Let no character be an error, whatever encoding the terminal has."""

    def simple(exc: UnicodeError) -> tuple[str | bytes, int]:
        assert isinstance(exc, UnicodeEncodeError)
        found = exc.object[exc.start : exc.end]
        return "".join(_SIMPLE.get(c) or _spelled(c) for c in found), exc.end

    codecs.register_error("pgvouch", simple)
    # A connection that took the number of a closed stream would be written to.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="pgvouch")


def finish() -> OutputError | None:
    """Write what is left, and return the error where stdout could not be written.

    The interpreter would try once more as it exits, and report that in its own way: what cannot be
    written goes nowhere.
    """
    _end_tick()
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        with written_to(number):
            stream.flush()
    for number in _BROKEN:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
    failed = _BROKEN.get(1)
    if failed is None or failed.errno in _GONE:
        return None
    return OutputError(
        f"the output cannot be written: {failed.strerror}",
        hint="what the command did to a database is done: pgvouch status shows it",
    )
