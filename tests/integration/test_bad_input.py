"""Files that cannot be what their names say: a clear error, and nothing is run."""

import re

import pytest

from conftest import Folder

OK = "create table a ();"

HEADLESS = re.compile(r"^error: (?:and|is|has|holds|names|promises|rolls|depends|cannot)\b", re.M)

REFUSED: dict[str, tuple[dict[str, str | bytes], str]] = {
    "not UTF-8": ({"001_a.sql": b"select 1;\nselect '\xe9';"}, "byte 18 (0xe9) is not UTF-8"),
    "UTF-16": ({"001_a.sql": "select 1;".encode("utf-16")}, "byte 0 (0xff) is not UTF-8"),
    "NUL": ({"001_a.sql": "select 1;\n\0select 2;"}, "001_a.sql:2:1: the file holds a NUL"),
    "one number twice": (
        {"001_a.sql": OK, "01_b.sql": OK},
        "001_a.sql and 01_b.sql have the same number",
    ),
    "no number": ({"a.sql": OK}, "has no number"),
    "a rollback of nothing": (
        {"001_a.sql": OK, "002_b.rollback.sql": OK},
        "rolls back a migration that is not here",
    ),
    "a promise for nothing": (
        {"001_a.sql": OK, "verify/001_b.sql": "-- check: x\nselect true"},
        "promises something for a migration that is not here",
    ),
    "two files of one migration": ({"001_a.sql": OK, "001_a.py": "x = 1"}, "one migration twice"),
    "names that differ in case": ({"001_a.sql": OK, "001_A.sql": OK}, "only in case"),
    "psql include": ({"001_a.sql": "select 1;\n  \\i other.sql\n"}, "001_a.sql:2:3: \\i is a psql"),
    "psql gexec": ({"001_a.sql": "select 'select 1' \\gexec"}, "\\gexec is a psql meta-command"),
    "COPY data": (
        {"001_a.sql": "create table a (t text);\ncopy a from stdin;\nit's\n\\.\n"},
        "001_a.sql:2:1: COPY",
    ),
    "a directive misspelt": ({"001_a.sql": "-- transactonal: no\n" + OK}, "-- transactional:"),
    "a directive in capitals": ({"001_a.sql": "-- Depends: x\n" + OK}, "looks like"),
    "a directive without a value": ({"001_a.sql": "-- unless:\n" + OK}, "or remove the line"),
    "a directive twice": (
        {"001_a.sql": "-- lock_timeout: 1s\n-- lock_timeout: 2s\n" + OK},
        "given twice",
    ),
    "not a duration": ({"001_a.sql": "-- lock_timeout: soon\n" + OK}, "is not a duration"),
    "not a boolean": ({"001_a.sql": "-- transactional: maybe\n" + OK}, "or remove the line"),
    "a promise in the wrong file": (
        {"001_a.sql": "-- check: x\n" + OK},
        "promises live in verify/",
    ),
    "an unknown dependency": ({"001_a.sql": "-- depends: 000_x\n" + OK}, "which is not here"),
    "a circle": (
        {"001_a.sql": "-- depends: 002_b\n" + OK, "002_b.sql": "-- depends: 001_a\n" + OK},
        "in a circle: 001_a, 002_b\n  next    take a name",
    ),
    "no check in a verify file": (
        {"001_a.sql": OK, "verify/001_a.sql": "select true;"},
        "verify/001_a.sql names no check",
    ),
    "a check without a query": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- check: x\n-- only a comment\n"},
        "verify/001_a.sql:1: the check “x” has no query",
    ),
    "a check without a sentence": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- check:\nselect true"},
        "has no sentence",
    ),
    "a check misspelt": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- check: x\nselect true;\n-- chek: y\nselect 1"},
        "verify/001_a.sql:3: `-- chek:` looks like",
    ),
    "a check in capitals": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- Check: x\nselect true;"},
        "would check nothing",
    ),
    "check error without SQLSTATE": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- check error: x\nselect 1/0;"},
        "needs a SQLSTATE",
    ),
    "check error with a wrong SQLSTATE": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- check error 4250: x\nselect 1/0;"},
        "needs a SQLSTATE",
    ),
    "same without before": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- same: x\n-- after:\nselect 1"},
        "needs a query under `-- before:`",
    ),
    "before without same": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- before:\nselect 1"},
        "belongs to no check",
    ),
    "a transaction in a verify file": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- check: x\nrollback to s; select true"},
        "verify/001_a.sql:2:1",
    ),
    "a syntax error in a check": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- check: x\nselect true;\n-- check: y\nselec 1"},
        "verify/001_a.sql:4:1",
    ),
    "an open quote in a check": (
        {"001_a.sql": OK, "verify/001_a.sql": "-- check: x\nselect 'true;\n"},
        "unterminated quoted string",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_and_nothing_is_run(folder: Folder, case: str) -> None:
    files, message = REFUSED[case]
    folder.write({"000_first.sql": "create table first ();"})
    folder.write(files)
    ran = folder("migrate")
    assert ran.code in {1, 2}
    assert message in (
        ran.err.replace("\n  at      migrations/", "\n").replace("error: ", "") + _flat(ran.err)
    )
    assert "Traceback" not in ran.err
    assert not HEADLESS.search(ran.err)
    assert folder.query("select to_regclass('a')") == [(None,)]


def _flat(text: str) -> str:
    """The error as `file:line:column: message`, the way editors want it."""
    lines = text.splitlines()
    error = next(line for line in lines if line.startswith("error: ")).removeprefix("error: ")
    place = next((line.split()[1] for line in lines if line.startswith("  at ")), "")
    return f"{place.removeprefix('migrations/')}: {error}"


ACCEPTED: dict[str, str | bytes] = {
    "BOM and CRLF": b"\xef\xbb\xbfcreate table a ();\r\n-- x\r\nselect 1;\r\n",
    "an ordinary comment with a colon": "-- note: this\n-- TODO: that\n-- author: x\n" + OK,
    "percent, colon, braces and backslashes": OK
    + "select '%s', '100%', '{{ x }}', ':x', '\\', E'\\\\', 1::int, (array[1,2])[1:2];",
    "dollar quotes in dollar quotes": OK + "do $a$begin perform $b$ ; commit; $b$; end$a$;",
    "commit in strings and bodies": OK
    + "select 'commit;'; /* commit; */ -- commit;\n"
    + "create function f() returns int language plpgsql as $$\nbegin\n  return 1;\nend;\n$$;",
    "BEGIN ATOMIC": OK
    + "create function f() returns int begin atomic select 1; select 2; end; select 3;",
    "no semicolon and a comment at the end": "create table a () -- the end",
    "copy in a comment": OK + "-- copy a from stdin;\nselect 'copy a from stdin';",
    "an undeclared variable's look-alike": OK + "select ':nobody', '::', $$:'x'$$;",
    "unicode": OK + 'create table "таблица 🐘" ("колонка" text default \'é\');',
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_it_means_what_postgresql_says(folder: Folder, case: str) -> None:
    folder.write({"001_a.sql": ACCEPTED[case], "002_b.sql": "select 1;"})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select to_regclass('a')::text") == [("a",)]
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(2,)]


def test_copy_to_stdout_is_an_error_and_not_a_hang(folder: Folder) -> None:
    folder.write({"001_a.sql": OK + "copy (select 1) to stdout;"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "COPY" in ran.err
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_copy_that_hides_from_the_first_look(folder: Folder) -> None:
    folder.write({"001_a.sql": OK + "copy a /* ; */ from stdin;"})
    ran = folder("migrate")
    assert ran.code == 2
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_a_large_file_travels_whole(folder: Folder) -> None:
    rows = "insert into a values ('" + "x" * 1000 + "');\n"
    folder.write({"001_a.sql": "create table a (t text);\n" + rows * 5000})
    assert folder("migrate").code == 0
    assert folder.query("select count(*) from a") == [(5000,)]


def test_until_retires_a_check(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": OK,
            "verify/001_a.sql": "-- check: a is there\n-- until: 002_b\n"
            "select to_regclass('a') is not null;\n-- check: one is one\nselect 1 = 1;",
            "002_b.sql": "drop table a;",
        }
    )
    ran = folder("migrate", "--to", "1")
    assert "2 checks" in ran.err
    assert folder("verify").code == 0
    folder("migrate")
    verified = folder("verify")
    assert verified.code == 0
    assert ": 1 checks hold, 0 broken" in verified.out


def test_until_names_a_migration_that_is_there(folder: Folder) -> None:
    folder.write(
        {"001_a.sql": OK, "verify/001_a.sql": "-- check: x\n-- until: 002_typo\nselect true;"}
    )
    ran = folder("migrate")
    assert ran.code == 2
    assert "002_typo" in ran.err
