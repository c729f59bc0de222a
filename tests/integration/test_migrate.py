"""The migration, its checks and its ledger row are one transaction."""

import json

from psycopg.conninfo import make_conninfo

from conftest import Folder, database_of

TABLE = {
    "001_users.sql": "create table users (id int primary key);\n",
    "001_users.rollback.sql": "drop table users;\n",
}


def test_applies_in_order_and_says_so(folder: Folder) -> None:
    folder.write(TABLE | {"0010_b.sql": "create table b ();", "2_a.sql": "create table a ();"})
    ran = folder("migrate")
    assert ran.code == 0
    assert [line.split()[1] for line in ran.err.splitlines()] == ["001_users", "2_a", "0010_b"]
    assert "3 applied" in ran.out
    assert folder.query("select migration_id from pgvouch.migration order by applied_order") == [
        ("001_users",),
        ("2_a",),
        ("0010_b",),
    ]


def test_a_second_run_has_nothing_to_do(folder: Folder) -> None:
    folder.write(TABLE)
    folder("migrate")
    before = folder.query("select xmin, * from pgvouch.migration")
    ran = folder("migrate")
    assert (ran.code, ran.err) == (0, "")
    assert "nothing to do (1 applied)" in ran.out
    assert folder.query("select xmin, * from pgvouch.migration") == before


def test_what_fails_leaves_nothing_and_what_landed_before_it_stays(folder: Folder) -> None:
    folder.write(TABLE | {"002_bad.sql": "create table b ();\ninsert into users values (1), (1);"})
    ran = folder("migrate")
    assert ran.code == 1
    assert folder.query("select to_regclass('b'), to_regclass('users')::text") == [(None, "users")]
    assert folder.query("select migration_id from pgvouch._yoyo_migration") == [("001_users",)]
    assert folder.query("select migration_id from pgvouch.migration") == [("001_users",)]
    assert "Nothing of 002_bad is in the database. Landed before it: 001_users." in ran.err


def test_a_ledger_that_cannot_be_written_takes_the_migration_with_it(folder: Folder) -> None:
    folder.write(TABLE)
    folder("migrate")
    folder.query("alter table pgvouch._yoyo_log add check (false) not valid")
    folder.write({"002_b.sql": "create table b ();"})
    assert folder("migrate").code == 1
    assert folder.query("select to_regclass('b')") == [(None,)]
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(1,)]


