"""Checks in somebody's place: whose they are, what is undone behind them, and who proves nothing."""

import re
import secrets
from collections.abc import Iterator

import psycopg
import pytest

from conftest import Folder, Server, query
from support.proxy import recording

ACTORS = """
[ann]
id = "5afe0000-0000-4000-8000-00000000000a"
role = "{role}"
claims = {{ sub = "{{id}}" }}

[bob]
id = "5afe0000-0000-4000-8000-00000000000b"
role = "{role}"
claims = {{ sub = "{{id}}" }}
settings = {{ "app.tenant" = "42" }}

[visitor]
role = "{visitor}"
"""
NOTES = """
create function public.caller() returns uuid language sql stable
  return (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;
create table public.notes (owner uuid not null, body text);
alter table public.notes enable row level security;
create policy own on public.notes using (owner = (select public.caller()));
grant select, insert on public.notes to {role};
"""
SETUP = "insert into public.notes values (:'ann', 'hers'), (:'bob', 'his');\n"


@pytest.fixture
def roles(pg18: Server) -> Iterator[dict[str, str]]:
    """Two roles of the test's own, which it may give attributes and memberships."""
    names = {name: f"{name}_{secrets.token_hex(6)}" for name in ("role", "visitor")}
    url = pg18.url("postgres")
    for name in names.values():
        query(url, f"create role {name}")
    yield names
    for name in names.values():
        query(url, f"drop role {name}")


@pytest.fixture
def notes(folder: Folder, roles: dict[str, str]) -> Iterator[Folder]:
    folder.write(
        {
            "001_notes.sql": NOTES.format(**roles),
            "001_notes.rollback.sql": "drop table public.notes; drop function public.caller();",
            "actors.toml": ACTORS.format(**roles),
        }
    )
    yield folder
    for name in roles.values():
        folder.query(f"drop owned by {name} cascade")


def _promise(folder: Folder, text: str, setup: str = SETUP) -> None:
    folder.write({"verify/001_notes.sql": setup + text})


def test_each_check_is_its_actors_and_the_next_one_is_not(notes: Folder) -> None:
    _promise(
        notes,
        "-- check: the one who migrates sees all\nselect count(*) = 2 from public.notes;\n"
        "-- check as ann: she sees her own note\nselect body = 'hers' from public.notes;\n"
        "-- check: the one who migrates is back, and has no claims\n"
        "select count(*) = 2 and max(current_setting('request.jwt.claims', true)) = '' from public.notes;\n"
        "-- check none as bob: a note that is not his\nselect from public.notes where body <> 'his';\n"
        "-- check as bob: he has settings of his own\nselect current_setting('app.tenant') = '42';\n"
        "-- check: which are gone\nselect current_setting('app.tenant', true) = '';\n"
        "-- check as ann: back to the one who migrates in the middle\n"
        "insert into public.notes values (:'ann', 'new');\nreset role;\n"
        "select count(*) = 3 from public.notes;\n"
        "-- check: what was shared with them both\n"
        "update public.notes set owner = :'ann';\n-- as: ann\n"
        "select count(*) from public.notes;\n"
        "-- as: bob\nselect count(*) = 0 from public.notes;\n"
        "-- check error 42501: handed on, she reads as a visitor\nselect true;\n"
        "-- as: ann\nselect body from public.notes;\n"
        "-- as: visitor\nselect body from public.notes;\n"
        "-- check error 42501 as ann: she writes in his name\n"
        "insert into public.notes values (:'bob', 'forged');\n"
        "-- check error 42501 as visitor: a visitor reads\nselect * from public.notes;\n"
        "-- check error 22012: the one who migrates is back\nselect 1 / (count(*) - 2) from public.notes;\n",
    )
    ran = notes("migrate")
    assert ran.code == 0, ran.err
    assert "12 checks" in ran.out
    assert notes("verify").code == 0
    assert notes("rollback").code == 0


