"""Repeatable migrations: run again behind the others whenever their text has changed."""

import json
import shutil
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from conftest import Folder, database_of
from pgvouch import ConnectError, PlanError, Vouch
from pgvouch.events import Started

TABLE = "create table public.books (id int primary key, title text not null);"
VIEW = "create or replace view public.titles as select title from public.books;"
WIDER = "create or replace view public.titles as select title, author from public.books;"
FILES = {
    "001_books.sql": TABLE,
    "001_books.rollback.sql": "drop table public.books;",
    "repeat/titles.sql": VIEW,
}
NEXT = {
    "002_author.sql": "alter table public.books add author text;",
    "002_author.rollback.sql": "alter table public.books drop author;",
    "repeat/titles.sql": f"drop view if exists public.titles;\n{WIDER}",
}


@pytest.fixture
def library(folder: Folder) -> Folder:
    folder.write(FILES)
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    return folder


def columns(folder: Folder) -> list[object]:
    found = folder.query(
        "select attname::text from pg_attribute where attrelid = 'public.titles'::regclass "
        "and attnum > 0 order by attnum"
    )
    return [row[0] for row in found]


def runs(folder: Folder) -> list[tuple[object, ...]]:
    return folder.query("select repeatable_id, after_id from pgvouch.repeatable order by run_order")


def test_it_is_run_behind_the_others_and_once(library: Folder) -> None:
    assert columns(library) == ["title"]
    ran = library("migrate")
    assert "nothing to do" in ran.out
    assert runs(library) == [("repeat/titles", "001_books")]
    assert library.query("select migration_id from pgvouch.migration") == [("001_books",)]


def test_a_changed_text_is_run_again_and_both_are_kept(library: Folder) -> None:
    library.write({"repeat/titles.sql": VIEW.replace("title from", "id, title from")})
    ran = library("migrate")
    assert ran.code == 1  # create or replace cannot put a column in front
    assert "cannot" in ran.err
    assert columns(library) == ["title"]
    library.write({"repeat/titles.sql": VIEW.replace("title from", "title, id from")})
    ran = library("migrate")
    assert ran.code == 0, ran.err
    assert columns(library) == ["title", "id"]
    texts = library.query("select sql from pgvouch.repeatable order by run_order")
    assert [("id" in str(text)) for (text,) in texts] == [False, True]


def test_an_earlier_text_that_cannot_be_run_stops_the_rollback(library: Folder) -> None:
    library.write(NEXT)
    assert library("migrate").code == 0
    assert columns(library) == ["title", "author"]
    ran = library("rollback")
    assert ran.code == 1  # the earlier text cannot take a column away
    assert "cannot drop columns from view" in ran.err
    assert columns(library) == ["title", "author"]
    assert len(runs(library)) == 2


def test_a_rollback_brings_the_whole_release_back(folder: Folder) -> None:
    folder.write(FILES | {"repeat/titles.sql": f"drop view if exists public.titles;\n{VIEW}"})
    assert folder("migrate").code == 0
    folder.write(NEXT)
    assert folder("migrate").code == 0
    ran = folder("rollback")
    assert ran.code == 0, ran.err
    assert "repeat/titles" in ran.err
    assert columns(folder) == ["title"]
    assert runs(folder) == [("repeat/titles", "001_books")]
    assert folder.query("select count(*) from pgvouch.migration") == [(1,)]
    # The file is newer than what is in force again.
    states = json.loads(folder("status", "--json").out)["databases"][0]["migrations"]
    assert [(one["id"], one["state"]) for one in states] == [
        ("001_books", "applied"),
        ("002_author", "pending"),
        ("repeat/titles", "pending"),
    ]
    assert folder("migrate").code == 0
    assert columns(folder) == ["title", "author"]


