"""A site that has the tables already, and a database that psql made."""

import secrets
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from pgvouch.errors import CheckError
from systems.owner import migration_files
from systems.system import PLATFORM, dump

from .world import MOVE, OPEN, SYSTEM, Database, broken_in, migrate, roll_back

ROLES = PLATFORM / "000_roles.sql"


@pytest.fixture
def bare(every_server):
    """Where an empty database is."""
    name = f"feature_planner_{secrets.token_hex(6)}"
    with every_server.janitor(name):
        yield every_server.url(name)


def run_by_psql(server, address, *files):
    for file in files:
        done = subprocess.run(
            [server.bin / "psql", "-Xq1", "-v", "ON_ERROR_STOP=1", "-d", address, "-f", file],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr


def mark(address, *which):
    """As section 9 has it done by yoyo, which knows no libpq URL."""
    parts = urlsplit(address)
    given = parse_qs(parts.query)
    database = f"postgresql+psycopg://postgres@{parts.path}?host={given['host'][0]}"
    database += f"&port={given['port'][0]}&schema=pgvouch"
    subprocess.run(
        [
            *(sys.executable, "-m", "yoyo", "mark", "--batch", "--no-config-file", "--all", *which),
            *("--database", database, str(SYSTEM)),
        ],
        check=True,
        capture_output=True,
    )


def test_a_site_that_has_the_tables_marks_eight_files_and_moves(every_server, bare):
    files = migration_files(SYSTEM)
    run_by_psql(every_server, bare, ROLES, *files[:8])
    with psycopg.connect(bare, autocommit=True) as connection:
        site = Database(connection)
        site.rows(
            "insert into users (clerk_id, email, username, display_name) values ('u', 'u', 'u', 'u')"
        )
        site.rows("insert into feature_plans (user_id, original_request) select id, 'x' from users")
        rows = site.contents("public")
        site.rows("create schema pgvouch")
        mark(bare, "--match", "^00[1-8]_")

        done = migrate(bare)

        own = [event.id for event in done.finished if not event.id.startswith("_")]
        assert own == [file.stem for file in files[8:]]
        assert site.contents("feature_planner") == rows
        assert broken_in(bare) == set()
        assert [event.id for event in roll_back(bare, steps=2).finished] == [OPEN, MOVE]
        assert site.contents("public") == rows


def test_tables_that_differ_from_the_files_are_not_moved(every_server, bare):
    run_by_psql(every_server, bare, ROLES, *migration_files(SYSTEM)[:8])
    with psycopg.connect(bare, autocommit=True) as connection:
        site = Database(connection)
        site.rows("comment on column feature_plans.parent_plan_id is 'Another comment'")
        site.rows("create schema pgvouch")
        mark(bare, "--match", "^00[1-8]_")

        with pytest.raises(CheckError, match="delta"):
            migrate(bare)

        assert site.schema_of("feature_plans") == ["public"]


def test_a_database_that_psql_made_is_refused_and_goes_on_when_all_is_marked(every_server, bare):
    run_by_psql(every_server, bare, *migration_files(PLATFORM), *migration_files(SYSTEM))
    before = dump(every_server, bare)

    with pytest.raises(CheckError, match="a list that is in feature_planner already"):
        migrate(bare)

    assert dump(every_server, bare) == before
    mark(bare)
    assert migrate(bare).finished == ()
    assert broken_in(bare) == set()
    assert [event.id for event in roll_back(bare, steps=2).finished] == [OPEN, MOVE]
