"""Ten migrations, two of them non-transactional, and what must be true of them at any moment."""

from collections.abc import Mapping
from pathlib import Path

from conftest import query

ALONE = "-- transactional: false\n"
LOG = "insert into log (migration) values ({});\n"

FILES: Mapping[str, str] = {
    "001_log.sql": "create table log (migration int not null);\n" + LOG.format(1),
    "002_people.sql": "create table people (id int primary key, name text not null);\n"
    "insert into people select n, 'name ' || n from generate_series(1, 500) as n;\n"
    + LOG.format(2),
    "verify/002_people.sql": "-- check: they are there\nselect count(*) >= 500 from people;\n"
    "-- check error 23505: the key holds\ninsert into people values (1, 'twice');\n",
    "003_kinds.sql": "create type kind as enum ('one');\n"
    "create table things (id int, kind kind not null) partition by range (id);\n"
    "create table things_1 partition of things for values from (0) to (100);\n"
    "insert into things values (1, 'one');\n" + LOG.format(3),
    "004_names.sql": ALONE
    + LOG.format(4)
    + "create unique index concurrently people_name on people (name);\n"
    "vacuum people;\n" + LOG.format(40),
    "verify/004_names.sql": "-- check: the index is valid\n"
    "select indisvalid from pg_index where indexrelid = 'people_name'::regclass;\n",
    "005_more.sql": "alter table people add column mail text;\n" + LOG.format(5),
    "verify/005_more.sql": "-- same: nobody is lost\n-- before:\nselect count(*) from people;\n"
    "-- after:\nselect count(*) from people;\n",
    "006_mail.sql": "create index people_mail on people (mail);\n" + LOG.format(6),
    "007_deferred.sql": "create table pairs (id int primary key, other int "
    "references pairs deferrable initially deferred);\ninsert into pairs values (1, 2), (2, 1);\n"
    + LOG.format(7),
    "008_rest.sql": ALONE + "alter type kind add value 'two';\n"
    "insert into things values (2, 'two');\nreindex index concurrently people_name;\n"
    "drop index concurrently people_mail;\n"
    "alter table things detach partition things_1 concurrently;\n" + LOG.format(8),
    "009_view.sql": "create view names as select name from people;\n" + LOG.format(9),
    "010_last.sql": "create table last ();\n" + LOG.format(10),
}
IDS = sorted(name.removesuffix(".sql") for name in FILES if "/" not in name)

LANDED = {
    "001_log": "to_regclass('log') is not null",
    "002_people": "to_regclass('people') is not null",
    "003_kinds": "to_regclass('things') is not null",
    "004_names": "exists (select from pg_index where indexrelid = to_regclass('people_name') "
    "and indisvalid)",
    "005_more": "exists (select from pg_attribute where attrelid = to_regclass('people') "
    "and attname = 'mail')",
    "006_mail": "exists (select from log where migration = 6)",
    "007_deferred": "to_regclass('pairs') is not null",
    "008_rest": "exists (select from log where migration = 8)",
    "009_view": "to_regclass('names') is not null",
    "010_last": "to_regclass('last') is not null",
}
NOT_TRANSACTIONAL = {"004_names", "008_rest"}


def write(folder: Path) -> Path:
    """Write the ten migrations into a folder."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def recorded(url: str) -> dict[str, str]:
    """What the ledger says, by migration."""
    if query(url, "select to_regclass('pgvouch.migration')") == [(None,)]:
        return {}
    rows = query(url, "select migration_id, state from pgvouch.migration")
    yoyo = {row[0] for row in query(url, "select migration_id from pgvouch._yoyo_migration")}
    found = {str(row[0]): str(row[1]) for row in rows}
    assert {name for name, state in found.items() if state == "applied"} == yoyo
    return found


def refuse_disagreement(url: str) -> dict[str, str]:
    """At any moment: the ledger and the catalog agree, and the migrations are a head of the list."""
    ledger = recorded(url)
    applied = [name for name in IDS if ledger.get(name) == "applied"]
    assert applied == IDS[: len(applied)]
    under_way = [name for name, state in ledger.items() if state == "incomplete"]
    assert set(under_way) <= NOT_TRANSACTIONAL & set(IDS[len(applied) : len(applied) + 1])
    for name in IDS:
        condition = LANDED[name]
        if "log" in condition and "001_log" not in applied:
            continue
        is_there = query(url, f"select {condition}") == [(True,)]
        if name in applied:
            assert is_there, f"{name} is recorded and not there"
        elif name not in under_way:
            assert not is_there, f"{name} is there and not recorded"
    return ledger


def refuse_unfinished(url: str) -> None:
    """After a plain migrate: everything landed, everything once, nothing invalid."""
    assert refuse_disagreement(url) == dict.fromkeys(IDS, "applied")
    logged = query(url, "select migration from log order by 1")
    assert logged == [(n,) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 40)]
    assert query(url, "select count(*) from pg_index where not indisvalid") == [(0,)]
    assert query(url, "select count(*) from people") == [(500,)]
    assert query(url, "select kind::text from things_1 order by id") == [("one",), ("two",)]
    assert query(url, "select count(*) from pg_inherits where inhparent = 'things'::regclass") == [
        (0,)
    ]
    (log,) = query(url, "select count(*), count(distinct migration_id) from pgvouch._yoyo_log")
    assert log == (len(IDS), len(IDS))
