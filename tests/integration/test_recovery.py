"""What an interrupted statement outside of a transaction left behind, and how a run goes on."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from conftest import Folder, query
from pgvouch.ledger import lease

HEAD = "-- transactional: false\n"
TABLE = {"001_a.sql": "create table a (n int); insert into a values (1), (1);"}
UNIQUE = HEAD + "create unique index concurrently i on a (n);\n"
VALID = "select indisvalid from pg_index where indexrelid = to_regclass('i')"


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "GRACE_S", 0.2)


def _stop(
    folder: Folder,
    identifier: str,
    running: str,
    done: int = 0,
    token: str = "",
    before: object = "",
) -> None:
    """Put the ledger where a crash in the middle of a statement leaves it.

    `before` is what the catalog said ahead of it: oids.
    """
    written = (folder.path / f"{identifier}.sql").read_text().removeprefix(HEAD)
    steps = [step.strip() for step in written.split(";\n") if step.strip()]
    folder.query(
        "insert into pgvouch.migration (migration_id, state, transactional, statements_done, "
        f"progress, running, running_before, token) values ('{identifier}', 'incomplete', false, "
        f"{done}, '{lease.progress_of(steps[:done])}', $x${running}$x$, '{before}', "
        f"nullif('{token}', ''))"
    )


def test_an_index_that_a_failed_build_left_is_built_anew(folder: Folder) -> None:
    folder.write(TABLE | {"002_i.sql": UNIQUE})
    ran = folder("migrate")
    assert ran.code == 1
    assert "23505" in ran.err
    assert "dropped and built anew by the next run" in ran.err
    assert folder.query(VALID) == [(False,)]
    assert folder("migrate").code == 1  # dropped, and failed again
    query(folder.url, "delete from a where ctid = (select min(ctid) from a)")
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "dropped public.i: an unfinished build had left it invalid" in ran.err
    assert folder.query(VALID) == [(True,)]


def test_an_invalid_index_of_somebody_else_is_not_taken_for_a_built_one(folder: Folder) -> None:
    # `if not exists` alone would skip it, and the migration would land with an index nobody uses.
    folder.write(TABLE)
    folder("migrate")
    with (
        psycopg.connect(folder.url, autocommit=True) as other,
        pytest.raises(psycopg.errors.UniqueViolation),
    ):
        other.execute("create unique index concurrently i on a (n)")
    query(folder.url, "delete from a where ctid = (select min(ctid) from a)")
    folder.write({"002_i.sql": UNIQUE.replace("concurrently", "concurrently if not exists")})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query(VALID) == [(True,)]


def test_a_finished_build_is_not_built_twice(folder: Folder) -> None:
    statement = "create index concurrently i on a (n)"
    folder.write(TABLE | {"002_i.sql": HEAD + statement + ";\n"})
    folder("migrate", "--to", "1")
    query(folder.url, statement)
    (before,) = query(folder.url, "select 'i'::regclass::oid")
    _stop(folder, "002_i", statement)
    assert folder("migrate").code == 0
    assert query(folder.url, "select 'i'::regclass::oid") == [before]


def test_a_dropped_index_is_not_dropped_twice(folder: Folder) -> None:
    folder.write(TABLE | {"002_i.sql": HEAD + "drop index concurrently i;\n"})
    folder("migrate", "--to", "1")
    # There was one of this oid when it was announced.
    _stop(folder, "002_i", "drop index concurrently i", before=16000)
    assert folder("migrate").code == 0
    assert "applied" in folder("status").out


def test_an_index_under_construction_is_left_alone(folder: Folder) -> None:
    folder.write(TABLE | {"002_i.sql": HEAD + "create index concurrently i on a (n);\n"})
    folder("migrate", "--to", "1")
    with psycopg.connect(folder.url) as writer, psycopg.connect(folder.url) as probe:
        probe.autocommit = True
        writer.execute("insert into a values (7)")  # the build waits for it

        def build() -> None:
            query(folder.url, "create index concurrently i on a (n)")

        builder = threading.Thread(target=build)
        builder.start()
        for _ in _until(probe, "select count(*) > 0 from pg_stat_progress_create_index"):
            pass
        ran = folder("migrate")
        assert ran.code == 1
        assert "the index public.i is being built by pid" in ran.err
        writer.rollback()
        builder.join(20)
    query(folder.url, "drop index i")
    assert folder("migrate").code == 0


def _until(probe: "psycopg.Connection[tuple[object, ...]]", condition: str) -> Iterator[None]:
    """Ask again and again, with the server's own clock, until a condition holds."""
    for _ in range(1000):
        if probe.execute(condition.encode()).fetchone() == (True,):
            return
        probe.execute("select pg_sleep(0.01)")
        yield
    raise AssertionError(condition)


