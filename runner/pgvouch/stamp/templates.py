"""Where templates are, and what each takes. The only reader of template folders.

A family is NAME.sql.j2 with NAME.rollback.sql.j2 and NAME.verify.sql.j2 beside it, all three from
the folder that has the first: a project's own policies are never checked by the stock checks. One
that only checks is NAME.verify.sql.j2 alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from importlib import resources
from pathlib import Path
from typing import Any

from pgvouch.errors import Place, StampError
from pgvouch.stamp.arguments import near_miss
from pgvouch.stamp.declaration import Declaration, parse_declaration

SUFFIX = ".sql.j2"


class Target(Enum):
    """A file of a migration that is stamped into; the values end the names of its templates."""

    MIGRATION = SUFFIX
    ROLLBACK = f".rollback{SUFFIX}"
    VERIFY = f".verify{SUFFIX}"


@dataclass(frozen=True, slots=True)
class Family:
    """A template with its rollback and its checks."""

    name: str
    origin: str
    """`project` or `stock`."""
    folder: Path
    declaration: Declaration
    import_folders: tuple[Path, ...]
    """Where its `import` looks, in order: its own folder, then the stock set."""
    environments: dict[tuple[Path, ...], Any] = field(compare=False, repr=False)
    """The Jinja environments of one run, by import folders: each file is compiled once."""

    main: Target = Target.MIGRATION
    """The file that declares its arguments; the verify file where it has only checks."""

    def path(self, target: Target) -> Path:
        """Return the template for a target, whether it is there or not."""
        return self.folder / f"{self.name}{target.value}"


class Templates:
    """The folders templates are looked for in, the project's own first."""

    def __init__(self, project: Path | None = None, *, stock: Path | None = None) -> None:
        """Name the folders.

        Args:
            project: the project's `templates/`; it need not exist.
            stock: the set that comes with pgvouch, unless another is given.
        """
        self._stock = stock or stock_folder()
        same = project is not None and project.resolve() == self._stock.resolve()
        self._project = None if project is None or same else project
        self._families: dict[str, Family] = {}
        self._environments: dict[tuple[Path, ...], Any] = {}

    def names(self) -> list[str]:
        """Return the names of all families, sorted."""
        return sorted({name for _, folder in self._folders() for name in _families(folder)})

    def family(self, name: str, place: Place | None = None) -> Family:
        """Find a template.

        Args:
            name: of the family.
            place: of the stamp, for the error.

        Raises:
            StampError: there is none of this name (with near misses), or its declaration is wrong.
        """
        if name not in self._families:
            self._families[name] = self._load(name, place)
        return self._families[name]

    def _load(self, name: str, place: Place | None) -> Family:
        for origin, folder in self._folders():
            if (main := _families(folder).get(name)) is not None:
                path = folder / f"{name}{main.value}"
                declaration = parse_declaration(read_template(path), path)
                if declaration.sample.template != name:
                    raise StampError(
                        f"the template's sample calls {declaration.sample.template}", Place(path)
                    )
                folders = tuple(dict.fromkeys((folder, self._stock)))
                return Family(name, origin, folder, declaration, folders, self._environments, main)
        raise StampError(
            f"there is no template {name}{near_miss(name, self.names())}",
            place,
            hint="`pgvouch stamp --list` shows them; your own go into "
            f"{self._project or 'templates'}/{name}{SUFFIX}",
        )

    def _folders(self) -> Sequence[tuple[str, Path]]:
        stock = ("stock", self._stock)
        return [stock] if self._project is None else [("project", self._project), stock]


def stock_folder() -> Path:
    """Return the folder of the stock set: inside the wheel, or `templates/` of a source tree."""
    packaged = Path(str(resources.files("pgvouch"))) / "templates"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "templates"


def read_template(path: Path) -> str:
    """Return the text of a template.

    Raises:
        StampError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as exc:
        raise StampError(f"byte {exc.start} is not UTF-8", Place(path)) from None
    except OSError as exc:
        raise StampError.unreadable(path, exc) from exc


def _families(folder: Path) -> dict[str, Target]:
    """Return the families of a folder, each with the target whose template declares it.

    A name with a leading _ is only imported by others.
    """
    if not folder.is_dir():
        return {}
    files = {path.name for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("_")}
    found = {}
    for main in (Target.VERIFY, Target.MIGRATION):
        names = (name.removesuffix(main.value) for name in files if name.endswith(main.value))
        found.update({name: main for name in names if "." not in name})
    return found
