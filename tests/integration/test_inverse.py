"""A rollback undoes what its migration did, as the ledger has it, and nothing else."""

from collections.abc import Callable, Mapping

import pytest

from conftest import Folder, database_of, query
from pgvouch import CheckError, Vouch

FILES = {
    "001_notes.sql": "create table public.notes (id int primary key, body text);\n"
    "create view public.old as select 1 as a;",
    "001_notes.rollback.sql": "drop view public.old; drop table public.notes;",
    "002_more.sql": "alter table public.notes alter body set not null, add more int;\n"
    "create view public.v as select id from public.notes;\n"
    "drop view public.old;",
}
WHOLE = (
    "create view public.old as select 1 as a;\n"
    "drop view public.v;\n"
    "alter table public.notes alter body drop not null, drop more;\n"
)


def migrated(folder: Folder, rollback: str, files: Mapping[str, str] = FILES) -> Folder:
    """A folder whose migrations are applied, with their deltas, the last one with this rollback."""
    folder.write(files)
    folder.write({f"{max(files).removesuffix('.sql')}.rollback.sql": rollback})
    for command in ("accept-delta", "migrate"):
        ran = folder(command)
        assert ran.code == 0, ran.err
    return folder


def applied(folder: Folder) -> object:
    return folder.query("select count(*) from pgvouch._yoyo_migration")[0][0]


def test_what_undoes_all_of_it_lands(folder: Folder) -> None:
    migrated(folder, WHOLE)
    ran = folder("rollback", "--all")
    assert (ran.code, applied(folder)) == (0, 0)


def test_what_was_applied_before_it_had_a_delta_is_judged_by_its_file(folder: Folder) -> None:
    folder.write(FILES | {"002_more.rollback.sql": WHOLE.replace("drop view public.v;", "")})
    assert folder("migrate").code == 0
    assert folder("accept-delta").code == 0
    ran = folder("rollback")
    assert (ran.code, applied(folder)) == (1, 2)
    assert "left over:  view public.v as SELECT id FROM public.notes" in ran.err
    folder.write({"002_more.rollback.sql": WHOLE})
    assert folder("rollback", "--from-files").code == 0


