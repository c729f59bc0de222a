"""Errors name the file, the line, the column and the statement, and say what is in the database."""

import json

import pytest

from conftest import Folder


def test_a_syntax_error_has_its_place(folder: Folder) -> None:
    folder.write({"001_a.sql": "-- naïve\ncreate table a ();\n\n  creat table b ();\n"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "migrations/001_a.sql:4:3" in ran.err
    assert "| creat table b ()" in ran.err
    assert "42601" in ran.err
    assert "Nothing of 001_a is in the database." in ran.err


def test_an_error_without_a_position_is_found_by_counting_results(folder: Folder) -> None:
    """A division by zero at run time has no position; the results before it tell the statement."""
    folder.write(
        {
            "001_a.sql": "create table a (n int); -- ; not a statement\n"
            "/* ; */ insert into a select 1;\n"
            "select $$;$$;;\n"
            "update a set n = 1 / (n - 1)\n  where true;\n"
            "select 2;\n"
        }
    )
    ran = folder("migrate")
    assert "migrations/001_a.sql:4:1" in ran.err
    assert "| update a set n = 1 / (n - 1)\n        |   where true" in ran.err
    assert "22012" in ran.err


def test_positions_count_characters_not_bytes(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 'жжж', nope;\n"})
    assert "migrations/001_a.sql:1:15" in folder("migrate").err


def test_detail_and_hint_of_the_server_are_shown(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "do $$begin raise exception 'no' using detail = 'because', "
            "hint = 'do this', errcode = 'AB123'; end$$;"
        }
    )
    ran = folder("migrate")
    assert "001_a failed: no\n" in ran.err
    assert "server  AB123\n" in ran.err
    assert "detail  because" in ran.err
    assert "hint    do this" in ran.err


def test_a_deferred_constraint_is_the_migration_s_own_failure(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (id int primary key);\n"
            "create table b (a int references a deferrable initially deferred);\n"
            "insert into b values (1);\n"
        }
    )
    ran = folder("migrate")
    assert ran.code == 1
    assert "23503" in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_an_error_in_a_check_has_its_own_place(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a ();",
            "verify/001_a.sql": "-- check: one\nselect true;\n\n-- check: two\nselect 1;\nselect nope;",
        }
    )
    ran = folder("migrate")
    assert "migrations/verify/001_a.sql:6:8" in ran.err
    assert "two" in ran.err


@pytest.mark.parametrize(
    ("check", "found"),
    [
        ("-- check: x\nselect false;", "(f)"),
        ("-- check: x\nselect null::boolean;", "(null)"),
        ("-- check: x\nselect true where false;", "no row"),
        ("-- check: x\nselect v from (values (true), (false)) as t(v);", "(t), (f)"),
        ("-- check: x\ncreate table z ();", "returns no rows"),
        ("-- check none: x\nselect 1;", "(1)"),
        ("-- check error 23505: x\nselect 1;", "no error"),
        ("-- check error 23505: x\nselect 1/0;", "22012"),
        ("-- check: x\nselect repeat('x', 300);", f"({'x' * 200}…)"),
        ("-- check none: x\nselect generate_series(1, 14);", "and 4 more"),
        ("-- same: x\n-- before:\nselect 1\n-- after:\nselect 2", "(2)"),
        ("select 1/0;\n-- check: x\nselect true;", "22012"),
    ],
)
def test_each_kind_of_check_can_fail(folder: Folder, check: str, found: str) -> None:
    folder.write({"001_a.sql": "create table a ();", "verify/001_a.sql": check})
    ran = folder("migrate")
    assert ran.code == 1
    assert found in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_every_broken_check_is_named(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a ();",
            "verify/001_a.sql": "-- check: one\nselect false;\n-- check: two\nselect true;\n"
            "-- check: three\nselect false;\n-- check error 42501: four\nselect 1;",
        }
    )
    ran = folder("migrate")
    assert "promise: one" in ran.err
    assert "also broken: three" in ran.err
    assert "also broken: four" in ran.err
    assert "two" not in ran.err


THINGS = "-- check none: x\nselect 'thing', repeat(i::text, 60) from generate_series(10, 49) as i;"


