"""What writes files: a new migration, the expansions of its stamps."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pgvouch.config.project import Project
from pgvouch.errors import UsageError
from pgvouch.files.migration import Migration
from pgvouch.files.refusals import FILL_IN
from pgvouch.files.version import ROLLBACK, stem_of
from pgvouch.operations.starter import write_new

if TYPE_CHECKING:
    from pgvouch.stamp.templates import Templates
    from pgvouch.stamp.verdict import Stamped

_DATE, _EPOCH = 8, 10
"""The digits of a date, and of the seconds since 1970."""
_YEARS = range(1990, 2101)
_TIMESTAMP = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new migration is to hold."""

    name: str
    """Words in letters, digits and underscores."""
    sql: str | None = None
    """Its statements."""
    stamps: tuple[str, ...] = ()
    """Calls of templates, as behind `-- stamp:`."""
    timestamp: bool = False
    """Whether it is numbered by the time, whatever the folder has."""


def new_migration(
    project: Project, folder: Path, migrations: Sequence[Migration], wanted: Wanted
) -> list[Path]:
    """Write the three files of a new migration, under the next number or the time.

    What is not known yet is a line `-- fill in: …`, with which no file is run.

    Args:
        project: with the templates.
        folder: where.
        migrations: those that are there already.
        wanted: what they are to hold.

    Returns:
        The files.

    Raises:
        UsageError: a name that cannot be part of a file's name, or text that is not UTF-8.
        StampError: a stamp that cannot be expanded.
        OSError: a file cannot be written. Whatever is raised, no file is left.
    """
    words = wanted.name.lower().replace("-", " ").replace("_", " ").split()
    if not "_".join(words).isidentifier():
        raise UsageError(
            f"{wanted.name!r} is not a name", hint="use letters, digits and underscores"
        )
    from pgvouch.stamp.templates import Templates

    own = [migration for migration in migrations if not migration.set_name]
    prefix = next_prefix(own, datetime.now(UTC), timestamp=wanted.timestamp)
    stem = f"{prefix}_{'_'.join(words)}"
    templates = Templates(project.templates)
    files = _texts(stem, wanted, templates)
    paths = [folder / name for name in files]
    try:
        texts = [text.encode() for text in files.values()]
    except UnicodeEncodeError:
        raise UsageError("the statements, or a stamp, are not UTF-8") from None
    write_new(dict(zip(paths, texts, strict=True)))
    try:
        if wanted.stamps:
            _stamp_new(paths, templates)
    except BaseException:
        for path in paths:
            path.unlink()
        raise
    return paths


_SQL_TO_WRITE = "the statements, as psql would run them"
_ROLLBACK_TO_WRITE = "what takes it back, newest statement first"
_CHECKS_TO_WRITE = (
    "`-- check: a sentence that holds afterwards`, and a query below it that shows it"
)


def _texts(stem: str, wanted: Wanted, templates: "Templates") -> dict[str, str]:
    """Return what is to be written into each file, by its name in the folder."""
    _, _, title = stem.partition("_")
    sql = wanted.sql.strip() if wanted.sql else ""
    if sql and not sql.endswith(";"):
        sql += ";"
    lines = {call: f"-- stamp: {call.strip()}\n" for call in wanted.stamps}
    # A family that has only checks belongs into the verify file alone.
    stamps = [line for call, line in lines.items() if _has_sql(call, templates)]
    todo = {"": "", ROLLBACK: "", "verify": ""}
    if sql or not stamps:
        todo = {"": "", ROLLBACK: _ROLLBACK_TO_WRITE, "verify": _CHECKS_TO_WRITE}
    if not (sql or stamps):
        todo[""] = _SQL_TO_WRITE
    if sql and stamps:
        todo[ROLLBACK] = "below the stamps, what takes the other statements back"

    def text(about: str, key: str, *pieces: str) -> str:
        asked = f"{FILL_IN}{todo[key]}".rstrip() + "\n" if todo[key] else ""
        return "\n".join((f"-- {about}\n{asked}", *pieces))

    return {
        f"{stem}.sql": text(
            f"{title.replace('_', ' ').capitalize()}.", "", *([f"{sql}\n"] if sql else ()), *stamps
        ),
        f"{stem}{ROLLBACK}": text(f"Takes {stem} back.", ROLLBACK, *reversed(stamps)),
        f"verify/{stem}.sql": text(f"What {stem} promises.", "verify", *lines.values()),
    }