def test_a_check_that_is_broken_is_told_as_it_is_written(notes: Folder) -> None:
    _promise(
        notes, "-- check as ann: she sees all\nselect\n  count(*) = 2, :'ann' from public.notes;\n"
    )
    ran = notes("migrate")
    assert ran.code == 1
    assert "verify/001_notes.sql:2" in ran.err
    assert "she sees all" in ran.err
    _promise(notes, "-- check as ann: one\nselect :'ann', :'bob', nothing from public.notes;\n")
    ran = notes("migrate")
    assert "verify/001_notes.sql:3:24" in ran.err
    assert "| select :'ann', :'bob', nothing from public.notes" in ran.err


def test_a_role_that_is_not_there_is_an_error_with_the_actors_place(notes: Folder) -> None:
    text = (notes.path / "actors.toml").read_text()
    notes.write({"actors.toml": re.sub(r"visitor_\w+", "no_such_role", text)})
    _promise(notes, "-- check error 22023 as visitor: reads\nselect from public.notes;\n")
    ran = notes("migrate")
    assert ran.code == 1
    assert "actors.toml:13" in ran.err
    assert "expected visitor to act as the role no_such_role" in ran.err
    _promise(notes, "-- check as visitor: reads\nselect true;\n-- check: then\nselect true;\n")
    ran = notes("migrate")
    assert ran.code == 1
    assert "expected visitor to act as the role no_such_role" in ran.err


@pytest.mark.parametrize(
    ("exempt", "why", "again"),
    [
        ("alter role {role} superuser", "is a superuser", "alter role {role} nosuperuser"),
        ("alter role {role} bypassrls", "has BYPASSRLS", "alter role {role} nobypassrls"),
        (
            "grant create on schema public to {role}; alter table public.notes owner to {role}",
            "has the rights of the owner of public.notes",
            "",
        ),
        (
            "alter table public.notes owner to {visitor}; grant {visitor} to {role}",
            "has the rights of the owner of public.notes",
            "",
        ),
    ],
)
@pytest.mark.parametrize(
    "check",
    [
        "-- check as ann: sees\nselect true;\n",
        "-- check none as ann: sees\nselect 1 where false;\n",
        "-- check error 22012 as ann: divides\nselect 1/0;\n",
    ],
)
def test_an_actor_whom_row_security_does_not_stop_proves_nothing(
    notes: Folder, roles: dict[str, str], exempt: str, why: str, again: str, check: str
) -> None:
    migration = (notes.path / "001_notes.sql").read_text()
    notes.write({"001_notes.sql": migration + exempt.format(**roles) + ";\n"})
    _promise(notes, check + "-- check: another\nselect true;\n", setup="")
    ran = notes("migrate")
    assert ran.code == 1
    assert f"the role {roles['role']}, which {why}: such a check proves nothing" in ran.err
    assert "verify/001_notes.sql:1" in ran.err
    assert "also broken" not in ran.err
    text = (notes.path / "actors.toml").read_text()
    notes.write({"actors.toml": text.replace("claims", "bypasses_rls = true\nclaims", 1)})
    ran = notes("migrate")
    assert ran.code == 0, ran.err
    if again:
        notes.query(again.format(**roles))


@pytest.mark.parametrize(
    "harmless",
    [
        "alter table public.notes owner to {role}; alter table public.notes force row level security",
        "grant {visitor} to {role}; alter role {role} noinherit; alter role {visitor} bypassrls",
        "create table public.hers (); alter table public.hers owner to {role}",
    ],
)
def test_what_a_role_may_become_and_other_tables_do_not_count(
    notes: Folder, roles: dict[str, str], harmless: str
) -> None:
    migration = (notes.path / "001_notes.sql").read_text()
    notes.write({"001_notes.sql": migration + harmless.format(**roles) + ";\n"})
    _promise(notes, "-- check as ann: sees\nselect true;\n", setup="")
    ran = notes("migrate")
    assert ran.code == 0, ran.err


