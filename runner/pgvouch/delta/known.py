"""What is known of the catalog while a run goes on, so that a delta costs what changed.

A migration's delta compares what it has touched with what that was before. Of what was before,
only that is read which the migration is likely to touch: the objects whose names stand in its text
or in its .delta file, and what depends on them. If it then has touched something else that was
there before, the answer is Unresolved, and the migration is run again with everything read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pgvouch.delta.snapshot import (
    REST,
    SCOPE_SETTINGS,
    SNAPSHOT_RESET,
    SNAPSHOT_SETTINGS,
    Group,
    Snapshot,
    difference,
    read_snapshot,
    rest_sql,
    scope_sql,
)
from pgvouch.postgres.message import Message
from pgvouch.postgres.result import Result
from pgvouch.sqltext.own import own_sql

PREPARED = "pgvouch_scope"
"""The prepared statement of a session that no pooler shares."""

_NOTE = "!"
_WORD = re.compile(r'"((?:[^"]|"")+)"|[^\W\d][\w$]*')
_LONGEST_TEXT = 1 << 20
_PINNED = 16384
"""PostgreSQL's own objects have lower oids."""
_KINDS = ("r", "f", "t")
_UNSAID = re.compile(
    r"(?:comment|grant|owner|publication|revoke|security label|subscription|user mapping) "
)
"""How lines of the rest begin whose name stands in no other object's line."""


class UnresolvedError(Exception):
    """The delta cannot be told from what was read: it has to be read again, all of it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What one migration has done to the catalog."""

    before: Mapping[str, Group]
    after: Mapping[str, Group]
    """The groups that it has touched; one that is gone is empty."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The delta, as difference() gives it."""
        return difference(Snapshot(self.before), Snapshot(self.after))