def test_checks_draw_nothing_from_the_sequences_of_their_migration(folder: Folder) -> None:
    folder.query("create role given_away")
    folder.write(
        {
            "001_a.sql": "create table a (id serial, n int generated always as identity);\n"
            "create sequence full_up maxvalue 2; select nextval('full_up'), nextval('full_up');\n"
            "create sequence down increment -2 start -1; select nextval('down');\n"
            "create sequence foreigner; alter sequence foreigner owner to given_away;\n"
            "insert into a select from generate_series(1, 3);",
            "verify/001_a.sql": "insert into a select from generate_series(1, 5);\n"
            "-- check: the next one\ninsert into a default values returning id = 9 and n = 9;\n"
            "-- check: the same again, for every check begins behind the setup\n"
            "insert into a default values returning id >= 9;\n"
            "-- check: downwards\nselect nextval('down') = -3;\n"
            "-- check error 2200H: none is left\nselect nextval('full_up');\n",
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("insert into a default values returning id, n") == [(4, 4)]
    assert folder.query("select nextval('down')") == [(-3,)]
    folder.write(
        {
            "002_b.sql": "create table b ();",
            "verify/002_b.sql": "-- check: an older one is not touched\n"
            "select nextval('a_id_seq') = 5;",
        }
    )
    assert folder("migrate").code == 0
    assert folder.query("select nextval('a_id_seq')") == [(6,)]
    folder.query("drop owned by given_away")
    folder.query("drop role given_away")


def test_a_failed_check_takes_the_migration_with_it(folder: Folder) -> None:
    folder.write(
        TABLE | {"verify/001_users.sql": "\n-- check: there is somebody\nselect true from users;\n"}
    )
    ran = folder("migrate")
    assert ran.code == 1
    assert "001_users does not keep its promise: there is somebody" in ran.err
    assert "migrations/verify/001_users.sql:2" in ran.err
    assert "found    no row" in ran.err
    assert folder.query("select to_regclass('users')") == [(None,)]
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(0,)]


def test_to_stops_there(folder: Folder) -> None:
    folder.write(TABLE | {"002_b.sql": "create table b ();", "003_c.sql": "create table c ();"})
    assert folder("migrate", "--to", "2").code == 0
    assert folder.query("select to_regclass('b')::text, to_regclass('c')") == [("b", None)]
    assert folder("migrate", "--to", "003_c").code == 0
    assert folder("migrate", "--to", "004").code == 2


def test_dry_run_prints_the_sql_and_runs_none(folder: Folder) -> None:
    folder.write(TABLE | {"002_b.sql": "-- why b\ncreate table b ();"})
    ran = folder("migrate", "--dry-run")
    assert ran.code == 0
    assert ran.out.index("create table users") < ran.out.index("-- why b\ncreate table b ()")
    assert folder.query("select to_regclass('users'), to_regclass('pgvouch.ledger')") == [
        (None, None)
    ]


def test_single_transaction_is_all_or_nothing(folder: Folder) -> None:
    folder.write(TABLE | {"002_bad.sql": "select 1/0;"})
    ran = folder("migrate", "--single-transaction")
    assert ran.code == 1
    assert "Nothing is in the database" in ran.err
    assert folder.query("select to_regclass('users')") == [(None,)]
    folder.write({"002_bad.sql": "create table b (); set role pg_monitor"})
    assert folder("migrate", "--single-transaction").code == 0
    xmins = folder.query("select distinct xmin::text from pgvouch._yoyo_migration")
    assert len(xmins) == 1


def test_rehearse_runs_everything_and_keeps_nothing(folder: Folder) -> None:
    folder.write(TABLE | {"002_b.sql": "create table b ();", "002_b.rollback.sql": "drop table b;"})
    ran = folder("migrate", "--rehearse")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.err.splitlines()] == ["✓", "✓", "↩", "↩"]
    assert folder.query("select to_regclass('users')") == [(None,)]
    assert folder.query("select count(*) from pgvouch._yoyo_migration") == [(0,)]


def test_rehearse_says_first_what_has_no_rollback(folder: Folder) -> None:
    folder.write(TABLE | {"002_b.sql": "select 1/0;", "003_c.sql": "select 1;"})
    ran = folder("migrate", "--rehearse")
    assert ran.code == 2
    assert "2 migrations have no rollback" in ran.err
    assert "003_c: no 003_c.rollback.sql" in ran.err
    assert "Nothing was run." in ran.err
    folder.write({"002_b.sql": "create table b ();", "002_b.rollback.sql": "drop table b;"})
    folder.write({"003_c.sql": "-- irreversible: it says 1\nselect 1;"})
    folder.write({"004_d.sql": "create table d ();", "004_d.rollback.sql": "drop table d;"})
    ran = folder("migrate", "--rehearse")
    assert ran.code == 0, ran.err
    assert "003_c is irreversible" in ran.err
    assert [line.split()[1] for line in ran.err.splitlines() if "↩" in line] == ["004_d"]


