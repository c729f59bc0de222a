"""Stock yoyo reads our ledger, and we continue where stock yoyo stopped."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from conftest import ROOT, Folder

SQL = {
    "001_a.sql": "create table a ();\n",
    "001_a.rollback.sql": "drop table a;\n",
    "002_b.sql": "-- depends: 001_a\ncreate table b ();\n",
    "002_b.rollback.sql": "drop table b;\n",
}
PYTHON = """
from yoyo import step

__depends__ = {"002_b"}


def fill(connection):
    with connection.cursor() as cursor:
        cursor.execute("insert into c select generate_series(1, %s)", (3,))


steps = [
    step("create table c (n int)", "drop table c"),
    step(fill, "delete from c"),
    step("select count(*) from c"),
]
"""


def yoyo(
    folder: Folder,
    *arguments: str,
    schema: str | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    parts = urlsplit(folder.url)
    given = parse_qs(parts.query)
    url = f"postgresql+psycopg://postgres@{parts.path}?host={given['host'][0]}&port={given['port'][0]}"
    if schema:
        url += f"&schema={schema}"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "yoyo", *arguments),
            *("--batch", "--no-config-file", "--database", url, str(folder.path)),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _states(listing: str) -> dict[str, str]:
    rows = (line.split() for line in listing.splitlines())
    return {row[1]: row[0] for row in rows if len(row) > 1 and row[0] in {"A", "U"}}


def test_yoyo_list_reads_our_ledger(folder: Folder) -> None:
    folder.write(SQL)
    folder("migrate", "--to", "1")
    assert _states(yoyo(folder, "list", schema="pgvouch")) == {"001_a": "A", "002_b": "U"}
    folder("migrate")
    assert _states(yoyo(folder, "list", schema="pgvouch")) == {"001_a": "A", "002_b": "A"}
    folder("rollback", "--all")
    assert _states(yoyo(folder, "list", schema="pgvouch")) == {"001_a": "U", "002_b": "U"}


def test_our_tables_are_those_that_yoyo_makes(folder: Folder) -> None:
    folder.write(SQL)
    yoyo(folder, "apply")
    folder.write({"003_c.sql": "create table c ();"})
    folder("migrate")
    columns = """
      select table_name, column_name, data_type, character_maximum_length, is_nullable
      from information_schema.columns where table_schema = '{}' and table_name like '%yoyo%'
      order by 1, ordinal_position"""
    assert folder.query(columns.format("pgvouch")) == folder.query(columns.format("public"))


def test_a_yoyo_database_continues_and_nothing_is_applied_twice(folder: Folder) -> None:
    folder.write(SQL)
    yoyo(folder, "apply")
    folder.write({"003_c.sql": "create table c ();", "003_c.rollback.sql": "drop table c;"})
    status = folder("status")
    assert [line.split()[2] for line in status.out.splitlines()[2:]] == [
        "applied",
        "applied",
        "pending",
    ]
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "2 migrations taken over from yoyo" in ran.err
    assert [
        row[0]
        for row in folder.query("select migration_id from pgvouch.migration order by applied_order")
    ] == [
        "001_a",
        "002_b",
        "003_c",
    ]
    assert folder.query("select count(*) from pgvouch._yoyo_log") == [(3,)]
    assert "nothing to do (3 applied)" in folder("migrate").out
    assert folder("rollback", "--all").code == 0
    assert folder.query("select to_regclass('a'), to_regclass('b')") == [(None, None)]


def test_stock_yoyo_may_go_on_with_our_ledger(folder: Folder) -> None:
    folder.write(SQL)
    folder("migrate", "--to", "1")
    yoyo(folder, "apply", schema="pgvouch,public")
    ran = folder("migrate")
    assert "nothing to do (2 applied)" in ran.out
    yoyo(folder, "rollback", "--revision", "002_b", schema="pgvouch,public")
    assert "1 applied" in folder("migrate").out


THIRD = {
    "001_a.sql": "create table public.a ();\n",
    "001_a.rollback.sql": "drop table public.a;\n",
    "002_b.sql": "create table public.b ();\n",
    "002_b.rollback.sql": "drop table public.b;\n",
    "003_c.sql": "create table public.c ();\n",
    "003_c.rollback.sql": "drop table public.c;\n",
}


def test_what_yoyo_marked_in_our_schema_is_older_than_what_we_applied(folder: Folder) -> None:
    folder.write(THIRD)
    folder.query("create table a (); create table b (); create schema pgvouch")
    yoyo(folder, "mark", "--all", "--match", "00[12]_", schema="pgvouch")
    # As from a client whose clock is ahead of the server's.
    folder.query("update pgvouch._yoyo_migration set applied_at_utc = now() + interval '1 hour'")
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "2 migrations taken over from yoyo" in ran.err
    assert folder("rollback").code == 0
    assert folder.query("select to_regclass('a')::text, to_regclass('b')::text") == [("a", "b")]
    assert folder.query("select to_regclass('c')") == [(None,)]
    assert folder("rollback").code == 0
    assert folder.query("select to_regclass('a')::text, to_regclass('b')") == [("a", None)]


def test_what_yoyo_applied_between_ours_is_taken_back_between_them(folder: Folder) -> None:
    folder.write(THIRD)
    folder("migrate", "--to", "1")
    yoyo(folder, "apply", "--revision", "002_b", schema="pgvouch,public")
    assert "1 applied" in folder("migrate").out
    for gone in ("c", "b", "a"):
        assert folder("rollback").code == 0
        assert folder.query(f"select to_regclass('{gone}')") == [(None,)]


def test_python_steps_run_in_our_transaction(folder: Folder) -> None:
    folder.write(
        SQL
        | {"003_c.py": PYTHON, "verify/003_c.sql": "-- check: three\nselect count(*) = 3 from c;"}
    )
    ran = folder("migrate", "--json")
    assert ran.code == 0, ran.out
    assert folder.query("select count(*) from c") == [(3,)]
    assert folder("rollback", "--discard-data").code == 0
    assert folder.query("select to_regclass('c')") == [(None,)]


def test_a_failing_python_step_leaves_nothing(folder: Folder) -> None:
    folder.write(SQL | {"003_c.py": PYTHON.replace("(3,)", "('x',)")})
    ran = folder("migrate")
    assert ran.code == 1
    assert "22P02" in ran.err
    assert "migrations/003_c.py:9" in ran.err
    assert folder.query("select to_regclass('c')") == [(None,)]


def test_a_python_step_with_a_bug_is_no_traceback(folder: Folder) -> None:
    folder.write({"001_c.py": "from yoyo import step\nstep(lambda connection: 1 / 0)\n"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "ZeroDivisionError" in ran.err
    assert "migrations/001_c.py:2" in ran.err


def test_yoyo_s_own_file_names(folder: Folder, tmp_path: Path) -> None:
    del tmp_path
    folder.write(
        {
            "20251107_02_zzzzz-b.sql": "create table b (a int references a);",
            "20251107_01_yyyyy-a.sql": "create table a (id int primary key);",
        }
    )
    assert folder("migrate").code == 0


def test_a_ledger_that_yoyo_alone_began_in_our_schema(folder: Folder) -> None:
    folder.write(SQL)
    folder.query("create schema pgvouch")
    yoyo(folder, "apply", schema="pgvouch,public")
    folder.query("alter table if exists pgvouch.a set schema public")
    ran = folder("migrate")
    assert "nothing to do" in ran.out
    folder.write({"003_c.sql": "create table c ();"})
    assert "1 applied" in folder("migrate").out
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(3,)]


def test_a_python_step_that_commits_is_refused(folder: Folder) -> None:
    folder.write(
        {
            "001_c.py": "from yoyo import step\n"
            "def apply(connection):\n"
            "    connection.execute('create table c ()')\n"
            "    connection.commit()\n"
            "step(apply)\n"
        }
    )
    ran = folder("migrate")
    assert ran.code == 1
    assert "ended its own transaction" in ran.err
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(0,)]


ALONE = "from yoyo import step\n__transactional__ = False\n"


def test_steps_outside_of_a_transaction_that_fail_are_asked_of_a_person(folder: Folder) -> None:
    # Each commits by itself, so those ahead of the failure stay, and nobody counts them.
    folder.write({"001_c.py": ALONE + "step('create table c (n int)')\nstep('select 1/0')\n"})
    for _ in range(2):
        ran = folder("migrate")
        assert ran.code == 1
        assert "pgvouch repair 001_c --done (it was), --redo (it was not)" in ran.err
        assert "001_c is not transactional: what it has committed is there." in ran.err
    folder.query("drop table c")
    folder.write({"001_c.py": ALONE + "step('create table c (n int)')\n"})
    assert folder("repair", "001_c", "--redo").code == 0
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select state from pgvouch.migration") == [("applied",)]


def test_steps_that_are_done_are_not_run_again_for_a_failed_check(folder: Folder) -> None:
    check = "-- check: there is one\nselect count(*) = {} from c;"
    folder.write(
        {
            "001_c.py": ALONE + "step('create table c (n int)')\nstep('insert into c values (1)')",
            "verify/001_c.sql": check.format(2),
        }
    )
    assert folder("migrate").code == 1
    folder.write({"verify/001_c.sql": check.format(1)})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select n from c") == [(1,)]


def test_what_yoyo_new_writes_is_read(folder: Folder) -> None:
    folder.query("create schema elsewhere")
    yoyo(folder, "new", "--sql", "-m", "make a")
    (path,) = folder.path.glob("*make-a.sql")
    head = path.read_text()
    assert "-- depends: \n" in head
    path.write_text(head + "create table a ();\n")
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select migration_id from pgvouch.migration") == [(path.stem,)]


DOTTED = {
    "0001.create-users.sql": "create table users ();\n",
    "0001.create-users.rollback.sql": "drop table users;\n",
    "0003.create-posts.sql": "-- depends: 0001.create-users\ncreate table posts ();\n",
}


def test_a_point_ends_the_number_as_in_yoyo_s_own_examples(folder: Folder) -> None:
    folder.write(DOTTED)
    yoyo(folder, "apply")
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert "nothing to do (2 applied)" in ran.out
    folder.write({"0010.more.sql": "create table more ();"})
    assert "1 applied" in folder("migrate").out
    assert folder.query("select migration_id from pgvouch.migration order by applied_order") == [
        ("0001.create-users",),
        ("0003.create-posts",),
        ("0010.more",),
    ]
    assert folder("rollback", "--to", "1").code == 2
    (folder.path / "0003.create-posts.rollback.sql").write_text("drop table posts;")
    (folder.path / "0010.more.rollback.sql").write_text("drop table more;")
    assert folder("rollback", "--to", "1").code == 0


def test_the_first_migrate_over_yoyo_s_ledger_says_how_many_are_applied(folder: Folder) -> None:
    folder.write(SQL)
    yoyo(folder, "apply")
    ran = folder("migrate", "--json")
    (document,) = json.loads(ran.out)["databases"]
    assert document["applied"] == 2
    assert "nothing to do (2 applied)" in folder("migrate").out


def test_a_yoyo_database_with_nothing_left_to_do_is_taken_over_too(folder: Folder) -> None:
    folder.write(SQL)
    yoyo(folder, "apply")
    ran = folder("migrate")
    assert "2 migrations taken over from yoyo" in ran.err
    assert "nothing to do (2 applied)" in ran.out
    assert folder("rollback").code == 0
    assert folder.query("select to_regclass('a') is null, to_regclass('b') is null") == [
        (False, True)
    ]


def test_the_way_back_to_stock_yoyo_is_the_documented_one(folder: Folder) -> None:
    text = (ROOT / "docs" / "migrations.md").read_text()
    (options,) = re.findall(r"PGOPTIONS='([^']+)' yoyo list", text)
    folder.write(SQL)
    yoyo(folder, "apply", "--revision", "001_a")
    folder.write({"003_c.sql": "create table c ();"})
    assert "2 applied" in folder("migrate").out
    back = {"PGOPTIONS": options}
    assert _states(yoyo(folder, "list")) == {"001_a": "A", "002_b": "U", "003_c": "U"}
    assert _states(yoyo(folder, "list", environment=back)) == {
        "001_a": "A",
        "002_b": "A",
        "003_c": "A",
    }
    folder.write(
        {"004_d.sql": "create table public.d ();", "004_d.rollback.sql": "drop table public.d;"}
    )
    yoyo(folder, "apply", environment=back)
    assert "nothing to do (4 applied)" in folder("migrate").out
    yoyo(folder, "rollback", "--revision", "004_d", environment=back)
    assert folder.query("select to_regclass('public.d')") == [(None,)]
