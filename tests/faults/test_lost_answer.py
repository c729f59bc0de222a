"""The answer to a statement outside of a transaction is lost: the next run finds out what it was."""

import pytest

from conftest import Folder, Server, database_of
from faults.tries import recording, socket_of, through
from pgvouch.ledger import lease
from support.proxy import Fault, When

HEAD = "-- transactional: false\n"
WORLD = (
    "create table t (id int, email text); insert into t values (1, 'a'), (2, 'a');\n"
    "create index i on t (id);\n"
    "create table p (n int) partition by range (n); create table x (n int);\n"
    "create table p1 partition of p for values from (0) to (10);\n"
)
REFUSED = {
    "create unique index concurrently i on t (email)": "42P07",
    "create unique index concurrently u on t (email)": "23505",
    "drop index concurrently j": "42704",
    "alter table p detach partition x concurrently": "42P01",
    "reindex table concurrently y": "42P01",
    "create database postgres": "",
    "do $$ begin commit; perform 1/0; end $$": "",
}
DONE = {
    "create index concurrently u on t (email) where id > 1": "to_regclass('u') is not null",
    "drop index concurrently i": "to_regclass('i') is null",
    "alter table p detach partition p1 concurrently": "not exists (select from pg_inherits)",
    "reindex table concurrently t": "to_regclass('i') is not null",
    "vacuum t": "true",
}
STATEMENTS = [*REFUSED, *DONE]


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "GRACE_S", 0.2)


@pytest.mark.parametrize(
    "when", [When.BEFORE, When.AFTER, When.SILENT], ids=lambda w: w.name.lower()
)
@pytest.mark.parametrize("command", ["migrate", "rollback"])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_the_answer_was_is_found_out(
    folder: Folder, pg18: Server, statement: str, command: str, when: When
) -> None:
    text = f"{HEAD}{statement};\n"
    folder.write({"001_w.sql": WORLD})
    assert folder("migrate").code == 0
    if command == "migrate":
        folder.write({"002_s.sql": text})
    else:
        folder.write({"002_s.sql": "select 1;", "002_s.rollback.sql": text})
        assert folder("migrate").code == 0
    with recording(socket_of(pg18)) as proxy:
        proxy.fault = Fault(-1, when, text=f"*/\n;{statement}")
        ran = folder(command, url=through(proxy.port, database_of(folder.url)))
        assert ran.code == 5, ran.err
        assert proxy.fault.struck.is_set()
    sqlstate = REFUSED.get(statement)
    for _ in range(2):
        ran = folder(command)
        if sqlstate is None:
            assert ran.code == 0, ran.err
            assert folder.query(f"select {DONE[statement]}") == [(True,)]
            return
        assert ran.code == 1, ran.err
        assert (sqlstate or "it cannot be known whether a statement of 002_s was done") in ran.err