def test_rehearse_says_that_an_enum_value_is_only_too_new_for_it(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create type kind as enum ('one'); create table a (kind kind);",
            "001_a.rollback.sql": "drop table a; drop type kind;",
        }
    )
    assert folder("migrate").code == 0
    folder.write(
        {
            "002_b.sql": "alter type kind add value 'two';",
            "002_b.rollback.sql": "-- it stays",
            "003_c.sql": "insert into a values ('two');",
            "003_c.rollback.sql": "delete from a;",
        }
    )
    for option in ("--rehearse", "--single-transaction"):
        ran = folder("migrate", option)
        assert ran.code == 1
        assert "55P04" in ran.err
        assert "a plain migrate has no such limit" in ran.err
        assert "pgvouch migrate --to 002_b" in ran.err
    assert folder("migrate").code == 0


def test_rehearse_tells_all_differences(folder: Folder) -> None:
    empty = "# nothing\n"
    folder.write(
        {
            "001_a.sql": "create table a (); create table left_over ();",
            "001_a.rollback.sql": "drop table a;",
            "verify/001_a.delta": empty,
            "002_b.sql": "create table b (); create table left_too ();",
            "002_b.rollback.sql": "drop table b;",
            "verify/002_b.delta": empty,
        }
    )
    ran = folder("migrate", "--rehearse")
    assert ran.code == 1
    for said in (
        "001_a changed the catalog in another way than its delta promises",
        "also: 002_b changed the catalog in another way than its delta promises",
        "also: the rollback of 002_b does not leave the catalog as it was",
        "also: the rollback of 001_a does not leave the catalog as it was",
        "Nothing of the rehearsal is in the database",
    ):
        assert said in ran.err
    assert ran.err.count("left over:  table public.left_too") == 1
    assert ran.err.count("left over:  table public.left_over") == 1
    assert folder.query("select to_regclass('left_over')") == [(None,)]


def test_rehearse_sees_a_rollback_that_leaves_something(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (); create table left_over ();",
            "001_a.rollback.sql": "drop table a;",
        }
    )
    ran = folder("migrate", "--rehearse")
    assert ran.code == 1
    assert "does not leave the catalog as it was" in ran.err
    assert "left_over" in ran.err


def test_unless_records_what_is_there_as_provided(folder: Folder) -> None:
    folder.write(
        TABLE
        | {
            "002_auth.sql": "-- unless: to_regnamespace('auth') is not null\ncreate schema auth;",
            "002_auth.rollback.sql": "drop schema auth;",
        }
    )
    folder.query("create schema auth")
    ran = folder("migrate")
    assert "provided" in ran.err
    assert "1 applied, 1 provided, 0 checks" in ran.out
    assert folder.query("select state from pgvouch.migration where migration_id = '002_auth'") == [
        ("provided",)
    ]
    assert "nothing to do (1 applied, 1 provided)" in folder("migrate").out
    assert "provided: left as it is" in folder("rollback", "--dry-run").out
    ran = folder("rollback")
    assert ran.code == 0
    assert "· 002_auth  provided: left as it is" in ran.err
    assert "0 rolled back, 1 provided, 1 still applied" in ran.out
    assert folder.query("select to_regnamespace('auth')::text") == [("auth",)]
    folder.query("drop schema auth")
    folder("migrate")
    assert folder.query("select to_regnamespace('auth')::text") == [("auth",)]
    folder("rollback")
    assert folder.query("select to_regnamespace('auth')") == [(None,)]