@pytest.mark.parametrize("command", ["migrate", "verify"])
def test_long_rows_have_a_line_each_and_all_are_there_for_who_asks(
    folder: Folder, command: str
) -> None:
    folder.write({"001_a.sql": "create table a ();"})
    if command == "verify":
        assert folder("migrate").code == 0
    folder.write({"verify/001_a.sql": THINGS})
    brief, full = folder(command), folder(command, "--verbose")
    shown = (brief.err + brief.out).splitlines()
    first = next(number for number, line in enumerate(shown) if " found    (thing, 10" in line)
    indent = shown[first].index("(")
    rows = [line[indent:] for line in shown[first : first + 11]]
    assert rows[:10] == [f"(thing, {str(i) * 60})" for i in range(10, 20)]
    assert rows[10] == "and 30 more"
    assert "; --verbose shows more of what was found\n" in brief.err + brief.out
    for i in range(10, 50):
        assert f"(thing, {str(i) * 60})\n" in full.err + full.out
    assert "--verbose" not in full.err + full.out


def test_who_asks_for_all_rows_gets_no_more_of_them_than_fit(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a ();",
            "verify/001_a.sql": "-- check none: x\n"
            "select i || repeat('x', 300000) from generate_series(10, 49) as i;",
        }
    )
    ran = folder("migrate", "--verbose")
    assert "(13" + "x" * 900 in ran.err
    assert "(14" not in ran.err
    assert "and 36 more" in ran.err


def test_a_connection_that_dies_is_reported_as_such(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a ();",
            "002_b.sql": "select pg_terminate_backend(pg_backend_pid());",
        }
    )
    ran = folder("migrate")
    assert ran.code == 5
    assert "the connection was lost during 002_b" in ran.err
    assert "Landed before it: 001_a" in ran.err


def test_a_password_is_never_shown(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    for url, code in (
        ("postgresql://me:s3cret@127.0.0.1:1/x", 5),
        ("host=127.0.0.1 port=1 password=s3cret dbname=x", 5),
        ("postgresql://me:s3cret@127.0.0.1:not_a_port/x", 2),
    ):
        ran = folder("migrate", url=url)
        assert ran.code == code
        assert "s3cret" not in ran.out + ran.err


def test_a_missing_database_is_created_only_when_asked(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    url = folder.url.replace("/t_", "/u_")
    ran = folder("migrate", url=url)
    assert ran.code == 5
    assert "--create-database" in ran.err
    assert folder("migrate", "--create-database", url=url).code == 0
    folder.query(f'drop database "{url.split("/")[3].split("?")[0]}"')


NESTED = """create function inner_one() returns void language plpgsql as $$
begin
  raise 'deep' using detail = E'one\\ntwo';
end $$;
create function outer_one() returns void language plpgsql as $$
begin
  perform inner_one();
end $$;
do $$begin perform outer_one(); end$$;
"""


def test_the_whole_context_is_shown(folder: Folder) -> None:
    folder.write({"001_a.sql": NESTED})
    ran = folder("migrate")
    assert ran.err.count("deep") == 1
    assert (
        "  server  P0001\n"
        "  detail  one\n"
        "          two\n"
        "  context PL/pgSQL function inner_one() line 3 at RAISE\n"
        '          SQL statement "SELECT inner_one()"\n'
        "          PL/pgSQL function outer_one() line 3 at PERFORM\n"
    ) in ran.err
    error = json.loads(folder("migrate", "--json").out)["error"]
    assert error["server_context"].count("\n") == 4


def test_a_context_without_end_is_cut(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create function f(n int) returns void language plpgsql as "
            "$$begin if n = 0 then raise 'deep'; end if; perform f(n - 1); end$$; select f(100);"
        }
    )
    ran = folder("migrate")
    assert "… 193 more lines" in ran.err
    assert len(ran.err.splitlines()) < 20


def test_what_the_server_said_is_said_once(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "select 1;",
            "verify/001_a.sql": "-- check: it can be divided\nselect 1 / (random() * 0)::int > 0;\n",
        }
    )
    ran = folder("migrate")
    assert ran.err.count("division by zero") == 1
    assert "server  22012: division by zero" in ran.err
    assert "found    an error 22012" in ran.err
    folder.write({"001_a.sql": "select 'x" + "\nsome more" * 50})
    ran = folder("migrate")
    assert ran.err.count("some more") <= 60
    assert len(ran.err.splitlines()) < 16
