"""Changes for the worse, as a careless author makes them: appended to a migration or edited in.

The author regenerates the delta, so the delta says nothing: what notices has to be a promise. A
change that PostgreSQL itself refuses is none, for nobody would hand it in; nor is one that changes
nothing.

    SEED=7 NUMBER=100 make test-all ARGS='tests/mistakes/test_careless.py -rP'
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.delta.snapshot import Snapshot, add_snapshot, difference, read_snapshot
from pgvouch.engine.context import RunContext, Scope
from pgvouch.engine.run import run
from pgvouch.engine.task import prepare
from pgvouch.errors import CheckError, ServerMessage, VouchError
from pgvouch.events import silent
from pgvouch.files.migration import Migration, checksum
from pgvouch.files.promises import read_always, read_promises
from pgvouch.postgres.message import Message
from pgvouch.postgres.pooling import RESET_ROLE
from pgvouch.postgres.retry import others_were_in_the_way
from pgvouch.postgres.session import QueryError, Session
from pgvouch.sqltext.place import line_and_column
from pgvouch.sqltext.statements import statements
from pgvouch.verify import checks


@dataclass(frozen=True)
class Names:
    """What is there after a migration."""

    tables: tuple[str, ...]
    columns: tuple[tuple[str, str, str], ...]
    """Table, column and type."""
    defaults: tuple[tuple[str, str], ...]
    functions: tuple[str, ...]
    trigger_functions: tuple[str, ...]
    triggers: tuple[tuple[str, str], ...]
    policies: tuple[tuple[str, str, str], ...]
    """Table, policy and condition."""
    constraints: tuple[tuple[str, str], ...]
    sequences: tuple[str, ...]
    schemas: tuple[str, ...]
    has_roles: bool


Make = Callable[[random.Random, Names], str]


@dataclass(frozen=True)
class Careless:
    """One changed migration."""

    kind: str
    title: str
    migration: Migration


def read_names(session: Session, *, has_roles: bool) -> Names:
    """Return what the catalog has, in the open transaction."""

    def ask(query: str) -> list[tuple[str, ...]]:
        result = session.run(f"{query} order by 1, 2", rows_of_first=1000)[0]
        return [tuple(value or "" for value in row) for row in result.rows]

    ours = "n.nspname in ('public', 'feature_planner')"
    tables = ask(
        f"select c.oid::regclass, 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        f"where {ours} and c.relkind = 'r'"
    )
    functions = ask(
        "select p.oid::regprocedure, p.prorettype = 'trigger'::regtype from pg_proc p "
        f"join pg_namespace n on n.oid = p.pronamespace where {ours}"
    )

    def of_table(
        select: str, catalog: str, of: str, condition: str = "true"
    ) -> list[tuple[str, ...]]:
        return ask(
            f"select c.oid::regclass, {select} from {catalog} x join pg_class c on c.oid = x.{of} "
            f"join pg_namespace n on n.oid = c.relnamespace "
            f"where {ours} and c.relkind = 'r' and {condition}"
        )

    return Names(
        tables=tuple(row[0] for row in tables),
        columns=tuple(
            (row[0], row[1], row[2])
            for row in of_table(
                "quote_ident(attname), format_type(atttypid, atttypmod)",
                "pg_attribute",
                "attrelid",
                "attnum > 0 and not attisdropped and attgenerated = '' and attidentity = ''",
            )
        ),
        defaults=tuple(
            (row[0], row[1])
            for row in of_table(
                "quote_ident(attname)",
                "pg_attribute",
                "attrelid",
                "atthasdef and not attisdropped and attgenerated = ''",
            )
        ),
        functions=tuple(row[0] for row in functions),
        trigger_functions=tuple(row[0] for row in functions if row[1] == "t"),
        triggers=tuple(
            (row[0], row[1])
            for row in of_table("quote_ident(tgname)", "pg_trigger", "tgrelid", "not tgisinternal")
        ),
        policies=tuple(
            (row[0], row[1], row[2])
            for row in of_table(
                "quote_ident(polname), pg_get_expr(polqual, polrelid)",
                "pg_policy",
                "polrelid",
                "polqual is not null",
            )
        ),
        constraints=tuple(
            (row[0], row[1])
            for row in of_table(
                "quote_ident(conname)", "pg_constraint", "conrelid", "contype in ('c', 'u', 'f')"
            )
        ),
        sequences=tuple(
            row[0]
            for row in ask(
                "select c.oid::regclass, 1 from pg_class c join pg_namespace n "
                f"on n.oid = c.relnamespace where {ours} and c.relkind = 'S'"
            )
        ),
        schemas=tuple(
            sorted({row[0].split(".")[0] for row in tables if "." in row[0]}) or ["public"]
        ),
        has_roles=has_roles,
    )


def _role(r: random.Random, names: Names) -> str:
    roles = ["public", "anon", "authenticated", "authenticator"] if names.has_roles else ["public"]
    return r.choice(roles)


def _table(r: random.Random, names: Names) -> str:
    return r.choice(names.tables)


def _privilege(r: random.Random) -> str:
    return r.choice(["select", "insert", "update", "delete", "truncate", "all"])


def _schema(table: str) -> str:
    return table.split(".", maxsplit=1)[0] if "." in table else "public"


def _column_of(r: random.Random, names: Names, *types: str) -> tuple[str, str, str]:
    return r.choice([c for c in names.columns if c[2].startswith(types)])


APPENDED: dict[str, Make] = {
    "view": lambda r, n: (
        f"create view {_schema(t := _table(r, n))}.surplus as select * from {t}"
    ),
    "view for everybody": lambda r, n: (
        f"create view {_schema(t := _table(r, n))}.all_of_it as select * from {t}; "
        f"grant select on {_schema(t)}.all_of_it to {_role(r, n)}"
    ),
    "materialized view": lambda r, n: (
        f"create materialized view {_schema(t := _table(r, n))}.cache as select * from {t}"
    ),
    "definer function": lambda r, n: (
        f"create function {_schema(t := _table(r, n))}.tidy() returns void language sql "
        f"security definer set search_path = '' as $$ delete from {t} $$"
    ),
    "function that makes superusers": lambda r, n: (
        f"create function {r.choice(n.schemas)}.promote() returns void language plpgsql "
        "security definer as $$ begin execute 'alter role anon superuser'; end $$"
    ),
    "function": lambda r, n: (
        f"create function {r.choice(n.schemas)}.how_many() returns bigint language sql stable "
        f"as $$ select count(*) from {_table(r, n)} $$"
    ),
    "table": lambda r, n: f"create table {r.choice(n.schemas)}.scratch (id int)",
    "schema": lambda _r, _n: "create schema internal; create table internal.notes (id int)",
    "grant on a table": lambda r, n: (
        f"grant {_privilege(r)} on {_table(r, n)} to {_role(r, n)}"
    ),
    "grant on a column": lambda r, n: (
        f"grant update ({(c := r.choice(n.columns))[1]}) on {c[0]} to {_role(r, n)}"
    ),
    "grant on a function": lambda r, n: (
        f"grant execute on function {r.choice(n.functions)} to {_role(r, n)}"
    ),
    "grant on a schema": lambda r, n: f"grant create on schema {r.choice(n.schemas)} to {_role(r, n)}",
    "revoke": lambda r, n: f"revoke select on {_table(r, n)} from authenticated, service_role",
    "default privileges": lambda r, n: (
        f"alter default privileges in schema {r.choice(n.schemas)} "
        f"grant {r.choice(['select', 'all'])} on tables to {r.choice(['public', 'authenticator'] if n.has_roles else ['public'])}"
    ),
    "owner of a table": lambda r, n: (
        f"alter table {_table(r, n)} owner to {r.choice(['authenticator', 'authenticated'])}"
    ),
    "owner of a schema": lambda r, n: f"alter schema {r.choice(n.schemas)} owner to authenticator",
    "owner of a function": lambda r, n: (
        f"alter function {r.choice(n.functions)} owner to authenticated"
    ),
    "publication member": lambda r, n: (
        f"alter publication supabase_realtime add table {_table(r, n)}"
    ),
    "publication": lambda _r, _n: "create publication leak for all tables",
    "membership": lambda r, _n: r.choice(
        ["grant service_role to authenticated", "grant authenticated to anon", "grant pg_read_all_data to anon"]
    ),
    "role attribute": lambda r, _n: (
        f"alter role {r.choice(['anon', 'authenticated'])} {r.choice(['bypassrls', 'login', 'createrole'])}"
    ),
    "role setting": lambda r, _n: (
        f"alter role authenticator set {r.choice(['row_security = off', 'role = service_role', 'search_path = internal'])}"
    ),
    "database setting": lambda r, _n: (
        "do $$ begin execute format('alter database %I set "
        f"{r.choice(['request.jwt.claims', 'app.user_id', 'request.jwt.claim.sub'])} = %L', "
        "current_database(), '{\"sub\": \"user_1\"}'); end $$"
    ),
    "unlogged": lambda r, n: f"alter table {_table(r, n)} set unlogged",
    "sequence": lambda r, n: f"alter sequence {r.choice(n.sequences)} maxvalue 1000 cycle",
    "row security off": lambda r, n: f"alter table {_table(r, n)} disable row level security",
    "trigger off": lambda r, n: (
        f"alter table {(t := r.choice(n.triggers))[0]} disable trigger {t[1]}"
    ),
    "trigger dropped": lambda r, n: f"drop trigger {(t := r.choice(n.triggers))[1]} on {t[0]}",
    "constraint dropped": lambda r, n: (
        f"alter table {(k := r.choice(n.constraints))[0]} drop constraint {k[1]}"
    ),
    "policy dropped": lambda r, n: f"drop policy {(p := r.choice(n.policies))[1]} on {p[0]}",
    "policy opened": lambda r, n: f"alter policy {(p := r.choice(n.policies))[1]} on {p[0]} using (true)",
    "policy widened": lambda r, n: (
        f"alter policy {(p := r.choice(n.policies))[1]} on {p[0]} using ({p[2]} or "
        f"{r.choice(['current_setting($$request.jwt.claims$$, true) is null', 'created_at < now() - interval $$30 days$$', 'auth.jwt() ->> $$email$$ like $$%@example.com$$'])})"
    ),
    "policy for more": lambda r, n: (
        f"alter policy {(p := r.choice(n.policies))[1]} on {p[0]} to {r.choice(['public', 'authenticated, anon'])}"
    ),
    "policy": lambda r, n: (
        f"create policy surplus on {_table(r, n)} for {r.choice(['select', 'update', 'delete', 'all'])} to {_role(r, n)} using (true)"
    ),
    "not null dropped": lambda r, n: (
        f"alter table {(c := r.choice(n.columns))[0]} alter {c[1]} drop not null"
    ),
    "default changed": lambda r, n: (
        f"alter table {(c := r.choice(n.defaults))[0]} alter {c[1]} drop default"
    ),
    "type of a number": lambda r, n: (
        f"alter table {(c := _column_of(r, n, 'integer'))[0]} alter {c[1]} type {r.choice(['smallint', 'numeric(5)'])}"
    ),
    "type of a text": lambda r, n: (
        f"alter table {(c := _column_of(r, n, 'text'))[0]} alter {c[1]} type "
        + r.choice(["varchar(100)", 'text collate "C"', "char(50)"])
    ),
    "type of a time": lambda r, n: (
        f"alter table {(c := _column_of(r, n, 'timestamp'))[0]} alter {c[1]} type {r.choice(['timestamptz(0)', 'timestamp(0)', 'date'])}"
    ),
    "type of a document": lambda r, n: (
        f"alter table {(c := _column_of(r, n, 'json'))[0]} alter {c[1]} type text"
    ),
    "search_path lost": lambda r, n: f"alter function {r.choice(n.functions)} reset search_path",
    "definer rights": lambda r, n: (
        f"alter function {r.choice(n.functions)} security {r.choice(['definer', 'invoker'])}"
    ),
    "rule": lambda r, n: (
        f"create rule kept as on delete to {_table(r, n)} do instead nothing"
    ),
    "trigger": lambda r, n: (
        f"create trigger surplus before insert on {_table(r, n)} for each row "
        f"execute function {r.choice(n.trigger_functions)}"
    ),
    "accounts written": lambda _r, _n: (
        "insert into auth.users (id, email) values (gen_random_uuid(), 'support@example.test')"
    ),
    "rows deleted": lambda r, n: f"delete from {_table(r, n)}",
}  # fmt: skip
"""By kind: what is put at the end of a migration."""

EDITED: dict[str, Sequence[tuple[str, str]]] = {
    "whose row it is": [
        (r"= \(select auth\.uid\(\)\)", "is not null"),
        (r"= \(select feature_planner\.caller_id\(\)\)", "is not null"),
        (r"(\w+) = \(select (auth\.jwt\(\) ->> 'sub')\)", r"lower(\1) = (select lower(\2))"),
    ],
    "who is asking": [
        (r"(where clerk_id = auth\.jwt\(\) ->> 'sub')", r"\1 or email = auth.jwt() ->> 'email'"),
        (r"(clerk_id) = (auth\.jwt\(\) ->> 'sub')", r"lower(\1) = lower(\2)"),
        (r"(clerk_id) = (auth\.jwt\(\) ->> 'sub')", r"\1 = coalesce(\2, '')"),
        (r"auth\.jwt\(\) ->> 'sub'", "coalesce(auth.jwt() ->> 'sub', '')"),
        (r"auth\.jwt\(\) ->> 'sub'", "coalesce(auth.jwt() ->> 'sub', auth.jwt() ->> 'email')"),
    ],
    "exception swallowed": [
        (
            r"(insert into [^$]*?)\n(end;?\s*\$\$;)",
            r"\1\nexception when others then return new;\n\2",
        ),
        (r"raise exception", "raise notice"),
        (r"(values \([^;]*\));(?=\s+return new)", r"\1 on conflict do nothing;"),
    ],
    "what a reference does": [
        (r"on delete cascade", "on delete no action"),
        (r"on delete cascade", "on delete set null"),
        (r"on delete set null", "on delete cascade"),
        (r"(references [\w.]+ \(\w+\))", r"\1 initially deferred"),
    ],
    "what is checked": [
        (r">= 0", ">= -1"),
        (r"> 0", ">= 0"),
        (r"(check \()", r"\1true or "),
        (r"<> ''", "is not null"),
        (r" between (\d+) and (\d+)", r" between \1 and \g<2>0"),
        (r"interval '(\d+) (days|hours|minutes)'", r"interval '\g<1>0 \2'"),
    ],
    "not null left out": [(r"(?m)^(  \w+ [\w().]+) not null", r"\1")],
    "unique left out": [(r"create unique index", "create index"), (r"\bunique \(", "check ((")],
    "condition of an index": [(r"(create (?:unique )?index [^;]*\n?\s+where )", r"\1false and ")],
    "what time it is": [(r"\bnow\(\)", "clock_timestamp()"), (r"\bnow\(\)", "current_date::timestamp")],
    "trigger": [(r"before update", "before insert"), (r"for each row", "for each row when (false)")],
    "function body": [
        (r"new\.(\w+) := ", r"old.\1 := "),
        (r"\band\b", "or"),
        (r"limit 1", "limit 2"),
        (r" = new\.", " <> new."),
        (r"length => \d+|\b6\b|\b8\b", "1"),
    ],
    "default": [(r"default '(\w+)'", r"default '\g<1>x'"), (r"default true", "default false"), (r"default 0", "default 1")],
    "value of a list": [(r"('\w+'),\n", r"\1, 'other',\n")],
    "backfill": [
        (r"coalesce\(\s*nullif\([^;]*?\),", "coalesce(null,"),
        (r"(insert into [\w.]+ \([^;]*?select [^;]*?from [^;]*?);", r"\1 limit 0;"),
    ],
}  # fmt: skip
"""By kind: what is replaced in a migration, and by what."""

KINDS = (*APPENDED, *EDITED)
UNSEEN = (
    "membership",
    "role attribute",
    "role setting",
    "database setting",
    "accounts written",
    "rows deleted",
    "backfill",
)
"""Kinds that change something and nothing of the catalog. Any other that leaves it alone is none."""


WITH_ROLES = (
    "owner of a table",
    "owner of a schema",
    "owner of a function",
    "membership",
    "role attribute",
    "role setting",
    "revoke",
    "policy",
    "policy for more",
    "accounts written",
    "publication member",
    "function that makes superusers",
)
"""Kinds for systems that have the platform's roles."""


