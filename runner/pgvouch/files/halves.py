"""Files of other tools that hold a migration and its rollback, read as these two. No I/O.

To PostgreSQL the marks between the halves are comments. A half keeps its place: the lines of the
other one are blank in it, so that an error names the line of the file.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.sqltext.scan import is_blank, marks


@dataclass(frozen=True, slots=True)
class Halves:
    """A file of another tool, read as that tool reads it."""

    tool: str
    up: str
    down: str | None
    """None: it has no such half."""
    is_transactional: bool = True
    is_down_transactional: bool = True


@dataclass(frozen=True, slots=True)
class _Format:
    """How a tool marks the halves of a file; each pattern fits a whole comment line."""

    tool: str
    up: re.Pattern[str] | None
    """None: what stands ahead of the other mark goes forward."""
    down: re.Pattern[str]
    is_alone: re.Pattern[str] | None = None
    """Fits the line that has a half run without a transaction."""
    holds_for_both: bool = False
    """Whether that line counts for both halves, wherever it stands."""
    refused: re.Pattern[str] | None = None
    """What cannot be read without the tool."""


def _line(pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*{pattern}[ \t]*\r?$", flags | re.MULTILINE)


_FORMATS = (
    _Format(
        "dbmate",
        _line(r"--[ \t]*migrate:up\b.*?"),
        _line(r"--[ \t]*migrate:down\b.*?"),
        _line(r"--[ \t]*migrate:(?:up|down)\b.*?\btransaction:false\b.*?"),
    ),
    _Format(
        "goose",
        _line(r"--[ \t]*\+goose[ \t]+up"),
        _line(r"--[ \t]*\+goose[ \t]+down"),
        _line(r"--[ \t]*\+goose[ \t]+no[ \t]+transaction"),
        holds_for_both=True,
        refused=_line(r"--[ \t]*\+goose[ \t]+envsub[ \t]+on"),
    ),
    _Format(
        "sql-migrate",
        _line(r"--[ \t]*\+migrate[ \t]+up\b.*?"),
        _line(r"--[ \t]*\+migrate[ \t]+down\b.*?"),
        _line(r"--[ \t]*\+migrate[ \t]+(?:up|down)\b.*?\bnotransaction\b.*?"),
    ),
    _Format(
        "node-pg-migrate",
        _line(r"--[ \t-]*up[ \t]+migration[ \t-]*"),
        _line(r"--[ \t-]*down[ \t]+migration[ \t-]*"),
    ),
    _Format(
        "tern",
        None,
        _line(r"----[ \t]*create above[ \t]*/[ \t]*drop below[ \t]*----"),
        _line(r"----[ \t]*tern:[ \t]*disable-tx[ \t]*----"),
        refused=re.compile(r"\{\{"),
    ),
    _Format("Rambler", _line(r"--[ \t]*rambler[ \t]+up"), _line(r"--[ \t]*rambler[ \t]+down")),
    _Format(
        "shmig",
        _line(r"--[ \t]*==+[ \t]*up[ \t]*==+"),
        _line(r"--[ \t]*==+[ \t]*down[ \t]*==+"),
    ),
    _Format("MyBatis Migrations", None, _line(r"--[ \t]*//[ \t]*@undo\b.*?")),
)
# A file may be large: one look instead of twenty.
_MAYBE = re.compile(
    r"^[ \t]*--[^\n]*?(?:migrate:|\+goose|\+migrate|migration|drop below|rambler|==|@undo)",
    re.IGNORECASE | re.MULTILINE,
)


def halves_of(text: str, path: Path) -> Halves | None:
    """Return the halves of a file that is in the format of another tool; None where it is not.

    Args:
        text: of the file.
        path: for errors.

    Raises:
        FileError: the tool would refuse it, or it cannot be read without the tool.
    """
    if not _MAYBE.search(text):
        return None
    comments = {start for kind, start, _ in marks(text) if kind == "comment"}
    for form in _FORMATS:
        downs = _found(form.down, text, comments)
        ups = _found(form.up, text, comments) if form.up else []
        if ups or (downs and form.up is None):
            return _cut(form, text, path, ups, downs)
    return None


def _found(pattern: re.Pattern[str], text: str, comments: set[int]) -> list[re.Match[str]]:
    """Return the lines that are marks, and no part of a string or a body."""
    return [m for m in pattern.finditer(text) if text.index("-", m.start()) in comments]


def _cut(
    form: _Format, text: str, path: Path, ups: list[re.Match[str]], downs: list[re.Match[str]]
) -> Halves:
    for found, what in ((ups, "forward"), (downs, "back")):
        if len(found) > 1:
            raise FileError(
                f"{path.name} has two halves that go {what}, in {form.tool}'s format",
                _place(text, found[1].start(), path),
                hint="make a migration of each",
            )
    if form.refused and (match := form.refused.search(text)):
        raise FileError(
            f"{form.tool} fills in a part of {path.name} when it runs it",
            _place(text, match.start(), path),
            statement=match[0].strip(),
            hint="write the value, or a psql variable that the header declares with `-- var:`",
        )
    up, down = ups[0] if ups else None, downs[0] if downs else None
    if up is not None and not is_blank(text[: min(m.start() for m in (up, down or up))]):
        raise FileError(
            f"{path.name} holds statements ahead of its first half, in {form.tool}'s format",
            Place(path, 1),
            hint="move them below the mark",
        )
    halves = _spans(text, up, down)
    alone = [m.start() for m in form.is_alone.finditer(text)] if form.is_alone else []

    def is_transactional(span: tuple[int, int] | None) -> bool:
        if span is None or not alone:
            return True
        return not (form.holds_for_both or any(span[0] <= at < span[1] for at in alone))

    forward, back = halves
    return Halves(
        form.tool,
        _kept(text, forward, up),
        None if back is None else _kept(text, back, down),
        is_transactional(forward),
        is_transactional(back),
    )


def _spans(
    text: str, up: re.Match[str] | None, down: re.Match[str] | None
) -> tuple[tuple[int, int], tuple[int, int] | None]:
    """Return from where to where each half goes, its mark included."""
    first, end = (up.start() if up else 0), len(text)
    if down is None:
        return (first, end), None
    if down.start() > first:
        return (first, down.start()), (down.start(), end)
    return (first, end), (down.start(), first)


def _kept(text: str, span: tuple[int, int], mark: re.Match[str] | None) -> str:
    """Return a half in its place: what is ahead of it, and its mark, are blank lines."""
    start = mark.end() if mark else span[0]
    return "\n" * text.count("\n", 0, start) + text[start : span[1]].lstrip("\r")


def _place(text: str, offset: int, path: Path) -> Place:
    return Place(path, text.count("\n", 0, offset) + 1)
