"""Who acts in checks and key queries: the roles, claims and settings of actors.toml. No server."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgvouch.errors import FileError, Place
from pgvouch.files.regular import open_regular
from pgvouch.files.variables import Value
from pgvouch.sqltext.near import nearest
from pgvouch.sqltext.own import literal

ACTORS = "actors.toml"
CLAIMS = "request.jwt.claims"
"""The setting in which PostgREST hands a token's claims to the database."""
NAME = re.compile(r"[A-Za-z_]\w*\Z")
_SETTING = re.compile(r"[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)*\Z")
_KEYS = ("id", "role", "claims", "settings", "bypasses_rls")
_ID = "{id}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone in whose place a check or a query is run."""

    name: str
    place: Place
    id: str | int | None = None
    role: str | None = None
    """None for one whose id alone is used."""
    settings: tuple[tuple[str, str], ...] = ()
    """The claims, as JSON, are one of them."""
    bypasses_rls: bool = False
    """Whether row security is known not to apply to the role."""

    @property
    def acting_sql(self) -> tuple[str, ...]:
        """The statements that make the rest of a (sub)transaction the actor's."""
        return self._acting("true")

    @property
    def session_sql(self) -> tuple[str, ...]:
        """The statements that make the rest of a session the actor's."""
        return self._acting("false")

    def _acting(self, is_local: str) -> tuple[str, ...]:
        assert self.role is not None
        calls = [
            f"pg_catalog.set_config({literal(name)}, {literal(value)}, {is_local})"
            for name, value in self.settings
        ]
        # The role comes last: the actor may not be allowed to change a setting.
        become = f"select pg_catalog.set_config('role', {literal(self.role)}, {is_local})"
        return (f"select {', '.join(calls)}", become) if calls else (become,)


@dataclass(frozen=True, slots=True)
class Actors:
    """The actors of one folder, with those of the platform sets that it requires."""

    all: tuple[Actor, ...] = ()

    @property
    def values(self) -> dict[str, Value]:
        """What the names of actors stand for: their ids."""
        return {
            actor.name: Value(str(actor.id), literal(actor.id))
            for actor in self.all
            if actor.id is not None
        }

    def find(self, name: str, place: Place) -> Actor:
        """Return the actor of a name, who can act.

        Raises:
            FileError: there is none, or it has no role.
        """
        found = next((actor for actor in self.all if actor.name == name), None)
        if found is None:
            names = [actor.name for actor in self.all]
            near = nearest(name, names)
            listed = f"{ACTORS} beside the migrations has {', '.join(names)}"
            raise FileError(
                f"there is no actor {name}" + (f"; did you mean {near}?" if near else ""),
                place,
                hint=listed
                if names
                else f"say in {ACTORS}, beside the migrations, which role it is: `[{name}]`, "
                '`role = "authenticated"`',
            )
        if found.role is None:
            raise FileError(
                f"{name} has no role, so nothing can be done as {name}",
                place,
                notes=[f"{name} stands in {found.place}"],
                hint='write `role = "…"` there',
            )
        return found