def test_what_has_no_earlier_text_is_taken_away_with_its_own_rollback(folder: Folder) -> None:
    folder.write(FILES | {"repeat/titles.rollback.sql": "drop view public.titles;"})
    assert folder("migrate").code == 0
    ran = folder("rollback")
    assert ran.code == 0, ran.err
    assert runs(folder) == []
    assert folder.query("select to_regclass('public.books') is null") == [(True,)]
    assert folder("migrate").code == 0
    assert columns(folder) == ["title"]


def test_without_one_it_stays_and_the_server_says_what_is_in_the_way(library: Folder) -> None:
    ran = library("rollback")
    assert ran.code == 1
    assert "repeat/titles stays as it is: it has no earlier text" in ran.err
    assert "other objects depend on it" in ran.err
    assert runs(library) == [("repeat/titles", "001_books")]


def test_what_depends_on_a_changed_one_is_run_again_behind_it(folder: Folder) -> None:
    folder.write(FILES)
    folder.write(
        {
            "repeat/titles.sql": f"drop view if exists public.titles cascade;\n{VIEW}",
            "repeat/a_count.sql": "-- depends: titles\n"
            "create or replace view public.counted as select count(*) as n from public.titles;",
        }
    )
    assert folder("migrate").code == 0
    assert [name for name, _ in runs(folder)] == ["repeat/titles", "repeat/a_count"]
    folder.write({"repeat/titles.sql": f"drop view if exists public.titles cascade; -- 2\n{VIEW}"})
    assert folder("migrate").code == 0
    assert [name for name, _ in runs(folder)] == ["repeat/titles", "repeat/a_count"] * 2
    assert folder.query("select n from public.counted") == [(0,)]


def test_its_promises_are_kept_in_its_own_transaction(library: Folder) -> None:
    library.write(
        {
            "repeat/titles.sql": VIEW + " -- changed",
            "repeat/verify/titles.sql": "-- check: there are titles\n"
            "select count(*) > 0 from public.titles;\n",
        }
    )
    ran = library("migrate")
    assert ran.code == 1
    assert "repeat/titles" in ran.err
    assert "there are titles" in ran.err
    assert len(runs(library)) == 1
    library.query("insert into public.books values (1, 'One')")
    assert library("migrate").code == 0
    assert library("verify").code == 0
    library.query("delete from public.books")
    ran = library("verify")
    assert ran.code == 1
    assert "repeat/titles: there are titles" in ran.out


def test_drift_knows_what_it_made(folder: Folder) -> None:
    folder.write(FILES)
    assert folder("accept-delta").code == 0
    assert folder("migrate").code == 0
    ran = folder("drift", "--strict")
    assert ran.code == 0, ran.out
    folder.query("drop view public.titles")
    ran = folder("drift")
    assert ran.code == 4
    assert "missing, but repeat/titles made it: view public.titles" in ran.out


def test_a_target_short_of_the_newest_runs_none(folder: Folder) -> None:
    folder.write(FILES | NEXT)
    assert folder("migrate", "--to", "1").code == 0
    assert folder.query("select to_regclass('pgvouch.repeatable') is null") == [(True,)]
    assert folder("migrate").code == 0
    assert columns(folder) == ["title", "author"]


def test_all_in_one_transaction(folder: Folder) -> None:
    folder.write(FILES | NEXT | {"repeat/bad.sql": "-- depends: titles\nselect 1 / 0;"})
    ran = folder("migrate", "--single-transaction")
    assert ran.code == 1
    assert folder.query("select to_regclass('public.books') is null") == [(True,)]
    folder.write({"repeat/bad.sql": "-- depends: titles\nselect 1;"})
    assert folder("migrate", "--single-transaction").code == 0
    assert len(runs(folder)) == 2


def test_a_variable_is_filled_in_and_its_value_not_kept(folder: Folder) -> None:
    text = "-- var: owner\ncomment on table public.books is :'owner';"
    folder.write(FILES | {"repeat/titles.sql": text})
    assert folder("migrate", "--var", "owner=sesame").code == 0
    kept = folder.query("select sql, delta from pgvouch.repeatable")
    assert "sesame" not in str(kept)
    assert "sesame" in str(folder.query("select obj_description('public.books'::regclass)"))


