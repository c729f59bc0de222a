"""A delta in a run: what was read before stays known, and nobody is blamed for it when it is stale."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from conftest import Folder, Server
from pgvouch.delta import known as known_module

TABLE = "create table public.t (a integer primary key, b text);"
DELTA = """\
+ column public.t.a integer not null
+ column public.t.b text
+ constraint public.t t_pkey PRIMARY KEY (a)
+ table public.t (a, b)
"""


def applied(folder: Folder) -> list[object]:
    found = folder.query("select migration_id from pgvouch.migration order by applied_order")
    return [row[0] for row in found]


def test_what_is_named_nowhere_is_still_found(folder: Folder) -> None:
    """The names of what it changes stand neither in its text nor in its .delta file."""
    folder.write({"001_t.sql": TABLE, "verify/001_t.delta": DELTA})
    assert folder("migrate").code == 0
    hidden = "do $$ begin execute 'alter table public.' || chr(116) || ' add c' || chr(99) || ' integer'; end $$;"
    folder.write({"002_hidden.sql": hidden, "verify/002_hidden.delta": ""})
    ran = folder("migrate")
    assert ran.code == 1
    assert "002_hidden is run once more for its delta" in ran.err
    assert "was not promised:  + column public.t.cc integer" in ran.err
    assert "was not promised:  ~ table public.t (a, b, cc) (was: (a, b))" in ran.err
    assert applied(folder) == ["001_t"]
    lines = "+ column public.t.cc integer\n~ table public.t (a, b, cc) (was: (a, b))\n"
    folder.write({"verify/002_hidden.delta": lines})
    assert folder("migrate").code == 0


HIDDEN = """
do $$ begin
  execute 'create func' || 'tion public.f() returns integer language sql as ''select 1''';
  execute 'create do' || 'main public.d as integer';