def _has_sql(call: str, templates: "Templates") -> bool:
    from pgvouch.stamp.templates import Target

    name = call.partition("(")[0].strip()
    return templates.family(name).main is Target.MIGRATION


def _stamp_new(paths: Sequence[Path], templates: "Templates") -> None:
    from pgvouch.stamp.rewrite import stamp_files

    refused = [found.error for found in stamp_files(paths, templates)]
    if error := next(filter(None, refused), None):
        raise error


def next_prefix(migrations: Sequence[Migration], now: datetime, *, timestamp: bool = False) -> str:
    """Return the digits of the next migration: a number, or the time where the newest has one.

    Args:
        migrations: those that are there already.
        now: with its time zone.
        timestamp: the time in any case.
    """
    now = now.astimezone(UTC)
    full = now.strftime(_TIMESTAMP)
    if not migrations:
        return full if timestamp else "001"
    newest = max(migrations, key=lambda migration: migration.version)
    digits = _digits(newest)
    stamp = _stamp(digits, now)
    if timestamp and (stamp is None or len(digits) == _DATE):
        return full
    if stamp is None:
        width = max(len(_digits(migration)) for migration in migrations)
        return f"{newest.version.number + 1:0{width}}"
    if newest.version.part:  # yoyo counts the migrations of a day: 20251107_01_Xyz12-name
        day = max(int(stamp), newest.version.number)
        earlier = newest.version.part if newest.version.number == day else 0
        return f"{day}_{max(int(now.strftime('%H%M%S')), earlier + 1):06}"
    if len(digits) == _DATE and newest.version.number >= int(stamp):
        # The second of a day: longer, so behind all that are named by the day.
        stamp = full
    # Two people who write one at a time differ in the second; it has to be the newest all the same.
    return f"{max(int(stamp), newest.version.number + 1):0{len(digits)}}"


def _digits(migration: Migration) -> str:
    name = migration.path.name
    return name[: len(name) - len(name.lstrip("0123456789"))]


def _stamp(digits: str, now: datetime) -> str | None:
    """Return the time in as many digits and in the form of an earlier one, None for a number."""
    try:
        is_date = datetime.strptime(digits[:_DATE], "%Y%m%d").year in _YEARS
    except ValueError:
        is_date = False
    if is_date and len(digits) in range(_DATE, len("20251107120000123456") + 1):
        return now.strftime(f"{_TIMESTAMP}%f")[: len(digits)]
    if len(digits) in {_EPOCH, _EPOCH + 3} and digits[0] in "12":  # seconds, milliseconds
        return str(int(now.timestamp() * 10 ** (len(digits) - _EPOCH)))
    return None


def stamp_folder(
    project: Project,
    name: str,
    applied: Callable[[], Collection[str]] | None,
    *,
    check: bool,
    force: bool,
) -> "list[Stamped]":
    """Bring the expansions in a folder of migrations up to date.

    Args:
        project: with the templates.
        name: the folder: of a database, or of a platform set.
        applied: asks a ledger, where a stamp is stale, for what is never stamped again.
        check: write nothing.
        force: overwrite expansions that were edited by hand.

    Returns:
        What became of each stamp.

    Raises:
        StampError: a stamp or a template is wrong; nothing has been written then.
    """
    from pgvouch.stamp.rewrite import stamp_files
    from pgvouch.stamp.templates import Templates

    known = cache(applied or tuple)

    def is_applied(path: Path) -> bool:
        return stem_of(path.name.removesuffix(ROLLBACK).removesuffix(".down.sql")) in known()

    folder = project.migrations / name
    return stamp_files(
        sorted([*folder.glob("*.sql"), *folder.glob("verify/*.sql")]),
        Templates(project.templates),
        check=check,
        force=force,
        applied=is_applied if applied else None,
    )
