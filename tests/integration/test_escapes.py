"""What others wrote cannot speak to the terminal: control characters are printed visibly."""

import json
import re

import psycopg
import pytest
from psycopg import sql

from conftest import Folder, database_of
from pgvouch.cli.output import visible

HOSTILE = "a\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp\nerror: fake\rline\x7f\u2028"
LITERAL = r"U&'a\001b]0;title\0007\001b[2J\009b31m\202egnp\000aerror: fake\000dline\007f\2028'"
SHOWN = r"a\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp\nerror: fake\rline\x7f\u2028"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


def _harmless(text: str) -> bool:
    return CONTROL.search(text) is None and "\nerror: fake" not in text


CASES = {
    "a check's rows": (
        {"001_a.sql": "select 1;", "verify/001_a.sql": f"-- check none: x\nselect {LITERAL};\n"},
        f"found    ({SHOWN})",
    ),
    "the rows of a pair": (
        {
            "001_a.sql": "create table t ();",
            "verify/001_a.sql": f"-- same: x\n-- before:\nselect {LITERAL};\n"
            "-- after:\nselect 1;\n",
        },
        f"before the migration: ({SHOWN})",
    ),
    "an error in all its fields": (
        {
            "001_a.sql": f"do $$begin raise '%', {LITERAL} using detail = {LITERAL}, "
            f"hint = {LITERAL}; end$$;"
        },
        f"001_a failed: {SHOWN}",
    ),
    "an error's context": (
        {"001_a.sql": f"do $$begin execute 'select 1/0 /*' || {LITERAL} || '*/'; end$$;"},
        r"/*a\x1b]0;title\x07\x1b[2J",
    ),
    "a warning": (
        {"001_a.sql": f"do $$begin raise warning '%', {LITERAL}; end$$; select 1/0;"},
        f"WARNING: {SHOWN}",
    ),
    "a delta": (
        {
            "001_a.sql": "do $$begin execute format('create table %I ()', "
            f"replace({LITERAL}, E'\\n', '')); end$$;",
            "verify/001_a.delta": "+ table public.b\n",
        },
        r"was not promised:",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_printed_visibly(folder: Folder, case: str) -> None:
    files, said = CASES[case]
    folder.write(files)
    ran = folder("migrate", "-v")
    assert ran.code == 1
    assert said in ran.err
    assert _harmless(ran.out + ran.err)
    ran = folder("migrate", "--json")
    assert _harmless(ran.out)
    assert json.loads(ran.out)["error"]


def test_json_says_the_same(folder: Folder) -> None:
    files, _ = CASES["an error in all its fields"]
    folder.write(files)
    error = json.loads(folder("migrate", "--json").out)["error"]
    assert error["server_message"] == HOSTILE
    assert error["server_detail"] == HOSTILE


def test_a_rollback_s_losses_and_a_dry_run(folder: Folder) -> None:
    table = '"' + HOSTILE.replace("\n", "") + '"'
    folder.write(
        {
            "001_a.sql": f"create table {table} as select 1;",
            "001_a.rollback.sql": f"drop table {table}; -- \x1b[2J",
        }
    )
    assert folder("migrate").code == 0
    for arguments in (["rollback"], ["rollback", "--dry-run"], ["migrate", "--to", "9"]):
        ran = folder(*arguments)
        assert _harmless(ran.out + ran.err), arguments
    assert "\\x1b[2J" in folder("rollback", "--dry-run").out
    assert _harmless(folder("rollback", "--dry-run", "--json").out)


def test_names(folder: Folder) -> None:
    name = "x\x1b[2J[red]y"
    with psycopg.connect(folder.url, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} superuser login").format(sql.Identifier(name)))
        try:
            folder.write({"001_a.sql": "select 1;"})
            url = psycopg.conninfo.make_conninfo(folder.url, user=name)
            assert folder("migrate", url=url).code == 0
            for more in ([], ["--json"]):
                ran = folder("status", *more)
                assert _harmless(ran.out + ran.err)
            assert "x\\x1b[2J[red]y" in folder("status").out
        finally:
            connection.execute(sql.SQL("drop owned by {}").format(sql.Identifier(name)))
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
    missing = psycopg.conninfo.make_conninfo(folder.url, dbname=f"no{HOSTILE}")
    assert database_of(missing) != database_of(folder.url)
    for more in ([], ["--json"]):
        ran = folder("migrate", *more, url=missing)
        assert ran.code == 5
        assert _harmless(ran.out + ran.err)
    ran = folder("status", HOSTILE)
    assert ran.code == 2
    assert _harmless(ran.err)


def test_what_is_for_reading_stays_as_it_is() -> None:
    for text in ("", "plain", "Grüße — ✓ 🐘 日本語", "a  b"):
        assert visible(text) == text
    assert visible("a\tb\nc", keep="\t") == "a\tb\\nc"
    assert visible("\U000e0001\ud800") == "\\U000e0001\\ud800"