def test_a_half_detached_partition_is_finalized(folder: Folder) -> None:
    detach = "alter table p detach partition p1 concurrently"
    folder.write(
        {
            "001_p.sql": "create table p (n int) partition by range (n);\n"
            "create table p1 partition of p for values from (0) to (10);",
            "002_d.sql": HEAD + detach + ";\n",
        }
    )
    folder("migrate", "--to", "1")
    with psycopg.connect(folder.url) as reader, psycopg.connect(folder.url) as probe:
        probe.autocommit = True
        reader.execute("select * from p")
        other = psycopg.connect(folder.url, autocommit=True)

        def detaching() -> None:
            with pytest.raises(psycopg.errors.QueryCanceled):
                other.execute(detach)

        thread = threading.Thread(target=detaching)
        thread.start()
        for _ in _until(
            probe, "select coalesce(bool_or(inhdetachpending), false) from pg_inherits"
        ):
            pass
        other.cancel()
        thread.join(20)
        other.close()
    _stop(folder, "002_d", detach)
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "finalized the interrupted detach of public.p1" in ran.err
    assert folder.query("select count(*) from pg_inherits") == [(0,)]


def test_what_an_interrupted_reindex_left_is_dropped(folder: Folder) -> None:
    folder.write(TABLE)
    folder("migrate")
    query(folder.url, "create index i on a (n)")
    query(folder.url, "create index i_ccnew on a (n)")
    query(
        folder.url, "update pg_index set indisvalid = false where indexrelid = 'i_ccnew'::regclass"
    )
    statement = "reindex index concurrently i"
    folder.write({"002_r.sql": HEAD + statement + ";\n"})
    _stop(folder, "002_r", statement)
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "dropped public.i_ccnew" in ran.err
    assert folder.query("select to_regclass('i_ccnew')") == [(None,)]


BATCHES = "do $$ begin for k in 1..3 loop insert into a values (k); commit; end loop; end $$"


def test_a_block_that_commits_runs_outside_of_a_transaction(folder: Folder) -> None:
    folder.write({"001_a.sql": "create table a (n int);", "002_b.sql": HEAD + BATCHES + ";\n"})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select n from a order by 1") == [(1,), (2,), (3,)]


@pytest.mark.parametrize("how", ["--done", "--redo"])
def test_what_nobody_can_know_is_asked_of_a_person(folder: Folder, how: str) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (n int);",
            "002_b.sql": HEAD + BATCHES + ";\ncreate table b ();\n",
        }
    )
    folder("migrate", "--to", "1")
    _stop(folder, "002_b", BATCHES)
    ran = folder("migrate")
    assert ran.code == 1
    assert "it cannot be known whether a statement of 002_b was done" in ran.err
    assert "pgvouch repair 002_b --done" in ran.err
    assert "none of its statements is done" in ran.err
    assert folder("repair", "002_b").code == 2
    assert folder("repair", "002_b", how).code == 0
    assert folder("migrate").code == 0
    rows = [] if how == "--done" else [(1,), (2,), (3,)]
    assert folder.query("select n from a order by 1") == rows
    assert folder.query("select to_regclass('b')::text") == [("b",)]


