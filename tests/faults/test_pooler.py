"""Through PgBouncer in transaction mode: nothing relies on the state of a session."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import Server, query
from faults import world
from faults.processes import BOUNCER, bouncing, ended, migrating, spawn
from pgvouch import Event, Running, Vouch

pytestmark = pytest.mark.skipif(
    BOUNCER is None, reason="pgbouncer is not installed: nothing is known about poolers"
)


@pytest.fixture
def pooled(pg18: Server, url: str, tmp_path: Path) -> Iterator[str]:
    (row,) = query(url, "select current_database()")
    with bouncing(pg18, tmp_path) as port:
        yield f"postgresql://postgres@127.0.0.1:{port}/{row[0]}"


def test_migrate_verify_status_and_rollback(pooled: str, url: str, tmp_path: Path) -> None:
    folder = world.write(tmp_path / "m")
    (folder / "010_last.rollback.sql").write_text("drop table last;")
    code, _, err = ended(migrating(folder, pooled))
    assert code == 0, err
    world.refuse_unfinished(url)
    for command, said in (
        (("verify",), "0 broken"),
        (("status",), "applied"),
        (("rollback",), "1 rolled back"),
        (("migrate",), "1 applied"),
        (("migrate",), "nothing to do"),
    ):
        code, out, err = ended(spawn(*command, "--migrations", str(folder), "--url", pooled))
        assert code == 0, err
        assert said in out


def test_what_an_index_build_does_is_seen_through_it(pooled: str, url: str, tmp_path: Path) -> None:
    query(url, "create table t (a int)")
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "001_a.sql").write_text(
        "-- transactional: false\ncreate index concurrently i on t (a);"
    )
    seen: list[str] = []
    with psycopg.connect(url) as other:
        other.execute("insert into t values (1)")

        def hear(event: Event) -> None:
            if isinstance(event, Running) and event.doing:
                seen.append(event.doing)
                other.commit()

        with Vouch(pooled, migrations=folder, on_event=hear) as vouch:
            vouch.migrate()
    assert seen[0] == "CREATE INDEX CONCURRENTLY on public.t: waiting for writers before build"


def test_replicas_race_through_it(pooled: str, url: str, tmp_path: Path) -> None:
    folder = world.write(tmp_path / "m")
    replicas = [migrating(folder, pooled) for _ in range(6)]
    results = [ended(replica) for replica in replicas]
    assert [code for code, _, _ in results] == [0] * 6, results
    world.refuse_unfinished(url)


def test_a_backend_that_others_use_too_has_our_settings_no_more(
    pooled: str, url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "001_a.sql").write_text(
        "-- lock_timeout: 3s\nset search_path = pg_catalog; create temp table t ();"
        "listen news; create table public.a ();"
    )
    (folder / "002_b.sql").write_text("create table b ();")
    code, _, err = ended(migrating(folder, pooled))
    assert code == 0, err
    assert query(
        pooled, "select current_setting('lock_timeout'), current_setting('search_path')"
    ) == [("0", '"$user", public')]
    assert query(url, "select to_regclass('public.b')::text") == [("b",)]


@pytest.mark.parametrize("has_ledger", [False, True])
def test_statement_mode_is_named(pg18: Server, url: str, tmp_path: Path, has_ledger: bool) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "001_a.sql").write_text("create table a ();")
    if has_ledger:
        assert ended(migrating(folder, url))[0] == 0
        (folder / "002_b.sql").write_text("create table b ();")
    (row,) = query(url, "select current_database()")
    with bouncing(pg18, tmp_path, "statement") as port:
        pooled = f"postgresql://postgres@127.0.0.1:{port}/{row[0]}"
        code, _, err = ended(migrating(folder, pooled))
    assert code == 5
    assert "a pooler in statement mode" in err
    assert "pool_mode = transaction" in err
    assert query(url, "select to_regclass('b')") == [(None,)]
