"""No wrong migration lands: every mutant of every statement of a system is caught.

Twice: with everything, and (for what changes what a user may do) by the hand-written checks alone.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from conftest import ROOT, Server
from mistakes.mutants import OLD_ROWS, Mutant, mutants_of
from pgvouch.config.options import Options
from pgvouch.config.project import Database, database_names, find_project, read_database
from pgvouch.delta.compare import compare_delta
from pgvouch.delta.snapshot import Snapshot, add_snapshot, difference, read_snapshot
from pgvouch.engine import commands
from pgvouch.engine.context import RunContext, Scope
from pgvouch.engine.run import run
from pgvouch.engine.task import prepare
from pgvouch.errors import CheckError, VouchError
from pgvouch.events import silent
from pgvouch.files.migration import Migration, checksum
from pgvouch.files.promises import read_always
from pgvouch.files.variables import Mask
from pgvouch.ledger import ledger
from pgvouch.postgres.message import Message
from pgvouch.postgres.session import Session

SYSTEMS = database_names(find_project(ROOT / "pyproject.toml"))

EQUIVALENT: dict[str, dict[str, str]] = {
    "": {
        r"no not null on (id|plan_id) in «create table": "the primary key says it too",
        r"no grantee 0 in «revoke all on table public\.\w+ from public, anon": "a new table grants "
        "nothing to PUBLIC; the line is there for databases whose default privileges do",
    },
    "feature_planner": {
        r'no row level security on "public"\."\w+"$': "there is none to switch off before 011",
        r"all privileges in «grant execute on function feature_planner\.caller_id": "a function has "
        "no other privilege",
        r"execute on feature_planner\.caller_id to authenticated$": "it may execute it already",
    },
    "learning_plans": {
        r"role service_role in «create policy \w+_service on": "it is the role already",
        r"role anon in «create policy learning_plans_select_public_anon": "it is the role already",
        r"to anon in «grant select on table public\.learning_plans to anon": "it is the role already",
        r'a grant to anon on "public"\."learning_plans"$': "visitors may read it already",
    },
    "monthly_planner": {
        r'no row level security on "public"\."\w+"$': "the design has none to switch off",
    },
    "workouts": {
        r'no row level security on "public"\."\w+"$': "the design has none to switch off",
        r"also on insert in «create trigger generate_exercise_slug_trigger": "it is so already",
    },
}
"""By system ("" is all of them): mutants that mean the same, by pattern, each with the reason."""


def _system(name: str) -> tuple[Migration, ...]:
    return read_database(find_project(ROOT / "pyproject.toml"), name)


def _database(migrations: tuple[Migration, ...]) -> Database:
    return Database("mutants", migrations[-1].path.parent, "", migrations)


class Lab:
    """A database just before one migration."""

    def __init__(self, server: Server, name: str, migrations: tuple[Migration, ...]) -> None:
        self.server = server
        self.name = name
        self.migrations = migrations
        self.session: Session | None = None
        self.janitor = server.janitor(name)
        self.always = read_always(_database(migrations).always)

    def open(self, upto: int) -> None:
        self.close()
        self.janitor.init()
        self.session = Session.open(self.server.url(self.name))
        ledger.ensure(self.session)
        if upto:
            database = _database(self.migrations)
            last = self.migrations[upto - 1].id
            commands.migrate(self.session, database, Options(), silent, to=last)
        self.session.run(OLD_ROWS.get(self.migrations[upto].id, ""))
        self.session.run("begin")
        self.before = self._snapshot()
        self.session.run("rollback")

    def close(self) -> None:
        if self.session is not None:
            self.session.connection.close()
            self.session = None
            self.janitor.drop()

    def caught(self, position: int, mutant: Mutant) -> str | None:
        """Say what catches a mutant, `checks` or `delta`; it is never committed."""
        assert self.session is not None
        changed = replace(self.migrations[position], sql=mutant.sql, checksum=checksum(mutant.sql))
        try:
            (task,) = prepare([changed], {}, require_promises=False)
            unchecked = replace(task, expected_delta=None, always=self.always)
            run(RunContext(self.session, Options(), silent), [unchecked], Scope.REHEARSAL)
            try:
                # As the engine does it; the snapshot before the migration is always the same.
                path, expected = changed.delta_path, task.expected_delta
                if path is not None and expected is not None:
                    delta = difference(self.before, self._snapshot())
                    compare_delta(task.id, path, expected, delta, Mask())
            except CheckError:
                return "delta"
        except VouchError:
            return "checks"
        finally:
            self.session.run("rollback")
        return None

    def _snapshot(self) -> Snapshot:
        assert self.session is not None
        message = Message()
        add_snapshot(message)
        return read_snapshot(message, self.session.run(message.text))


def _cases() -> Iterator[tuple[str, int]]:
    for system in SYSTEMS:
        for position, migration in enumerate(_system(system)):
            if not migration.set_name:
                yield system, position


CASES = list(_cases())


def _not_equivalent(system: str, names: list[str]) -> list[str]:
    patterns = [*EQUIVALENT[""], *EQUIVALENT.get(system, {})]
    return [name for name in names if not any(re.search(p, name) for p in patterns)]


@pytest.mark.parametrize(
    ("system", "position"), CASES, ids=[f"{s}-{_system(s)[p].id}" for s, p in CASES]
)
def test_no_mutant_survives(pg18: Server, system: str, position: int) -> None:
    migrations = _system(system)
    mutants = list(mutants_of(migrations[position]))
    survivors: list[str] = []
    unchecked: list[str] = []
    lab = Lab(pg18, f"mutants_{system}_{position}", migrations)
    try:
        lab.open(position)
        for mutant in mutants:
            by = lab.caught(position, mutant)
            if by is None:
                survivors.append(mutant.name)
            if by != "checks" and mutant.access:
                unchecked.append(mutant.name)
    finally:
        lab.close()
    assert len(mutants) >= 15
    assert _not_equivalent(system, survivors) == []
    assert _not_equivalent(system, unchecked) == []
