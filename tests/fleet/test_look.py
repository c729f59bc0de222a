"""What a look says of a database is what the engine would find in its ledger."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from conftest import Folder
from pgvouch.config.project import Database, Project, read_files
from pgvouch.fleet import look as looks
from pgvouch.fleet.look import look
from pgvouch.fleet.target import Result, State, Target
from pgvouch.ledger import ledger
from pgvouch.ledger.rows import Applied
from pgvouch.postgres.session import Session

A = {"001_a.sql": "create table a ();", "002_b.sql": "create table b ();"}
ODD = ["tab\there", "two\nlines", "back\\slash", r"\N", "\\", "cr\rhere", "é\b\f\v", r"\t", "", " "]


def _files(folder: Folder) -> Database:
    return read_files(Project(folder.root, folder.path, folder.root, folder.root), "")


def _look(folder: Folder, files: Database, to: str | None = None) -> Result | None:
    return asyncio.run(look(Target("t", folder.url, "s"), files, to))


def _state(found: Result | None) -> tuple[State, str | None, int] | None:
    return found and (found.state, found.version, found.pending)


def test_what_is_copied_is_what_is_read(
    make_folder: Callable[[str], Folder], every_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is in a name: a tab, a line's end, what COPY writes for null."""
    folder = make_folder(every_url)
    folder.write(A)
    assert folder("migrate").code == 0
    with psycopg.connect(every_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"alter database {name} set timezone = 'Asia/Kathmandu'")
        connection.execute(f"alter database {name} set datestyle = 'German'")
        for number, text in enumerate(ODD):
            ours, theirs = (number % 3 != 0, number % 3 != 1)
            if ours:
                connection.execute(
                    "insert into pgvouch.migration (migration_id, state, checksum, statements_done, "
                    "running, refused) values (%s, %s, %s, %s, %s, %s)",
                    (text, "incomplete" if number % 2 else "applied", text or None, number,
                     text if number % 2 else None, text),
                )  # fmt: skip
            if theirs:
                connection.execute(
                    "insert into pgvouch._yoyo_migration (migration_hash, migration_id, "
                    "applied_at_utc) values (%s, %s, now() at time zone 'UTC')",
                    (str(number), text),
                )
    taken: list[list[Applied]] = []
    judge = looks._by_rows
    monkeypatch.setattr(
        looks, "_by_rows", lambda files, rows, to: (taken.append(rows), judge(files, rows, to))[1]
    )
    _look(folder, _files(folder))
    with Session.open(every_url) as session:
        read = ledger.read(session)
    (copied,) = taken
    assert read is not None
    assert {row.id for row in copied} >= {text for n, text in enumerate(ODD) if n % 3 != 1}

    def what_counts(row: Applied) -> tuple[object, ...]:
        return (row.id, row.state, row.checksum, row.applied_at, row.statements_done, row.running,
                row.is_recorded, row.order)  # fmt: skip

    assert [what_counts(row) for row in copied] == [what_counts(row) for row in read]


def test_databases_that_stand_alike_are_judged_once_and_others_are_not(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write(A)
    assert folder("migrate").code == 0
    files = _files(folder)
    judged: list[str | None] = []
    judge = looks._by_rows
    monkeypatch.setattr(
        looks, "_by_rows", lambda files, rows, to: (judged.append(to), judge(files, rows, to))[1]
    )
    current = (State.CURRENT, "002_b", 0)
    assert _state(_look(folder, files)) == current
    folder.query("update pgvouch.migration set applied_at = now()")
    assert _state(_look(folder, files)) == current
    assert judged == [None]
    # Each of these makes another answer due.
    folder.query("delete from pgvouch._yoyo_migration where migration_id = '002_b'")
    assert _state(_look(folder, files)) == (State.PENDING, "001_a", 1)
    assert _state(_look(folder, files, "001_a")) == (State.CURRENT, "001_a", 0)
    folder.query("update pgvouch.migration set checksum = 'x' where migration_id = '001_a'")
    drifted = _look(folder, files, "001_a")
    assert drifted
    assert (drifted.target, drifted.state) == ("t", State.DRIFTED)
    assert "001_a was applied and its file has changed since" in str(drifted.cause)
    folder.query("update pgvouch.migration set checksum = null where migration_id = '001_a'")
    folder.write({"003_c.sql": "create table c ();"})
    assert _state(_look(folder, files)) == (State.PENDING, "001_a", 1)
    assert _state(_look(folder, _files(folder))) == (State.PENDING, "001_a", 2)
    # Only where yoyo alone has one its time counts, for its place.
    folder.query(
        "insert into pgvouch._yoyo_migration (migration_hash, migration_id, applied_at_utc) "
        "select name, name, now() at time zone 'UTC' + interval '1 h' "
        "from unnest(array['002_b', '003_c']) as name"
    )
    files = _files(folder)
    assert _state(_look(folder, files)) == (State.CURRENT, "003_c", 0)
    folder.query(
        "update pgvouch._yoyo_migration set applied_at_utc = '2001-01-01' "
        "where migration_id = '003_c'"
    )
    assert _state(_look(folder, files)) == (State.CURRENT, "002_b", 0)
    folder.query("update pgvouch.ledger set version = 2")
    assert _look(folder, files) is None


def test_a_ledger_is_seen_at_one_moment_behind_the_locks(folder: Folder) -> None:
    """A snapshot that is older than the wait for a lock would show half of what was committed."""
    folder.write(A)
    assert folder("migrate").code == 0
    files = _files(folder)
    waits = (
        "select count(*) from pg_locks where not granted and relation = "
        "'pgvouch._yoyo_migration'::regclass"
    )
    with psycopg.connect(folder.url) as runner, ThreadPoolExecutor(1) as pool:
        runner.execute("lock table pgvouch._yoyo_migration in access exclusive mode")
        found = pool.submit(_look, folder, files)
        while folder.query(waits) == [(0,)] and not found.done():
            pass
        runner.execute(
            "delete from pgvouch._yoyo_migration where migration_id = '002_b';"
            "delete from pgvouch.migration where migration_id = '002_b'"
        )
        runner.commit()
        assert _state(found.result()) == (State.PENDING, "001_a", 1)


def test_a_member_of_the_owner_is_answered_all_the_same(folder: Folder) -> None:
    folder.write(A)
    assert folder("migrate").code == 0
    name = folder.query("select current_database()")[0][0]
    folder.query(f"create role owner_{name}; alter schema pgvouch owner to owner_{name}")
    try:
        assert _look(folder, _files(folder)) is None
        folder.query(f"alter database {name} owner to owner_{name}")
        assert _state(_look(folder, _files(folder))) == (State.CURRENT, "002_b", 0)
    finally:
        folder.query(f"alter database {name} owner to postgres")
        folder.query(f"alter schema pgvouch owner to postgres; drop role owner_{name}")
