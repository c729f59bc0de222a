"""What a migration does to roles, which are the server's and may be there before its database is.

So a line about them says what there is afterwards, `~ role app login bypassrls`, and it is kept
where it is so, whoever has made it so. One that is not in the .delta file is refused where the
migration itself has written it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pgvouch.delta.snapshot import SNAPSHOT_RESET, SNAPSHOT_SETTINGS
from pgvouch.postgres.message import Message
from pgvouch.postgres.result import Result
from pgvouch.sqltext.own import own_sql

_ROLE = "role "
_PLAIN = ("login", "nologin")
_GONE = "is gone"


@dataclass(frozen=True, slots=True)
class Roles:
    """What there is to say of the roles of the server."""

    lines: Mapping[str, str]
    """Definition by identity."""
    written: frozenset[str] = frozenset()
    """What the transaction has written, even if it was the same before."""

    def changes(self, before: "Roles", text: str) -> tuple[str, ...]:
        """Return what has changed, as lines of a delta.

        Args:
            before: as they were.
            text: the migration's. Who has written a role's own row is not to be seen; what is not
                named there is another session's, unless the text runs statements that it builds.

        A role that is new is told of only where it may do more than others, for whether a migration
        makes it depends on the server.
        """
        text = text.lower()
        gone = before.lines.keys() - self.lines.keys()
        found = [f"{name} {_GONE}" for name in gone if _is_named(name, text)]
        for name, said in self.lines.items():
            if name.startswith(_ROLE):
                was = before.lines.get(name)
                is_changed = not said.startswith(_PLAIN) if was is None else was != said
                is_changed = is_changed and _is_named(name, text)
            else:
                is_changed = name in self.written
            if is_changed:
                found.append(_line(name, said))
        return tuple(sorted(f"~ {line}" for line in found))

    def lacks_a_role_of(self, before: "Roles") -> bool:
        """Say whether a role is gone, or has another name: it may stand in any object's line."""
        return any(name.startswith(_ROLE) for name in before.lines.keys() - self.lines.keys())

    def holds(self, line: str) -> bool:
        """Say whether a line of a .delta file is about roles, and so."""
        body = line[2:]
        if is_about_roles(line) and body.endswith(f" {_GONE}"):
            return body.removesuffix(f" {_GONE}") not in self.lines
        return line.startswith("~ ") and any(
            body == _line(name, text) for name, text in self.lines.items()
        )


def is_about_roles(line: str) -> bool:
    """Say whether a line of a .delta file is about roles: it says nothing of before."""
    return line.startswith(("~ role ", "~ membership of ", "~ setting ")) and " (was: " not in line


_WORDS = {"membership", "of", "in", "role", "setting", "every", "everywhere", "database"}


def _is_named(identity: str, text: str) -> bool:
    names = set(identity.replace('"', "").lower().split()) - _WORDS
    return "execute" in text or any(name in text for name in names)


def _line(name: str, text: str) -> str:
    return f"{name} {text}" if text else name


def add_roles(message: Message) -> None:
    """Append the query for the roles of the server."""
    message.add(*SNAPSHOT_SETTINGS)
    message.add(own_sql("delta/catalog_roles"), name="roles")
    message.add(*SNAPSHOT_RESET)


def read_roles(message: Message, results: Sequence[Result]) -> Roles:
    """Return them from the results of a message with that query."""
    (result,) = message.results_of("roles", results)
    written = frozenset(row[0] or "" for row in result.rows if row[2] == "t")
    return Roles({row[0] or "": row[1] or "" for row in result.rows}, written)
