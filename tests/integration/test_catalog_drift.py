"""The database beside what its migrations made: what differs is named, and nothing is left behind."""

import json
from collections.abc import Callable

import psycopg
import pytest

from conftest import Folder, database_of, query
from pgvouch import Vouch

MakeFolder = Callable[[str], Folder]
FILES = {
    "001_notes.sql": "create table public.notes (id int primary key, body text not null);\n"
    "create index notes_body on public.notes (body);",
    "001_notes.rollback.sql": "drop table public.notes;",
    "002_leak.sql": "create view public.leak as select 1 as a; drop view public.leak;\n"
    "alter table public.notes alter body set default 'x';",
    "002_leak.rollback.sql": "alter table public.notes alter body drop default;",
    "003_gone.sql": "drop index public.notes_body;",
    "003_gone.rollback.sql": "create index notes_body on public.notes (body);",
}


@pytest.fixture
def notes(folder: Folder) -> Folder:
    folder.write(FILES)
    accepted = folder("accept-delta")
    assert accepted.code == 0, accepted.err
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    return folder


def differences(folder: Folder, *arguments: str, code: int = 4) -> list[tuple[str, ...]]:
    ran = folder("drift", "--json", *arguments)
    assert ran.code == code, ran.out + ran.err
    (document,) = json.loads(ran.out)["databases"]
    return [(d["migration"], d["expected"], d["found"]) for d in document["differs"]]


def test_nothing_differs(notes: Folder) -> None:
    name = database_of(notes.url)
    ran = notes("drift")
    assert (ran.code, ran.out, ran.err) == (
        0, f"{name}: the database is what its migrations made\n", "",
    )  # fmt: skip
    assert notes("drift", "--strict").code == 0
    verified = notes("verify", "--strict")
    assert (verified.code, verified.out) == (0, f"{name}: 0 checks hold, 0 broken\n")


BY_HAND = """
alter table public.notes alter body drop not null, alter body set default 'y', drop constraint notes_pkey;
create index notes_body on public.notes (body);
create view public.leak as select 2 as a
"""
TOLD = """
  ✗ not as 002_leak left it: column public.notes.body
      expected text not null default 'x'::text
      found    text default 'y'::text
  ✗ missing, but 001_notes made it: constraint public.notes notes_pkey PRIMARY KEY (id)
  ✗ there, but 003_gone removed it: index public.notes_body ON public.notes USING btree (body)
  next    undo what was changed by hand;"""


def test_what_was_done_by_hand_is_named_with_the_migration_that_promised_otherwise(
    notes: Folder,
) -> None:
    notes.query(BY_HAND)
    name = database_of(notes.url)
    ran = notes("drift")
    assert (ran.code, ran.err) == (4, "")
    assert f"{name}: 3 objects differ from what the migrations made{TOLD}" in ran.out
    assert "1 object is in no delta:\n  + view public.leak as SELECT 2 AS a\n" in ran.out
    assert differences(notes) == [
        (
            "002_leak",
            "column public.notes.body text not null default 'x'::text",
            "column public.notes.body text default 'y'::text",
        ),
        ("001_notes", "constraint public.notes notes_pkey PRIMARY KEY (id)", None),
        ("003_gone", None, "index public.notes_body ON public.notes USING btree (body)"),
    ]
    ran = notes("verify")
    assert ran.code == 4
    assert f"{name}: 0 checks hold, 0 broken\n{name}: 3 objects differ" in ran.out
    assert f"{name}: 1 object is in no delta (pgvouch drift shows more){TOLD}" in ran.out


def test_what_no_delta_names_is_listed_and_a_finding_where_that_is_asked_for(notes: Folder) -> None:
    notes.query("create schema hidden; create table hidden.scratch (a int)")
    for command in ("drift", "verify"):
        assert notes(command).code == 0
        assert notes(command, "--strict").code == 4
    (document,) = json.loads(notes("drift", "--json").out)["databases"]
    assert document["unpromised"] == [
        "column hidden.scratch.a integer", "schema hidden", "table hidden.scratch (a)",
    ]  # fmt: skip
    (document,) = json.loads(notes("verify", "--json").out)["databases"]
    assert document["catalog"]["unpromised"][1] == "schema hidden"


