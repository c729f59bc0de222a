"""Each system on every server here: the same schema as psql gives, and nothing left behind."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest

from conftest import ROOT, Server, fresh, query
from pgvouch.config.options import Options
from pgvouch.config.project import Database, find_project, read_database
from pgvouch.delta.lines import is_shape
from pgvouch.engine import commands
from pgvouch.errors import CheckError
from pgvouch.events import silent
from pgvouch.files.migration import Migration
from pgvouch.plan import build
from pgvouch.postgres.session import Session
from pgvouch.verify.live import verify_database
from systems.system import SYSTEMS, dump


def _database(name: str) -> Database:
    project = find_project(ROOT / "pyproject.toml")
    return Database(name, project.migrations / name, "", read_database(project, name))


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> Database:
    return _database(request.param)


@pytest.fixture
def session(every_url: str) -> Iterator[Session]:
    with Session.open(every_url) as opened:
        yield opened


def psql(server: Server, url: str, *arguments: object) -> None:
    done = subprocess.run(
        [server.bin / "psql", url, "-qX", "-v", "ON_ERROR_STOP=1", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def apply_by_psql(server: Server, url: str, migrations: Sequence[Migration]) -> None:
    """Apply files with psql, except for what the server has already: roles are the cluster's."""
    for migration in migrations:
        condition = migration.directives.unless
        if condition is None or query(url, f"select ({condition}\n)::boolean") != [(True,)]:
            psql(server, url, "-f", migration.path)


def migrate(session: Session, system: Database, to: str | None = None) -> commands.Outcome:
    return commands.migrate(session, system, Options(), silent, to=to, require_promises=True)


def roll_back(session: Session, system: Database, steps: int | None) -> commands.Outcome:
    return commands.roll_back_steps(
        session, system, Options(discard_data=True), silent, steps=steps, to=None
    )


def seed(server: Server, url: str, system: Database) -> None:
    psql(server, url, "-1", "-f", ROOT / "seed" / f"{system.name}.sql")


def test_psql_gives_the_same_schema_byte_for_byte(
    every_server: Server, every_url: str, session: Session, system: Database
) -> None:
    migrate(session, system)
    for other in fresh(every_server):
        apply_by_psql(every_server, other, build.in_order(system.migrations))
        assert dump(every_server, other) == dump(every_server, every_url)


def test_every_rollback_returns_the_schema_to_where_it_was(
    every_server: Server, every_url: str, session: Session, system: Database
) -> None:
    before = {}
    for migration in build.in_order(system.migrations):
        before[migration.id] = dump(every_server, every_url)
        migrate(session, system, to=migration.id)
    seed(every_server, every_url, system)
    for migration in reversed(build.in_order(system.migrations)):
        done = roll_back(session, system, 1)
        assert [event.id for event in done.finished] == [migration.id]
        assert dump(every_server, every_url) == before[migration.id]


def test_a_rollback_that_undoes_nothing_is_refused(
    every_url: str, session: Session, system: Database
) -> None:
    migrate(session, system)
    stored = query(
        every_url,
        "select migration_id, rollback_sql, delta from pgvouch.migration where state = 'applied'",
    )
    texts = {str(name): (str(undo), str(delta)) for name, undo, delta in stored}
    refused = 0
    for migration in reversed(build.in_order(system.migrations)):
        undo, delta = texts.get(migration.id, ("", ""))
        if any(map(is_shape, filter(None, delta.split("\n")))):
            _store_rollback(every_url, migration.id, "select 1")
            with pytest.raises(CheckError, match=r"does not (leave the catalog|keep its promise)"):
                roll_back(session, system, 1)
            _store_rollback(every_url, migration.id, undo)
            refused += 1
        roll_back(session, system, 1)
    assert refused >= 4


def _store_rollback(url: str, migration: str, sql: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "update pgvouch.migration set rollback_sql = %s where migration_id = %s",
            (sql, migration),
        )


def test_all_at_once_leaves_no_trace_and_can_be_applied_again(
    every_server: Server, every_url: str, session: Session, system: Database
) -> None:
    empty = dump(every_server, every_url)
    migrate(session, system)
    full = dump(every_server, every_url)
    seed(every_server, every_url, system)
    roll_back(session, system, None)
    assert dump(every_server, every_url) == empty
    migrate(session, system)
    assert dump(every_server, every_url) == full