REFUSED = [
    ("left over:  view public.v as SELECT id FROM public.notes", WHOLE.replace("drop view public.v;", "")),
    ("does not come back:  view public.old as SELECT 1 AS a", WHOLE.partition("\n")[2]),
    (
        "is not changed back:  column public.notes.body text not null (was: text)",
        WHOLE.replace("alter body drop not null, ", ""),
    ),
    (
        "is new:  view public.more as SELECT 2 AS a",
        f"{WHOLE} create view public.more as select 2 as a;",
    ),
    ("goes as well:  constraint public.notes notes_pkey", f"{WHOLE} alter table public.notes drop constraint notes_pkey;"),
    (
        "is changed as well:  column public.notes.id integer not null default 5 (was: integer not null)",
        f"{WHOLE} alter table public.notes alter id set default 5;",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("line", "rollback"), REFUSED)
def test_what_does_not_is_rolled_back(folder: Folder, line: str, rollback: str) -> None:
    migrated(folder, rollback)
    ran = folder("rollback")
    assert ran.code == 1
    assert (
        "the rollback of 002_more does not leave the catalog as it was before 002_more" in ran.err
    )
    assert line in ran.err
    assert "--from-files" in ran.err
    assert "-- leaves: extension citext" in ran.err
    assert "--accept-difference" in ran.err
    assert (applied(folder), folder("drift").code) == (2, 0)


def test_a_change_by_hand_is_named_and_may_go_where_that_is_said(folder: Folder) -> None:
    migrated(folder, WHOLE + "drop index if exists public.by_hand;")
    folder.query("create index by_hand on public.notes (body)")
    ran = folder("rollback")
    assert ran.code == 1
    assert "goes as well:  index public.by_hand ON public.notes USING btree (body)" in ran.err
    assert applied(folder) == 2
    ran = folder("rollback", "--dry-run")
    assert (ran.code, applied(folder)) == (0, 2)
    assert "-- goes as well:  index public.by_hand" in ran.out
    ran = folder("rollback", "--accept-difference")
    assert ran.code == 0
    assert "goes as well:  index public.by_hand" in ran.err
    assert applied(folder) == 1


def test_the_library_says_it_too(folder: Folder) -> None:
    migrated(folder, WHOLE.partition("\n")[2])
    with Vouch(folder.url, migrations=folder.path) as vouch:
        with pytest.raises(CheckError, match="does not leave the catalog as it was") as caught:
            vouch.rollback()
        assert caught.value.notes == ["does not come back:  view public.old as SELECT 1 AS a"]
        (done,) = vouch.rollback(accept_difference=True).finished
        assert done.notes == ("does not come back:  view public.old as SELECT 1 AS a",)


def test_what_stays_is_declared(folder: Folder) -> None:
    files = {
        "001_words.sql": "create type public.mood as enum ('good');\n"
        "create schema app; comment on schema app is 'mine'; grant usage on schema app to public;\n"
        "create table app.words (m public.mood); create table public.t (a int, b int, c int);",
        "001_words.rollback.sql": "-- leaves: type public.mood\n-- leaves: schema  app\n"
        "drop table app.words; drop table public.t;",
        "002_drop.sql": "alter table public.t drop b;",
    }
    # A column that comes back is the last one.
    migrated(folder, "-- leaves: table public.t\nalter table public.t add b int;", files)
    assert folder("rollback", "--all").code == 0
    assert folder.query("select to_regnamespace('app')::text") == [("app",)]


def test_what_was_done_by_hand_to_what_goes_anyway_is_in_no_way(folder: Folder) -> None:
    migrated(folder, WHOLE.replace("drop view public.v", "drop view if exists public.v"))
    folder.query(
        "drop view public.v; alter table public.notes alter body drop not null;"
        "alter table public.notes alter more set default 1"
    )
    assert folder("rollback", "--all").code == 0


def test_a_member_of_the_role_that_migrates_may_roll_back(
    make_folder: Callable[[str], Folder], every_url: str
) -> None:
    """To the member the owner is another one; and so is a grant that was made by hand."""
    folder, name = make_folder(every_url), database_of(every_url)
    files = {
        "001_t.sql": "create table public.t (a int);",
        "001_t.rollback.sql": "drop table public.t;",
    }
    folder.write(files)
    query(
        every_url, f"create role own_{name} login; create role may_{name} login in role own_{name}"
    )
    query(every_url, f"alter database {name} owner to own_{name}")
    query(every_url, f"grant create on schema public to own_{name}")
    try:
        assert folder("accept-delta").code == 0
        ran = folder("migrate", url=every_url.replace("postgres@", f"own_{name}@"))
        assert ran.code == 0, ran.err
        query(
            every_url, f"grant select on public.t to may_{name}; comment on table public.t is 'x'"
        )
        ran = folder("rollback", url=every_url.replace("postgres@", f"may_{name}@"))
        assert ran.code == 0, ran.err
    finally:
        query(every_url, f"alter database {name} owner to postgres")
        query(every_url, f"drop owned by own_{name}, may_{name}; drop role own_{name}, may_{name}")


def test_only_what_is_declared_may_stay(folder: Folder) -> None:
    files = {"001_s.sql": "create schema app; create schema application; create schema more;"}
    migrated(folder, "-- leaves: schema app\nselect 1;", files)
    ran = folder("rollback")
    assert ran.code == 1
    assert "schema app\n" not in ran.err
    assert "left over:  schema application" in ran.err
    assert "left over:  schema more" in ran.err


def test_the_declaration_is_the_rollback_s(folder: Folder) -> None:
    folder.write({"001_a.sql": "-- leaves: schema app\ncreate schema app;"})
    ran = folder("migrate")
    assert ran.code == 2
    assert "`-- leaves:` is about a rollback, and this is none" in ran.err


def test_without_any_delta_nothing_is_compared(folder: Folder) -> None:
    migrated(folder, "drop view public.v;")
    folder.query("update pgvouch.migration set delta = null")
    (folder.path / "verify" / "002_more.delta").unlink()
    assert folder("rollback").code == 0


def test_nothing_done_is_nothing_undone(folder: Folder) -> None:
    files = {"001_n.sql": "create table public.t (a int); drop table public.t;"}
    migrated(folder, "create table public.t (a int);", files)
    ran = folder("rollback")
    assert (ran.code, "is new:  table public.t (a)" in ran.err) == (1, True)


def test_one_that_loses_rows_is_refused_for_that_first(folder: Folder) -> None:
    migrated(folder, WHOLE.partition("\n")[2])
    folder.query("insert into public.notes values (1, 'x', 2)")
    assert "--discard-data" in folder("rollback").err
    ran = folder("rollback", "--discard-data")
    assert (ran.code, "does not come back:  view public.old" in ran.err) == (1, True)
    assert folder("rollback", "--discard-data", "--accept-difference").code == 0


def test_the_value_of_a_variable_is_no_difference(folder: Folder) -> None:
    folder.write(
        {
            "001_v.sql": "-- var: pw\ncreate view public.v as select :'pw'::text as a;",
            "001_v.rollback.sql": "drop view public.v;",
            "verify/001_v.delta": "+ view public.v as SELECT 'geheim1234'::text AS a\n",
        }
    )
    assert folder("migrate", "--var", "pw=geheim1234").code == 0
    ran = folder("rollback")
    assert ran.code == 0, ran.err


STEPWISE = {"001_t.sql": "-- transactional: false\ncreate table public.t (a int);\n"
            "create index concurrently i on public.t (a);\n"}  # fmt: skip


def test_a_non_transactional_one_is_judged_at_its_end(folder: Folder) -> None:
    back = "-- transactional: false\ndrop index concurrently public.i;\n"
    migrated(folder, f"{back}drop table public.t;", STEPWISE)
    assert folder("rollback").code == 0
    assert folder("migrate").code == 0
    folder.write({"001_t.rollback.sql": back})
    ran = folder("rollback", "--from-files")
    assert ran.code == 1
    assert "left over:  table public.t (a)" in ran.err
    assert "all of its statements are done" in ran.err


def test_a_non_transactional_delta_is_compared_and_stored(folder: Folder) -> None:
    folder.write(STEPWISE)
    assert folder("accept-delta").code == 0
    delta = folder.path / "verify" / "001_t.delta"
    assert "+ index public.i ON public.t USING btree (a)\n" in delta.read_text()
    right = delta.read_text()
    delta.write_text(right.replace("btree (a)", "btree (b)"))
    ran = folder("migrate")
    assert ran.code == 1
    assert "did not happen:  + index public.i ON public.t USING btree (b)" in ran.err
    assert "all of its statements are done" in ran.err
    # What it was before is not known any more, but what its delta says has to be there.
    ran = folder("migrate")
    assert ran.code == 1
    assert "001_t has left the catalog otherwise than its delta promises" in ran.err
    assert "expected index public.i ON public.t USING btree (b); found index public.i" in ran.err
    delta.write_text(right)
    assert folder("migrate").code == 0
    assert folder("drift", "--strict").code == 0
    assert folder.query("select delta from pgvouch.migration") == [(None,)]
    folder.query("drop index public.i")
    assert folder("drift").code == 4
