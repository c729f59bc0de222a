"""What writes files: a new migration, the expansions of its stamps."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pgvouch.config.project import Project
from pgvouch.errors import UsageError
from pgvouch.files.migration import Migration
from pgvouch.files.version import ROLLBACK, stem_of

if TYPE_CHECKING:
    from pgvouch.stamp.verdict import Stamped

_DATE, _EPOCH = 8, 10
"""The digits of a date, and of the seconds since 1970."""
_YEARS = range(1990, 2101)


def new_migration(folder: Path, migrations: Sequence[Migration], name: str) -> list[Path]:
    """Write the three files of a new migration, under the next number or the time.

    Args:
        folder: where.
        migrations: those that are there already.
        name: words in letters, digits and underscores.

    Returns:
        The files.

    Raises:
        UsageError: a name that cannot be part of a file's name.
    """
    stem_name = "_".join(name.lower().replace("-", " ").replace("_", " ").split())
    if not stem_name.isidentifier():
        raise UsageError(f"{name!r} is not a name", hint="use letters, digits and underscores")
    own = [migration for migration in migrations if not migration.set_name]
    stem = f"{next_prefix(own, datetime.now(UTC))}_{stem_name}"
    files = {
        folder / f"{stem}.sql": f"-- {stem_name.replace('_', ' ').capitalize()}.\n\n",
        folder / f"{stem}{ROLLBACK}": f"-- Rolls {stem} back, newest statement first.\n\n",
        folder / "verify" / f"{stem}.sql": (f"-- What {stem} promises.\n\n-- check: \n"),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return list(files)


def next_prefix(migrations: Sequence[Migration], now: datetime) -> str:
    """Return the digits of the next migration: a number, or the time where the newest has one.

    Args:
        migrations: those that are there already.
        now: with its time zone.
    """
    if not migrations:
        return "000"
    newest = max(migrations, key=lambda migration: migration.version)
    digits = _digits(newest)
    stamp = _stamp(digits, now.astimezone(UTC))
    if stamp is None:
        width = max(len(_digits(migration)) for migration in migrations)
        return f"{newest.version.number + 1:0{width}}"
    if newest.version.part:  # yoyo counts the migrations of a day: 20251107_01_Xyz12-name
        is_today = newest.version.number >= int(stamp)
        return f"{digits}_{newest.version.part + 1:02}" if is_today else f"{stamp}_01"
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
        return now.strftime("%Y%m%d%H%M%S%f")[: len(digits)]
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
