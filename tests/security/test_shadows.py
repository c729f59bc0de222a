"""A role with CREATE on public puts its own functions in the way of ours: none of them is run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import SERVERS, Folder, database_of, fresh, start

SHADOWS = (Path(__file__).parent / "shadows.sql").read_text()

# What the authors write here names what it uses: their search_path is theirs.
FILES = {
    "001_people.sql": "create table public.people (id int primary key, mail varchar(80));\n"
    "insert into public.people values (1, 'a'), (2, 'b');\n",
    "001_people.rollback.sql": "drop table public.people;\n",
    "verify/001_people.sql": "-- check: there are two\n"
    "select pg_catalog.count(*) operator(pg_catalog.=) 2 from public.people;\n"
    "-- same: nothing\n-- before:\nselect 1;\n-- after:\nselect 1;\n"
    "-- check error 23505: the key holds\ninsert into public.people values (1, 'twice');\n",
    "002_index.sql": "-- transactional: false\n"
    "create index concurrently people_mail on public.people (mail);\n"
    "reindex index concurrently public.people_mail;\ncomment on table public.people is 'people';\n",
    "002_index.rollback.sql": "-- transactional: false\n"
    "drop index concurrently public.people_mail;\n",
    "003_notes.sql": "-- lock_timeout: 700ms\n-- statement_timeout: 1min\n"
    "create table public.notes (id int, touched_at timestamptz);\n"
    "alter table public.notes enable row level security;\n",
    "003_notes.rollback.sql": "delete from public.people;\ndrop table public.notes;\n",
    "004_provided.sql": "-- unless: current_user is not null\nselect 1;\n",
    "004_provided.rollback.sql": "select 1;\n",
}


@pytest.fixture(
    params=[(server, place) for server in SERVERS for place in ("behind", "ahead")],
    ids=" ".join,
)
def hostile(
    request: pytest.FixtureRequest,
    make_folder: Callable[[str], Folder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Folder]:
    """A folder for a database whose public schema is full of shadows.

    Behind pg_catalog, where it is by default, those that fit better are found; ahead of it all.
    """
    monkeypatch.chdir(tmp_path)
    for url in fresh(start(request.param[0])):
        yield from _hostile(make_folder(url), request.param[1])


def _hostile(folder: Folder, place: str) -> Iterator[Folder]:
    folder.write(FILES)
    folder.query(SHADOWS)
    if place == "ahead":
        name = database_of(folder.url)
        folder.query(f'alter database "{name}" set search_path = public, pg_catalog')
    yield folder
    assert _ran(folder) == [(False,)]


def _ran(folder: Folder) -> list[tuple[object, ...]]:
    with psycopg.connect(folder.url, options="-c search_path=pg_catalog") as connection:
        return connection.execute("select is_called from public.ran").fetchall()


def test_the_shadows_are_seen(folder: Folder) -> None:
    """The trap works: what resolves a name through the path falls into it."""
    folder.query(SHADOWS)
    with pytest.raises(psycopg.errors.RaiseException, match="operator = "):
        folder.query("select 'a'::varchar = 'b'::varchar")
    assert _ran(folder) == [(True,)]


def test_every_command_runs_nothing_of_them(hostile: Folder) -> None:
    for command in ("status", "plan"):
        assert hostile(command).code == 0
    ran = hostile("migrate", "--to", "1")
    assert ran.code == 0, ran.err
    ran = hostile("migrate")
    assert ran.code == 0, ran.err
    for command in (
        ["migrate"],
        ["migrate", "--dry-run"],
        ["status", "--exit-code"],
        ["plan"],
        ["verify"],
        ["wait", "--for-schema"],
    ):
        ran = hostile(*command)
        assert ran.code == 0, (command, ran.err)
    ran = hostile("rollback", "--all", "--dry-run")
    assert ran.code == 0, ran.err
    assert "public.people: 2 rows (deleted)" in ran.out
    ran = hostile("rollback", "--steps", "2")
    assert ran.code == 1
    assert "would lose data" in ran.err
    ran = hostile("rollback", "--all", "--discard-data")
    assert ran.code == 0, ran.err


def test_the_delta_a_rehearsal_and_a_changed_file(hostile: Folder) -> None:
    for name in ("002_index.sql", "002_index.rollback.sql"):
        (hostile.path / name).unlink()
    ran = hostile("migrate", "--rehearse")
    assert ran.code == 0, ran.err
    ran = hostile("migrate", "--single-transaction")
    assert ran.code == 0, ran.err
    hostile.write({"003_notes.sql": FILES["003_notes.sql"] + "-- more\n"})
    assert hostile("status").code == 4
    ran = hostile("accept", "3", "--why", "a comment")
    assert ran.code == 0, ran.err
    assert hostile("migrate").code == 0


def test_a_ledger_of_yoyo_is_taken_over(hostile: Folder) -> None:
    with psycopg.connect(hostile.url, options="-c search_path=pg_catalog") as connection:
        connection.execute(
            "create table public._yoyo_migration (migration_hash varchar(64) primary key, "
            "migration_id varchar(255), applied_at_utc timestamp);"
            "create table public._yoyo_log (id varchar(36) primary key, migration_hash varchar(64), "
            "migration_id varchar(255), operation varchar(10), username varchar(255), "
            "hostname varchar(255), comment varchar(255), created_at_utc timestamp);"
            "insert into public._yoyo_migration values ('x', '001_people', '2026-01-01');"
            "create table public.people (id int primary key, mail varchar(80))"
        )
    assert "001_people" in hostile("status").out
    ran = hostile("migrate")
    assert ran.code == 0, ran.err
    assert "1 migrations taken over from yoyo" in ran.err


def test_a_statement_of_nobody_knows_what(hostile: Folder) -> None:
    """What a crash leaves is found out without them, too."""
    ran = hostile("migrate", "--to", "1")
    assert ran.code == 0, ran.err
    with psycopg.connect(hostile.url, options="-c search_path=pg_catalog") as connection:
        connection.execute(
            "insert into pgvouch.migration (migration_id, state, transactional, statements_done, "
            "progress, running, running_before) values ('002_index', 'incomplete', false, 0, "
            "encode(sha256(''), 'hex'), "
            "'create index concurrently people_mail on public.people (mail)', '')"
        )
    ran = hostile("migrate")
    assert ran.code == 0, ran.err


STAMPED = """
create schema auth;
create function auth.uid() returns pg_catalog.uuid language sql as 'select null::pg_catalog.uuid';
create function public.update_updated_at() returns trigger language plpgsql as
  'begin new.updated_at := pg_catalog.now(); return new; end';
create table public.projects (
  id pg_catalog.int4 primary key,
  user_id pg_catalog.uuid not null,
  updated_at pg_catalog.timestamptz
);
create index projects_user_id_idx on public.projects (user_id);
alter table public.projects enable row level security;
-- stamp: owner_policies(table="projects", owner="user_id", commands=["select"], role="pg_monitor")
-- stamp: updated_at_trigger(table="projects")
-- stamp: grants(table="projects", to={"pg_monitor": ["select"]}, revoke=["public"])
"""


def test_stamped_checks_name_what_they_use(hostile: Folder) -> None:
    stamps = "".join(line + "\n" for line in STAMPED.splitlines() if "-- stamp:" in line)
    hostile.write({"001_projects.sql": STAMPED, "verify/001_projects.sql": stamps})
    for name in FILES:
        (hostile.path / name).unlink()
    assert hostile("stamp").code == 0
    ran = hostile("migrate")
    assert ran.code == 0, ran.err
    assert "5 checks" in ran.err
    ran = hostile("verify")
    assert ran.code == 0, ran.out
