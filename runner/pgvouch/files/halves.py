"""Files of other tools that hold a migration and its rollback, by the marks in them. No I/O.

To PostgreSQL the marks between the halves are comments: run whole, such a file would make its
tables and drop them again, without an error. What a format says for sure is read as its tool reads
it; all else is refused. A half keeps its place: the lines of the other one are blank in it, so that
an error names the line of the file.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.files.other_tools import MAY_HAVE_HALVES
from pgvouch.files.version import BACK, ROLLBACK, stem_of
from pgvouch.sqltext.scan import is_blank, marks, skip_blank


@dataclass(frozen=True, slots=True)
class Half:
    """What a file holds for one direction."""

    sql: str
    """Without the marks; the lines of the other half, and those of the marks, are blank."""
    text: str
    """The same as a file of ours: with a header, in the line of a mark, where it needs one."""
    is_transactional: bool = True
    """False where the tool is told to run it without a transaction."""


@dataclass(frozen=True, slots=True)
class Halves:
    """A file of another tool, read as that tool reads it."""

    tool: str
    up: Half
    down: Half | None
    """None: it has no such half, or an empty one."""


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
    is_read: bool = True
    needs_both: bool = False
    """One of the marks alone is refused nowhere: it may be prose."""


def _line(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*{pattern}[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


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
        _line(r"--[ \t-]*up[ \t]+migration.*?"),
        _line(r"--[ \t-]*down[ \t]+migration.*?"),
        needs_both=True,
    ),
    _Format(
        "node-pg-migrate",
        _line(r"--[ \t-]*up[ \t]+migration[ \t-]*"),
        _line(r"--[ \t-]*down[ \t]+migration[ \t-]*"),
        is_read=False,
    ),
    _Format(
        "tern",
        None,
        # tern takes it wherever it stands, behind a statement too
        re.compile(r"----[ \t]*create above[ \t]*/[ \t]*drop below[ \t]*----.*", re.IGNORECASE),
        _line(r"----[ \t]*tern:[ \t]*disable-tx[ \t]*----"),
        refused=re.compile(r"\{\{.*"),
    ),
    _Format("Rambler", _line(r"--[ \t]*rambler[ \t]+up"), _line(r"--[ \t]*rambler[ \t]+down")),
    _Format(
        "shmig", _line(r"--[ \t]*==+[ \t]*up[ \t]*==+"), _line(r"--[ \t]*==+[ \t]*down[ \t]*==+")
    ),
    _Format("MyBatis Migrations", None, _line(r"--[ \t]*//[ \t]*@undo\b.*?")),
    _Format(
        "Play Evolutions",
        _line(r"#?[ \t]*--+[ \t]*!ups"),
        _line(r"(?:#[ \t]*)?--+[ \t]*!downs"),
        is_read=False,
    ),
    _Format(
        "another tool",
        _line(r"--+[ \t]*[@+!\[]?up\]?[ \t]*:?"),
        _line(r"--+[ \t]*[@+!\[]?down\]?[ \t]*:?"),
        is_read=False,
        needs_both=True,
    ),
)
# Ahead of the marks themselves, for a file may be large and there may be thousands of them: it
# begins with a character that can be searched for, and reads none twice.
_MAYBE_REFUSED = re.compile(
    r"^[ \t]*(?:#[ \t]*)?--[^\n]*?(?:down|undo|up|liquibase)|---[ \t]*create above",
    re.IGNORECASE | re.MULTILINE,
)
_LIQUIBASE = _line(r"--[ \t]*liquibase[ \t]+formatted[ \t]+sql\b.*?")


def halves_of(text: str, path: Path) -> Halves | None:
    """Return the halves of a file that is in the format of another tool; None where it is not.

    Args:
        text: of the file.
        path: for errors.

    Raises:
        FileError: the tool would refuse it, or it cannot be read without the tool.
    """
    if not MAY_HAVE_HALVES.search(text):
        return None
    comments = _comments(text)
    for form in _FORMATS:
        downs = _found(form.down, text, comments)
        ups = _found(form.up, text, comments)
        alone = _found(form.is_alone, text, comments)
        if form.is_read and (ups or (form.up is None and (downs or alone))):
            _refuse_unread(form, text, path)
            return _cut(form, text, path, ups, downs, alone)
    return None


def refuse_both_halves(text: str, path: Path) -> None:
    """Refuse a file that would go forward and back in one run, in a format that is not read.

    Args:
        text: a migration, or a rollback where the name of its file says so; or a half of a file.
        path: the file.

    Raises:
        FileError: with the tool's name and the line of its mark.
    """
    if not _MAYBE_REFUSED.search(text):
        return
    comments = _comments(text)
    if found := _found(_LIQUIBASE, text, comments):
        raise FileError(
            f"{path.name} is a file of Liquibase, whose changesets, conditions and rollbacks stand "
            "in comments that pgvouch does not read",
            _place(text, found[0].start(), path),
            hint="make a migration of each changeset: its SQL in NNN_name.sql, what its --rollback "
            f"lines say in NNN_name{ROLLBACK}",
        )
    is_rollback = path.name.endswith(BACK)
    for form in _FORMATS:
        ups, downs = _found(form.up, text, comments), _found(form.down, text, comments)
        wrong = ups if is_rollback else downs
        if is_rollback and form.up is None:
            wrong = [mark for mark in downs if not is_blank(text[: mark.start()])]
        if wrong and not (form.needs_both and not (ups and downs)):
            raise _both_halves(form, wrong[0], text, path)


def _both_halves(form: _Format, mark: re.Match[str], text: str, path: Path) -> FileError:
    stem = stem_of(path.name.removesuffix(ROLLBACK))
    return FileError(
        f"{path.name} holds both halves of a migration, in {form.tool}'s format: after the first "
        "half pgvouch would run the other one too",
        _place(text, mark.start(), path),
        statement=mark[0].strip(),
        hint=f"cut it in two at the marks: what goes forward is {stem}.sql, what goes back is "
        f"{stem}{ROLLBACK}",
    )


def _comments(text: str) -> set[int]:
    return {start for kind, start, _ in marks(text) if kind == "comment"}


def _found(pattern: re.Pattern[str] | None, text: str, comments: set[int]) -> list[re.Match[str]]:
    """Return the lines that are marks, and no part of a string or a body."""
    # Evolutions writes a # before the dashes, which PostgreSQL reads as an operator.
    found = pattern.finditer(text) if pattern else ()
    return [match for match in found if text.index("-", match.start()) in comments]


def _refuse_unread(form: _Format, text: str, path: Path) -> None:
    match = form.refused.search(text) if form.refused else None
    if match is None:
        return
    raise FileError(
        f"{form.tool} fills in a part of {path.name} when it runs it",
        _place(text, match.start(), path),
        statement=match[0].strip(),
        hint="write the value, or a psql variable that the header declares with `-- var:`",
    )


def _cut(
    form: _Format,
    text: str,
    path: Path,
    ups: list[re.Match[str]],
    downs: list[re.Match[str]],
    alone: list[re.Match[str]],
) -> Halves:
    for found, what in ((ups, "forward"), (downs, "back")):
        if len(found) > 1:
            raise FileError(
                f"{path.name} has two halves that go {what}, in {form.tool}'s format",
                _place(text, found[1].start(), path),
                hint="make a migration of each",
            )
    up, down = (next(iter(found), None) for found in (ups, downs))
    if form.up and not is_blank(text[: min(mark.start() for mark in (*ups, *downs))]):
        raise FileError(
            f"{path.name} holds statements ahead of its first half, in {form.tool}'s format",
            Place(path, text.count("\n", 0, skip_blank(text, 0)) + 1),
            hint="move them below the mark",
        )
    # The first half begins with the file: comments ahead of its mark belong to it.
    is_cut = bool(downs) and (bool(ups) or form.up is None)
    cut = max(mark.start() for mark in (*ups, *downs)) if is_cut else len(text)
    spans = (0, cut), (cut, len(text))
    forward, back = spans if down is None or up is None or up.start() < cut else spans[::-1]
    given = _Given(form, text, path, (*ups, *downs, *alone), alone)
    going_back = given.half(back, down) if down else None
    return Halves(
        form.tool,
        given.half(forward, up),
        going_back if going_back and going_back.sql.strip() else None,
    )


@dataclass(frozen=True, slots=True)
class _Given:
    """A file, and where its marks are."""

    form: _Format
    text: str
    path: Path
    marks: tuple[re.Match[str], ...]
    alone: list[re.Match[str]]

    def half(self, span: tuple[int, int], mark: re.Match[str] | None) -> Half:
        """Return what stands from one offset to another."""
        within = [m for m in self.alone if span[0] <= m.start() < span[1]]
        sql = self._without_marks(span, None)
        if not (within or (self.alone and self.form.holds_for_both)):
            return Half(sql, sql)
        header_at = mark.start() if mark else within[0].start()
        if not is_blank(self.text[span[0] : header_at]):
            raise FileError(
                f"{self.path.name} says behind its first statement that it runs without a "
                f"transaction, in {self.form.tool}'s format",
                _place(self.text, header_at, self.path),
                hint="move that line to the top of its half",
            )
        return Half(sql, self._without_marks(span, header_at), is_transactional=False)

    def _without_marks(self, span: tuple[int, int], header_at: int | None) -> str:
        at, end = span
        parts = ["\n" * self.text.count("\n", 0, at)]
        for start, behind in sorted({mark.span() for mark in self.marks}):
            if at <= start < end:
                parts.append(self.text[at:start])
                parts.append("-- transactional: false" if start == header_at else "")
                at = behind
        return "".join([*parts, self.text[at:end]])


def _place(text: str, offset: int, path: Path) -> Place:
    return Place(path, text.count("\n", 0, offset) + 1)
