"""Flyway: V files once, U files back, R files again; a row a run, with a CRC.

https://github.com/flyway/flyway: flyway-core, internal/resolver, internal/schemahistory
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded, Table
from pgvouch.adopt.placeholders import Places, as_variables
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import Place, PlanError, VouchError
from pgvouch.files.folder import read_text

_NAME = re.compile(r"(?:(?P<kind>[VUB])(?P<version>[0-9]+(?:[._][0-9]+)*)|R)__(?P<words>.*)\Z")
_CALLBACK = re.compile(r"(?:before|after)(?:Each)?[A-Z]|createSchema\b")
_PLACEHOLDER = re.compile(r"\$\{(?P<name>[^}\n]+)\}")
_CODE = {".java", ".kt", ".class", ".py", ".sh", ".ps1", ".bash", ".cmd", ".bat"}
_FOLDERS = ("sql", "src/main/resources/db/migration", "db/migration", "migrations", "db/migrations")
_SETTINGS = ("flyway.toml", "flyway.conf", "conf/flyway.toml", "conf/flyway.conf")
_NAMING = re.compile(
    r"(?:undo|repeatable)?(?:sql|Sql)Migration(?:Prefix|Separator|Suffixes)|placeholder(?:Pre|Suf)fix"
)
"""Settings that change what files are called; they are refused."""
_LOCK = 77431708279161
"""F l y w a y, packed."""


@dataclass(frozen=True)
class _Settings:
    """What flyway.conf or flyway.toml says."""

    path: Path | None = None
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        """The placeholders."""
        start = "placeholders."
        return {k[len(start) :]: v for k, v in self.given.items() if k.startswith(start)}

    @property
    def folders(self) -> list[Path]:
        """Where it says that the files are."""
        if self.path is None:
            return []
        places = [one.strip() for one in self.given.get("locations", "").split(",")]
        names = [p.removeprefix("filesystem:") for p in places if p.startswith("filesystem:")]
        found = (root / name for name in names for root in self.path.parents[:2])
        return [folder for folder in found if folder.is_dir()]


def _settings(folder: Path) -> _Settings:
    for parent in (folder, *folder.absolute().parents[:6]):
        for name in _SETTINGS:
            if (path := parent / name).is_file():
                return _Settings(path, _given(path))
    return _Settings()


def _given(path: Path) -> dict[str, str]:
    text = read_text(path)
    if path.suffix == ".conf":
        lines = (line.partition("=") for line in text.splitlines() if line[:1] not in "#!")
        return {k.strip().removeprefix("flyway."): v.strip() for k, mark, v in lines if mark}
    found: dict[str, str] = {}
    for name, value in tomllib.loads(text).get("flyway", {}).items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": str(one) for inner, one in value.items()}
        else:
            found[name] = ",".join(value) if isinstance(value, list) else str(value)
    return found


def _find(project: Path) -> Path | None:
    settings = _settings(project)
    is_sure = settings.path is not None or any((project / mark).exists() for mark in TOOL.marks)
    for folder in (*settings.folders, *(project / name for name in _FOLDERS), project):
        paths = folder.glob("*.sql") if folder == project else folder.rglob("*.sql")
        names = [match for path in paths if (match := _NAME.match(path.stem))]
        once = {_key(name["version"]) for name in names if name["kind"] == "V"}
        back = {_key(name["version"]) for name in names if name["kind"] == "U"}
        # refinery names files so as well, and its U files go forward.
        if once and (is_sure or (back <= once and not _is_refinery(folder))):
            return folder
    return None


def _is_refinery(folder: Path) -> bool:
    parents = (folder, *folder.absolute().parents[:4])
    return any((p / name).is_file() for p in parents for name in ("refinery.toml", "Cargo.toml"))


def _key(version: str) -> str:
    """Return a version as Flyway compares it: 01.10 is 1.10, and 1.0 is 1."""
    parts = [str(int(part)) for part in re.split(r"[._]", version)]
    while len(parts) > 1 and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


def _order(key: str) -> list[int]:
    return [int(part) for part in key.split(".")]


def _read(folder: Path) -> History:
    settings = _settings(folder)
    folders = {path.resolve(): path for path in (folder, *settings.folders)}.values()
    paths = {path.resolve(): path for one in folders for path in one.rglob("*") if path.is_file()}
    notes = [
        NotCarried(
            Place(settings.path), f"{name} is set, and only the default is read", is_needed=True
        )
        for name in settings.given
        if settings.path and _NAMING.fullmatch(name)
    ]
    files: dict[str, dict[str, _File]] = {"V": {}, "U": {}, "B": {}, "R": {}}
    for path in sorted(paths.values()):
        match = _NAME.match(path.stem)
        if match is None or path.suffix != ".sql":
            notes += _other(path, bool(match))
            continue
        key = _key(match["version"]) if match["kind"] else match["words"].replace("_", " ")
        file = _File(path, key, match, settings)
        same = files[match["kind"] or "R"]
        if key in same:
            said = f"{path.name} and {same[key].path.name} are one to Flyway, which refuses them"
            notes.append(NotCarried(Place(path), said, is_needed=True))
        same[key] = file
    once = _with_baseline(files["V"], files["B"], notes)
    for key in sorted(files["U"].keys() - once.keys()):
        said = "it takes back a version that there is no file of"
        notes.append(NotCarried(Place(files["U"][key].path), said))
    found = [once[key].foreign(files["U"].get(key)) for key in sorted(once, key=_order)]
    found += [files["R"][key].foreign(None) for key in sorted(files["R"])]
    notes += _told([*once.values(), *files["R"].values(), *files["U"].values()])
    return History(folder, tuple(found), tuple(notes))


def _other(path: Path, is_named: bool) -> Iterator[NotCarried]:
    if is_named and path.suffix in _CODE:
        said = (
            f"{path.name} is code, which only Flyway runs: write what it does as SQL, in its place"
        )
        yield NotCarried(Place(path), said, is_needed=True)
    elif path.suffix == ".sql" and _CALLBACK.match(path.stem):
        said = f"{path.name} is left out: Flyway runs it around migrations, which pgvouch does not"
        yield NotCarried(Place(path), said)
    elif path.suffix == ".sql":
        said = f"{path.name} is left out, as Flyway does: its name is not one of a migration"
        yield NotCarried(Place(path), said)


class _File:
    """A file of Flyway's, with its placeholders as psql variables."""

    def __init__(self, path: Path, key: str, match: re.Match[str], settings: _Settings) -> None:
        self.path, self.key, self._match = path, key, match
        self.text = read_text(path)
        beside = path.with_name(path.name + ".conf")
        self.own = _given(beside) if beside.is_file() else {}
        self.settings = settings
        replaces = {**settings.given, **self.own}.get("placeholderReplacement", "true").lower()
        self.places = (
            as_variables(self.text, _PLACEHOLDER, settings.values)
            if replaces != "false"
            else Places(self.text)
        )

    @property
    def is_transactional(self) -> bool:
        return self.own.get("executeInTransaction", "true").lower() != "false"

    def foreign(self, back: "_File | None") -> Foreign:
        is_again = self._match["kind"] is None
        stored = {checksum(self.text)}
        if is_again:
            values = self.settings.values
            stored.add(checksum(_PLACEHOLDER.sub(lambda m: values.get(m["name"], m[0]), self.text)))
        return Foreign(
            key=f"R {self.key}" if is_again else self.key,
            path=self.path,
            number=self._match["version"] or "",
            words=self._match["words"],
            up=self.places.sql,
            down=back.places.sql if back else None,
            down_path=back.path if back else None,
            is_transactional=self.is_transactional,
            is_down_transactional=back is None or back.is_transactional,
            variables=tuple(self.places.variables.values()),
            down_variables=tuple(back.places.variables.values()) if back else (),
            checksums=frozenset(map(str, stored)),
            is_repeatable=is_again,
        )


