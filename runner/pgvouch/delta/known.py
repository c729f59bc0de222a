"""What is known of the catalog while a run goes on, so that a delta costs what changed.

A migration's delta compares what it has touched with what that was before. Of what was before,
only that is read which the migration is likely to touch: the objects whose names stand in its text
or in its .delta file, and what depends on them. If it has touched something else that was there
before, the answer is UnresolvedError: it has to be run again, with everything read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pgvouch.delta.canonical import canonical
from pgvouch.delta.lines import about
from pgvouch.delta.roles import Roles, add_roles, read_roles
from pgvouch.delta.snapshot import (
    REST,
    SCOPE_SETTINGS,
    SNAPSHOT_RESET,
    SNAPSHOT_SETTINGS,
    Group,
    Snapshot,
    add_snapshot,
    difference,
    read_snapshot,
    rest_sql,
    scope_of_relations_sql,
    scope_sql,
)
from pgvouch.postgres.message import Message
from pgvouch.postgres.result import Result
from pgvouch.sqltext.own import own_sql

PREPARED = "pgvouch_scope"
"""How the names of the prepared statements begin, in a session that no pooler shares."""

_OF_RELATIONS = f"{PREPARED}_of_relations"

_NOTE = "!"
_ROWS = "rows "
_SCHEMA = "schema "
_WORD = re.compile(r'"(?:[^"]|"")+"|[^\W\d][\w$]*')
_LONGEST_TEXT = 1 << 20
_PINNED = 16384
"""PostgreSQL's own objects have lower oids."""
_KINDS = ("r", "f", "t")
_ABOUT_OTHERS = ("aggregate", "domain", "function", "procedure", "routine", "type")
_UNSAID = re.compile(
    r"(?:comment|grant|owner|publication|revoke|security label|setting|subscription|user mapping) "
)
"""How lines of the rest begin whose name stands in no other object's line."""
_QUERIES = {PREPARED: scope_sql, _OF_RELATIONS: scope_of_relations_sql}


class UnresolvedError(Exception):
    """The delta cannot be told from what was read: it has to be read again, all of it."""


