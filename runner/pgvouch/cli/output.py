"""Everything printed goes through here: what others wrote cannot control the terminal.

Values found by checks, messages of the server, names of databases, roles and files may hold
anything. Whatever is printed is given here as plain pieces, and each piece has its control
characters made visible; colour is added afterwards, so that no piece can bring its own.
"""

import codecs
import errno
import json
import os
import re
import select
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any, TextIO

from pgvouch.errors import VouchError

_SIMPLE = {
    "✓": "*", "·": ".", "○": "o", "≠": "!", "»": ">", "↩": "<", "✗": "x", "…": "...",
    "“": '"', "”": '"', "’": "'", "–": "-", "—": "-", "→": "->", "─": "-", "━": "=",
    "«": "<",
    **dict(zip("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\|/-\\|/", strict=True)),
}  # fmt: skip
"""For terminals that know nothing but ASCII."""
_MODES: set[str] = set()
"""What `begin` was told."""
_WORKFLOW_COMMAND = re.compile(r"^\s*:(?=:)|##(?=\[)", re.MULTILINE)
_USUAL_WIDTH = 80
_GONE = {errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN}
_CLEARED = "\r\x1b[K"
_LIVE: list[str] = []
"""The line at the bottom of the terminal that is redrawn, while there is one."""
_WAITING: list[str] = []
"""What stderr has had no room for."""
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
    dim: bool = False


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
    _write(_styled(pieces), err=err)


def _styled(pieces: Iterable[str | Styled]) -> str:
    import click

    return "".join(
        click.style(
            visible(piece.text), fg=piece.colour, bold=piece.bold or None, dim=piece.dim or None
        )
        if isinstance(piece, Styled)
        else visible(piece)
        for piece in pieces
    )


def redraws() -> bool:
    """Say whether a line of stderr can be drawn over: a terminal that knows how, and no log."""
    environment = os.environ
    return (
        sys.stderr.isatty()
        and environment.get("TERM", "dumb") != "dumb"
        and environment.get("CI", "").lower() in {"", "0", "false"}
    )


def width_of(stream: TextIO) -> int | None:
    """Return how many places a line has, as it is now; None where the stream is no terminal."""
    if not stream.isatty():
        return None
    try:
        there = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        there = 0
    said = os.environ.get("COLUMNS", "")
    return (int(said) if said.isdecimal() else 0) or there or _USUAL_WIDTH


def as_shown(text: str, stream: TextIO) -> str:
    """Return a text as it will stand there, control characters and the encoding considered."""
    shown = visible(text)
    if shown.isascii() or _takes_unicode(stream):
        return shown
    encoding = stream.encoding or "ascii"
    return shown.encode(encoding, "pgvouch").decode(encoding)


def simple(text: str) -> str:
    """Return a text as a terminal shows it that knows only ASCII, if it is one of our signs."""
    return "".join(_SIMPLE.get(character, character) for character in text)


def draw(*pieces: str | Styled, now: bool = True) -> None:
    """Set the line at the bottom of the terminal, which stays below whatever stderr gets.

    It goes away when something is printed to stdout, or with `undraw`. The caller has asked
    `redraws()`, and keeps to the width.

    Args:
        pieces: of the line.
        now: False where something is printed in a moment, and the line with it.
    """
    from pgvouch.cli import signals

    _LIVE[:] = [_coloured(_styled(pieces), sys.stderr)]
    signals.line_end = _CLEARED
    if now and _has_room():
        _put(f"{_CLEARED}{_LIVE[0]}")


def undraw() -> None:
    """Take the line at the bottom away, if there is one."""
    from pgvouch.cli import signals

    if _LIVE:
        _LIVE.clear()
        _put(_CLEARED)
        signals.line_end = ""


def _has_room() -> bool:
    """Say whether stderr takes what is written now: a terminal that Ctrl-S has stopped does not."""
    try:
        return bool(select.select([], [sys.stderr], [], 0)[1])
    except (OSError, ValueError):  # no file, or no longer one
        return True


def _put(text: str) -> None:
    """Write to stderr; where it takes nothing, later: a migration holds its locks meanwhile."""
    _WAITING.append(text)
    if _has_room():
        put_all()


def put_all() -> None:
    """Write what stderr had no room for, however long that takes."""
    text = "".join(_WAITING)
    _WAITING.clear()
    if text and 2 not in _BROKEN:
        with written_to(2):
            sys.stderr.write(text)
            sys.stderr.flush()


def _coloured(text: str, stream: TextIO) -> str:
    """Return a text as it is for a terminal, and without colours elsewhere or where none are."""
    import click

    is_plain = os.environ.get("NO_COLOR") or not stream.isatty()
    return click.unstyle(text) if is_plain else text


