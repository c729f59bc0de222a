"""Careless changes, the delta regenerated: of a hundred at random, at least 85 are noticed."""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from careless import Author, Tried, draw
from conftest import ROOT, Server
from mutants import OLD_ROWS
from pgvouch import api, ledger
from pgvouch.config import Database, database_names, find_project, read_database
from pgvouch.db import Session
from pgvouch.events import silent
from pgvouch.options import Options

PROJECT = find_project(ROOT / "pyproject.toml")
SYSTEMS = database_names(PROJECT)
SEED = int(os.environ.get("SEED", "1"))
NUMBER = int(os.environ.get("NUMBER", "20"))
"""How many changes of each system."""


def _try(server: Server, system: str, number: int, r: random.Random) -> list[Tried]:
    migrations = read_database(PROJECT, system)
    own = [p for p, migration in enumerate(migrations) if not migration.set_name]
    wanted = Counter(r.choice(own) for _ in range(number))
    seed = (ROOT / "seed" / f"{system}.sql").read_text()
    tried = []
    for position, times in sorted(wanted.items()):
        janitor = server.janitor(f"careless_{system}")
        janitor.init()
        try:
            session = Session.open(server.url(f"careless_{system}"))
            try:
                ledger.ensure(session)
                database = Database("careless", Path(), "", migrations)
                if position:
                    last = migrations[position - 1].id
                    api.migrate(session, database, Options(), silent, to=last)
                session.run(OLD_ROWS.get(migrations[position].id, ""))
                author = Author(session, migrations, position, seed)
                names = author.names()
                for _ in range(times):
                    found = draw(r, author, names)
                    # Hardly anything fits into a file of three enums.
                    tried += [] if found is None else [Tried(system, *found)]
            finally:
                session.connection.close()
        finally:
            janitor.drop()
    return tried


@pytest.mark.parametrize("system", SYSTEMS)
def test_careless_changes_are_noticed(pg18: Server, system: str) -> None:
    tried = _try(pg18, system, NUMBER, random.Random(f"{SEED} {system}"))
    survivors = [t for t in tried if t.by is None]
    told = "\n".join(
        f"{'NOT' if t.by is None else '   '} {t.change.kind:28} {t.change.migration.id}: "
        f"{t.change.title}\n        {t.by or ''}"
        for t in tried
    )
    print(told)
    assert len(tried) >= NUMBER * 9 // 10
    assert len(survivors) <= len(tried) * 15 // 100, told