def test_a_broken_check_weighs_more_and_one_that_is_not_judged_less(folder: Folder) -> None:
    folder.write({"001_t.sql": "create table public.t (a int);"})
    folder.write({"verify/001_t.sql": "-- check none: a row\nselect from public.t where a = 1;\n"})
    assert folder("accept-delta").code == 0
    assert folder("migrate").code == 0
    folder.query("alter table public.t add b int")
    assert folder("verify").code == 4
    with psycopg.connect(folder.url) as other:
        other.execute("lock table public.t")
        ran = folder("verify", "--retries", "0", "--lock-timeout", "50ms")
        assert (ran.code, "could not be judged" in ran.out) == (4, True)
    folder.query("insert into public.t values (1)")
    assert folder("verify").code == 1


def test_a_rolled_back_migration_promises_nothing(notes: Folder) -> None:
    assert notes("rollback", "--to", "001_notes").code == 0
    assert differences(notes, code=0) == []
    assert notes("rollback").code == 0
    notes.query("create table public.notes (other int)")
    assert differences(notes, code=0) == []
    assert differences(notes, "--strict") == []


def test_the_ledger_says_what_happened_and_the_file_where_it_does_not(notes: Folder) -> None:
    delta = notes.path / "verify" / "001_notes.delta"
    text = delta.read_text()
    delta.write_text(text.replace("(id, body)", "(id, body, more)"))
    assert differences(notes, code=0) == []
    notes.query("update pgvouch.migration set delta = null where migration_id = '001_notes'")
    assert differences(notes) == [
        ("001_notes", "table public.notes (id, body, more)", "table public.notes (id, body)"),
    ]


def test_where_a_later_migration_has_no_delta_an_earlier_one_is_not_judged(notes: Folder) -> None:
    notes.write({"004_more.sql": "alter table public.notes add more int;"})
    notes.write({"005_last.sql": "create table public.last (a int);"})
    (notes.path / "verify" / "004_more.delta").unlink(missing_ok=True)
    assert notes("migrate").code == 0
    ran = notes("drift")
    assert ran.code == 0
    assert "? not as 001_notes left it: table public.notes" in ran.out
    assert "may be the work of 004_more, 005_last" in ran.out
    (document,) = json.loads(notes("drift", "--json").out)["databases"]
    assert document["without_delta"] == ["004_more", "005_last"]
    assert len(document["unjudged"]) == 1
    # With their deltas all of it is known.
    assert notes("accept-delta").code == 0
    assert notes("drift", "--strict").code == 0


def test_without_any_delta_it_says_so(folder: Folder) -> None:
    folder.write({"001_t.sql": "create table public.t (a int);"})
    assert "no applied migration has a delta" in folder("drift").out
    assert folder("migrate").code == 0
    ran = folder("drift")
    assert ran.code == 0
    assert "no applied migration has a delta" in ran.out
    assert folder("verify").out == f"{database_of(folder.url)}: 0 checks hold, 0 broken\n"


def test_what_was_provided_may_have_any_shape(folder: Folder) -> None:
    folder.write(
        {
            "001_auth.sql": "-- unless: to_regclass('auth.users') is not null\n"
            "create schema auth; create table auth.users (id int);",
            "002_own.sql": "create table public.own (id int); create view auth.v as select 1 as a;",
        }
    )
    assert folder("accept-delta").code == 0
    folder.query("create schema auth; create table auth.users (id uuid, more text)")
    assert folder("migrate").code == 0
    ran = folder("drift", "--strict")
    assert ran.code == 4
    assert "  1 object is in no delta:\n  + column auth.users.more text\n" in ran.out
    folder.query("drop table auth.users; drop view auth.v")
    assert (
        differences(folder) == [("002_own", "column auth.v.a", None)]
        or differences(folder)[0][0] == "002_own"
    )


def test_half_of_a_migration_is_not_judged(folder: Folder) -> None:
    folder.write(
        {
            "001_t.sql": "create table public.t (a int);",
            "002_i.sql": "-- transactional: false\nalter table public.t add b int;\nselect 1 / 0;",
        }
    )
    folder.write({"verify/001_t.delta": "+ table public.t (a)\n+ column public.t.a integer\n"})
    folder.write({"verify/002_i.delta": "+ table public.u ()\n"})
    assert folder("migrate").code == 1
    ran = folder("drift")
    assert ran.code == 0
    assert "may be the work of 002_i" in ran.out