@dataclass(frozen=True)
class Changes:
    """What one migration has done to the catalog."""

    before: Mapping[str, Group]
    after: Mapping[str, Group]
    """The groups that it has touched; one that is gone is empty."""

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The delta, as difference() gives it."""
        return difference(Snapshot(self.before), Snapshot(self.after))

    def without(self, made: Sequence[str]) -> "Changes":
        """Return the same without some objects.

        Args:
            made: sorted lines of a catalog, which are about these.
        """

        def rest(groups: Mapping[str, Group]) -> dict[str, Group]:
            return {
                key: {
                    name: said for name, said in group.items() if not about(canonical(name), made)
                }
                for key, group in groups.items()
            }

        return Changes(rest(self.before), rest(self.after)) if made else self


@dataclass(frozen=True, slots=True)
class Touched:
    """What a transaction has touched."""

    groups: dict[str, Group]
    """As they are now; REST is there, and empty, where it has to be read."""
    written: frozenset[str]
    """The tables whose rows it has written, qualified and quoted."""
    maybe_written: frozenset[str]
    """Those for which it had a statement that writes rows, and these besides."""
    wrote_roles: bool
    """Whether roles, their settings or memberships may have changed."""
    lacks_others: bool
    """Whether functions or types have to be read, too."""


@dataclass
class Known:
    """The catalog as far as it was read, in a run that moves it forward.

    What other sessions change meanwhile is not noticed here, and not counted as a migration's.
    """

    is_prepared: bool = False
    """Whether the session has the prepared statements."""
    is_whole: bool = False
    """Whether all of it was read."""
    leaves_statements: bool = False
    """Whether the last migration has left prepared statements."""
    groups: dict[str, Group] = field(default_factory=dict)
    roles: Roles = field(default_factory=lambda: Roles({}))
    _present: set[str] = field(default_factory=set)
    """The groups that were there when names were read."""
    _by_name: dict[str, list[str]] = field(default_factory=dict)
    _schemas: dict[str, str] = field(default_factory=dict)
    """The names of schemas by their oids."""
    _written_schemas: dict[str, str] = field(default_factory=dict)
    """The same of those that the transaction has written."""
    _asked: set[str] = field(default_factory=set)
    """What was read together with that which depends on it."""
    _asking: set[str] = field(default_factory=set)
    _prepared: tuple[str, ...] = ()
    """The statements that the session has, if it has any."""

    def add_whole(self, message: Message) -> None:
        """Append the queries for everything."""
        add_snapshot(message)
        add_roles(message)
        message.add(*SNAPSHOT_SETTINGS)
        message.add(own_sql("delta/catalog_schema_names"), name="schemas")
        message.add(*SNAPSHOT_RESET)

    def read_whole(self, message: Message, results: Sequence[Result]) -> None:
        """Take the results of a message with these queries."""
        self.groups = dict(read_snapshot(message, results).groups)
        self.roles = read_roles(message, results)
        (schemas,) = message.results_of("schemas", results)
        self._schemas = {str(oid): str(name) for oid, name in schemas.rows}
        self.is_whole = True

    def add_names(self, message: Message) -> None:
        """Append the queries for what is there by its name, for the rest and for the roles."""
        message.add(*SNAPSHOT_SETTINGS)
        message.add(own_sql("delta/catalog_present"), name="present")
        message.add(*SNAPSHOT_RESET)
        add_rest(message)
        add_roles(message)

    def read_names(self, message: Message, results: Sequence[Result]) -> None:
        """Take the results of a message with these queries."""
        (present,) = message.results_of("present", results)
        for line in (present.rows[0][0] or "").splitlines():
            key, _, name = line.partition(" ")
            if key.startswith("n"):
                self._schemas[key[1:]] = name
                continue
            self._present.add(key)
            self._by_name.setdefault(name.lower(), []).append(key)
        self.groups[REST] = read_rest(message, results)
        self.roles = read_roles(message, results)

    def add_prepare(self, message: Message, *, is_for_many: bool) -> None:
        """Append the statements that prepare the queries for what is in scope.

        They stay for the session, which is to be ours alone. So they are planned once: planning
        costs ten times as much as running them.

        Args:
            message: is sent ahead of the migration.
            is_for_many: whether more migrations follow, for which the smaller query is worth it.
        """
        self._prepared = tuple(_QUERIES) if is_for_many else (PREPARED,)
        message.add(*SCOPE_SETTINGS)
        for statement in self._prepared:
            query = _QUERIES[statement]()
            message.add(f"prepare {statement} (oid[], oid[], oid[], boolean) as {query}")
        message.add(*SNAPSHOT_RESET)

    def add_before(self, message: Message, texts: Iterable[str]) -> None:
        """Append the query for what a migration may touch, if there is something to ask.

        Args:
            message: is sent ahead of the migration.
            texts: its SQL and the lines of its .delta file.
        """
        if self.is_whole or not self._by_name:
            return
        # Of a constraint that is gone it cannot be told whether it was a domain's: domains are
        # always asked for.
        words = ("", *_words(texts))
        asked = {key for word in words for key in self._by_name.get(word, ())} - self._asked
        if asked:
            self._add_scope(message, asked, PREPARED, name="before")
            self._asking = asked

    def read_before(self, message: Message, results: Sequence[Result]) -> None:
        """Take the results of a message with that query, if it has it."""
        for result in message.results_of("before", results):
            self._asked |= self._asking
            groups = dict(Snapshot.from_rows(result.rows).groups)
            groups.pop(REST, None)
            groups.pop(_NOTE, None)
            # What was read before, and moved forward, is what this migration sees, too.
            self.groups = groups | self.groups

    def add_after(self, message: Message, texts: Iterable[str] | None = None) -> None:
        """Append the query for what the transaction has touched.

        Args:
            message: is sent behind the migration.
            texts: its SQL and the lines of its .delta file. Where they speak of no functions and
                types, only relations are read; what else is touched, read_after() says. None: all
                is read.
        """
        text = "" if texts is None else "\n".join(texts).lower()
        seems_wide = texts is None or any(word in text for word in _ABOUT_OTHERS)
        self._add_scope(message, (), PREPARED if seems_wide else _OF_RELATIONS, name="after")

    def read_after(self, message: Message, results: Sequence[Result]) -> Touched:
        """Return what the transaction has touched, from a message with that query."""
        (result,) = message.results_of("after", results)
        groups = dict(Snapshot.from_rows(result.rows).groups)
        notes = groups.pop(_NOTE, {})
        self.leaves_statements = "statements" in notes
        self._written_schemas = {
            name[len(_SCHEMA) :]: said for name, said in notes.items() if name.startswith(_SCHEMA)
        }
        rows = {name[len(_ROWS) :]: said for name, said in notes.items() if name.startswith(_ROWS)}
        written = frozenset(name for name, said in rows.items() if said)
        return Touched(groups, written, frozenset(rows), "roles" in notes, "beyond" in notes)

    def changes_to(self, groups: Mapping[str, Group]) -> Changes:
        """Return what has changed, for a transaction that has touched some groups.

        Args:
            groups: as they are now.

        Raises:
            UnresolvedError: it is not known of one of them what was there before; or something is
                gone whose name may stand anywhere.
        """
        if any(self._is_unresolved(key) for key in groups):
            raise UnresolvedError
        for oid, name in self._written_schemas.items():
            if self._schemas.get(oid, name) != name:
                raise UnresolvedError
        if REST in groups:
            before, after = self.groups.get(REST, {}).keys(), groups[REST].keys()
            # What is gone for good took along whatever said its name. But it may have a new name.
            came = {name.partition(" ")[0] for name in after - before}
            gone = {name for name in before - after if not _UNSAID.match(name)}
            if any(name.partition(" ")[0] in came for name in gone):
                raise UnresolvedError
        return Changes({key: self.groups[key] for key in groups if key in self.groups}, groups)

    def changes_to_all(self, groups: Mapping[str, Group]) -> Changes:
        """Return what has changed, where all of it was read before and now.

        Args:
            groups: as they are now, all that there are.
        """
        gone: dict[str, Group] = {key: {} for key in self.groups.keys() - groups.keys()}
        return Changes(self.groups, gone | dict(groups))

    def move(self, changes: Changes, roles: Roles | None) -> None:
        """Take what a migration has changed as what is there, now that it has landed.

        Args:
            changes: of the catalog.
            roles: as they are, where they were read.
        """
        self.groups.update(changes.after)
        self.roles = roles or self.roles
        self._present.update(changes.after)
        self._schemas.update(self._written_schemas)

    def _is_unresolved(self, key: str) -> bool:
        if self.is_whole or key in self.groups or key == REST:
            return False
        return key in self._present or int(key[1:]) < _PINNED

    def _add_scope(
        self, message: Message, asked: Iterable[str], statement: str, *, name: str
    ) -> None:
        by_kind: dict[str, list[str]] = {kind: [] for kind in _KINDS}
        for key in sorted(asked):
            by_kind[key[0]].append(key[1:])
        oids = [f"'{{{','.join(by_kind[kind])}}}'::pg_catalog.oid[]" for kind in _KINDS]
        values = [*oids, "true" if name == "after" else "false"]
        message.add(*SCOPE_SETTINGS)
        if self.is_prepared:
            statement = statement if statement in self._prepared else PREPARED
            message.add(f"execute {statement} ({', '.join(values)})", name=name)
        else:
            query = re.sub(r"\$(\d)", lambda at: values[int(at[1]) - 1], _QUERIES[statement]())
            message.add(query, name=name)
        message.add(*SNAPSHOT_RESET)


def add_rest(message: Message) -> None:
    """Append the query for what belongs to no relation, function or type."""
    message.add(*SNAPSHOT_SETTINGS)
    message.add(rest_sql(), name="rest")
    message.add(*SNAPSHOT_RESET)


def read_rest(message: Message, results: Sequence[Result]) -> Group:
    """Return it from the results of a message with that query."""
    (result,) = message.results_of("rest", results)
    return Snapshot.from_rows(result.rows).groups.get(REST, {})


def _words(texts: Iterable[str]) -> set[str]:
    """Return the words of some texts that may be names, in lower case."""
    words = set().union(*(_WORD.findall(text[:_LONGEST_TEXT]) for text in texts))
    return {(w[1:-1].replace('""', '"') if w[0] == '"' else w).lower() for w in words}