def test_plan_and_status_show_it(folder: Folder) -> None:
    folder.write(FILES)
    assert "repeat/titles" in folder("plan").out
    assert "repeat/titles" in folder("status").out
    assert folder("migrate").code == 0
    assert folder("status", "--exit-code").code == 0
    assert "nothing to do" in folder("plan").out
    (folder.path / "repeat/titles.sql").write_text(VIEW + "-- 2")
    assert folder("status", "--exit-code").code == 3


REFUSED = {
    "-- transactional: false\nselect 1;": "`-- transactional:` has no meaning",
    "-- unless: true = (select true)\nselect 1;": "`-- unless:` has no meaning",
    "-- depends: nowhere\nselect 1;": "depends on nowhere, which is not in repeat/",
    "-- depends: titles\nselect 1;": "depend on each other in a circle: titles, titles",
    "begin; commit;": "would end the transaction",
}


@pytest.mark.parametrize(("text", "says"), REFUSED.items())
def test_what_cannot_be_one_is_refused(folder: Folder, text: str, says: str) -> None:
    folder.write(FILES | {"repeat/titles.sql": text})
    ran = folder("migrate")
    assert ran.code == 2
    assert says in ran.err


@pytest.mark.parametrize("name", ["titles.txt2", "other.rollback.sql", "verify/other.sql"])
def test_a_file_that_belongs_to_none_is_named(folder: Folder, name: str) -> None:
    folder.write(FILES | {f"repeat/{name}": "select 1;"})
    ran = folder("migrate")
    assert ran.code == 2
    assert name.rpartition("/")[2] in ran.err


def test_another_runner_is_waited_for(library: Folder) -> None:
    library.write({"repeat/titles.sql": VIEW + " -- 2"})
    with psycopg.connect(library.url) as other:
        other.execute("select from pgvouch.ledger for update")
        vouch = Vouch(library.url, migrations=library.path, lock_wait="50ms")
        with pytest.raises(ConnectError, match="another runner"):
            vouch.migrate()
    assert len(runs(library)) == 1
    assert library("migrate").code == 0
    assert len(runs(library)) == 2


DROPS = f"drop view if exists public.titles cascade;\n{VIEW}"
COUNTED = (
    "-- depends: titles\n"
    "create or replace view public.counted as select count(*) as n from public.titles;"
)


