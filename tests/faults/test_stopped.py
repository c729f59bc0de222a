"""A runner that is stopped for long, taken for dead, and goes on after another has done its work."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Server, query
from faults.processes import ended, migrating, spawn
from faults.tries import database, recording, socket_of, through
from support.proxy import Fault, Recorded, When

HEAD = "-- transactional: false\n"
FILES = {
    "001_t.sql": "create table t (a int, b int); create index i on t (a);",
    "002_i.sql": HEAD + "create table c ();\ndrop index concurrently i;\n"
    "create index concurrently i on t (b);\nvacuum t;\n",
    "002_i.rollback.sql": HEAD + "drop index concurrently i;\ndrop table c;\n"
    "create index concurrently i on t (a);\n",
    "003_d.sql": "create table d ();",
}
INDEX = "select pg_get_indexdef('i'::regclass)"


def _write(folder: Path) -> Path:
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def _stopped(process: "subprocess.Popen[str]", meanwhile: Callable[[], None]) -> None:
    os.kill(process.pid, signal.SIGSTOP)
    try:
        meanwhile()
    finally:
        os.kill(process.pid, signal.SIGCONT)


def _start(command: str, folder: Path, proxy: Recorded, name: str) -> "subprocess.Popen[str]":
    return spawn(command, "--migrations", str(folder), "--url", through(proxy.port, name))


@pytest.mark.parametrize("when", [When.BEFORE, When.SILENT], ids=lambda when: when.name.lower())
@pytest.mark.parametrize("statement", ["drop index concurrently i", "create index concurrently i"])
@pytest.mark.parametrize("command", ["migrate", "rollback"])
def test_a_stopped_runner_tells_what_the_ledger_says(
    pg18: Server, tmp_path: Path, command: str, statement: str, when: When
) -> None:
    # BEFORE: it has sent the statement, which is held up. SILENT: it was stopped ahead of that, so
    # it must not send it at all: the index of that name is another one by then.
    folder = _write(tmp_path / "m")
    held = f"running = '{statement}" if when is When.SILENT else f"*/\n;{statement}"
    with database(pg18) as name, recording(socket_of(pg18)) as proxy:
        url = pg18.url(name)
        ended(migrating(folder, url, "--to", "1" if command == "migrate" else "2"))
        others: list[tuple[int, str, str]] = []
        process: list[subprocess.Popen[str]] = []

        def another() -> None:
            arguments = (command, "--migrations", str(folder), "--url", url)
            others.append(ended(spawn(*arguments)))

        proxy.fault = Fault(-1, when, lambda: _stopped(process[0], another), cuts=False, text=held)
        process.append(_start(command, folder, proxy, name))
        code, _, err = ended(process[0])
        assert proxy.fault.struck.is_set()
        assert [other[0] for other in others] == [0], others
        assert "of its" not in err
        is_migrated = command == "migrate"
        assert code == 0, err
        was_sent = when is When.BEFORE and "drop" in statement
        assert ("so this may have run twice: drop index concurrently i" in err) is was_sent
        if not was_sent:
            column = "b" if is_migrated else "a"
            assert query(url, INDEX) == [(f"CREATE INDEX i ON public.t USING btree ({column})",)]
        assert query(url, "select migration_id, state from pgvouch.migration order by 1") == [
            (migration, "applied")
            for migration in ("001_t", "002_i", "003_d")[: 3 if is_migrated else 1]
        ]


def test_a_stopped_runner_that_is_not_needed_any_more_says_who_goes_on(
    pg18: Server, tmp_path: Path
) -> None:
    # The other one stops at a statement of its own release.
    folder = _write(tmp_path / "m")
    newer = tmp_path / "newer"
    _write(newer)
    (newer / "002_i.sql").write_text(FILES["002_i.sql"].replace("vacuum t", "select 1/0"))
    with database(pg18) as name, recording(socket_of(pg18)) as proxy:
        url = pg18.url(name)
        ended(migrating(folder, url, "--to", "1"))
        process: list[subprocess.Popen[str]] = []

        def another() -> None:
            assert ended(migrating(newer, url))[0] == 1

        held = "running = 'drop index concurrently i"
        proxy.fault = Fault(
            -1, When.SILENT, lambda: _stopped(process[0], another), cuts=False, text=held
        )
        process.append(_start("migrate", folder, proxy, name))
        code, _, err = ended(process[0])
        assert code == 2
        assert "another runner has taken over 002_i" in err
        assert "3 of its 4 statements are recorded as done." in err
        assert ended(migrating(folder, url))[0] == 0