end $$;
"""
HIDDEN_DELTA = """\
+ domain public.d as integer
+ function public.f() returns integer language sql body sha256:822ae07d4783158b
"""


@pytest.mark.parametrize("others", [{}, {"003_u.sql": "create table public.u ();"}])
def test_what_is_no_relation_is_found_where_the_text_speaks_of_relations_only(
    folder: Folder, others: dict[str, str]
) -> None:
    """Of one migration, and where more follow: the query that reads less is prepared for many."""
    folder.write({"001_t.sql": TABLE, "verify/001_t.delta": DELTA})
    assert folder("migrate").code == 0
    folder.write({"002_hidden.sql": HIDDEN, "verify/002_hidden.delta": "", **others})
    ran = folder("migrate")
    assert ran.code == 1
    assert [line.strip() for line in ran.err.splitlines() if "was not promised" in line] == [
        f"was not promised:  {line}" for line in HIDDEN_DELTA.splitlines()
    ]
    assert applied(folder) == ["001_t"]
    folder.write({"verify/002_hidden.delta": HIDDEN_DELTA})
    assert folder("migrate").code == 0


MOVED = {
    "001_t.sql": TABLE,
    "002_s.sql": "create schema s; alter table public.t set schema s;",
    "002_s.rollback.sql": "alter table s.t set schema public; drop schema s;",
}


def test_a_schema_that_is_dropped_is_no_reason_to_run_a_rollback_twice(folder: Folder) -> None:
    folder.write(MOVED)
    assert folder("accept-delta").code == 0
    assert folder("migrate").code == 0
    ran = folder("rollback")
    assert ran.code == 0, ran.err
    assert "once more" not in ran.err


def test_what_stands_in_a_schema_of_another_name_is_seen_to_change(folder: Folder) -> None:
    """Its name is in the lines of objects that the transaction has not touched."""
    # Another schema may have the name at once.
    renames = {"003_r.sql": "alter schema s rename to r; create schema s;"}
    folder.write(MOVED | renames)
    assert folder("accept-delta").code == 0
    delta = (folder.path / "verify" / "003_r.delta").read_text()
    assert "- table s.t (a, b)\n" in delta
    assert "+ table r.t (a, b)\n" in delta
    assert folder("migrate").code == 0
    assert folder("drift", "--strict").code == 0


def test_rows_of_an_attempt_that_gave_way_are_not_those_of_the_next(folder: Folder) -> None:
    """A sequence goes on where the transaction is rolled back: only the first one writes a row."""
    folder.write(
        {
            "001_t.sql": "create sequence public.s; create table public.a (n bigint);"
            "create table public.b (n bigint);",
            "002_c.sql": "insert into public.a select n from nextval('public.s') as n where n = 1;"
            "alter table public.b add c integer;",
            "verify/002_c.delta": "+ column public.b.c integer\n"
            "~ table public.b (n, c) (was: (n))\n",
        }
    )
    assert folder("migrate", "--to", "001").code == 0
    with psycopg.connect(folder.url) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("select from public.b")
        attempt = pool.submit(folder, "migrate", "--retries", "50")
        while folder.query("select last_value < 2 from public.s") == [(True,)]:
            assert not attempt.done(), attempt.result()
        reader.rollback()
        ran = attempt.result()
    assert ran.code == 0, ran.err


def test_a_hotfix_by_hand_is_not_overwritten_unseen(folder: Folder) -> None:
    function = "create or replace function public.f() returns integer language sql as 'select {}';"
    folder.write({"001_f.sql": function.format(1)})
    assert folder("migrate").code == 0
    folder.write({"002_f.sql": function.format(2)})
    assert folder("accept-delta", "2").code == 0
    folder.query(function.format(3))
    ran = folder("migrate")
    assert ran.code == 1
    assert "did not happen" in ran.err
    assert folder.query("select public.f()") == [(3,)]


def test_what_others_change_meanwhile_is_not_the_migrations(folder: Folder) -> None:
    """Another session makes a table while the migration runs: it is not in its delta."""
    folder.write({"001_t.sql": TABLE, "verify/001_t.delta": DELTA})
    step = (
        "import psycopg\n"
        "from yoyo import step\n"
        "def apply(connection):\n"
        "    connection.cursor().execute('create table public.u (a integer)')\n"
        f"    with psycopg.connect({folder.url!r}) as other:\n"
        "        other.execute('create table public.meanwhile (a integer)')\n"
        "step(apply)\n"
    )
    promised = "+ column public.u.a integer\n+ table public.u (a)\n"
    folder.write({"002_u.py": step, "verify/002_u.delta": promised})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select count(*) from public.meanwhile") == [(0,)]


@pytest.fixture
def two(folder: Folder) -> Folder:
    """One migration is applied, and another one writes to its table."""
    folder.write({"001_t.sql": TABLE, "verify/001_t.delta": DELTA})
    assert folder("migrate").code == 0
    return folder


def test_rows_written_are_in_the_delta(two: Folder) -> None:
    two.write({"002_rows.sql": "insert into public.t values (1, 'x');"})
    assert two("accept-delta", "2").code == 0
    assert "\n~ rows public.t\n" in (two.path / "verify/002_rows.delta").read_text()
    assert two("migrate").code == 0


def test_rows_written_elsewhere_are_refused(two: Folder) -> None:
    two.write(
        {"002_rows.sql": "insert into public.t values (1, 'x');", "verify/002_rows.delta": ""}
    )
    ran = two("migrate")
    assert ran.code == 1
    assert "was not promised:  ~ rows public.t" in ran.err
    assert two.query("select count(*) from public.t") == [(0,)]


def test_a_statement_that_finds_no_row_is_what_was_promised(two: Folder) -> None:
    two.write(
        {
            "002_rows.sql": "update public.t set b = 'y';",
            "verify/002_rows.delta": "~ rows public.t\n",
        }
    )
    assert two("migrate").code == 0


def test_rows_that_were_promised_and_not_even_tried_are_refused(two: Folder) -> None:
    two.write({"002_rows.sql": "select 1;", "verify/002_rows.delta": "~ rows public.t\n"})
    ran = two("migrate")
    assert ran.code == 1
    assert "did not happen:  ~ rows public.t" in ran.err


def test_rows_that_the_migration_before_has_written_are_not_the_next_ones(two: Folder) -> None:
    """The server's counts go on from one transaction to the next for up to a second."""
    two.write(
        {
            "002_rows.sql": "insert into public.t values (1, 'x');",
            "verify/002_rows.delta": "~ rows public.t\n",
            "003_none.sql": "update public.t set b = 'y' where false;",
            "verify/003_none.delta": "",
        }
    )
    assert two("migrate").code == 0


def test_a_header_allows_rows_that_the_scratch_database_does_not_have(two: Folder) -> None:
    two.query("insert into public.t values (1, 'x')")
    backfill = "update public.t set b = 'y' where b = 'x';"
    two.write({"002_rows.sql": backfill})
    ran = two("accept-delta", "2")
    assert ran.code == 0
    assert "say so in its header: -- writes: public.t" in ran.err
    ran = two("migrate")
    assert ran.code == 1
    assert "was not promised:  ~ rows public.t" in ran.err
    two.write({"002_rows.sql": f'-- writes: public.other, public."t"\n{backfill}'})
    assert two("accept-delta", "2").err.count("say so") == 0
    assert two("migrate").code == 0
    assert two.query("select b from public.t") == [("y",)]