def say_command(text: str) -> None:
    """Print a workflow command of GitHub Actions, which no text of another may pass for."""
    _write(text, err=True, is_ours=True)


def say_json_line(document: Mapping[str, Any]) -> None:
    """Print a JSON document to stderr, on one line."""
    _write(_json(document, sys.stderr, indent=None), err=True)


def say_text(text: str, *, err: bool = False) -> None:
    """Print several lines that belong together, such as SQL, with their tabs."""
    lines = text.replace("\r\n", "\n").split("\n")
    _write("\n".join(visible(line, keep="\t") for line in lines), err=err)


def say_drawn(text: str) -> None:
    """Print what was laid out and coloured elsewhere, of pieces that went through visible()."""
    _write(text, err=False)


def say_json(document: Mapping[str, Any], *, indent: int | None = 2) -> None:
    """Print a JSON document; what a terminal would act on is escaped in it.

    Args:
        document: anything that JSON knows.
        indent: None prints it on one line.
    """
    _write(_json(document, sys.stdout, indent=indent), err=False, is_ours=True)


def _json(document: Mapping[str, Any], stream: TextIO, indent: int | None) -> str:
    text = json.dumps(document, indent=indent, ensure_ascii=not _takes_unicode(stream))
    if _is_guarded():
        text = text.replace("##[", "##\\u005b")  # the same text, and no command
    return "".join(c if c.isprintable() or c == "\n" else _in_json(c) for c in text)


def _in_json(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) >= 0x80 else f"\\u{ord(character):04x}"


def _takes_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "ascii").lower().replace("-", "") in {"utf8", "utf16", "utf32"}


def begin(*, guarded: bool = False, data_alone: bool = False) -> None:
    """Begin anew: what could not be written in a run before this one is forgotten.

    Args:
        guarded: no line may pass for a workflow command of GitHub Actions, even elsewhere.
        data_alone: stdout is for a JSON document alone; what people read goes to stderr.
    """
    _BROKEN.clear()
    _WAITING.clear()
    _MODES.clear()
    _MODES.update({"guarded"} if guarded else (), {"data alone"} if data_alone else ())


def _is_guarded() -> bool:
    return "guarded" in _MODES or os.environ.get("GITHUB_ACTIONS") == "true"


def _disarmed(text: str, stream: TextIO) -> str:
    """Return a text of which the runner of GitHub Actions takes no line for a command.

    It takes one for that which begins with two colons, behind blanks too, and what begins with
    `##[` anywhere; it reads stdout and stderr, and no file.
    """
    if not _is_guarded() or (":" not in text and "##[" not in text):
        return text
    try:
        is_file = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        is_file = False
    return text if is_file else _WORKFLOW_COMMAND.sub(r"\g<0> ", text)


@contextmanager
def written_to(number: int) -> Iterator[None]:
    """Let what writes to stdout (1) or stderr (2) go on without an error.

    A reader who is gone has seen enough, and stderr stops no work. Any other failure of stdout is
    reported at the end, by finish().
    """
    try:
        yield
    except OSError as exc:
        _give_up(number, exc)
    except ValueError as exc:  # it was closed
        _give_up(number, OSError(errno.EPIPE, str(exc)))


def _give_up(number: int, why: OSError) -> None:
    """Have nothing written any more: what is left in the stream goes nowhere.

    It would be tried again as a process is started, and as the interpreter exits.
    """
    _BROKEN.setdefault(number, why)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _write(text: str, *, err: bool, is_ours: bool = False) -> None:
    err = err or ("data alone" in _MODES and not is_ours)
    stream = sys.stderr if err else sys.stdout
    # A line may be a command only without its colours, so those are taken away first.
    text = _coloured(text, stream)
    text = text if is_ours else _disarmed(text, stream)
    if err:
        # In one go, so that nothing flickers.
        ahead, behind = (_CLEARED, _LIVE[0]) if _LIVE else ("", "")
        _put(f"{ahead}{text}\n{behind}")
        return
    undraw()
    put_all()
    if 1 not in _BROKEN:
        with written_to(1):
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()


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


def finish(*, may_wait: bool = True) -> OutputError | None:
    """Write what is left, and return the error where stdout could not be written.

    Args:
        may_wait: False where a signal has asked for the end: a stopped terminal does not delay it.
    """
    undraw()
    if may_wait or _has_room():
        put_all()
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        with written_to(number):
            stream.flush()
    failed = _BROKEN.get(1)
    if failed is None or failed.errno in _GONE:
        return None
    return OutputError(
        f"the output cannot be written: {failed.strerror}",
        hint="what the command did to a database is done: pgvouch status shows it",
    )