def test_who_is_exempt_is_looked_up_in_pg_catalog_alone(
    notes: Folder, roles: dict[str, str]
) -> None:
    with psycopg.connect(notes.url, autocommit=True) as connection:
        connection.execute(
            "create function public.never(name, name) returns boolean language sql return false;"
            "create operator public.= (function = public.never, leftarg = name, rightarg = name);"
            "create view public.pg_roles as select null::name as rolname"
        )
        name = psycopg.sql.Identifier(connection.info.dbname)
        connection.execute(
            psycopg.sql.SQL("alter database {} set search_path = public, pg_catalog").format(name)
        )
    _promise(
        notes,
        "-- check as ann: sees\nselect current_setting('search_path') = 'public, pg_catalog';\n",
        setup="",
    )
    ran = notes("migrate")
    assert ran.code == 0, ran.err
    notes("rollback")
    notes.query(f"alter role {roles['role']} bypassrls")
    ran = notes("migrate")
    notes.query(f"alter role {roles['role']} nobypassrls")
    assert "which has BYPASSRLS" in ran.err


def test_actors_cost_no_round_trip(notes: Folder, pg18: Server) -> None:
    notes("migrate")
    (notes.path / "002_t.sql").write_text("create table t (id int);")
    (notes.path / "002_t.rollback.sql").write_text("drop table t;")
    checks = {
        who: "".join(f"-- check{who}: number {n}\nselect true;\n" for n in range(20))
        + f"-- check error 22012{who}: zero\nselect 1/0;\n"
        for who in ("", " as ann")
    }
    counted = []
    with recording(f"{pg18.running.socket_folder}/.s.PGSQL.{pg18.running.port}") as wire:
        database = notes.url.rpartition("/")[2].partition("?")[0]
        through = f"postgresql://postgres@127.0.0.1:{wire.port}/{database}?sslmode=disable"
        for text in checks.values():
            notes.write({"verify/002_t.sql": text})
            wire.clear()
            assert notes("migrate", url=through).code == 0
            counted.append(len(wire.queries))
            assert notes("rollback").code == 0
    assert counted[0] == counted[1]


def test_a_platform_set_brings_actors_to_those_who_require_it(
    notes: Folder, roles: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = notes.root / "project"
    ours, platform = root / "migrations" / "ours", root / "migrations" / "_platform"
    (ours / "verify").mkdir(parents=True)
    platform.mkdir()
    (root / "pgvouch.toml").write_text('[databases.ours]\nrequires = ["_platform"]\n')
    for path in notes.path.glob("001*"):
        (ours / path.name).write_text(path.read_text())
    (platform / "000_p.sql").write_text("select 1;")
    (platform / "000_p.rollback.sql").write_text("select 1;")
    (platform / "actors.toml").write_text(ACTORS.format(**roles))
    (ours / "actors.toml").write_text(f'[zoe]\nrole = "{roles["role"]}"\n')
    (ours / "verify" / "001_notes.sql").write_text(
        SETUP + "-- check as ann: sees\nselect body = 'hers' from public.notes;\n"
        "-- check none as zoe: sees\nselect from public.notes;\n"
    )
    monkeypatch.chdir(root)
    from pgvouch.cli import main

    assert main.run(["migrate", "--url", notes.url], {}) == 0
    (ours / "actors.toml").write_text("[zoe\n")
    assert main.run(["migrate", "--url", notes.url], {}) == 2


def test_one_query_before_and_after(notes: Folder) -> None:
    notes("migrate")
    notes.query("insert into public.notes values (gen_random_uuid(), 'old')")
    notes.write(
        {
            "002_b.sql": "delete from public.notes;",
            "002_b.rollback.sql": "select 1;",
            "verify/002_b.sql": "-- same: the notes\nselect body from public.notes;\n",
        }
    )
    ran = notes("migrate")
    assert ran.code == 1
    assert "the same rows as before the migration: (old)" in ran.err
    notes.write({"002_b.sql": "update public.notes set owner = owner;"})
    assert notes("migrate").code == 0