def careless(r: random.Random, kind: str, migration: Migration, names: Names) -> Careless | None:
    """Return a migration with one change of a kind; None where there is no place for it."""
    if kind in WITH_ROLES and not names.has_roles:
        return None
    if kind in APPENDED:
        try:
            added = APPENDED[kind](r, names)
        except IndexError:
            return None
        sql = f"{migration.sql.rstrip()}\n\n;{added};\n"
        title = added
    else:
        places = [
            (match, new)
            for old, new in EDITED[kind]
            for match in re.finditer(old, migration.sql)
            if not _is_comment(migration.sql, match.start())
        ]
        if not places:
            return None
        match, new = r.choice(places)
        text = match.expand(new)
        sql = migration.sql[: match.start()] + text + migration.sql[match.end() :]
        line, _ = line_and_column(migration.sql, match.start())
        title = f"line {line}: «{match[0][:60]}» → «{text[:80]}»"
    if sql == migration.sql:
        return None
    return Careless(kind, title, replace(migration, sql=sql, checksum=checksum(sql)))


def _is_comment(text: str, position: int) -> bool:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return "--" in line or any(
        s.start <= position < s.start + len(s.text) and s.text.lower().startswith("comment on")
        for s in statements(text)
    )


class _BusyError(Exception):
    """Others were in the way."""