def test_rows_of_a_rolled_back_savepoint_were_not_written(two: Folder) -> None:
    two.write(
        {
            "002_rows.sql": "do $$ begin insert into public.t values (1); raise 'no';\n"
            "exception when raise_exception then null; end $$;",
            "verify/002_rows.delta": "",
        }
    )
    assert two("migrate").code == 0


def test_rows_of_a_partition_are_its_parents(folder: Folder) -> None:
    folder.write(
        {
            "001_p.sql": "create table public.p (a integer) partition by list (a);\n"
            "create table public.p1 partition of public.p for values in (1);",
            "002_rows.sql": "insert into public.p values (1);",
            "verify/002_rows.delta": "~ rows public.p\n",
        }
    )
    assert folder("migrate").code == 0


def test_the_check_of_a_functions_body_writes_no_row(two: Folder) -> None:
    function = (
        "create function public.w() returns void language sql begin atomic "
        "insert into public.t values (7, 'x'); end;"
    )
    two.write({"002_f.sql": function})
    assert two("accept-delta", "2").code == 0
    assert "~ rows" not in (two.path / "verify/002_f.delta").read_text()
    assert two("migrate").code == 0


def test_in_one_transaction_rows_of_an_earlier_migration_are_not_the_next_ones(
    folder: Folder,
) -> None:
    folder.write(
        {
            "001_t.sql": TABLE,
            "verify/001_t.delta": DELTA,
            "002_rows.sql": "insert into public.t values (1, 'x');",
            "verify/002_rows.delta": "~ rows public.t\n",
            "003_none.sql": "select 1;",
            "verify/003_none.delta": "",
        }
    )
    assert folder("migrate", "--single-transaction").code == 0


@pytest.fixture
def role(folder: Folder) -> Iterator[str]:
    name = f"pgv_{secrets.token_hex(4)}"
    yield name
    folder.query(f"drop owned by {name}; drop role {name}") if folder.query(
        f"select from pg_roles where rolname = '{name}'"
    ) else None


def test_a_role_that_is_changed_is_loud(folder: Folder, role: str) -> None:
    folder.query(f"create role {role}")
    changes = {
        f"alter role {role} bypassrls;": f"~ role {role} bypassrls nologin",
        f"alter role {role} set row_security = off;": f"~ setting row_security of role {role} everywhere 'off'",
        f"grant pg_read_all_data to {role};": f"~ membership of {role} in pg_read_all_data",
    }
    for number, (sql, line) in enumerate(changes.items(), start=1):
        name = f"{number:03}_r"
        folder.write({f"{name}.sql": sql, f"verify/{name}.delta": ""})
        ran = folder("migrate")
        assert ran.code == 1
        assert f"was not promised:  {line}" in ran.err
        folder.write({f"verify/{name}.delta": f"{line}\n"})
        assert folder("migrate").code == 0


def test_a_plain_role_that_may_be_there_is_in_no_delta(folder: Folder, role: str) -> None:
    make = f"do $$ begin create role {role}; exception when duplicate_object then null; end $$;"
    folder.write({"001_r.sql": make, "verify/001_r.delta": ""})
    folder.write({"002_r.sql": make, "verify/002_r.delta": ""})
    assert folder("migrate").code == 0


def test_a_role_that_can_do_more_is_what_was_promised_wherever_it_came_from(
    folder: Folder, role: str
) -> None:
    make = f"do $$ begin create role {role} bypassrls; exception when duplicate_object then null; end $$;"
    folder.write({"001_r.sql": make, "002_r.sql": make})
    line = f"~ role {role} bypassrls nologin\n"
    folder.write({"verify/001_r.delta": line, "verify/002_r.delta": line})
    assert folder("migrate").code == 0
    folder.query(f"alter role {role} nobypassrls")
    folder.write({"003_r.sql": make, "verify/003_r.delta": line})
    ran = folder("migrate")
    assert ran.code == 1
    assert f"did not happen:  {line.strip()}" in ran.err


def test_the_settings_of_the_database_are_its_shape(folder: Folder) -> None:
    secret = secrets.token_hex(8)
    here = "current_database()"
    folder.write(
        {
            "001_s.sql": "do $$ begin\n"
            f"  execute format('alter database %I set row_security = off', {here});\n"
            f"  execute format('alter database %I set app.secret = %L', {here}, '{secret}');\n"
            "end $$;"
        }
    )
    folder.write({"verify/001_s.delta": ""})
    ran = folder("migrate")
    assert ran.code == 1
    assert "was not promised:  + setting row_security 'off'" in ran.err
    assert "was not promised:  + setting app.secret sha256:" in ran.err.replace('"', "")
    assert secret not in ran.err
    assert folder("accept-delta", "1").code == 0
    assert folder("migrate").code == 0