def test_the_value_of_a_variable_is_neither_shown_nor_in_the_way(folder: Folder) -> None:
    folder.write(
        {
            "001_v.sql": "-- var: pw\ncreate view public.v as select :'pw'::text as a;",
            "verify/001_v.delta": "+ view public.v as SELECT 'geheim1234'::text AS a\n",
        }
    )
    assert folder("migrate", "--var", "pw=geheim1234").code == 0
    assert differences(folder, code=0) == []
    assert differences(folder, "--var", "pw=geheim1234", code=0) == []
    folder.query("create or replace view public.v as select 'geheim1234'::text as a, 1 as b")
    ran = folder("drift", "--var", "pw=geheim1234")
    assert ran.code == 4
    assert "found    as SELECT '***'::text AS a, 1 AS b" in ran.out
    assert "geheim1234" not in ran.out


def test_a_member_of_the_role_that_migrates_sees_the_same(
    make_folder: MakeFolder, every_url: str
) -> None:
    """What the migrating role owns is written without its owner, whoever looks."""
    folder, name = make_folder(every_url), database_of(every_url)
    folder.write(FILES)
    query(
        every_url, f"create role own_{name} login; create role may_{name} login in role own_{name}"
    )
    query(every_url, f"alter database {name} owner to own_{name}")
    query(every_url, f"grant create on schema public to own_{name}")
    try:
        assert folder("accept-delta").code == 0
        ran = folder("migrate", url=every_url.replace("postgres@", f"own_{name}@"))
        assert ran.code == 0, ran.err
        for user in ("own", "may"):
            ran = folder("drift", "--json", url=every_url.replace("postgres@", f"{user}_{name}@"))
            (document,) = json.loads(ran.out)["databases"]
            assert document["differs"] == []
            assert document["unpromised"] == [f"grant on schema public to own_{name}: create"]
    finally:
        query(every_url, f"alter database {name} owner to postgres")
        query(every_url, f"drop owned by own_{name}, may_{name}; drop role own_{name}, may_{name}")


def test_it_waits_for_a_table_with_pauses_and_gives_every_lock_back(notes: Folder) -> None:
    notes.query("create view public.v as select body from public.notes")
    with psycopg.connect(notes.url) as other:
        other.execute("lock table public.notes")
        ran = notes("drift", "--retries", "1", "--lock-timeout", "50ms")
        assert ran.code == 5
        assert "the catalog cannot be described: canceling statement due to lock timeout" in ran.err
        assert "it is tried again" in ran.err
    with Vouch(notes.url, migrations=notes.path) as vouch:
        assert len(vouch.drift().unpromised) == 1
        # The connection is still there, and nothing of the project is locked.
        held = (
            "select count(*) from pg_locks as l join pg_class as c on c.oid = l.relation "
            "where c.relname in ('notes', 'v')"
        )
        assert notes.query(held) == [(0,)]


def test_where_nothing_may_be_written_it_looks_all_the_same(notes: Folder) -> None:
    notes.query(f"alter database {database_of(notes.url)} set default_transaction_read_only = on")
    assert differences(notes, code=0) == []


def test_a_missing_database_and_a_broken_delta(notes: Folder) -> None:
    missing = notes.url.replace(database_of(notes.url), "not_there")
    assert notes("drift", url=missing).code == 5
    notes.query("update pgvouch.migration set delta = null")
    notes.write({"verify/001_notes.delta": "what\n"})
    ran = notes("drift")
    assert (ran.code, "is no line of a catalog delta" in ran.err) == (2, True)


def test_without_a_ledger_all_of_it_is_in_no_delta(folder: Folder) -> None:
    folder.write({"001_t.sql": "create table public.t (a int);"})
    assert folder("accept-delta").code == 0
    folder.query("create table public.t (a int)")
    assert differences(folder, code=0) == []
    (document,) = json.loads(folder("drift", "--json").out)["databases"]
    assert document["unpromised"] == ["column public.t.a integer", "table public.t (a)"]
