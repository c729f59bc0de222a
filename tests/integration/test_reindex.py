"""What an interrupted REINDEX CONCURRENTLY leaves behind goes, also that of a TOAST table."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from conftest import Folder, database_of, query
from pgvouch.ledger import lease

HEAD = "-- transactional: false\n"
INVALID = (
    "select c.relname from pg_index as i join pg_class as c on c.oid = i.indexrelid "
    "where not i.indisvalid order by 1"
)
TABLE = (
    "create schema s; create table s.t (id int, words text);\n"
    "create index i on s.t (id); insert into s.t values (1, 'x');\n"
)
HOW = {
    "table": ("reindex table concurrently s.t", 2),
    "schema": ("reindex schema concurrently s", 2),
    "index": ("reindex index concurrently s.i", 1),
}


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "GRACE_S", 0.2)


@contextmanager
def _reader(url: str, table: str) -> Iterator[None]:
    """A transaction with a snapshot, for which CONCURRENTLY has to wait."""
    with psycopg.connect(url) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute(f"select from {table}".encode())
        yield
        reader.rollback()


def _interrupt(url: str, statement: str, table: str = "s.t") -> None:
    """Let a statement be cancelled while it waits for a snapshot."""
    with _reader(url, table), psycopg.connect(url, autocommit=True) as other:
        other.execute("set statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            other.execute(statement.encode())


def _announce(url: str, statement: str) -> None:
    """Put the ledger where a kill in the middle of a statement leaves it."""
    query(
        url,
        "insert into pgvouch.migration (migration_id, state, transactional, statements_done, "
        f"progress, running, running_before) values ('002_r', 'incomplete', false, 0, "
        f"'{lease.NOTHING_DONE}', '{statement}', '')",
    )


@pytest.mark.parametrize("how", HOW)
def test_what_is_left_is_dropped(
    every_url: str, make_folder: Callable[[str], Folder], how: str
) -> None:
    statement, count = HOW[how]
    folder = make_folder(every_url)
    folder.write({"001_t.sql": TABLE, "002_r.sql": f"{HEAD}{statement};\n"})
    assert folder("migrate", "--to", "1").code == 0
    for _ in range(2):
        _interrupt(every_url, statement)
    left = [str(row[0]) for row in query(every_url, INVALID)]
    assert len(left) == 2 * count
    assert sum(name.startswith("pg_toast_") for name in left) == 2 * (count - 1)
    _announce(every_url, statement)
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    for name in left:
        assert f".{name}: left by an interrupted REINDEX" in ran.err
    assert query(every_url, INVALID) == []


def test_what_a_refused_one_left_is_named_and_dropped(
    every_url: str, make_folder: Callable[[str], Folder]
) -> None:
    folder = make_folder(every_url)
    text = "-- statement_timeout: 300ms\nreindex table concurrently s.t;\n"
    folder.write({"001_t.sql": TABLE, "002_r.sql": HEAD + text})
    assert folder("migrate", "--to", "1").code == 0
    with _reader(every_url, "s.t"):
        ran = folder("migrate")
    assert ran.code == 1
    assert "_index_ccnew is left over: it is dropped by the next run" in ran.err
    assert folder("migrate").code == 0
    assert query(every_url, INVALID) == []


def test_the_partitions_of_a_table_are_looked_at(folder: Folder) -> None:
    statement = "reindex table concurrently p"
    folder.write(
        {
            "001_p.sql": "create table p (n int, words text) partition by range (n);\n"
            "create table p1 partition of p for values from (0) to (10); create index on p (n);",
            "002_r.sql": f"{HEAD}{statement};\n",
        }
    )
    assert folder("migrate", "--to", "1").code == 0
    _interrupt(folder.url, statement, "p1")
    assert len(folder.query(INVALID)) == 2
    _announce(folder.url, statement)
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query(INVALID) == []


def test_what_belongs_to_others_is_left_alone(folder: Folder) -> None:
    statement = "reindex table concurrently s.t"
    folder.write(
        {
            "001_t.sql": TABLE + "create table u (n int, words text); create index j on u (n);",
            "002_r.sql": f"{HEAD}{statement};\n",
        }
    )
    assert folder("migrate", "--to", "1").code == 0
    _interrupt(folder.url, "reindex table concurrently u", "u")
    before = folder.query(INVALID)
    _announce(folder.url, statement)
    assert folder("migrate").code == 0
    assert folder.query(INVALID) == before


def test_what_this_role_may_not_drop_is_said(
    every_url: str, make_folder: Callable[[str], Folder]
) -> None:
    statement = "reindex table concurrently s.t"
    name = database_of(every_url)
    role = f"r_{name}"
    query(every_url, f"create role {role} login; alter database {name} owner to {role}")
    try:
        folder = make_folder(every_url.replace("postgres@", f"{role}@", 1))
        folder.write({"001_t.sql": TABLE, "002_r.sql": f"{HEAD}{statement};\n"})
        assert folder("migrate", "--to", "1").code == 0
        _interrupt(every_url, statement)
        (_, (toast,)) = query(every_url, INVALID)
        _announce(every_url, statement)
        ran = folder("migrate")
        assert ran.code == 0, ran.err
        assert "dropped s.i_ccnew: left by an interrupted REINDEX" in ran.err
        remedy = f"drop index concurrently pg_toast.{toast}"
        assert f"pg_toast.{toast} remains" in ran.err
        assert f"A superuser can remove it: {remedy}" in ran.err
        assert query(every_url, INVALID) == [(toast,)]
        query(every_url, remedy)
        assert query(every_url, INVALID) == []
    finally:
        query(every_url, f"alter database {name} owner to postgres; drop owned by {role} cascade")
        query(every_url, f"drop role {role}")
