"""What PostgreSQL has answered is known; where no answer came, the catalog is compared with before."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from conftest import Folder, database_of, query
from pgvouch.engine.reconcile import Landed, Reconciler
from pgvouch.files.transaction_block import outside
from pgvouch.ledger import lease
from pgvouch.postgres.session import Session

HEAD = "-- transactional: false\n"
WORLD = (
    "create table t (id int, email text, name text); insert into t values (1, 'a'), (2, 'a');\n"
    "create index i on t (id);\n"
    "create table p (n int) partition by range (n); create table x (n int);\n"
)
STOPPED = "select running, refused, statements_done from pgvouch.migration where state <> 'applied'"
REFUSED = {
    "an index of the name": ("create unique index concurrently i on t (email)", "42P07"),
    "a table of the name": ("create index concurrently x on t (email)", "42P07"),
    "no such index": ("drop index concurrently j", "42704"),
    "no partition": ("alter table p detach partition x concurrently", "42P01"),
    "no such table": ("reindex table concurrently y", "42P01"),
    "a database that is there": ("create database postgres", "42P04"),
    "a block that commits": ("do $$ begin commit; perform 1/0; end $$", "22012"),
}


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "GRACE_S", 0.2)


@pytest.mark.parametrize("case", REFUSED)
def test_what_was_refused_is_refused_again(folder: Folder, case: str) -> None:
    statement, sqlstate = REFUSED[case]
    folder.write({"001_w.sql": WORLD, "002_s.sql": f"{HEAD}select 1;\n{statement};\n"})
    for _ in range(3):
        ran = folder("migrate")
        assert ran.code == 1, ran.err
        assert sqlstate in ran.err
        assert "002_s.sql:3:1" in ran.err
        assert "1 of its 2 statements is done" in ran.err
        assert folder.query(STOPPED) == [(None, None, 1)]


@pytest.mark.parametrize("case", REFUSED)
def test_what_was_refused_can_be_corrected(folder: Folder, case: str) -> None:
    statement, _ = REFUSED[case]
    folder.write({"001_w.sql": WORLD, "002_s.sql": f"{HEAD}select 1;\n{statement};\n"})
    ran = folder("migrate")
    assert "correct the file from that statement on" in ran.err
    folder.write({"002_s.sql": f"{HEAD}select 1;\ndrop index concurrently i;\n"})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select to_regclass('i')") == [(None,)]


@pytest.mark.parametrize("case", REFUSED)
def test_what_was_refused_in_a_rollback_is_refused_again(folder: Folder, case: str) -> None:
    statement, sqlstate = REFUSED[case]
    folder.write(
        {
            "001_w.sql": WORLD,
            "002_s.sql": "select 1;",
            "002_s.rollback.sql": f"{HEAD}select 1;\n{statement};\n",
        }
    )
    assert folder("migrate").code == 0
    for _ in range(2):
        ran = folder("rollback")
        assert ran.code == 1, ran.err
        assert sqlstate in ran.err
        assert folder.query(STOPPED) == [(None, None, 1)]


UNIQUE = "create unique index concurrently u on t (email);\n"
CORRECTED = {
    "another name": "create index concurrently v on t (email);\n",
    "not unique": "create index concurrently u on t (email);\n",
    "in a transaction": "create index u on t (email);\n",
    "without it": "",
}


@pytest.mark.parametrize("case", CORRECTED)
def test_what_a_refused_build_left_goes_however_the_file_is_corrected(
    folder: Folder, case: str
) -> None:
    folder.write({"001_w.sql": WORLD, "002_s.sql": f"{HEAD}select 1;\n{UNIQUE}"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "23505" in ran.err
    assert "public.u is left invalid: it is dropped and built anew by the next run" in ran.err
    assert folder.query(STOPPED) == [(None, UNIQUE.strip(";\n"), 1)]
    folder.write({"002_s.sql": f"{HEAD}select 1;\n{CORRECTED[case]}"})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "dropped public.u: an unfinished build had left it invalid" in ran.err
    assert folder.query("select count(*) from pg_index where not indisvalid") == [(0,)]


def test_what_it_has_left_itself_is_not_provided_by_somebody_else(folder: Folder) -> None:
    text = f"{HEAD}-- unless: to_regclass('u') is not null\n{UNIQUE}"
    folder.write({"001_w.sql": WORLD, "002_s.sql": text})
    for _ in range(2):
        ran = folder("migrate")
        assert ran.code == 1, ran.err
        assert "23505" in ran.err
    folder.query("delete from t where id = 2")
    assert folder("migrate").code == 0
    assert folder.query("select state from pgvouch.migration order by 1") == [("applied",)] * 2
    assert folder.query("select indisvalid from pg_index where indexrelid = 'u'::regclass") == [
        (True,)
    ]


@contextmanager
def _reader(url: str) -> Iterator[None]:
    """A transaction with a snapshot, for which CONCURRENTLY has to wait."""
    with psycopg.connect(url) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select count(*) from t, p")
        yield
        reader.rollback()


TIMEOUT = HEAD + "-- statement_timeout: 500ms\n"


def test_what_a_refused_reindex_left_goes(folder: Folder) -> None:
    folder.write({"001_w.sql": WORLD, "002_s.sql": TIMEOUT + "reindex index concurrently i;\n"})
    folder("migrate", "--to", "1")
    with _reader(folder.url):
        ran = folder("migrate")
    assert ran.code == 1
    assert "57014" in ran.err
    assert "public.i_ccnew is left over: it is dropped by the next run" in ran.err
    folder.write({"002_s.sql": HEAD + "select 1;\n"})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "dropped public.i_ccnew: left by an interrupted REINDEX" in ran.err
    assert folder.query("select to_regclass('i_ccnew')") == [(None,)]


@pytest.mark.parametrize("then", ["the same", "another"])
def test_what_a_refused_detach_left_is_finalized(folder: Folder, then: str) -> None:
    detach = "alter table p detach partition p1 concurrently;\n"
    part = "create table p1 partition of p for values from (0) to (10);\n"
    folder.write({"001_w.sql": WORLD + part, "002_s.sql": TIMEOUT + detach})
    folder("migrate", "--to", "1")
    with _reader(folder.url):
        ran = folder("migrate")
    assert ran.code == 1
    assert "the detach of public.p1 is half done: it is finalized by the next run" in ran.err
    folder.write({"002_s.sql": HEAD + (detach if then == "the same" else "drop table p1;\n")})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "finalized the interrupted detach of public.p1" in ran.err
    assert folder.query("select count(*) from pg_inherits") == [(0,)]
    there = folder.query("select to_regclass('p1') is not null")
    assert there == [(then == "the same",)]


def test_what_a_refused_drop_left_is_dropped(folder: Folder) -> None:
    folder.write({"001_w.sql": WORLD, "002_s.sql": TIMEOUT + "drop index concurrently i;\n"})
    folder("migrate", "--to", "1")
    with _reader(folder.url):
        ran = folder("migrate")
    assert ran.code == 1
    assert "public.i is still there, and invalid: the same statement drops it" in ran.err
    assert folder("migrate").code == 0
    assert folder.query("select to_regclass('i')") == [(None,)]


ASKED = {
    "plain": "create index concurrently u on t (email)",
    "unique": "create unique index concurrently u on public.t using btree (email asc)",
    "columns": "create index concurrently u on t (email, id)",
    "order": "create index concurrently u on t (id, email)",
    "descending": "create index concurrently u on t (email desc)",
    "nulls": "create index concurrently u on t (email nulls first)",
    "class": "create index concurrently u on t (email text_pattern_ops)",
    "collation": 'create index concurrently u on t (email collate "C")',
    "include": "create index concurrently u on t (email) include (id)",
    "predicate": "create index concurrently u on t (email) where name = 'x' and id > 1",
    "another predicate": "create index concurrently u on t (email) where name = 'y' and id > 1",
    "expression": "create index concurrently if not exists u on t (lower(t.email))",
    "another expression": "create index concurrently u on t ((email || 'x'))",
    "method": "create index concurrently u on t using hash (email)",
    "nulls not distinct": "create unique index concurrently u on t (email) nulls not distinct",
    "parameter": "create index concurrently u on t (email) with (fillfactor = 70)",
}


def _reconciled(session: Session, statement: str, before: str | None) -> Landed:
    found = outside(statement)
    assert found is not None
    return Reconciler(session, found).reconcile(statement, before).landed


def test_an_index_counts_as_built_only_if_it_is_the_one_that_was_asked_for(every_url: str) -> None:
    query(every_url, WORLD.replace("(2, 'a')", "(2, 'b')"))
    with Session.open(every_url) as session:
        for there in ASKED.values():
            session.run(there)
            found = {case for case, s in ASKED.items() if _reconciled(session, s, "") is Landed.YES}
            unknown = {s for s in ASKED.values() if _reconciled(session, s, "") is Landed.UNKNOWN}
            assert {ASKED[case] for case in found} == {there}
            assert len(unknown) == len(ASKED) - 1
            session.run("drop index u")
        assert session.run("select to_regclass('pg_temp.t')")[0].rows == ((None,),)


def test_an_index_that_was_there_before_was_not_built(folder: Folder) -> None:
    folder.query(WORLD)
    with Session.open(folder.url) as session:
        statement = "create index concurrently i on t (id)"
        found = outside(statement)
        assert found is not None
        before = Reconciler(session, found).observe()
        assert (before,) in folder.query("select 'i'::regclass::oid::text")
        assert _reconciled(session, statement, before) is Landed.NO  # refused, or skipped, again
        assert _reconciled(session, statement, "") is Landed.YES
        assert _reconciled(session, statement, None) is Landed.UNKNOWN


@pytest.mark.parametrize(
    ("statement", "oids"),
    [
        ("drop index concurrently i", "'i'::regclass::oid"),
        (
            "alter table p detach partition p1 concurrently",
            "'p'::regclass::oid || ' ' || 'p1'::regclass::oid",
        ),
    ],
)
def test_what_was_not_there_before_has_not_gone(folder: Folder, statement: str, oids: str) -> None:
    folder.query(WORLD + "create table p1 partition of p for values from (0) to (10)")
    with Session.open(folder.url) as session:
        found = outside(statement)
        assert found is not None
        before = Reconciler(session, found).observe()
        assert [(before,)] == folder.query(f"select ({oids})::text")
        assert _reconciled(session, statement, before) is Landed.NO
        session.run(statement)
        assert Reconciler(session, found).observe() == ""
        assert _reconciled(session, statement, before) is Landed.YES
        assert (
            _reconciled(session, statement, "") is Landed.NO
        )  # and PostgreSQL says what it misses
        assert _reconciled(session, statement, None) is Landed.UNKNOWN


def test_a_half_dropped_index_that_the_file_does_not_drop_any_more_is_named(
    folder: Folder,
) -> None:
    folder.write({"001_w.sql": WORLD, "002_s.sql": TIMEOUT + "drop index concurrently i;\n"})
    folder("migrate", "--to", "1")
    with _reader(folder.url):
        assert folder("migrate").code == 1
    folder.write({"002_s.sql": HEAD + "select 1;\n"})
    ran = folder("migrate")
    assert ran.code == 0
    assert "public.i is still there, and invalid" in ran.err


def test_an_index_of_an_odd_name_is_recognised(url: str) -> None:
    query(
        url,
        'create schema "S ""s"; create table "S ""s"."T ""t" ("a b" text, "C" int); '
        'create temporary table "T" (n int)',
    )
    statement = (
        'create unique index concurrently "I ""i" on "S ""s"."T ""t" (lower("T ""t"."a b"), "C") '
        """where "C" > 1 and "a b" <> ' ON pg_temp.x '"""
    )
    with Session.open(url) as session:
        assert _reconciled(session, statement, "") is Landed.NO
        session.run(statement)
        assert _reconciled(session, statement, "") is Landed.YES
        assert _reconciled(session, statement.replace("unique", ""), "") is Landed.UNKNOWN


def test_who_may_not_make_a_copy_does_not_guess(folder: Folder) -> None:
    statement = "create index concurrently u on t (email)"
    name = database_of(folder.url)
    query(
        folder.url,
        f"{WORLD} create role r_{name} login; grant create on schema public to r_{name}; "
        f"alter table t owner to r_{name}; revoke temporary on database {name} from public",
    )
    try:
        with Session.open(folder.url.replace("postgres@", f"r_{name}@", 1)) as session:
            session.run(statement)
            assert _reconciled(session, statement, "") is Landed.UNKNOWN
    finally:
        query(folder.url, f"drop owned by r_{name}; drop role r_{name}")


def test_names_are_looked_up_as_the_file_does(folder: Folder) -> None:
    # The index is in a schema of the file's own search_path, and another i is in public.
    folder.write(
        {
            "001_w.sql": WORLD + "create schema s; create table s.t (id int); "
            "create index i on s.t (id);",
            "002_s.sql": TIMEOUT + "set search_path = s;\ndrop index concurrently i;\n",
        }
    )
    folder("migrate", "--to", "1")
    reader = psycopg.connect(folder.url)
    reader.execute("select from s.t")
    ran = folder("migrate")
    assert "s.i is still there, and invalid" in ran.err
    reader.close()
    assert folder("migrate").code == 0
    assert folder.query("select to_regclass('s.i'), to_regclass('public.i')::text") == [(None, "i")]


def test_the_statement_under_way_is_in_the_ledger_with_what_was_before(folder: Folder) -> None:
    folder.write({"001_w.sql": WORLD, "002_s.sql": HEAD + "drop index concurrently i;\n"})
    folder("migrate", "--to", "1")
    (oid,) = folder.query("select 'i'::regclass::oid::text")
    with _reader(folder.url), psycopg.connect(folder.url, autocommit=True) as probe:
        running = threading.Thread(target=lambda: folder("migrate"))
        running.start()
        for _ in range(1000):
            found = probe.execute(
                "select running, running_before from pgvouch.migration where running is not null"
            ).fetchall()
            if found:
                break
            probe.execute("select pg_sleep(0.01)")
    running.join(30)
    assert found == [("drop index concurrently i", *oid)]
    assert folder.query("select distinct running from pgvouch.migration") == [(None,)]