def test_an_undone_migration_is_taken_back_by_its_rollback(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (n int);",
            "002_b.sql": HEAD + "create table b ();\n" + BATCHES + ";\n",
            "002_b.rollback.sql": "drop table b; delete from a;",
        }
    )
    folder("migrate", "--to", "1")
    query(folder.url, "create table b (); insert into a values (1)")
    _stop(folder, "002_b", BATCHES, done=1)
    assert folder("migrate").code == 1
    ran = folder("repair", "002_b", "--undo")
    assert ran.code == 1
    assert "public.a: 1 row (deleted)" in ran.err
    assert folder.query(
        "select state, statements_done, running is not null from pgvouch.migration "
        "where migration_id = '002_b'"
    ) == [("incomplete", 1, True)]
    assert folder("repair", "002_b", "--undo", "--discard-data").code == 0
    assert folder.query("select to_regclass('b'), (select count(*) from a)") == [(None, 0)]
    assert folder.query("select migration_id from pgvouch.migration") == [("001_a",)]


def test_what_cannot_be_undone_stays_on_its_way(folder: Folder) -> None:
    folder.write({"001_a.sql": HEAD + "create table a ();\nselect 1/0;\n"})
    folder("migrate")
    ran = folder("repair", "001_a", "--undo")
    assert ran.code == 2
    assert "001_a has no rollback" in ran.err
    folder.write({"001_a.sql": HEAD + "create table a ();\nselect 1;\n"})
    assert folder("migrate").code == 0


def test_a_migration_with_variables_can_be_repaired(folder: Folder) -> None:
    statement = "call p(:'word')"
    folder.write(
        {
            "001_p.sql": "create table a (n text);\ncreate procedure p(t text) language plpgsql as "
            "$$ begin insert into a values (t); commit; end $$;",
            "002_b.sql": HEAD + "-- var: word\n" + statement + ";\n",
        }
    )
    folder("migrate", "--to", "1")
    folder.write({"002_b.sql": HEAD + "-- var: word\n" + statement + ";\n"})
    folder.query(
        "insert into pgvouch.migration (migration_id, state, transactional, statements_done, "
        f"progress, running) values ('002_b', 'incomplete', false, 0, "
        f"'{lease.progress_of([])}', $x${statement}$x$)"
    )
    assert folder("repair", "002_b", "--done", "--var", "word=x").code == 0
    assert folder("migrate", "--var", "word=x").code == 0
    assert folder.query("table a") == []


def test_there_is_nothing_to_repair_in_what_has_not_stopped(folder: Folder) -> None:
    folder.write(TABLE)
    folder("migrate")
    assert folder("repair", "001_a", "--redo").code == 2
    assert folder("repair", "002_b", "--redo").code == 2


@pytest.mark.parametrize("how", ["--done", "--redo"])
def test_there_is_nothing_to_repair_where_the_server_has_answered(folder: Folder, how: str) -> None:
    folder.write({"001_a.sql": HEAD + "create table a ();\nselect 1/0;\n"})
    folder("migrate")
    before = folder.query("table pgvouch.migration")
    ran = folder("repair", "001_a", how)
    assert ran.code == 2
    assert "nothing is unknown of 001_a: 1 of its statements are done" in ran.err
    assert "pgvouch migrate goes on with it" in ran.err
    assert folder.query("table pgvouch.migration") == before


def test_a_changed_statement_is_not_taken_for_the_interrupted_one(folder: Folder) -> None:
    statement = "create index concurrently i on a (n)"
    folder.write(TABLE | {"002_i.sql": HEAD + "create index concurrently j on a (n);\n"})
    folder("migrate", "--to", "1")
    query(folder.url, statement)
    _stop(folder, "002_i", statement)
    ran = folder("migrate")
    assert ran.code == 4
    assert "stopped in a statement that was done after all" in ran.err
    query(folder.url, "drop index i")
    assert folder("migrate").code == 0
    assert folder.query("select to_regclass('j')::text, to_regclass('i')") == [("j", None)]