def read_actors(path: Path, inherited: Actors | None = None) -> Actors:
    """Read an actors.toml.

    Args:
        path: where it is, if there is one.
        inherited: the actors of the platform sets; one of the same name replaces theirs.

    Raises:
        FileError: it is not TOML, or an actor in it is not what one can be.
    """
    actors = {actor.name: actor for actor in inherited.all} if inherited else {}
    try:
        with open(open_regular(path)[0], encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            text = file.read()
    except FileNotFoundError:
        return inherited or Actors()
    except OSError as exc:
        raise FileError.unreadable(path, exc) from exc
    except UnicodeDecodeError as exc:
        raise FileError(f"byte {exc.start} is not UTF-8", Place(path)) from None
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        line = re.search(r"\(at line (\d+)", str(exc))
        place = Place(path, int(line[1]) if line else None)
        raise FileError(f"{path.name} is not TOML: {exc}", place) from None
    for name, said in table.items():
        actors[name] = _actor(name, said, Place(path, _line_of(name, text)))
    return Actors(tuple(actors.values()))


def _line_of(name: str, text: str) -> int | None:
    head = re.search(rf"""^[\["' \t]*{re.escape(name)}\b""", text, re.MULTILINE)
    return text.count("\n", 0, head.start()) + 1 if head else None


def _actor(name: str, said: Any, place: Place) -> Actor:
    if not NAME.match(name):
        raise FileError(f"the actor {name!r}: a name is letters, digits and _", place)
    if not isinstance(said, dict):
        hint = f'write `[{name}]`, and `role = "…"` below it'
        raise FileError(f"{name} is not an actor", place, hint=hint)
    _refuse_wrong(name, said, place)
    own_id = said.get("id")
    settings = _settings(name, said, own_id, place)
    if any("\0" in text for text in (str(own_id), *settings.values())):
        raise FileError(f"{name} holds a NUL, which no value in PostgreSQL can", place)
    bypasses = said.get("bypasses_rls", False)
    return Actor(
        name, place, own_id, said.get("role"), tuple(settings.items()), bypasses_rls=bypasses
    )


def _refuse_wrong(name: str, said: Mapping[str, Any], place: Place) -> None:
    for key in said:
        if key not in _KEYS:
            near = nearest(key, _KEYS)
            raise FileError(
                f"{name} has {key}, which actors do not have"
                + (f"; did you mean {near}?" if near else ""),
                place,
                hint=f"an actor has {', '.join(_KEYS)}",
            )
    own_id, role = said.get("id"), said.get("role")
    if not isinstance(own_id, str | int | None) or isinstance(own_id, bool) or own_id == "":
        raise FileError(f"the id of {name} is a text or a number, not {own_id!r}", place)
    if not isinstance(role, str | None) or role in {"", "none"} or "\0" in (role or ""):
        raise FileError(f"the role of {name} is a role's name, not {role!r}", place)
    if not isinstance(said.get("bypasses_rls", False), bool):
        raise FileError(f"bypasses_rls of {name} is true or false", place)
    if own_id is None and role is None:
        raise FileError(f"{name} has neither a role nor an id", place)


def _settings(
    name: str, said: Mapping[str, Any], own_id: str | int | None, place: Place
) -> dict[str, str]:
    settings = {
        key: _setting(name, key, _filled(value, own_id, name, place), place)
        for key, value in _table(name, "settings", said, place).items()
    }
    if "claims" in said:
        if CLAIMS in settings:
            raise FileError(f"{name} has claims, and the setting {CLAIMS} too", place)
        claims = _filled(_table(name, "claims", said, place), own_id, name, place)
        try:
            settings[CLAIMS] = json.dumps(claims, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError):
            raise FileError(f"the claims of {name} hold what JSON has no word for", place) from None
    return settings


def _table(name: str, key: str, said: Mapping[str, Any], place: Place) -> dict[str, Any]:
    value = said.get(key, {})
    if not isinstance(value, dict):
        raise FileError(
            f"{key} of {name} is not a table", place, hint=f'write `{key} = {{ "name" = "value" }}`'
        )
    return value


def _setting(name: str, key: str, value: Any, place: Place) -> str:
    if not _SETTING.match(key) or key.lower() in {"role", "session_authorization"}:
        hint = f'write `role = "{value}"` on a line of its own' if key.lower() == "role" else None
        raise FileError(f"{name}: {key!r} is not a setting that can be set here", place, hint=hint)
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, str | int | float):
        raise FileError(f"the setting {key} of {name} is a text or a number", place)
    return str(value)


def _filled(value: Any, own_id: str | int | None, name: str, place: Place) -> Any:
    """Return a value with the actor's id in the place of {id}; that alone stays a number."""
    if isinstance(value, dict):
        return {key: _filled(inner, own_id, name, place) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, own_id, name, place) for inner in value]
    if not isinstance(value, str) or _ID not in value:
        return value
    if own_id is None:
        raise FileError(f"{name} has {_ID} in what it says, and no id", place)
    return own_id if value == _ID else value.replace(_ID, str(own_id))
