"""The fold of deltas is the live catalog: on random DDL, and of each system."""

import os
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from test_delta_property import BASE, STEPS, run_step

from conftest import ROOT, Server
from pgvouch.config.options import Options
from pgvouch.config.project import Database, database_names, find_project, read_database
from pgvouch.delta.fold import Deed, Fold
from pgvouch.delta.snapshot import Snapshot, difference
from pgvouch.engine import commands
from pgvouch.events import silent
from pgvouch.operations.drift import compare_database
from pgvouch.postgres.session import Session
from support.catalogs import make_roles, snapshot

PROJECT = find_project(ROOT / "pyproject.toml")
EMPTY = Snapshot({})


@pytest.fixture(scope="module")
def template(pg18: Server) -> Iterator[str]:
    make_roles(pg18.url("postgres"))
    name = f"fold_{secrets.token_hex(4)}"
    with pg18.janitor(name):
        with psycopg.connect(pg18.url(name)) as connection:
            connection.execute(BASE)
        yield name


def test_random_ddl_folds_to_what_is_there(pg18: Server, template: str) -> None:
    @settings(
        max_examples=int(os.environ.get("PGVOUCH_DELTA_EXAMPLES", "40")),
        derandomize="PGVOUCH_DELTA_EXAMPLES" not in os.environ,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=STEPS)
    def check(steps: list[list[str]]) -> None:
        with psycopg.connect(pg18.url(template), prepare_threshold=None) as connection:
            fold = Fold()
            fold.add(Deed("base", difference(EMPTY, snapshot(connection))))
            for step in steps:
                delta, done = run_step(connection, step)
                fold.add(Deed("; ".join(done), delta))
            assert fold.lines == snapshot(connection).lines()
            connection.rollback()

    check()


@pytest.mark.parametrize("name", database_names(PROJECT))
def test_each_system_is_the_fold_of_its_deltas(every_url: str, name: str) -> None:
    folder = PROJECT.migrations / name
    database = Database(name, folder, every_url, read_database(PROJECT, name))
    with Session.open(every_url) as session:
        commands.migrate(session, database, Options(), silent)
        compared = compare_database(session, database, Options(), silent)
    assert compared.differing == compared.unjudged == ()
    assert set(compared.without_delta) <= {"_supabase/000_roles"}
    assert compared.unpromised == ()