def test_what_is_provided_has_not_landed(folder: Folder) -> None:
    provided = "-- unless: to_regnamespace('public') is not null\ncreate schema public;"
    folder.write(TABLE | {"000_public.sql": provided, "002_bad.sql": "selec 1;"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "Nothing of 002_bad is in the database. Landed before it: 001_users.\n" in ran.err
    files = {"002_bad.sql": "select 1;", "002_bad.rollback.sql": "selec 1;"}
    folder.write(files | {"001_users.rollback.sql": "drop table users;"})
    folder.write({"003_public.sql": provided})
    assert folder("migrate").code == 0
    ran = folder("rollback", "--all")
    assert ran.code == 1
    assert "002_bad is still in the database, whole.\n" in ran.err
    folder.write({"002_bad.rollback.sql": "select 1;"})
    ran = folder("rollback", "--all", "--from-files")
    assert "2 rolled back, 1 provided, 0 still applied" in ran.out


def test_a_rehearsal_leaves_what_is_provided_as_it_is(folder: Folder) -> None:
    provided = "-- unless: to_regnamespace('public') is not null\ncreate schema public;"
    folder.write(
        TABLE | {"000_public.sql": provided, "001_users.rollback.sql": "drop table users;"}
    )
    ran = folder("migrate", "--rehearse")
    assert ran.code == 0, ran.err
    assert "· 000_public  provided: left as it is" in ran.err
    assert "1 rehearsed, 1 provided, 0 checks" in ran.out


def test_plan_shows_the_limit_that_holds(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;", "002_b.sql": "-- statement_timeout: 9s\nselect 1;"})

    def shown(*more: str, **environment: str) -> list[str]:
        document = json.loads(folder("plan", "--json", *more, **environment).out)
        return [item["statement_timeout"] for item in document["databases"][0]["pending"]]

    assert shown() == [None, "9s"]
    assert "none" in folder("plan").out
    folder.query(f"alter database \"{database_of(folder.url)}\" set statement_timeout = '77s'")
    assert shown() == ["77s", "9s"]
    assert "77s" in folder("plan").out
    assert shown("--statement-timeout", "5s") == ["5s", "9s"]
    nowhere = make_conninfo(folder.url, dbname="not_there_yet")
    ran = folder("plan", url=nowhere)
    assert ran.code == 0
    assert "the role's" in ran.out


def test_json_is_one_document(folder: Folder) -> None:
    folder.write(TABLE)
    document = json.loads(folder("migrate", "--json").out)
    assert document["databases"][0]["migrations"][0]["id"] == "001_users"
    folder.write({"002_bad.sql": "\nselec 1;"})
    ran = folder("migrate", "--json")
    error = json.loads(ran.out)["error"]
    assert (ran.code, ran.err) == (1, "")
    assert (error["line"], error["column"], error["sqlstate"]) == (2, 1, "42601")


def test_required_promises(folder: Folder) -> None:
    (folder.root / "pgvouch.toml").write_text('verify = "required"\n')
    folder.write(TABLE)
    ran = folder("migrate", "--config", "pgvouch.toml")
    assert ran.code == 2
    assert "001_users promises nothing" in ran.err
    assert folder.query("select to_regclass('users'), to_regnamespace('pgvouch')") == [(None, None)]
    folder.write({"001_users.sql": "-- unverified: a test\ncreate table users ();"})
    assert folder("migrate", "--config", "pgvouch.toml").code == 0


def test_unless_holds_for_a_non_transactional_file_too(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "-- transactional: false\n-- unless: current_user is not null\ncreate table a ();"
        }
    )
    assert "provided" in folder("migrate").err
    folder.write(
        {
            "002_b.sql": "-- transactional: false\n-- unless: current_user is null\ncreate table b ();"
        }
    )
    assert folder("migrate").code == 0
    assert folder.query("select to_regclass('a'), to_regclass('b')::text") == [(None, "b")]


def test_the_lock_timeout_holds_for_checks_and_ledger_too(folder: Folder) -> None:
    folder.write(
        TABLE
        | {
            "verify/001_users.sql": "-- check: it does\n"
            "select current_setting('lock_timeout') = '500ms';\n",
        }
    )
    assert folder("migrate").code == 0


def test_a_rule_that_answers_too_does_not_shift_the_checks(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table a (n int);\n"
            "create rule r as on insert to a do also select false;",
            "verify/001_a.sql": "-- check: one\ninsert into a values (1);\nselect true;\n"
            "-- check: two\nselect false;\n-- check: three\nselect true;",
        }
    )
    ran = folder("migrate")
    assert ran.code == 1
    assert "promise: two" in ran.err
    assert "also broken" not in ran.err
