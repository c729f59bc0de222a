"""What the configuration says of a fleet: `[fleet.NAME]`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pgvouch.config.project import Project, database_names
from pgvouch.errors import Place, UsageError
from pgvouch.fleet.waves import DEFAULT, Budget
from pgvouch.sqltext.near import nearest

_TEXTS = {"migrations", "control", "server", "targets", "pattern", "file", "url", "template"}
_NUMBERS = {"jobs", "per_server"}
_KEYS = {*_TEXTS, *_NUMBERS, "waves", "max_failures"}
_SOURCES = ("targets", "pattern", "file")


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """A fleet: one folder of migrations, and many databases."""

    name: str
    folder: str = ""
    """Of the migrations, in that of the project."""
    control: str | None = None
    """The environment variable with the URL of the control database."""
    server: str | None = None
    """The environment variable with the URL of a server; otherwise DATABASE_URL."""
    targets: str | None = None
    """A query on the control database: `name`, and what the URL needs; `wave`, `template`."""
    pattern: str | None = None
    """Of the names of databases on the server: `tenant_*`."""
    file: str | None = None
    """Names, URLs or JSON objects, one a line; `-` is stdin."""
    url: str | None = None
    """Of a database, with what the query gives in braces: `postgresql://app@{host}/{name}`."""
    template: str | None = None
    """The database that new ones are made from."""
    waves: tuple[str, ...] = DEFAULT
    budget: Budget = field(default_factory=lambda: Budget(1, is_percent=True))
    """How many of a wave may fail."""
    jobs: int = 16
    """How many databases at once."""
    per_server: int = 16
    """How many of one server at once, at most."""

    def given(self, **options: Any) -> "FleetSettings":
        """Return it with what the command line says; None leaves a setting as it is."""
        said = {name: value for name, value in options.items() if value is not None}
        if source := next((name for name in _SOURCES if name in said), None):
            said = {**dict.fromkeys(_SOURCES), **{source: said[source]}, **said}
        return replace(self, **said)


def fleet_settings(project: Project, name: str) -> FleetSettings:
    """Read the settings of a fleet; without a section, those of a fleet on the command line.

    Args:
        project: the configuration.
        name: of the fleet.

    Raises:
        UsageError: an unknown key, a value that cannot be, no such fleet.
    """
    table = project.fleets.get(name)
    folders = database_names(project)
    if table is None:
        if project.fleets:
            raise UsageError(
                f"there is no fleet {name}", hint=f"the fleets here: {', '.join(project.fleets)}"
            )
        table = {}
    place = Place(project.config_file) if project.config_file else None
    _refuse_wrong(name, table, place)
    folder = table.get("migrations", name if name in folders else folders[0] if folders else "")
    if folder not in folders or (len(folders) > 1 and "migrations" not in table and name != folder):
        raise UsageError(
            f"it is not said which migrations the fleet {name} has",
            place,
            hint=f'migrations = "{folders[0] if folders else "…"}" under [fleet.{name}]',
        )
    return FleetSettings(
        name,
        folder,
        control=table.get("control"),
        server=table.get("server"),
        targets=table.get("targets"),
        pattern=table.get("pattern"),
        file=_beside(project.root, table.get("file")),
        url=table.get("url"),
        template=table.get("template"),
        waves=tuple(map(str, table.get("waves", DEFAULT))),
        budget=Budget.of(str(table.get("max_failures", "1%"))),
        jobs=table.get("jobs", 16),
        per_server=table.get("per_server", 16),
    )


def _beside(root: Path, file: str | None) -> str | None:
    return file if file in {None, "-"} else str(root / str(file))


def _refuse_wrong(name: str, table: Mapping[str, Any], place: Place | None) -> None:
    for key, value in table.items():
        if key not in _KEYS:
            near = nearest(key, _KEYS)
            raise UsageError(
                f"the setting fleet.{name}.{key} is not known",
                place,
                notes=[f"did you mean {near}?"] if near else [],
                hint=f"known here: {', '.join(sorted(_KEYS))}",
            )
        if key in _TEXTS and not isinstance(value, str):
            raise UsageError(f"fleet.{name}.{key} is a text, not {value!r}", place)
        if key in _NUMBERS and (not isinstance(value, int) or value < 1):
            raise UsageError(f"fleet.{name}.{key} is a number from 1 on, not {value!r}", place)
        if key == "waves" and not isinstance(value, list):
            raise UsageError(f"fleet.{name}.waves is a list", place, hint='waves = ["1", "10%"]')
    for key in ("control", "server"):
        if "://" in table.get(key, ""):
            raise UsageError(
                f"fleet.{name}.{key} is the name of a variable, and a URL stands there",
                place,
                hint=f'{key} = "CONTROL_URL", and the URL in the environment: passwords do not '
                "belong into a repository",
            )
    if len(said := [key for key in _SOURCES if key in table]) > 1:
        raise UsageError(
            f"fleet.{name} says twice where its databases are: {' and '.join(said)}", place
        )
