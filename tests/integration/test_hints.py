"""Small things that a tired person is glad of."""

import pytest

from conftest import Folder, database_of, query

HEAD = "-- transactional: false\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"001_a.sql": "select :nobody;"}, "-- var: name"),
        ({"001_a.sql": "do $$ begin execute 'vacuum'; end $$;"}, "outside of any DO block"),
        (
            {"001_a.sql": "select set_config('transaction_read_only', 'on', true);"},
            "the migration has made its transaction read-only",
        ),
        (
            {
                "001_a.sql": "create type k as enum ('a');",
                "002_b.sql": "alter type k add value 'b';",
                "verify/002_b.sql": "-- check: it is there\nselect 'b'::k is not null;",
            },
            "a check can look for it in pg_enum",
        ),
        ({"a.sql": "select 1;"}, "name it NNN_name.sql"),
    ],
)
def test_the_way_on_is_said(folder: Folder, files: dict[str, str], said: str) -> None:
    folder.write(files)
    ran = folder("migrate")
    assert ran.code in {1, 2}
    assert said in ran.err
    assert "there is no transaction in progress" not in ran.err


def test_a_syntax_error_leaves_no_transaction_to_be_ended(folder: Folder) -> None:
    folder.write({"001_a.sql": "selec 1;"})
    ran = folder("migrate")
    assert ran.code == 1
    assert "WARNING" not in ran.err


def test_a_short_value_does_not_mask_half_of_the_message(folder: Folder) -> None:
    folder.write({"001_a.sql": "-- var: x\nselect 1 / (length(:'x') - 1);"})
    assert "division by zero" in folder("migrate", "--var", "x=i").err
    folder.write({"001_a.sql": "-- var: x\nselect :'x'::int;"})
    ran = folder("migrate", "--var", "x=i")
    assert 'invalid input syntax for type integer: "***"' in ran.err
    ran = folder("migrate", "--var", "x=hunter2")
    assert "hunter2" not in ran.err


def test_a_name_that_is_cut_is_seen(folder: Folder) -> None:
    folder.write({"001_a.sql": f"create table {'a' * 70} ();"})
    ran = folder("migrate")
    assert ran.code == 0
    assert "will be truncated" in ran.err


def test_a_ledger_of_stock_yoyo_that_is_not_ours_to_read(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    query(
        folder.url,
        "create table _yoyo_migration (migration_id text, applied_at_utc timestamp)",
    )
    role = f"stranger_{database_of(folder.url)}"
    query(folder.url, f"create role {role} login")
    try:
        ran = folder("status", url=folder.url.replace("postgres@", f"{role}@", 1))
    finally:
        query(folder.url, f"drop role {role}")
    assert ran.code == 2
    assert "the ledger belongs to another role" in ran.err


def test_json_of_the_application_is_not_ours(folder: Folder) -> None:
    ran = folder("entrypoint", "--bogus", "--", "app", "--json")
    assert ran.code == 2
    assert ran.out == ""


@pytest.mark.parametrize("command", ["migrate", "rollback", "status"])
def test_a_migration_in_the_place_of_a_database_is_known_for_one(
    folder: Folder, command: str
) -> None:
    folder.write({"001_a.sql": "select 1;"})
    ran = folder(command, "001_a")
    assert ran.code == 2
    assert "migrate and rollback take --to 001_a; pgvouch explain 001_a shows it" in ran.err


def test_one_that_comes_late_is_told_above_which_it_has_to_be(folder: Folder) -> None:
    folder.write({"20260103000000_c.sql": "select 1;"})
    assert folder("migrate").code == 0
    folder.write({"20260102000000_b.sql": "select 1;"})
    assert "give it a number above 20260103000000; or" in folder("migrate").err


@pytest.mark.parametrize("ending", ["sql", "rollback.sql"])
def test_what_needs_no_transaction_is_told_what_to_write(folder: Folder, ending: str) -> None:
    folder.write({"001_a.sql": "select 1;", f"001_a.{ending}": "vacuum;"})
    ran = folder("migrate")
    assert ran.code == 2
    assert "write `-- transactional: false` at the top of the file" in ran.err
