"""Files as other migration tools name them. No I/O."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.files.version import ROLLBACK, Version, stem_of

MAY_HAVE_HALVES = re.compile(
    r"-[ \t]*(?:migrate:|\+goose|\+migrate|(?:up|down)[ \t]+migration|create above|tern:|rambler|"
    r"==|//[ \t]*@undo)",
    re.IGNORECASE,
)
"""Where this is not found, a file has no marks of another tool: few have, and what reads these is
imported for them alone."""
_CODE = re.compile(
    r"[0-9].*\.(?:go|rb|php|exs?|[cm]?[jt]s|cs|fs|java|kts?|scala|rs|pl|sh)\Z", re.IGNORECASE
)
"""What goose, Rails, Laravel, Ecto, Knex and their like run as migrations."""
_FLYWAY = re.compile(r"(?P<kind>[VUB])(?P<number>[0-9][0-9._]*)__(?P<name>.+)\.sql\Z")
_BACK = re.compile(r"(?P<stem>.+)(?P<mark>[._-])(?P<word>down|undo)\Z", re.IGNORECASE)
_BACK_ENDINGS = ("down.sql", "undo.sql")
_FORWARD = {"down": "up", "undo": "do"}
_OF_A_FOLDER = {"up.sql": "Diesel", "down.sql": "Diesel", "migration.sql": "Prisma"}


def is_code(name: str) -> bool:
    """Say whether a file is a migration in the language of another tool, by its name."""
    return _CODE.match(name) is not None


def other_name(name: str, folder: str) -> str | None:
    """Return what to do with a file that is named as another tool wants it."""
    if match := _FLYWAY.match(name):
        number = "_".join(part.zfill(3) for part in re.split(r"[._]", match["number"]) if part)
        stem = f"{number}_{match['name']}"
        if match["kind"] == "U":
            return f"it is Flyway's, and rolls a migration back: name it {stem}{ROLLBACK}"
        return f"it is Flyway's: name it {stem}.sql, with a number of its own"
    if name.startswith("post-apply"):
        return (
            "it is yoyo's hook, which yoyo runs after each apply and pgvouch does not: move it "
            "out of the folder, and run it yourself (psql -f); or make a migration of it"
        )
    if name.startswith("R__"):
        return "it is Flyway's, to be run at each change: make it a migration, with a number"
    if tool := _OF_A_FOLDER.get(name):
        ending = ROLLBACK if name == "down.sql" else ".sql"
        stem = folder if Version.of(folder) else f"NNN_{folder}"
        return f"it is {tool}'s: name it {stem}{ending}, and put it one folder up"
    return None


def ways_back(folder: Path, names: Collection[str]) -> Iterator[tuple[str, FileError | None]]:
    """Yield every file that is another tool's rollback, by its name.

    With it comes an error, or None for the `.down.sql` of an `.up.sql`, which is read as that.
    """
    for name in names:
        if not name.lower().endswith(_BACK_ENDINGS):
            continue
        match = _BACK.match(name.removesuffix(".sql"))
        if not match or not name.endswith(".sql"):
            continue
        stem, mark = match["stem"], match["mark"]
        forward = f"{stem}{mark}{_FORWARD[match['word'].lower()]}.sql"
        if forward in names and name == f"{stem_of(forward)}.down.sql":
            yield name, None
            continue
        if forward in names:
            wrong = (
                f"{forward} and {name} are the two halves of one migration, named as "
                "golang-migrate and others do it"
            )
            hint = f"name them {stem}.sql and {stem}{ROLLBACK}"
        elif mark == ".":
            wrong = f"{name} rolls a migration back, by its name, and would be run as one"
            hint = f"name it {stem}{ROLLBACK}"
        else:
            continue
        yield name, FileError(wrong, Place(folder / name), hint=hint)
