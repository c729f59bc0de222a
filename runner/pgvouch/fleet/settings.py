"""What the configuration says of a fleet: `[fleet.NAME]`."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pgvouch.address.conninfo import parts_of
from pgvouch.config.project import Project, database_names
from pgvouch.errors import Place, UsageError
from pgvouch.fleet.waves import DEFAULT, Budget
from pgvouch.sqltext.duration import is_duration, seconds
from pgvouch.sqltext.near import nearest

_SHELL = "for a shell, write sh -c '…'"
_OPERATORS = {"|", "||", "&", "&&", ";", ">", ">>", "<"}
"""What would be an argument of the program like any other."""
_SHELLS = {"sh", "bash", "dash", "ksh", "zsh", "fish"}
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
    gate_verify: bool = False
    """Behind each wave, whether every promise is run again in its databases."""
    gate_query: str | None = None
    """Behind each wave, asked in the control database: whether to go on, and why not."""
    gate_command: tuple[str, ...] = ()
    """Behind each wave, run on this machine: 0 goes on."""
    gate_wait_s: float = 0.0
    """How long a wave that has changed something is left to itself before anything is asked."""
    gate_timeout_s: float = 300.0
    """How long the query and the command may take."""
    password_command: tuple[str, ...] = ()
    """It prints the password of a database; with what the query gives in braces."""

    def given(self, **options: Any) -> "FleetSettings":
        """Return it with what the command line says; None leaves a setting as it is.

        Raises:
            UsageError: a command that is none.
        """
        said = {name: value for name, value in options.items() if value is not None}
        if isinstance(said.get("gate_command"), str):
            if not _is_command(said["gate_command"]):
                raise UsageError(f"--gate-command is no command without a shell: {_SHELL}")
            said["gate_command"] = words(said["gate_command"])
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
        gate_verify=table.get("gate_verify", False),
        gate_query=table.get("gate_query"),
        gate_command=words(table.get("gate_command", ())),
        gate_wait_s=seconds(str(table.get("gate_wait", "0")), unit="s"),
        gate_timeout_s=seconds(str(table.get("gate_timeout", "5min")), unit="s"),
        password_command=words(table.get("password_command", ())),
    )


def words(command: str | Sequence[str]) -> tuple[str, ...]:
    """Return a command as its words: a list as it is, a text as a shell would cut it.

    No shell is asked: `$NAME`, `|` and `*` are what they are, unless the command is `sh -c '…'`.

    Raises:
        ValueError: a quotation mark is not closed, or only a shell would understand it.
    """
    if not isinstance(command, str):
        return tuple(command)
    found = tuple(shlex.split(command))
    if any(word in _OPERATORS or word.endswith(";") for word in found):
        raise ValueError(_SHELL)
    return found


def _beside(root: Path, file: str | None) -> str | None:
    return file if file in {None, "-"} else str(root / str(file))


def _refuse_wrong(name: str, table: Mapping[str, Any], place: Place | None) -> None:
    for key, value in table.items():
        if key not in _KINDS:
            near = nearest(key, _KINDS)
            raise UsageError(
                f"the setting fleet.{name}.{key} is not known",
                place,
                notes=[f"did you mean {near}?"] if near else [],
                hint=f"known here: {', '.join(sorted(_KINDS))}",
            )
        wanted, can_be = _KINDS[key]
        if not can_be(value):
            raise UsageError(f"fleet.{name}.{key} is {wanted}, not {value!r}", place)
    for key in ("control", "server"):
        if "://" in table.get(key, ""):
            raise UsageError(
                f"fleet.{name}.{key} is the name of a variable, and a URL stands there",
                place,
                hint=f'{key} = "CONTROL_URL", and the URL in the environment: passwords do not '
                "belong into a repository",
            )
    _refuse_password(name, table.get("url", ""), place)
    _refuse_shell(name, words(table.get("password_command", ())), place)
    if len(said := [key for key in _SOURCES if key in table]) > 1:
        raise UsageError(
            f"fleet.{name} says twice where its databases are: {' and '.join(said)}", place
        )


def _is_command(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(word, str) for word in value)
    try:
        return isinstance(value, str) and bool(words(value))
    except ValueError:
        return False


def _refuse_password(name: str, url: str, place: Place | None) -> None:
    """Refuse a password that stands in the template of a URL itself."""
    try:
        parts = parts_of(re.sub(r"\$?\{\w+\}", "", url))
    except UsageError:
        return  # without its values it is none that can be read
    if parts.get("password"):
        raise UsageError(
            f"fleet.{name}.url has a password in it",
            place,
            hint="${NAME} takes it from the environment, and password_command from a program: "
            "passwords do not belong into a repository",
        )


def _refuse_shell(name: str, command: Sequence[str], place: Place | None) -> None:
    """Refuse what would make a database's name part of a script."""
    for shell, option, script in zip(command, command[1:], command[2:], strict=False):
        is_script = Path(shell).name in _SHELLS and option.startswith("-") and option.endswith("c")
        if is_script and re.search(r"(?<!\$)\{\w+\}", script):
            raise UsageError(
                f"fleet.{name}.password_command has a value in a script, which would be run",
                place,
                hint="give it behind the script: "
                """["sh", "-c", 'print-password "$1"', "sh", "{name}"]""",
            )


_Kind = tuple[str, Callable[[Any], bool]]
_TEXT: _Kind = ("a text", lambda value: isinstance(value, str))
_NUMBER: _Kind = ("a number from 1 on", lambda value: type(value) is int and value >= 1)
_TIME: _Kind = ("a time such as 5min", lambda value: is_duration(str(value)))
_COMMAND: _Kind = (f'a command such as ["program", "argument"] ({_SHELL})', _is_command)
_KINDS: Mapping[str, _Kind] = {
    **dict.fromkeys(("migrations", "control", "server"), _TEXT),
    **dict.fromkeys(("targets", "pattern", "file", "url", "template", "gate_query"), _TEXT),
    **dict.fromkeys(("jobs", "per_server"), _NUMBER),
    **dict.fromkeys(("gate_wait", "gate_timeout"), _TIME),
    **dict.fromkeys(("gate_command", "password_command"), _COMMAND),
    "gate_verify": ("true or false", lambda value: isinstance(value, bool)),
    "max_failures": ("a number or a percentage", lambda value: isinstance(value, (int, str))),
    "waves": ("a list", lambda value: isinstance(value, list)),
}
"""What each setting is, and whether a value is one."""
