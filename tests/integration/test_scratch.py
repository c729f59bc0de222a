"""The database that accept-delta keeps: what comes before a migration is applied once."""

import secrets
from collections.abc import Iterator

import pytest

from conftest import Folder, database_of, query
from pgvouch.operations.scratch import scratch_after
from pgvouch.postgres.session import QueryError, Session

KEPT = (
    "select datname from pg_database as d where starts_with(datname, 'pgvouch_before_') "
    "and shobj_description(d.oid, 'pg_database') = 'kept by pgvouch accept-delta for {}; may be dropped'"
)


@pytest.fixture
def project(folder: Folder) -> Iterator[Folder]:
    """Two migrations and one to be judged."""
    folder.write(
        {
            "001_a.sql": f"create table public.a{secrets.token_hex(4)} ();",
            "002_b.sql": "create table public.b ();",
            "003_c.sql": "create table public.c ();",
        }
    )
    yield folder
    for (kept,) in kept_of(folder):
        folder.query(f"drop database {kept}")


def kept_of(folder: Folder) -> list[tuple[object, ...]]:
    return folder.query(KEPT.format(database_of(folder.url)))


def lines(folder: Folder) -> list[str]:
    text = (folder.path / "verify/003_c.delta").read_text()
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_what_comes_before_is_applied_once(project: Folder) -> None:
    assert project("accept-delta", "3").code == 0
    ((kept,),) = kept_of(project)
    # What a hand has done to it shows that the next one is a copy.
    query(project.url.replace(database_of(project.url), str(kept)), "create table public.c ()")
    ran = project("accept-delta", "3")
    assert ran.code == 1
    assert "already exists" in ran.err
    assert kept_of(project) == [(kept,)]


def test_another_text_before_it_takes_its_place(project: Folder) -> None:
    assert project("accept-delta", "3").code == 0
    first = kept_of(project)
    project.write({"002_b.sql": "create table public.b (x integer);"})
    assert project("accept-delta", "3").code == 0
    second = kept_of(project)
    assert len(first) == len(second) == 1
    assert first != second
    assert lines(project) == ["+ table public.c ()"]


def test_the_text_of_the_migration_itself_does_not_matter(project: Folder) -> None:
    assert project("accept-delta", "3").code == 0
    kept = kept_of(project)
    project.write({"003_c.sql": "create table public.c (x integer);"})
    assert project("accept-delta", "3").code == 0
    assert kept_of(project) == kept
    assert lines(project) == ["+ column public.c.x integer", "+ table public.c (x)"]


def test_only_the_delta_that_is_asked_for_is_taken(project: Folder) -> None:
    """The one before it has a .delta file that is not so, and a check that fails."""
    project.write({"verify/002_b.delta": "+ table public.nonsense ()\n"})
    project.write({"verify/002_b.sql": "-- check: never\nselect false;\n"})
    ran = project("accept-delta", "3")
    assert ran.code == 0
    assert "001_a" not in ran.err
    assert lines(project) == ["+ table public.c ()"]


def test_nothing_is_kept_of_what_fails(project: Folder) -> None:
    project.write({"002_b.sql": "select 1 / 0;"})
    ran = project("accept-delta", "3")
    assert ran.code == 1
    assert "It failed in a scratch database, which is gone. No file was written." in ran.err
    assert kept_of(project) == []


def test_the_scratch_database_goes_whatever_has_failed(folder: Folder) -> None:
    names: list[str] = []

    def apply(session: Session) -> None:
        names.append(session.connection.info.dbname)
        session.run("select 1 / 0")

    with pytest.raises(QueryError), scratch_after(folder.url, "project", ["001"], apply):
        pass
    assert folder.query(f"select 1 from pg_database where datname = '{names[0]}'") == []


def test_a_database_of_another_role_is_not_believed(project: Folder) -> None:
    assert project("accept-delta", "3").code == 0
    ((kept,),) = kept_of(project)
    role = f"pgv_{secrets.token_hex(4)}"
    project.query(f"create role {role}")
    project.query(f"alter database {kept} owner to {role}")
    try:
        assert project("accept-delta", "3").code == 0
        assert project.query(f"select 1 from pg_database where datname = '{kept}'") == [(1,)]
    finally:
        project.query(f"alter database {kept} owner to current_user")
        project.query(f"drop role {role}")


def test_all_deltas_are_taken_in_one_pass_and_nothing_is_kept(project: Folder) -> None:
    assert project("accept-delta").code == 0
    assert kept_of(project) == []