def test_what_was_taken_along_is_run_again_after_an_interruption(folder: Folder) -> None:
    folder.write(FILES | {"repeat/titles.sql": DROPS, "repeat/a_count.sql": COUNTED})
    assert folder("migrate").code == 0
    check = {"repeat/verify/a_count.sql": "-- check: not today\nselect false;\n"}
    folder.write(check | {"repeat/titles.sql": f"{DROPS} -- 2"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "repeat/a_count is as it was. Landed before it: repeat/titles." in ran.err
    (folder.path / "repeat/verify/a_count.sql").unlink()
    assert folder("status", "--exit-code").code == 3
    assert folder("migrate").code == 0
    assert folder.query("select n from public.counted") == [(0,)]
    assert "nothing to do" in folder("migrate").out


def test_what_fails_to_change_is_said_to_be_as_it_was(library: Folder) -> None:
    library.write({"repeat/titles.sql": VIEW.replace("title from", "id, title from")})
    ran = library("migrate")
    assert ran.code == 1
    assert "repeat/titles is as it was." in ran.err


@pytest.mark.parametrize("how", [("rollback",), ("rollback", "--dry-run")])
def test_what_cannot_come_back_is_said_to_be_as_it_was(library: Folder, how: list[str]) -> None:
    library.write(NEXT)
    assert library("migrate").code == 0
    ran = library(*how)
    assert ran.code == 1
    assert "repeat/titles is as it was." in ran.err
    assert "which the ledger has kept" in ran.err


def test_a_connection_lost_behind_it_leaves_it_brought_back(folder: Folder) -> None:
    folder.write(FILES | {"repeat/titles.sql": DROPS})
    assert folder("migrate").code == 0
    ends = "alter table public.books drop author; select pg_terminate_backend(pg_backend_pid());"
    folder.write(NEXT | {"002_author.rollback.sql": ends})
    assert folder("migrate").code == 0
    ran = folder("rollback")
    assert ran.code == 5
    assert "002_author is still in the database, whole." in ran.err
    assert "Rolled back before it: repeat/titles." in ran.err
    assert "Lost" not in ran.err


def test_a_connection_lost_within_it_leaves_it_as_it_was(library: Folder) -> None:
    library.write({"repeat/titles.sql": f"{VIEW} select pg_terminate_backend(pg_backend_pid());"})
    ran = library("migrate")
    assert ran.code == 5
    assert "repeat/titles is as it was." in ran.err


def test_where_nothing_can_be_written_it_says_so(folder: Folder) -> None:
    folder.write({"001_books.sql": TABLE})
    assert folder("migrate").code == 0
    folder.write({"repeat/titles.sql": VIEW})
    name = database_of(folder.url)
    folder.query(f"alter database {name} set default_transaction_read_only = on")
    ran = folder("migrate")
    assert ran.code == 1
    assert "writing is switched off here" in ran.err
    assert "Nothing was run." in ran.err


def test_its_table_is_not_made_while_another_runner_is_at_work(folder: Folder) -> None:
    folder.write({"001_books.sql": TABLE})
    assert folder("migrate").code == 0
    folder.write({"repeat/titles.sql": VIEW})
    with psycopg.connect(folder.url) as other:
        other.execute("select from pgvouch.ledger for update")
        vouch = Vouch(folder.url, migrations=folder.path, lock_wait="50ms")
        with pytest.raises(ConnectError, match="another runner"):
            vouch.migrate()
    assert folder("migrate").code == 0


class _Meanwhile:
    """Lets another runner go first, when this one has planned and begins."""

    def __init__(self, other: Folder) -> None:
        self._other: Folder | None = other

    def __call__(self, event: object) -> None:
        if isinstance(event, Started) and self._other is not None:
            other, self._other = self._other, None
            assert other("migrate").code == 0


def test_what_another_runner_was_quicker_with_is_left_out(library: Folder) -> None:
    library.write({"repeat/titles.sql": f"{VIEW} -- 2"})
    vouch = Vouch(library.url, migrations=library.path, on_event=_Meanwhile(library))
    assert vouch.migrate().finished == ()
    assert len(runs(library)) == 2


def test_an_older_release_does_not_run_over_a_newer_one(library: Folder, tmp_path: Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(library.path, older)
    (older / "repeat/titles.sql").write_text(f"{VIEW} -- older")
    library.write({"repeat/titles.sql": f"{VIEW} -- newer"})
    vouch = Vouch(library.url, migrations=older, on_event=_Meanwhile(library))
    with pytest.raises(PlanError, match="in the meantime"):
        vouch.migrate()
    (last,) = library.query("select sql from pgvouch.repeatable order by run_order desc limit 1")
    assert str(last[0]).endswith("newer")


@pytest.mark.parametrize("flaw", ["its owner is {role}", "it has a trigger"])
def test_a_table_that_somebody_else_has_changed_is_not_believed(folder: Folder, flaw: str) -> None:
    folder.write({"001_books.sql": TABLE, "repeat/titles.sql": VIEW})
    assert folder("migrate").code == 0
    role = f"stranger_{database_of(folder.url)}"
    folder.query(f"create role {role}")
    try:
        if "owner" in flaw:
            folder.query(f"alter table pgvouch.repeatable owner to {role}")
        else:
            folder.query(
                "create trigger t before insert on pgvouch.repeatable for each row "
                "execute function suppress_redundant_updates_trigger()"
            )
        for command in ("status", "migrate", "rollback", "drift", "verify"):
            ran = folder(command)
            assert ran.code == 2
            assert f"pgvouch.repeatable is not believed: {flaw.format(role=role)}" in ran.err
    finally:
        folder.query(f"drop owned by {role}; drop role {role}")


def test_a_role_that_waits_is_told_what_to_be_granted(library: Folder) -> None:
    role = f"waiting_{database_of(library.url)}"
    library.query(f"create role {role} login")
    try:
        library.query(
            f"grant usage on schema pgvouch to {role}; grant select on pgvouch.ledger, "
            f"pgvouch.migration, pgvouch._yoyo_migration to {role}"
        )
        url = make_conninfo(library.url, user=role)
        ran = library("wait", "--for-schema", "--wait", "200ms", url=url)
        assert ran.code == 2
        assert "in a file of repeat/: grant select on pgvouch.repeatable" in ran.err
        library.query(f"grant select on pgvouch.repeatable to {role}")
        assert library("wait", "--for-schema", "--wait", "200ms", url=url).code == 0
    finally:
        library.query(f"drop owned by {role}; drop role {role}")


def test_it_has_no_delta_file(library: Folder) -> None:
    library.write({"repeat/verify/titles.delta": "+ view public.titles\n"})
    ran = library("migrate")
    assert ran.code == 2
    assert "titles.delta is a delta" in ran.err


@pytest.mark.parametrize("how", [(), ("--single-transaction",), ("--rehearse",)])
def test_no_delta_promises_what_becomes_of_what_it_has_made(
    folder: Folder, how: tuple[str, ...]
) -> None:
    """Where a delta is taken, nothing repeatable is there: a column's new name is read in a view."""
    folder.write(FILES | {"repeat/titles.sql": DROPS})
    assert folder("accept-delta").code == 0
    assert folder("migrate").code == 0
    renamed = "alter table public.books rename title to name;"
    back = "alter table public.books rename name to title;"
    folder.write({"002_name.sql": renamed, "002_name.rollback.sql": back})
    folder.write({"repeat/titles.sql": DROPS.replace("select title", "select name")})
    assert folder("accept-delta").code == 0
    ran = folder("migrate", *how)
    assert ran.code == 0, ran.err
    if "--rehearse" not in how:
        assert columns(folder) == ["name"]
        assert folder("drift", "--strict").code == 0


def test_other_objects_are_still_promised(folder: Folder) -> None:
    folder.write(FILES)
    assert folder("accept-delta").code == 0
    assert folder("migrate").code == 0
    folder.query("create view public.by_hand as select title from public.books")
    folder.write({"002_name.sql": "alter table public.books rename title to name;"})
    assert folder("accept-delta").code == 0
    ran = folder("migrate")
    assert ran.code == 1
    assert "was not promised:  ~ view public.by_hand" in ran.err
    assert "view public.titles" not in ran.err


def test_its_rollback_loses_no_rows_unasked(folder: Folder) -> None:
    folder.write(FILES)
    folder.write(
        {
            "repeat/titles.sql": "create table if not exists public.cache (t text);",
            "repeat/titles.rollback.sql": "drop table public.cache;",
        }
    )
    assert folder("migrate").code == 0
    folder.query("insert into public.cache values ('One')")
    ran = folder("rollback")
    assert ran.code == 1
    assert "public.cache" in ran.err
    assert "--discard-data" in ran.err
    assert "repeat/titles is as it was." in ran.err
    assert folder.query("select t from public.cache") == [("One",)]
    ran = folder("rollback", "--discard-data")
    assert ran.code == 0, ran.err
    assert "1 rolled back, 0 still applied" in ran.out


def test_one_transaction_has_one_isolation(folder: Folder) -> None:
    folder.write(FILES | {"repeat/titles.sql": f"-- isolation: serializable\n{VIEW}"})
    ran = folder("migrate", "--single-transaction")
    assert ran.code == 2
    assert "cannot be in one transaction" in ran.err
    assert folder("migrate").code == 0