@dataclass
class Known:
    """The catalog as far as it was read, in a run that moves it forward.

    What other sessions change meanwhile is not noticed here, and not counted as a migration's.
    """

    is_prepared: bool = False
    """Whether the session has the prepared statement."""
    is_whole: bool = False
    """Whether all of it was read."""
    leaves_statements: bool = False
    """Whether the last migration has left prepared statements."""
    groups: dict[str, Group] = field(default_factory=dict)
    _present: set[str] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)
    """What was read together with that which depends on it."""
    _asking: set[str] = field(default_factory=set)
    _by_name: dict[str, list[str]] = field(default_factory=dict)

    def read_whole(self, message: Message, results: Sequence[Result]) -> None:
        """Take the results of a message with a snapshot."""
        self.groups = dict(read_snapshot(message, results).groups)
        self.is_whole = True

    def add_names(self, message: Message) -> None:
        """Append the queries for what is there by its name, and for the rest."""
        message.add(*SNAPSHOT_SETTINGS)
        message.add(own_sql("delta/catalog_present"), name="present")
        message.add(rest_sql(), name="rest")
        message.add(*SNAPSHOT_RESET)

    def add_prepare(self, message: Message) -> None:
        """Append the statement that prepares the query for what is in scope.

        It stays for the session, which is to be ours alone. So it is planned once: planning costs
        ten times as much as running it.
        """
        message.add(*SCOPE_SETTINGS)
        message.add(f"prepare {PREPARED} (oid[], oid[], oid[], boolean) as {scope_sql()}")
        message.add(*SNAPSHOT_RESET)

    def read_names(self, message: Message, results: Sequence[Result]) -> None:
        """Take the results of a message with these queries."""
        (present,) = message.results_of("present", results)
        for line in (present.rows[0][0] or "").splitlines():
            key, _, name = line.partition(" ")
            self._present.add(key)
            self._by_name.setdefault(name.lower(), []).append(key)
        self.groups[REST] = _rest_of(message, results)

    def add_before(self, message: Message, texts: Iterable[str]) -> None:
        """Append the query for what a migration may touch, if there is something to ask.

        Args:
            message: is sent ahead of the migration.
            texts: its SQL and the lines of its .delta file.
        """
        if self.is_whole:
            return
        # Of a constraint that is gone it cannot be told whether it was a domain's.
        words = ("", *_words(texts))
        asked = {key for word in words for key in self._by_name.get(word, ())} - self._asked
        if asked:
            self._add_scope(message, asked, name="before")
            self._asking = asked

    def read_before(self, message: Message, results: Sequence[Result]) -> None:
        """Take the results of a message with that query."""
        for result in message.results_of("before", results):
            self._asked |= self._asking
            groups = dict(Snapshot.from_rows(result.rows).groups)
            groups.pop(REST, None)
            groups.pop(_NOTE, None)
            # What was read before, and moved forward, is what this migration sees, too.
            self.groups = groups | self.groups

    def add_after(self, message: Message) -> None:
        """Append the query for what the transaction has touched."""
        self._add_scope(message, (), name="after")

    def read_after(self, message: Message, results: Sequence[Result]) -> dict[str, Group]:
        """Return what the transaction has touched, from the results of a message with that query.

        Returns:
            The groups as they are now; REST is there, and empty, where it has to be read.

        Raises:
            UnresolvedError: of something that was there before, it is not known what it was; or
                another name may stand anywhere.
        """
        (result,) = message.results_of("after", results)
        groups = dict(Snapshot.from_rows(result.rows).groups)
        notes = groups.pop(_NOTE, {})
        self.leaves_statements = "statements" in notes
        if "roles" in notes or any(self._is_unresolved(key) for key in groups):
            raise UnresolvedError
        return groups

    def add_rest(self, message: Message) -> None:
        """Append the query for the rest."""
        message.add(*SNAPSHOT_SETTINGS)
        message.add(rest_sql(), name="rest")
        message.add(*SNAPSHOT_RESET)

    def read_rest(self, message: Message, results: Sequence[Result]) -> Group:
        """Return the rest from the results of a message with that query.

        Raises:
            UnresolvedError: something is gone whose name may stand anywhere.
        """
        rest = _rest_of(message, results)
        if any(not _UNSAID.match(name) for name in self.groups.get(REST, {}).keys() - rest.keys()):
            raise UnresolvedError
        return rest

    def changes(self, touched: Mapping[str, Group], *, is_whole: bool = False) -> Changes:
        """Return what has changed.

        Args:
            touched: the groups as they are now.
            is_whole: they are all that there are.
        """
        if is_whole:
            gone: dict[str, Group] = {key: {} for key in self.groups.keys() - touched.keys()}
            return Changes(self.groups, gone | dict(touched))
        return Changes({key: self.groups[key] for key in touched if key in self.groups}, touched)

    def move(self, changes: Changes) -> None:
        """Take what a migration has changed as what is there, now that it has landed."""
        self.groups.update(changes.after)
        self._present.update(changes.after)

    def _is_unresolved(self, key: str) -> bool:
        if self.is_whole or key in self.groups or key == REST:
            return False
        return key in self._present or int(key[1:]) < _PINNED

    def _add_scope(self, message: Message, asked: Iterable[str], *, name: str) -> None:
        by_kind: dict[str, list[str]] = {kind: [] for kind in _KINDS}
        for key in sorted(asked):
            by_kind[key[0]].append(key[1:])
        oids = [f"'{{{','.join(by_kind[kind])}}}'::pg_catalog.oid[]" for kind in _KINDS]
        values = [*oids, "true" if name == "after" else "false"]
        message.add(*SCOPE_SETTINGS)
        if self.is_prepared:
            message.add(f"execute {PREPARED} ({', '.join(values)})", name=name)
        else:
            message.add(
                re.sub(r"\$(\d)", lambda at: values[int(at[1]) - 1], scope_sql()), name=name
            )
        message.add(*SNAPSHOT_RESET)


def _rest_of(message: Message, results: Sequence[Result]) -> Group:
    (result,) = message.results_of("rest", results)
    return Snapshot.from_rows(result.rows).groups.get(REST, {})


def _words(texts: Iterable[str]) -> set[str]:
    """Return the words of some texts that may be names, in lower case."""
    return {
        (match[1] or match[0]).replace('""', '"').lower()
        for text in texts
        for match in _WORD.finditer(text[:_LONGEST_TEXT])
    }
