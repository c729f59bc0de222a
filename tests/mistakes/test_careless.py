"""Careless changes, the delta regenerated: of a hundred at random, at least 85 are noticed."""

import os
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import ROOT, Server
from mistakes.careless import Author, Careless, Tried, draw
from mistakes.careless_seen import LISTED
from mistakes.mutants import OLD_ROWS
from pgvouch.config.options import Options
from pgvouch.config.project import Database, database_names, find_project, read_database
from pgvouch.engine import commands
from pgvouch.events import silent
from pgvouch.files.migration import checksum
from pgvouch.ledger import ledger
from pgvouch.postgres.session import Session

PROJECT = find_project(ROOT / "pyproject.toml")
SYSTEMS = database_names(PROJECT)
SEED = int(os.environ.get("SEED", "1"))
NUMBER = int(os.environ.get("NUMBER", "20"))
"""How many changes of each system."""
UNNOTICED = {"feature_planner": 25}
"""Percent that may pass, 12 elsewhere. The planner moves in with a site, and a table or a plain
function that its migrations make in public looks like the site's own."""


@contextmanager
def _author(server: Server, system: str, position: int, before: str = "") -> Iterator[Author]:
    migrations = read_database(PROJECT, system)
    name = f"careless_{secrets.token_hex(4)}"
    with server.janitor(name):
        session = Session.open(server.url(name))
        try:
            ledger.ensure(session)
            if position:
                database = Database("careless", Path(), "", migrations)
                last = migrations[position - 1].id
                commands.migrate(session, database, Options(), silent, to=last)
            session.run(before or OLD_ROWS.get(migrations[position].id, ""))
            # The seed is for what the migrations alone have made.
            seed = "" if before else (ROOT / "seed" / f"{system}.sql").read_text()
            yield Author(session, migrations, position, seed)
        finally:
            session.connection.close()


def _try(server: Server, system: str, number: int, r: random.Random) -> list[Tried]:
    migrations = read_database(PROJECT, system)
    own = [p for p, migration in enumerate(migrations) if not migration.set_name]
    wanted = Counter(r.choice(own) for _ in range(number))
    tried = []
    for position, times in sorted(wanted.items()):
        with _author(server, system, position) as author:
            names = author.names()
            for _ in range(times):
                found = draw(r, author, names)
                # Hardly anything fits into a file of three enums.
                tried += [] if found is None else [Tried(system, *found)]
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
    assert len(survivors) <= len(tried) * UNNOTICED.get(system, 12) // 100, told


GROUPS = sorted({(listed.system, listed.migration, listed.before) for listed in LISTED})
"""Each needs a database of its own, just before that migration."""


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: "-".join(group[:2]))
def test_changes_that_were_seen_are_noticed(pg18: Server, group: tuple[str, str, str]) -> None:
    system, number, before = group
    migrations = read_database(PROJECT, system)
    position = next(p for p, m in enumerate(migrations) if m.id.startswith(number))
    original = migrations[position]
    wrong = []
    with _author(pg18, system, position, before) as author:
        assert author.noticed(Careless("listed", "nothing", original)) is None
        for listed in LISTED:
            if (listed.system, listed.migration, listed.before) != group:
                continue
            sql = listed.applied_to(original.sql)
            changed = replace(original, sql=sql, checksum=checksum(sql))
            by = author.noticed(Careless("listed", "", changed))
            if by == "" or (by is None) != bool(listed.why_not):
                wrong.append((listed, "PostgreSQL refuses it" if by == "" else by))
    assert not wrong