def test_promises_hold_before_and_after_the_seed_and_leave_nothing(
    every_server: Server, every_url: str, session: Session, system: Database
) -> None:
    migrate(session, system)
    assert {value for _, value in _sequences(every_url)} <= {None}
    rows = commands.read_ledger(session)
    assert all(not item.broken for item in verify_database(session, system, rows))
    seed(every_server, every_url, system)
    once = _contents(every_url)
    seed(every_server, every_url, system)
    assert _contents(every_url) == once
    drawn = _sequences(every_url)
    found = verify_database(session, system, rows)
    assert [item for item in found if item.broken] == []
    assert sum(item.passed for item in found) > 20
    assert _contents(every_url) == once
    assert _sequences(every_url) == drawn


def _sequences(url: str) -> list[tuple[object, ...]]:
    """The last value that each sequence has given, None where it has given none."""
    return query(
        url,
        "select format('%I.%I', schemaname, sequencename), last_value from pg_sequences "
        "where schemaname <> 'pgvouch' order by 1",
    )


def _contents(url: str) -> dict[str, object]:
    tables = query(
        url,
        "select format('%I.%I', table_schema, table_name) from information_schema.tables "
        "where table_schema !~ '^pg|^information_schema' and table_type = 'BASE TABLE'",
    )
    return {
        str(name): query(
            url, f"select md5(string_agg(t::text, chr(10) order by t::text)) from {name} t"
        )
        for (name,) in tables
    }


def test_what_the_platform_has_already_is_provided(
    every_server: Server, every_url: str, session: Session, system: Database
) -> None:
    platform = [m for m in system.migrations if m.set_name]
    apply_by_psql(every_server, every_url, platform)
    as_the_platform = dump(every_server, every_url)
    done = migrate(session, system, to=platform[-1].id) if platform else commands.Outcome((), 0)
    assert [event.outcome for event in done.finished] == ["provided"] * len(platform)
    assert dump(every_server, every_url) == as_the_platform
    migrate(session, system)
    roll_back(session, system, None)
    assert dump(every_server, every_url) == as_the_platform


def test_stock_yoyo_may_read_the_folder(system: Database) -> None:
    from yoyo import read_migrations

    found = read_migrations(str(system.folder))
    own = [m.id for m in system.migrations if not m.set_name]
    assert [m.id for m in found] == own
    for migration in found:
        migration.load()


def test_the_delta_is_compared_on_every_server(
    session: Session, system: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    from pgvouch.engine.catalog import CatalogWatch

    original = CatalogWatch._compared

    def spy(watch: CatalogWatch, *more: Any) -> Any:
        compared.append(watch._task.id)
        return original(watch, *more)

    monkeypatch.setattr(CatalogWatch, "_compared", spy)
    done = migrate(session, system)
    assert compared == [event.id for event in done.finished if event.outcome == "applied"]


def test_what_psql_made_is_taken_over_as_the_guide_says(
    pg18: Server, url: str, system: Database
) -> None:
    apply_by_psql(pg18, url, build.in_order(system.migrations))
    seed(pg18, url, system)
    guide = (ROOT / "docs" / "migrations.md").read_text().partition("## A database that psql")[2]
    (block,) = re.findall(r"^```sh\n(.*?)^```$", guide.partition("\n## ")[0], re.M | re.S)
    command = block.strip().replace("pgvouch", f"{sys.executable} -m pgvouch", 1)
    done = subprocess.run(
        ["bash", "-c", command.replace("notes", system.name)],
        env={**os.environ, "DATABASE_URL": url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    schema_as_psql_made_it = dump(pg18, url)
    with Session.open(url) as session:
        assert migrate(session, system).finished == ()
        found = verify_database(session, system, commands.read_ledger(session))
        assert [item for item in found if item.broken] == []
        assert sum(item.passed for item in found) > 20
        assert dump(pg18, url) == schema_as_psql_made_it
        own = [m for m in system.migrations if not m.set_name]
        taken_back = roll_back(session, system, None)
        assert {m.id for m in own} <= {event.id for event in taken_back.finished}
        migrate(session, system)
    assert dump(pg18, url) == schema_as_psql_made_it
