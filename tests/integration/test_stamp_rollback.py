"""On a real server: what is stamped works as it says, keeps its checks, and rolls back."""

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from psycopg import sql

from conftest import Server
from pgvouch.stamp.templates import Target
from support.stamp_bench import (
    ODD_NAMES,
    PLATFORM,
    broken,
    distinct_names,
    fits,
    prepared,
    stamp,
    stamp_values,
)

COMMANDS = ["select", "insert", "update", "delete"]
ROOM = 63 - len("_select_service")
CATALOG = """
select 'policy', polname::text, polrelid::text, polcmd::text from pg_policy
union all
select 'trigger', tgname::text, tgrelid::text, tgtype::text from pg_trigger
union all
select 'grant', c.relname::text, e.grantee::text, e.privilege_type
from pg_class as c, aclexplode(c.relacl) as e
where c.relnamespace not in (select oid from pg_namespace where nspname like 'pg\\_%%'
  or nspname = 'information_schema') and e.grantee <> c.relowner
union all
select 'column', a.attrelid::text, e.grantee::text, e.privilege_type
from pg_attribute as a, aclexplode(a.attacl) as e
where a.attrelid >= 16384
order by 1, 2, 3, 4
"""


def _run(connection: psycopg.Connection, template: str, *names: sql.Identifier) -> None:
    connection.execute(sql.SQL(template).format(*names))


def _tables(connection: psycopg.Connection, n: list[str]) -> None:
    """Schema 0: table 1 (key 8, owner 2, via 3, updated 4), parent 5, role 6, function 7."""
    i = [sql.Identifier(name) for name in n]
    _run(connection, "create schema {}", i[0])
    _run(connection, "create role {}", i[6])
    _run(connection, "create table {}.{} ({} uuid primary key, {} uuid)", i[0], i[5], i[8], i[2])
    _run(connection, "create index on {}.{} ({})", i[0], i[5], i[2])
    _run(
        connection,
        "create table {}.{} ({} uuid primary key, {} uuid, {} uuid, {} timestamptz)",
        *(i[0], i[1], i[8], i[2], i[3], i[4]),
    )
    _run(connection, "create index on {}.{} ({})", i[0], i[1], i[2])
    _run(connection, "create index on {}.{} ({})", i[0], i[1], i[3])
    _run(connection, "alter table {}.{} enable row level security", i[0], i[1])
    body = sql.SQL("begin new.{} = now(); return new; end").format(i[4]).as_string(connection)
    connection.execute(
        sql.SQL("create function {}.{}() returns trigger language plpgsql as {}").format(
            i[0], i[7], sql.Literal(body)
        )
    )


def _stamps(n: list[str]) -> list[tuple[str, dict[str, object]]]:
    table: dict[str, object] = {"table": n[1], "schema": n[0]}
    hop = {"table": n[5], "schema": n[0], "key": n[8], "column": n[3], "owner": n[2]}
    policies = {**table, "role": n[6], "commands": COMMANDS}
    return [
        ("owner_policies", {**policies, "owner": n[2]}),
        ("owner_via_policies", {**policies, "via": [hop], "own": n[2]}),
        ("service_policies", policies),
        (
            "updated_at_trigger",
            {**table, "function": n[7], "function_schema": n[0], "column": n[4]},
        ),
        (
            "grants",
            {
                **table,
                "to": {n[6]: ["select", "insert"], "public": ["select"]},
                "columns": {n[6]: {"update": [n[2], n[4]]}},
                "revoke": ["public", n[6]],
            },
        ),
    ]


@pytest.fixture(scope="module")
def platform(pg18: Server) -> Iterator[psycopg.Connection]:
    with prepared(pg18) as url, psycopg.connect(url) as connection:
        yield connection


SHORT_ODD = [name for name in ODD_NAMES if fits(name, ROOM) and not name.startswith("pg_")]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(names=distinct_names(9, ROOM))
@example(names=SHORT_ODD[0:9])
@example(names=SHORT_ODD[9:18])
@example(names=SHORT_ODD[18:27])
@example(names=SHORT_ODD[27:36])
@example(names=["expected", "found", "uid", "parent", "parent2", "pgvouch", "p", "e", "r"])
@example(names=["n", "p", "e", "f", "granted", "name", "g", "oid", "c"])
def test_whatever_the_names_it_applies_holds_and_rolls_back(
    platform: psycopg.Connection, names: list[str]
) -> None:
    with platform.transaction(force_rollback=True):
        _tables(platform, names)
        for template, values in _stamps(names):
            before = platform.execute(CATALOG).fetchall()
            platform.execute(stamp_values(template, Target.MIGRATION, values).encode())
            assert platform.execute(CATALOG).fetchall() != before
            assert broken(platform, stamp_values(template, Target.VERIFY, values)) == []
            platform.execute(stamp_values(template, Target.ROLLBACK, values).encode())
            assert platform.execute(CATALOG).fetchall() == before
            assert broken(platform, stamp_values(template, Target.VERIFY, values)) != []


