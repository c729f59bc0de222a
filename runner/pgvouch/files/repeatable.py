"""Repeatable migrations: repeat/*.sql, run again behind the others whenever they have changed."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pgvouch.errors import FileError, Gathered, Place
from pgvouch.files.actors import Actors
from pgvouch.files.directives import Directives, parse_directives
from pgvouch.files.folder import read_text
from pgvouch.files.migration import Migration, checksum
from pgvouch.files.strays import is_ignored, orphans
from pgvouch.files.version import ROLLBACK, Version

FOLDER = "repeat"
PREFIX = f"{FOLDER}/"
"""Begins the identifier of each."""


def read_repeatables(folder: Path, actors: Actors) -> tuple[Migration, ...]:
    """Read the repeatable migrations of a folder, in the order in which they are run.

    Args:
        folder: of the migrations of a database.
        actors: who may act in their checks.

    Returns:
        Each behind what it depends on, by name otherwise.

    Raises:
        FileError: a file that cannot be one, a dependency that is not there, or a circle.
    """
    inside = folder / FOLDER
    if not inside.is_dir():
        return ()
    gathered = Gathered()
    names = sorted(p.name for p in inside.iterdir() if not is_ignored(p.name) and p.is_file())
    verify = inside / "verify"
    checks = sorted(p.name for p in verify.iterdir()) if verify.is_dir() else []
    sources = [n for n in names if n.endswith(".sql") and not n.endswith(ROLLBACK)]
    stems = {name.removesuffix(".sql"): name for name in sources}
    gathered.errors += orphans(inside, names, checks, stems)
    gathered.errors += [
        FileError(f"{name} is no SQL file", Place(inside / name), hint="move it elsewhere")
        for name in names
        if not name.endswith(".sql")
    ]
    gathered.errors += [
        FileError(
            f"{name} is a delta, and what a repeatable migration does depends on what it was",
            Place(verify / name),
            hint="remove it: what each run did is taken and recorded, not promised",
        )
        for name in checks
        if name.endswith(".delta")
    ]
    beside = frozenset([*names, *(f"verify/{name}" for name in checks)])
    found = {}
    for stem in stems:
        with gathered.gather():
            found[stem] = _read(inside, stem, beside, actors)
    gathered.refuse()
    return _in_order(found)


def _read(folder: Path, stem: str, beside: frozenset[str], actors: Actors) -> Migration:
    path = folder / f"{stem}.sql"
    text = read_text(path)
    directives = parse_directives(text, path)
    _refuse_directives(directives, Place(path))

    return Migration(
        id=f"{PREFIX}{stem}",
        version=Version(0),
        folder=folder,
        name=path.name,
        sql=text,
        checksum=checksum(text),
        directives=directives,
        beside=beside,
        actors=actors,
    )


def _refuse_directives(given: Directives, place: Place) -> None:
    """Refuse what cannot be asked for here.

    Raises:
        FileError: naming it.
    """
    for word, is_asked in {
        "transactional": not given.transactional,
        "unless": given.unless is not None,
        "squashes": bool(given.squashes),
        "irreversible": given.irreversible is not None,
    }.items():
        if is_asked:
            raise FileError(
                f"`-- {word}:` has no meaning in a repeatable migration",
                place,
                hint="remove it; what is done once is a migration with a number",
            )


def _in_order(found: Mapping[str, Migration]) -> tuple[Migration, ...]:
    done: dict[str, Migration] = {}

    def add(stem: str, behind: tuple[str, ...]) -> None:
        migration = found[stem]
        if stem in behind:
            circle = ", ".join((*behind[behind.index(stem) :], stem))
            raise FileError(
                f"repeatable migrations depend on each other in a circle: {circle}",
                Place(migration.path),
                hint="take a name that makes the circle out of a `-- depends:` line",
            )
        if stem in done:
            return
        names = [name.removeprefix(PREFIX) for name in migration.directives.depends]
        for name in names:
            if name not in found:
                raise FileError(
                    f"{migration.id} depends on {name}, which is not in {PREFIX}",
                    Place(migration.path),
                    hint="what has a number is there already; name what is repeatable",
                )
            add(name, (*behind, stem))
        depends = tuple(f"{PREFIX}{name}" for name in names)
        done[stem] = replace(migration, directives=replace(migration.directives, depends=depends))

    for stem in sorted(found):
        add(stem, ())
    return tuple(done.values())