def test_the_settings_of_another_database_are_loud(folder: Folder) -> None:
    name = f"pgv_{secrets.token_hex(4)}"
    folder.query(f"create database {name}")
    try:
        folder.write({"001_s.sql": f"alter database {name} set row_security = off;"})
        folder.write({"verify/001_s.delta": ""})
        ran = folder("migrate")
        assert ran.code == 1
        line = f"~ setting row_security of every role in database {name} 'off'"
        assert f"was not promised:  {line}" in ran.err
    finally:
        folder.query(f"drop database {name}")


def test_statements_that_a_migration_prepares_do_not_reach_the_next(folder: Folder) -> None:
    folder.write(
        {
            "001_t.sql": TABLE,
            "verify/001_t.delta": DELTA,
            "002_p.sql": "prepare mine as select 1;",
            "verify/002_p.delta": "",
            "003_p.sql": "prepare mine as select 2;",
            "verify/003_p.delta": "",
            "004_d.sql": "deallocate all;",
            "verify/004_d.delta": "",
            "005_u.sql": "create table public.u ();",
            "verify/005_u.delta": "+ table public.u ()\n",
        }
    )
    assert folder("migrate").code == 0


def test_a_migration_without_a_delta_in_between_makes_nothing_stale(folder: Folder) -> None:
    folder.write(
        {
            "001_t.sql": TABLE,
            "verify/001_t.delta": DELTA,
            "002_c.sql": "alter table public.t alter b set not null;",
            "003_c.sql": "alter table public.t alter b drop not null;",
            "verify/003_c.delta": "~ column public.t.b text (was: text not null)\n",
        }
    )
    assert folder("migrate").code == 0


def test_a_schema_that_gets_another_name_takes_everything_along(folder: Folder) -> None:
    folder.write(
        {
            "001_s.sql": "create schema one; create table one.t (a integer); create view one.v as select a from one.t;",
            "002_s.sql": "alter schema one rename to two;",
        }
    )
    assert folder("accept-delta").code == 0
    assert "+ view two.v as SELECT a FROM two.t" in (folder.path / "verify/002_s.delta").read_text()
    assert folder("migrate").code == 0
    assert folder("migrate", "--single-transaction").code == 0


@pytest.mark.parametrize("scope", [(), ("--single-transaction",)])
def test_views_follow_a_column_that_gets_another_name(
    folder: Folder, scope: tuple[str, ...]
) -> None:
    folder.write(
        {
            "001_t.sql": TABLE + "create view public.v as select a, b from public.t;",
            "002_r.sql": "alter table public.t rename b to c;",
        }
    )
    assert folder("accept-delta").code == 0
    assert (
        "~ view public.v as SELECT a, c AS b FROM public.t (was: as SELECT a, b FROM public.t)"
        in (folder.path / "verify/002_r.delta").read_text()
    )
    assert folder("migrate", *scope).code == 0


def test_only_what_it_may_touch_is_read_ahead_of_a_migration(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read is counted, not the time that it takes."""
    many = "".join(f"create table public.other_{n} (a integer);" for n in range(50))
    folder.write({"001_many.sql": many})
    assert folder("migrate").code == 0
    read: list[int] = []
    known = known_module.Known
    take_before, take_after = known.read_before, known.read_after

    def before(self, message, results):  # type: ignore[no-untyped-def]
        read.extend(len(result.rows) for result in message.results_of("before", results))
        take_before(self, message, results)

    def after(self, message, results):  # type: ignore[no-untyped-def]
        read.extend(len(result.rows) for result in message.results_of("after", results))
        return take_after(self, message, results)

    monkeypatch.setattr(known, "read_before", before)
    monkeypatch.setattr(known, "read_after", after)
    folder.write(
        {
            "002_t.sql": "alter table public.other_1 add b integer;",
            "verify/002_t.delta": "+ column public.other_1.b integer\n"
            "~ table public.other_1 (a, b) (was: (a))\n",
        }
    )
    assert folder("migrate").code == 0
    assert 0 < sum(read) < 30, read


def test_on_every_server(every_server: Server, make_folder: Callable[[str], Folder]) -> None:
    name = f"delta_{secrets.token_hex(4)}"
    with every_server.janitor(name):
        folder = make_folder(every_server.url(name))
        drop = "alter table public.t drop column b; comment on table public.t is 'x';"
        folder.write(
            {
                "001_t.sql": TABLE,
                "verify/001_t.delta": DELTA,
                "002_c.sql": drop,
                "verify/002_c.delta": "+ comment on table public.t 'x'\n- column public.t.b text\n"
                "~ table public.t (a) (was: (a, b))\n",
            }
        )
        assert folder("migrate").code == 0
        assert applied(folder) == ["001_t", "002_c"]
