"""`pgvouch squash`: one file in the place of many, and every database goes on from where it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Folder, Server, database_of, fresh
from pgvouch.postgres.session import Session
from pgvouch.sqltext.own import Raw, own_query

FILES = {
    "001_books.sql": "create table public.books (id bigint generated always as identity primary key, "
    "title text not null);\ninsert into public.books (title) values ('One'), ('Two');",
    "001_books.rollback.sql": "drop table public.books;",
    "002_loans.sql": "create table public.loans (book bigint not null references public.books);",
    "002_loans.rollback.sql": "drop table public.loans;",
    "003_index.sql": "-- transactional: false\ncreate index concurrently loans_book "
    "on public.loans (book);",
    "003_index.rollback.sql": "-- transactional: false\ndrop index concurrently public.loans_book;",
    "004_later.sql": "-- depends: 002_loans\nalter table public.loans add at date;",
    "004_later.rollback.sql": "alter table public.loans drop at;",
    "verify/001_books.sql": "-- check: there are books\nselect count(*) >= 2 from public.books;\n",
    "verify/002_loans.sql": "-- check error 23503: a loan is of a book\n"
    "insert into public.loans (book) values (-1);\n",
    "verify/003_index.sql": "-- check: it is there\nselect to_regclass('public.loans_book') "
    "is not null;\n",
}


@pytest.fixture
def library(folder: Folder) -> Folder:
    folder.write(FILES)
    assert folder("accept-delta").code == 0
    return folder


def squashed(folder: Folder) -> None:
    ran = folder("squash", "--to", "3")
    assert ran.code == 0, ran.out + ran.err


def states(folder: Folder, url: str | None = None) -> list[str]:
    lines = folder("status", url=url).out.splitlines()[2:]
    return [" ".join(line.split()[1:3]) for line in lines]


def test_the_old_files_are_kept_and_one_is_in_their_place(library: Folder) -> None:
    squashed(library)
    there = {str(p.relative_to(library.path)) for p in library.path.rglob("*") if p.is_file()}
    assert {name for name in there if not name.startswith("squashed/")} == {
        "003_squashed.sql",
        "verify/003_squashed.sql",
        "verify/003_squashed.delta",
        "004_later.sql",
        "004_later.rollback.sql",
        "verify/004_later.delta",
    }
    kept = {name.removeprefix("squashed/") for name in there if name.startswith("squashed/")}
    assert {name for name in FILES if "004" not in name} <= kept
    text = (library.path / "003_squashed.sql").read_text()
    assert "-- squashes: 001_books 002_loans 003_index\n" in text


def test_a_new_database_runs_the_one(library: Folder) -> None:
    squashed(library)
    ran = library("migrate")
    assert ran.code == 0, ran.err
    assert states(library) == ["003_squashed applied", "004_later applied"]
    assert library.query("select title from public.books order by id") == [("One",), ("Two",)]
    (new,) = library.query("insert into public.books (title) values ('Three') returning id")
    assert new == (3,)
    assert library("verify", "--strict").code == 0


def test_a_database_that_has_the_old_ones_has_it(library: Folder) -> None:
    assert library("migrate").code == 0
    squashed(library)
    ran = library("migrate")
    assert ran.code == 0, ran.err
    assert "nothing to do" in ran.out
    assert states(library) == ["003_squashed applied", "004_later applied"]
    assert library("status", "--exit-code").code == 0
    ran = library("verify", "--strict")
    assert ran.code == 0, ran.out
    assert "3 checks hold" in ran.out
    assert library("wait", "--for-schema", "--wait", "1s").code == 0


def test_it_goes_on_from_there(library: Folder) -> None:
    assert library("migrate", "--to", "3").code == 0
    squashed(library)
    assert library("migrate").code == 0
    assert library("rollback").code == 0
    assert states(library) == ["003_squashed applied", "004_later pending"]


def test_it_rolls_the_old_ones_back_with_what_the_ledger_has(library: Folder) -> None:
    assert library("migrate").code == 0
    squashed(library)
    ran = library("rollback", "--all", "--discard-data")
    assert ran.code == 0, ran.err
    assert library.query("select to_regclass('public.books') is null") == [(True,)]
    assert states(library) == ["003_squashed pending", "004_later pending"]
    assert library("migrate").code == 0


def test_a_database_in_between_is_refused(library: Folder) -> None:
    assert library("migrate", "--to", "2").code == 0
    squashed(library)
    ran = library("migrate")
    assert ran.code == 2
    assert "003_squashed squashes 3 migrations, and 2 of them are applied here" in ran.err
    assert "003_index is not" in ran.err
    assert "the release before the squash" in ran.err


def test_a_new_database_does_not_take_it_all_back(library: Folder) -> None:
    squashed(library)
    assert library("migrate").code == 0
    ran = library("rollback", "--all")
    assert ran.code == 2
    assert "it is the whole database" in ran.err


@pytest.fixture
def second(pg18: Server) -> Iterator[str]:
    yield from fresh(pg18)


def test_it_is_squashed_again(library: Folder, second: str) -> None:
    """One database has the first files, another one what they were squashed to."""
    assert library("migrate").code == 0
    squashed(library)
    assert library("migrate", url=second).code == 0
    ran = library("squash", "--to", "4", "--name", "again")
    assert ran.code == 0, ran.err
    text = (library.path / "004_again.sql").read_text()
    assert "-- squashes: 001_books 002_loans 003_index 004_later\n" in text
    assert "-- squashes: 003_squashed 004_later\n" in text
    assert "nothing to do" in library("migrate").out
    ran = library("migrate", url=second)
    assert "nothing to do" in ran.out, ran.err
    assert library("verify", "--strict", url=second).code == 0


BOOKS = "INSERT INTO public.books"


@pytest.mark.parametrize("left_out", [BOOKS, "CREATE INDEX", "setval", "ADD CONSTRAINT loans"])
def test_what_the_dump_does_not_carry_over_changes_no_file(
    library: Folder, tmp_path: Path, left_out: str
) -> None:
    """A program in the place of pg_dump forgets a statement."""
    from pgvouch.operations.dump import find_pg_dump

    before = {p: p.read_bytes() for p in library.path.rglob("*") if p.is_file()}
    program = tmp_path / "pg_dump"
    script = (
        "import subprocess, sys\n"
        f"text = subprocess.run([{str(find_pg_dump(18))!r}, *sys.argv[1:]], "
        "capture_output=True, text=True, check=True).stdout\n"
        f"print(';\\n'.join(s for s in text.split(';\\n') if {left_out!r} not in s))\n"
    )
    program.write_text(f"#!/usr/bin/env python3\n{script}")
    program.chmod(0o755)
    ran = library("squash", "--to", "3", "--pg-dump", str(program))
    assert ran.code == 1
    assert "003_squashed does not make what the single migrations make" in ran.err
    assert "No file was changed." in ran.err
    assert {p: p.read_bytes() for p in library.path.rglob("*") if p.is_file()} == before


def test_one_alone_is_none_to_squash(library: Folder) -> None:
    ran = library("squash", "--to", "1")
    assert ran.code == 2
    assert "there is nothing to squash" in ran.err


def test_checks_that_do_not_hold_beside_the_others_are_named(library: Folder) -> None:
    library.write(
        {
            "verify/002_loans.sql": "-- same: no book comes or goes\n-- before:\n"
            "select count(*) from public.books;\n-- after:\nselect count(*) from public.books;\n"
        }
    )
    ran = library("squash", "--to", "3")
    assert ran.code == 0, ran.err
    assert "not taken over: squashed/verify/002_loans.sql: it compares" in ran.out


A = "create table public.a (id int primary key);"
B = "create table public.b (id int primary key);"


@pytest.fixture
def role(folder: Folder) -> Iterator[str]:
    name = f"reader_{database_of(folder.url)}"
    yield name
    if folder.query(f"select 1 from pg_roles where rolname = '{name}'"):
        folder.query(f"drop owned by {name}; drop role {name}")


@pytest.mark.parametrize(
    "makes",
    [
        "do $$ begin if not exists (select from pg_roles where rolname = '{role}') then "
        "create role {role}; end if; end $$;",
        "drop role if exists {role}; create role {role} nologin; grant {role} to current_user;",
    ],
)
def test_roles_are_carried_over(folder: Folder, role: str, makes: str) -> None:
    grant = f"grant select on public.a to {role};"
    folder.write({"001_a.sql": f"{makes.format(role=role)}\n{A}\n{grant}", "002_b.sql": B})
    ran = folder("squash", "--to", "2")
    assert ran.code == 0, ran.err
    folder.query(f"drop role {role}")  # as on another server
    assert folder("migrate").code == 0
    assert folder.query(f"select has_table_privilege('{role}', 'public.a', 'select')") == [(True,)]
    if "to current_user" in makes:
        assert folder.query(
            "select 1 from pg_auth_members as m join pg_roles as r on r.oid = m.roleid "
            f"where r.rolname = '{role}'"
        )


def test_default_privileges_are_those_of_whoever_migrates(folder: Folder, role: str) -> None:
    folder.query(f"create role {role}")
    folder.write(
        {
            "001_a.sql": "alter default privileges in schema public grant select on tables "
            f"to {role};",
            "002_b.sql": B,
        }
    )
    ran = folder("squash", "--to", "2")
    assert ran.code == 0, ran.err
    assert (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
        in (folder.path / "002_squashed.sql").read_text()
    )


def test_the_ends_of_lines_in_values_and_bodies_stay(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table public.a (t text, u text);\n"
            "insert into public.a values (E'x\\r\\ny', E'\\\\restrict z');\n"
            "create function public.f() returns text language plpgsql as $$begin\r\n"
            "  return 'x\n\\restrict one two\n';\r\nend$$;",
            "002_b.sql": B,
        }
    )
    ran = folder("squash", "--to", "2")
    assert ran.code == 0, ran.err
    assert folder("migrate").code == 0
    assert folder.query("select t, public.f() from public.a") == [
        ("x\r\ny", "x\n\\restrict one two\n")
    ]


def test_every_column_counts_in_a_digest(folder: Folder) -> None:
    folder.query("create table public.x (t int, other text)")
    with Session.open(folder.url, "test") as session:
        found = []
        for value in ("one", "two"):
            folder.query(f"truncate public.x; insert into public.x values (1, '{value}')")
            (result,) = session.ask(own_query("operations", "digest", table=Raw("public.x")))
            found.append(result.rows)
    assert found[0] != found[1]


def test_large_objects_are_refused(folder: Folder) -> None:
    folder.write({"001_a.sql": f"select lo_create(4711); {A}", "002_b.sql": B})
    ran = folder("squash", "--to", "2")
    assert ran.code == 2
    assert "the migrations make large objects" in ran.err
    assert "No file was changed." in ran.err
    assert not (folder.path / "squashed").exists()


def test_the_value_of_a_variable_is_written_into_no_file(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "-- var: token\ncreate table public.a (t text);\n"
            "insert into public.a values (:'token');",
            "002_b.sql": B,
        }
    )
    ran = folder("squash", "--to", "2", "--var", "token=sesame")
    assert ran.code == 2
    assert "the value of a variable" in ran.err
    assert "sesame" not in ran.err + ran.out
    assert not any("sesame" in p.read_text() for p in folder.path.rglob("*.sql"))


def test_its_name_is_none_of_those_it_squashes(folder: Folder) -> None:
    folder.write({"001_a.sql": A, "002_b.sql": B})
    ran = folder("squash", "--to", "2", "--name", "b")
    assert ran.code == 2
    assert "002_b is one of those that are to be squashed" in ran.err
    assert (folder.path / "002_b.sql").read_text() == B


def test_a_verify_file_with_a_mark_of_its_encoding_is_taken_over(folder: Folder) -> None:
    check = "\ufeff-- check: it is there\nselect true;\n"
    folder.write({"001_a.sql": A, "002_b.sql": B})
    folder.write({"verify/001_a.sql": check, "verify/002_b.sql": check.replace("it", "that")})
    ran = folder("squash", "--to", "2")
    assert ran.code == 0, ran.err
    assert "with 2 of their checks" in ran.out
    assert "not taken over" not in ran.out


def test_a_database_in_the_middle_of_the_last_one_is_refused(folder: Folder) -> None:
    folder.write({"001_a.sql": A, "002_b.sql": "-- transactional: false\nselect 1;\nselect 1 / 0;"})
    assert folder("migrate").code == 1
    folder.write({"002_b.sql": B})
    assert folder("squash", "--to", "2").code == 0
    ran = folder("migrate")
    assert ran.code == 2
    assert "002_squashed squashes 2 migrations, and 1 of them are applied here" in ran.err
    assert "002_b is not" in ran.err


def test_partitions_generated_columns_and_views_with_rows(folder: Folder) -> None:
    folder.write(
        {
            "001_p.sql": "create table public.p (id int, k int generated always as (id * 2) stored)"
            " partition by range (id);\n"
            "create table public.p1 partition of public.p for values from (0) to (10);\n"
            "insert into public.p values (1);",
            "002_u.sql": "create unlogged table public.u (id int generated always as identity);\n"
            "insert into public.u default values;\n"
            "create materialized view public.mv as select count(*) as n from public.p;",
        }
    )
    ran = folder("squash", "--to", "2")
    assert ran.code == 0, ran.err
    assert folder("migrate").code == 0
    assert folder.query("select p.k, u.id, mv.n from public.p, public.u, public.mv") == [(2, 1, 1)]
    assert folder.query("select relpersistence from pg_class where relname = 'u'") == [("u",)]