def _refuse_busy(server: ServerMessage | None) -> None:
    if others_were_in_the_way(server):
        raise _BusyError


class Author:
    """A database just before one migration, and what happens when an author changes it."""

    def __init__(
        self, session: Session, migrations: Sequence[Migration], position: int, seed: str
    ) -> None:
        self.session = session
        self.migrations = migrations
        self.position = position
        self.seed = seed
        self.shape: Snapshot | None = None
        folder = migrations[-1].path.parent
        self.always = read_always(Database("", folder, "", tuple(migrations)).always)

    def names(self) -> Names:
        """Return what is there after the migration as it should be."""
        try:
            self._apply([self.migrations[self.position]])
            self.shape = self._shape()
            return read_names(self.session, has_roles=any(m.set_name for m in self.migrations))
        finally:
            self.session.run("rollback")

    def noticed(self, change: Careless) -> str | None:
        """Say what notices a change: a sentence; "" where PostgreSQL refuses it; None for nothing."""
        # Roles are the whole server's, and other tests change them in the same moment.
        for _ in range(100):
            try:
                return self._noticed(change)
            except _BusyError:
                continue
        raise AssertionError(f"others were in the way all the time: {change.title}")

    def _noticed(self, change: Careless) -> str | None:
        try:
            self._apply([change.migration])
        except CheckError as exc:
            return f"{exc}"
        except VouchError as exc:
            _refuse_busy(exc.server)
            return ""
        else:
            as_it_was = self.shape is not None and not difference(self.shape, self._shape())
            if as_it_was and change.kind not in UNSEEN:
                return ""
            try:
                self._apply(self.migrations[self.position + 1 :])
                self.session.run(self.seed)
            except (VouchError, QueryError) as exc:
                _refuse_busy(exc.server)
                return f"{exc}".splitlines()[0]
            return self._verify()
        finally:
            self.session.run("rollback")

    def _shape(self) -> Snapshot:
        # In the order of a promise, which is taken back first.
        message = Message().add(*RESET_ROLE)
        add_snapshot(message)
        return read_snapshot(message, self.session.run(message.text))

    def _apply(self, migrations: Sequence[Migration]) -> None:
        if not migrations:
            return
        tasks = [
            replace(task, expected_delta=None)
            for task in prepare(migrations, {}, require_promises=False)
        ]
        run(RunContext(self.session, Options(), silent), tasks, Scope.REHEARSAL)

    def _verify(self) -> str | None:
        applied = frozenset(m.id for m in self.migrations)
        first = True
        files = [(m.id, read_promises(m.verify_path, m.actors)) for m in self.migrations]
        files += [("always", promises) for promises in self.always]
        for name, promises in files:
            if promises is None:
                continue
            message = Message()
            if not first:
                message.add(*checks.BACK)
            first = False
            _, verdict = checks.run(self.session, message, promises.lasting(applied))
            if verdict.broken:
                return f"verify: {name}: {verdict.broken[0].check.sentence}"
            if verdict.unjudged:
                _refuse_busy(verdict.unjudged[0].server)
        return None


@dataclass(frozen=True)
class Tried:
    """One change, and what noticed it."""

    system: str
    change: Careless
    by: str | None


def draw(r: random.Random, author: Author, names: Names) -> tuple[Careless, str | None] | None:
    """Try changes until PostgreSQL takes one; None where there is none in a hundred.

    Returns:
        The change and what noticed it, None for nothing.
    """
    for number in range(100):
        # A kind has several chances, or those that always find a place would be drawn too often.
        if number % 5 == 0:
            kind = r.choice(KINDS)
        change = careless(r, kind, author.migrations[author.position], names)
        if change is None:
            continue
        by = author.noticed(change)
        if by != "":
            return change, by
    return None
