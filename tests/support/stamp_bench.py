"""For the tests of stamping: expand a stamp line, run its checks on a real server, odd names."""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from hypothesis import strategies as st

from conftest import Server
from pgvouch.files import promises
from pgvouch.files.promises import Kind
from pgvouch.stamp.call import SourceLine, parse_call
from pgvouch.stamp.render import expand
from pgvouch.stamp.templates import Target, Templates

STOCK = Templates()

PLATFORM = """
do $$
declare
  wanted text;
begin
  -- Roles are the cluster's, and other tests bring the platform set itself: as Supabase has them.
  -- `stamp_service` is a service role that policies have to let through.
  foreach wanted in array array[
    'anon', 'authenticated', 'service_role bypassrls', 'stamp_service'
  ] loop
    begin
      execute 'create role ' || wanted;
    exception when duplicate_object or unique_violation then
      null;
    end;
  end loop;
end
$$;
create schema auth;
grant usage on schema auth to anon, authenticated;
create function auth.uid() returns uuid language sql stable as
  $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
"""
"""As much of Supabase as a policy needs."""


@contextmanager
def prepared(server: Server, *statements: str) -> Iterator[str]:
    """A database with the platform and these statements committed in it."""
    name = f"t_{secrets.token_hex(6)}"
    with server.janitor(name):
        with psycopg.connect(server.url(name), autocommit=True) as connection:
            for statement in (PLATFORM, *statements):
                connection.execute(statement.encode())
        yield server.url(name)


def stamp(line: str, part: Target = Target.MIGRATION, templates: Templates = STOCK) -> str:
    """Return what a stamp line gives."""
    call = parse_call(iter([SourceLine(line, 1, 1)]), Path("001_a.sql"))
    family = templates.family(call.template, call.place)
    return expand(family, part, family.declaration.bind(call), call.place)


def stamp_values(template: str, part: Target, values: dict[str, object]) -> str:
    """Return what a template gives for values that are not written as a line."""
    arguments = ", ".join(f"{name}={_written(value)}" for name, value in values.items())
    return stamp(f"{template}({arguments})", part)


def _written(value: object) -> str:
    if isinstance(value, dict):
        pairs = (f"{_written(key)}: {_written(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(char):08x}" for char in value) + '"'
    return "null" if value is None else str(value).lower()


def broken(connection: psycopg.Connection, checks: str) -> list[str]:
    """Run a verify text and return the sentences of the checks that fail.

    The same rules as `pgvouch verify`, written again in a few lines so that one bug cannot hide
    in both.
    """
    found = []
    for check in promises.parse(checks, Path("verify/001_a.sql")).checks:
        assert check.kind is Kind.TRUE
        with connection.cursor() as cursor:
            cursor.execute("savepoint one_check")
            try:
                cursor.execute(check.turns[0].query.sql)
                while cursor.nextset():
                    pass
                rows = cursor.fetchall()
                kept = bool(rows) and all(row[0] is True for row in rows)
            except psycopg.errors.Error as exc:
                kept = False
                assert exc.sqlstate not in {"42601", "42883"}, f"the check itself is wrong: {exc}"
            cursor.execute("rollback to savepoint one_check; release savepoint one_check")
        if not kept:
            found.append(check.sentence)
    return found


ODD_NAMES = [
    "select",
    "user",
    "Users can view own projects",
    'a "quoted" name',
    '"',
    "it's",
    "line\nbreak",
    "carriage\r\nreturn",
    "\n-- end stamp\n",
    "-- check: fake",
    "*/ drop table x; --",
    "/* open",
    "$$",
    "$tag$",
    "{{ table }}",
    "{% raw %}",
    "{# pgvouch",
    "%s",
    "%(a)s",
    ":'var'",
    ":name",
    "back\\slash",
    "tab\there",
    "end;",
    " leading and trailing ",
    "MixedCase",
    "1digit",
    "a.b",
    "a$b",
    "übergröße",
    "名前",
    "😀",
    "\u202egnp.exe",
    "\ue000private\ue001",
    "\u2028line separator",
    "x" * 63,
    "é" * 31,
    'U&"d\\0061t"',
    "pg_temp",
    "parent",
    "parent2",
    "expected",
    "found",
    "uid",
]
"""Names that break what does not quote."""


def fits(name: str, room: int = 63) -> bool:
    return 0 < len(name.encode()) <= room


def names(room: int = 63) -> st.SearchStrategy[str]:
    """Names PostgreSQL can hold, of so many bytes at most."""
    alphabet = st.one_of(
        st.sampled_from("ab_Z09 \"'\\$.;:-/*%{}[]()\n\r\t#&U"),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    )
    free = st.text(alphabet, min_size=1, max_size=room).filter(lambda name: fits(name, room))
    return st.one_of(free, st.sampled_from([name for name in ODD_NAMES if fits(name, room)]))


def distinct_names(count: int, room: int = 63) -> st.SearchStrategy[list[str]]:
    """So many different names, none of them one that roles cannot have."""
    reserved = {"public", "none"}
    allowed = names(room).filter(lambda name: name not in reserved and not name.startswith("pg_"))
    return st.lists(allowed, min_size=count, max_size=count, unique=True)


def failing(sentences: Iterable[str]) -> set[str]:
    """Shorten the sentences of the stock checks to what each looks at."""
    kinds = {
        "row level security": "rls",
        "exactly the stamped policies": "policies",
        "an index begins": "index",
        "before every update": "trigger",
        "exactly what was granted": "grants",
    }
    return {next(kind for words, kind in kinds.items() if words in s) for s in sentences}