def test_another_runner_waits_for_the_one_that_is_alive(folder: Folder) -> None:
    folder.write(TABLE | {"002_i.sql": HEAD + "create index concurrently i on a (n);\n"})
    folder("migrate", "--to", "1")
    token = lease.new_token()
    _stop(folder, "002_i", "create index concurrently i on a (n)", token=token)
    with psycopg.connect(folder.url, autocommit=True) as other:
        sleeping = threading.Thread(
            target=lambda: other.execute(
                f"/* pgvouch migrate 002_i {token} */ select pg_sleep(0.6)"
            )
        )
        sleeping.start()
        with psycopg.connect(folder.url, autocommit=True) as probe:
            for _ in _until(
                probe,
                f"select count(*) > 0 from pg_stat_activity where query like '%{token}%sleep(0.6)' "
                "and state = 'active' and pid <> pg_backend_pid()",
            ):
                pass
        refused = folder("repair", "002_i", "--redo")
        assert refused.code == 2
        assert "a runner is at work on 002_i: pid" in refused.err
        ran = folder("migrate")
        sleeping.join(20)
    assert ran.code == 0, ran.err
    assert "another runner is at work: pid" in ran.err


def test_a_runner_that_was_taken_over_stops(folder: Folder) -> None:
    folder.write(
        TABLE
        | {
            "002_t.sql": HEAD + "create table b ();\n"
            "update pgvouch.migration set token = 'another' where migration_id = '002_t';\n"
            "create table c ();\n"
        }
    )
    ran = folder("migrate")
    assert ran.code == 2
    assert "another runner has taken over 002_t" in ran.err
    assert folder.query("select to_regclass('c')") == [(None,)]


def test_what_the_file_has_set_holds_after_a_crash(folder: Folder) -> None:
    folder.write(
        {
            "001_s.sql": "create schema s;",
            "002_t.sql": HEAD + "set search_path = s;\nselect 1/0;\ncreate table t ();\n",
        }
    )
    assert folder("migrate").code == 1
    folder.write({"002_t.sql": HEAD + "set search_path = s;\nselect 1;\ncreate table t ();\n"})
    assert folder("migrate").code == 0
    assert folder.query("select to_regclass('s.t')::text") == [("s.t",)]


def test_values_of_variables_are_not_in_the_ledger(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (n text);\ncreate procedure p(t text) language plpgsql as "
            "$$ begin insert into a values (t); commit; "
            "perform pg_terminate_backend(pg_backend_pid()); end $$;",
            "002_b.sql": HEAD + "-- var: secret\ncall p(:'secret');\n",
        }
    )
    assert folder("migrate", "--var", "secret=hunter2").code == 5
    assert folder.query("select running from pgvouch.migration where running is not null") == [
        ("call p(:'secret')",)
    ]
    assert folder.query("table a") == [("hunter2",)]
    ran = folder("migrate", "--var", "secret=another")
    assert "it cannot be known" in ran.err
    assert "hunter2" not in ran.err + str(folder.query("table pgvouch.migration"))


def test_an_orderly_failure_gives_the_claim_up(folder: Folder) -> None:
    folder.write({"001_a.sql": HEAD + "create table a ();\nselect 1/0;\n"})
    assert folder("migrate").code == 1
    assert folder.query("select token, statements_done from pgvouch.migration") == [(None, 1)]


def test_a_same_pair_needs_a_transaction(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": HEAD + "select 1;",
            "verify/001_a.sql": "-- same: one\n-- before:\nselect 1;\n-- after:\nselect 1;",
        }
    )
    ran = folder("migrate")
    assert ran.code == 2
    assert "is not transactional" in ran.err