def checksum(text: str) -> int:
    """Return Flyway's checksum of a text: a signed CRC-32 of its lines without their ends."""
    crc = crc32(text.removeprefix("\ufeff").replace("\r", "").replace("\n", "").encode())
    return crc - (1 << 32) if crc >> 31 else crc


def _with_baseline(
    once: dict[str, _File], states: dict[str, _File], notes: list[NotCarried]
) -> dict[str, _File]:
    """Return the V files, behind the last B file where there is none that it stands for."""
    found = dict(once)
    for key in sorted(states, key=_order, reverse=True):
        if any(_order(other) <= _order(key) for other in found):
            said = "it is left out: what is ahead of it makes the same"
            notes.append(NotCarried(Place(states[key].path), said))
        else:
            found[key] = states[key]
    return found


def _told(files: Iterable[_File]) -> Iterator[NotCarried]:
    seen: dict[str, str] = {}
    for file in files:
        for name, variable in file.places.variables.items():
            if seen.setdefault(name, variable) == variable and list(seen)[-1] == name:
                said = (
                    f"${{{name}}} is the psql variable {variable} now: give it with --var "
                    f"{variable}=… or in the environment as {variable.upper()}"
                )
                yield NotCarried(Place(file.path), said)
        for line, name in file.places.pasted:
            said = f"the value of ${{{name}}} is written here, where psql fills nothing in"
            yield NotCarried(Place(file.path, line), said)
        for line, name in file.places.left:
            said = (
                f"${{{name}}} is a part of a longer text, where psql fills nothing in: write its "
                "value, or a string of its own: 'a ' || '${x}'"
            )
            yield NotCarried(Place(file.path, line), said, is_needed=True)
        if "shouldExecute" in file.own:
            said = "shouldExecute decides whether it is run: write it as `-- unless:` by hand"
            yield NotCarried(Place(file.path), said, is_needed=True)