ALICE, BOB = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
BEHAVIOUR = f"""
create table public.projects (id int primary key, user_id uuid not null, updated_at timestamptz);
create table public.sessions (id int primary key, project_id int not null, user_id uuid not null);
create table public.jobs (id int primary key, session_id int not null);
alter table public.projects enable row level security;
alter table public.sessions enable row level security;
alter table public.jobs enable row level security;
insert into public.projects values (1, '{ALICE}'), (2, '{BOB}');
insert into public.sessions values (1, 1, '{ALICE}'), (2, 2, '{BOB}');
insert into public.jobs values (1, 1), (2, 2);
-- Parents that everyone may read: only the policy's own condition keeps the rows apart.
create table public.teams (id int primary key, owner uuid not null);
create table public.boards (id int primary key, team int not null);
create table public.cards (id int primary key, board int not null);
insert into public.teams values (1, '{ALICE}'), (2, '{BOB}');
insert into public.boards values (1, 1), (2, 2);
insert into public.cards values (1, 1), (2, 2);
grant select on public.teams, public.boards to authenticated;
grant select, insert, update, delete on public.cards to authenticated;
alter table public.cards enable row level security;
"""
BEHAVIOUR_STAMPS = [
    'owner_policies(table="projects", owner="user_id", commands=["select","insert","update","delete"])',
    'owner_via_policies(table="sessions", own="user_id", commands=["select","insert","update"],'
    ' via=[{"table": "projects", "column": "project_id", "owner": "user_id"}])',
    'owner_via_policies(table="jobs", commands=["select"],'
    ' via=[{"table": "sessions", "column": "session_id"},'
    ' {"table": "projects", "column": "project_id", "owner": "user_id"}])',
    'owner_via_policies(table="cards", commands=["select","insert","update","delete"],'
    ' via=[{"table": "boards", "column": "board"},'
    ' {"table": "teams", "column": "team", "owner": "owner"}])',
    'service_policies(table="jobs", commands=["select","insert"], role="stamp_service")',
    'grants(table="projects", to={"authenticated": ["select","insert","update","delete"]})',
    'grants(table="sessions", to={"authenticated": ["select","insert","update"]})',
    'grants(table="jobs", to={"authenticated": ["select"], "stamp_service": ["select","insert"]})',
]


@pytest.fixture(scope="module")
def stamped(every_server: Server) -> Iterator[str]:
    with prepared(every_server, BEHAVIOUR, *map(stamp, BEHAVIOUR_STAMPS)) as url:
        yield url


@pytest.fixture
def database(stamped: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stamped) as connection:
        yield connection
        connection.rollback()


def as_user(
    database: psycopg.Connection, user: str | None, query: str, role: str = "authenticated"
) -> list[tuple[object, ...]] | str:
    """The rows a user gets, the number of rows changed, or the SQLSTATE of the refusal."""
    claims = f'{{"sub": "{user}"}}' if user else ""
    try:
        with database.transaction(force_rollback=True):
            database.execute("select set_config('request.jwt.claims', %s, true)", [claims])
            database.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            cursor = database.execute(query.encode())
            return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]
    except psycopg.errors.Error as exc:
        return str(exc.sqlstate)


@pytest.mark.parametrize(
    ("query", "alice"),
    [
        ("select id from projects", [(1,)]),
        (f"insert into projects values (3, '{ALICE}')", [(1,)]),
        (f"insert into projects values (3, '{BOB}')", "42501"),
        (f"update projects set user_id = '{BOB}'", "42501"),
        ("update projects set id = id + 10", [(1,)]),
        ("delete from projects", [(1,)]),
        ("delete from projects where id = 2", [(0,)]),
        ("select id from sessions", [(1,)]),
        (f"insert into sessions values (3, 1, '{ALICE}')", [(1,)]),
        (f"insert into sessions values (3, 2, '{ALICE}')", "42501"),
        (f"insert into sessions values (3, 1, '{BOB}')", "42501"),
        ("update sessions set project_id = 2", "42501"),
        (f"update sessions set user_id = '{BOB}'", "42501"),
        ("select id from jobs", [(1,)]),
        ("insert into jobs values (3, 1)", "42501"),
        ("select id from cards", [(1,)]),
        ("insert into cards values (3, 1)", [(1,)]),
        ("insert into cards values (3, 2)", "42501"),
        ("update cards set board = 2", "42501"),
        ("update cards set id = id + 10", [(1,)]),
        ("delete from cards", [(1,)]),
    ],
)
def test_a_user_has_what_is_theirs_and_nothing_else(
    database: psycopg.Connection, query: str, alice: list[tuple[object, ...]] | str
) -> None:
    assert as_user(database, ALICE, query) == alice


def test_who_is_nobody_has_nothing(database: psycopg.Connection) -> None:
    assert as_user(database, None, "select id from projects") == []
    assert as_user(database, None, "select id from jobs") == []
    assert as_user(database, ALICE, "select id from projects", "anon") == "42501"


def test_the_service_role_has_every_row(database: psycopg.Connection) -> None:
    assert as_user(database, None, "select id from jobs order by 1", "stamp_service") == [
        (1,),
        (2,),
    ]
    assert as_user(database, None, "insert into jobs values (3, 9)", "stamp_service") == [(1,)]
    assert as_user(database, None, "delete from jobs", "stamp_service") == "42501"


def test_grants_undo_what_default_privileges_gave(every_url: str) -> None:
    with psycopg.connect(every_url) as connection:
        connection.execute(PLATFORM.encode())
        connection.execute(
            "alter default privileges in schema public grant all on tables"
            " to anon, authenticated, service_role"
        )
        connection.execute("create table public.profiles (id int, name text, tier text)")
        line = (
            'grants(table="profiles", to={"authenticated": ["select"], "service_role": ["select"]},'
            ' columns={"authenticated": {"update": ["name"]}})'
        )
        assert broken(connection, stamp(line, Target.VERIFY)) != []
        connection.execute(stamp(line).encode())
        assert broken(connection, stamp(line, Target.VERIFY)) == []
        assert as_user(connection, ALICE, "update profiles set name = 'x'") == [(0,)]
        assert as_user(connection, ALICE, "update profiles set tier = 'x'") == "42501"
        connection.rollback()