def _ledger(asks: Asks, history: History | None) -> ForeignLedger | None:
    needed = ["installed_rank", "version", "description", "checksum", "success"]
    table = only(TOOL, asks.tables("flyway_schema_history", needed))
    if table is None:
        return None
    query = (
        "select version::text, description::text, type::text, script::text, checksum::text, "
        "installed_on::timestamptz::text, success::text from {table} order by installed_rank"
    )
    found: dict[str, Recorded] = {}
    errors: list[VouchError] = []
    files = history.by_key if history else {}
    for version, description, kind, script, stored, at, success in asks.rows(query, table):
        key = f"R {description}" if version is None else _key(version)
        if success != "true":
            errors.append(_failed(str(script), table))
        elif kind is not None and (kind == "DELETE" or kind.startswith("UNDO")):
            found.pop(key, None)
        elif kind in {"BASELINE", "SQL_BASELINE"}:
            # What is up to here is there, and was not run by Flyway.
            for one in files.values():
                if not one.is_repeatable and _order(one.key) <= _order(key):
                    found[one.key] = Recorded(one.key, at)
        elif kind != "SCHEMA":
            found.pop(key, None)
            found[key] = Recorded(key, at, stored)
    return ForeignLedger(table, tuple(found.values()), tuple(errors))


def _failed(script: str, table: Table) -> PlanError:
    return PlanError(
        f"{script} has failed in this database, and a part of it may be there",
        state=f"Nothing was adopted. {table.quoted} has it with success = false.",
        hint="undo by hand what it has done, and have Flyway take the row away: flyway repair",
    )


def _key_of_lock(table: Table, _database: str) -> int:
    """Return the key of Flyway's advisory lock, which has Java's hash of the table's name in it."""
    number = 0
    for letter in f'"{table.schema}"."{table.name}"':
        number = (31 * number + ord(letter)) & 0xFFFFFFFF
    return _LOCK + number - (number >> 31 << 32)


TOOL = Tool(
    "flyway",
    "Flyway",
    _find,
    _read,
    _ledger,
    lock=_key_of_lock,
    marks=(*_SETTINGS, "pom.xml", "build.gradle", "build.gradle.kts"),
)
