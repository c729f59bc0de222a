"""Files of other migration tools: what is read as its tool reads it, and what is said of the rest."""

import json
import re

import pytest

from conftest import Folder

UP, DOWN = "create table a (id int);", "drop table a;"

READ = {
    "dbmate": f"-- migrate:up\n{UP}\n\n-- migrate:down\n{DOWN}\n",
    "dbmate's options": f"--migrate:up  transaction:true\n{UP}\n--migrate:down x:y\n{DOWN}",
    "goose": f"-- made by hand\n-- +goose Up\n-- +goose StatementBegin\n{UP}\n"
    f"-- +goose StatementEnd\n-- +goose Down\n{DOWN}\n",
    "goose in other letters": f"--+goose UP\n{UP}\n--+goose down\n{DOWN}\n",
    "sql-migrate": f"-- +migrate Up\n{UP}\n-- +migrate Down\n{DOWN}\n",
    "Rambler": f"-- rambler up\n{UP}\n-- rambler down\n{DOWN}\n",
    "node-pg-migrate": f"-- Up Migration\n{UP}\n-- Down Migration\n{DOWN}\n",
    "node-pg-migrate, back first": f"---- down migration ----\n{DOWN}\n-- Up Migration\n{UP}\n",
    "node-pg-migrate, with words": f"-- Up Migration: a\n{UP}\n-- Down Migration: no a\n{DOWN}\n",
    "tern": f"{UP}\n---- create above / drop below ----\n{DOWN}\n",
    "tern, in a line": f"{UP} ---- create above / drop below ---- \r\n{DOWN}\n",
    "MyBatis Migrations": f"-- // make it\n{UP}\n-- //@UNDO\n{DOWN}\n",
    "shmig": f"-- ==== UP ====\r\n{UP}\r\n-- ==== DOWN ====\r\n{DOWN}\r\n",
    "golang-migrate": "",
}
"""Each makes a table and drops it; golang-migrate has two files."""
REFUSED = {
    "Play Evolutions": f"# --- !Ups\n{UP}\n# --- !Downs\n{DOWN}\n",
    "Play Evolutions'": f"-- !Ups\n{UP}\n-- !Downs\n{DOWN}\n",
    "another tool": f"-- Up\r\n{UP}\r\n-- Down\r\n{DOWN}\r\n",
    "Liquibase": f"--liquibase formatted sql\n--changeset me:1\n{UP}\n--rollback {DOWN}\n",
    "dbmate": f"{UP}\n-- migrate:down\n{DOWN}\n",
}


def written(folder: Folder, tool: str, up: str = UP, down: str = DOWN, number: int = 1) -> str:
    """Write a migration of a tool; return what its rollback is read from."""
    stem = f"{number:03}_a"
    if tool == "golang-migrate":
        folder.write({f"{stem}.up.sql": up, f"{stem}.down.sql": down})
        return f"{stem}.down.sql"
    text = READ[tool].replace(UP, up).replace(DOWN, down)
    folder.write({f"{stem}.sql": text})
    return f"{stem}.sql"


@pytest.mark.parametrize("tool", READ)
def test_one_half_goes_forward_and_the_other_back_and_no_row_is_lost(
    folder: Folder, tool: str
) -> None:
    written(folder, tool)
    written(folder, tool, "alter table a add b int;", "alter table a drop b;", 2)
    folder.query("create table kept (id int); insert into kept values (1)")
    ran = folder("migrate", "--to", "001_a")
    assert ran.code == 0, ran.err
    folder.query("insert into a values (1), (2)")
    assert folder("migrate").code == 0
    assert folder.query("select id, b from a order by id") == [(1, None), (2, None)]
    assert "nothing to do" in folder("migrate").out
    assert folder("status", "--exit-code").code == 0
    stored = "select rollback_sql from pgvouch.migration where migration_id = '001_a'"
    ((rollback,),) = folder.query(stored)
    assert str(rollback).strip() == DOWN
    assert folder("rollback").code == 0
    assert folder.query("select * from a order by id") == [(1,), (2,)]
    refused = folder("rollback")
    assert refused.code == 1
    assert "--discard-data" in refused.err
    assert folder.query("select id from a order by id") == [(1,), (2,)]
    assert folder("rollback", "--discard-data").code == 0
    assert folder.query("select to_regclass('a')::text, id from kept") == [(None, 1)]


@pytest.mark.parametrize("tool", READ)
def test_plans_show_the_half_that_would_be_run(folder: Folder, tool: str) -> None:
    written(folder, tool)
    shown = folder("migrate", "--dry-run").out
    assert UP in shown
    assert DOWN not in shown
    assert "\n\n\n" not in shown
    (planned,) = json.loads(folder("plan", "--json").out)["databases"][0]["pending"]
    assert planned["rollback"] is True
    assert folder("migrate").code == 0
    shown = folder("rollback", "--dry-run").out
    assert DOWN in shown
    assert UP not in shown
    assert "\n\n\n" not in shown


@pytest.mark.parametrize("tool", READ)
def test_errors_name_the_line_of_the_file(folder: Folder, tool: str) -> None:
    name = written(folder, tool, f"{UP}\nselect 1/0;", f"{DOWN}\nselect 2/0;")
    ran = folder("migrate")
    assert ran.code == 1
    forward = name.replace(".down.", ".up.")
    assert f"migrations/{forward}:{line_of(folder, forward, '1/0')}" in ran.err
    name = written(folder, tool, UP, f"{DOWN}\nselect 2/0;")
    assert folder("migrate").code == 0
    ran = folder("rollback")
    assert ran.code == 1
    assert f"migrations/{name}:{line_of(folder, name, '2/0')}" in ran.err
    assert folder.query("select count(*) from a") == [(0,)]


def line_of(folder: Folder, name: str, words: str) -> int:
    lines = (folder.path / name).read_text().split("\n")
    return next(n for n, line in enumerate(lines, 1) if words in line)


@pytest.mark.parametrize("tool", READ)
def test_the_other_half_may_change_and_the_ledger_s_is_used(folder: Folder, tool: str) -> None:
    name = written(folder, tool)
    assert folder("migrate").code == 0
    written(folder, tool, UP, f"-- why\n\n\n{DOWN}\nselect 20;")
    assert folder("status", "--exit-code").code == 0
    shown = folder("rollback", "--dry-run").out
    assert f"{name} has changed since; the ledger's own text is used" in shown
    assert "select 20" not in shown
    assert "select 20" in folder("rollback", "--dry-run", "--from-files").out
    for path in folder.path.iterdir():
        path.unlink()
    folder.write({"002_b.sql": "select 1;"})
    assert folder("rollback").code == 0
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_an_old_rollback_that_fails_is_not_looked_for_in_the_other_half(folder: Folder) -> None:
    written(folder, "dbmate", UP, f"{DOWN}\nselect 2/0;")
    assert folder("migrate").code == 0
    written(folder, "dbmate", UP, "drop table a;\n\nselect 1;")
    ran = folder("rollback")
    assert ran.code == 1
    (line,) = re.findall(r"migrations/001_a.sql:([0-9]+):1", ran.err)
    assert int(line) > line_of(folder, "001_a.sql", "migrate:down")
    assert "correct 001_a.sql, and run the same command with --from-files" in ran.err


@pytest.mark.parametrize("tool", READ)
def test_a_changed_forward_half_is_drift(folder: Folder, tool: str) -> None:
    written(folder, tool)
    assert folder("migrate").code == 0
    written(folder, tool, UP.replace("int", "bigint"))
    assert folder("migrate").code == 4
    assert folder("status", "--exit-code").code == 4


@pytest.mark.parametrize("tool", READ)
def test_its_delta_is_accepted_and_it_is_rehearsed(folder: Folder, tool: str) -> None:
    written(folder, tool)
    ran = folder("accept-delta")
    assert ran.code == 0, ran.err
    assert "+ table public.a" in (folder.path / "verify" / "001_a.delta").read_text()
    folder.write(
        {"verify/001_a.sql": "-- check: it is there\nselect to_regclass('a') is not null;"}
    )
    assert folder("migrate", "--rehearse").code == 0
    assert folder.query("select to_regclass('a')") == [(None,)]
    assert folder("migrate").code == 0
    assert folder("verify").code == 0
    assert folder("rollback").code == 0


ALONE = {
    "dbmate": "-- migrate:up transaction:false\n{up}\n-- migrate:down transaction:false\n{down}\n",
    "goose": "-- +goose Up\n{up}\n-- +goose NO TRANSACTION\n-- +goose Down\n{down}\n",
    "goose's head": "-- +goose NO TRANSACTION\n-- +goose Up\n{up}\n-- +goose Down\n{down}\n",
    "sql-migrate": "-- +migrate Up notransaction\n{up}\n-- +migrate Down notransaction\n{down}\n",
    "tern": "---- tern: disable-tx ----\n{up}\n---- create above / drop below ----\n"
    "---- tern: disable-tx ----\n{down}\n",
}


@pytest.mark.parametrize("tool", ALONE)
def test_what_runs_without_a_transaction_there_does_here(folder: Folder, tool: str) -> None:
    up, down = "create index concurrently i on t (id);", "drop index concurrently i;"
    folder.query("create table t (id int); insert into t values (1)")
    folder.write({"001_a.sql": ALONE[tool].format(up=up, down=down)})
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    assert folder.query("select indisvalid from pg_index where indexrelid = 'i'::regclass") == [
        (True,)
    ]
    ran = folder("rollback")
    assert ran.code == 0, ran.err
    assert folder.query("select to_regclass('i')::text, count(*) from t") == [(None, 1)]
    folder.write({"001_a.sql": ALONE[tool].format(up=up, down=f"select 1;\n{down}\nselect 1/0;")})
    assert folder("migrate").code == 0
    ran = folder("rollback")
    assert ran.code == 1
    assert f"migrations/001_a.sql:{line_of(folder, '001_a.sql', '1/0')}" in ran.err
    assert folder.query("select to_regclass('i')") == [(None,)]


def test_one_half_alone_may_be_without_a_transaction(folder: Folder) -> None:
    folder.query("create table t (id int)")
    folder.write(
        {
            "001_a.sql": "-- migrate:up\ncreate index i on t (id);\n"
            "-- migrate:down transaction:false\ndrop index concurrently i;\n",
            "002_a.sql": "-- migrate:up transaction:false\ncreate index concurrently j on t (id);\n",
        }
    )
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    rows = folder.query("select migration_id, transactional from pgvouch.migration order by 1")
    assert rows == [("001_a", True), ("002_a", False)]
    ran = folder("rollback", "--to", "001_a")
    assert ran.code == 2
    assert "002_a has no rollback" in ran.err
    folder.query("drop index j; delete from pgvouch.migration where migration_id = '002_a'")
    folder.query("delete from pgvouch._yoyo_migration where migration_id = '002_a'")
    ran = folder("rollback")
    assert ran.code == 0, ran.err
    assert folder.query("select to_regclass('i')") == [(None,)]


def test_a_header_of_ours_stands_above_the_mark_or_in_its_half(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": f"-- lock_timeout: 7s\n-- +goose Up\n{UP}\n"
            f"-- +goose Down\n-- statement_timeout: 8s\n{DOWN}\n"
        }
    )
    (planned,) = json.loads(folder("plan", "--json").out)["databases"][0]["pending"]
    assert (planned["lock_timeout"], planned["statement_timeout"]) == ("7s", None)
    assert folder("migrate").code == 0
    assert "-- statement_timeout: 8s" in folder("rollback", "--dry-run").out


WRONG = {
    "two forward": (
        "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n-- migrate:up\nselect 3;",
        "two halves that go forward, in dbmate's format",
        5,
    ),
    "two back": (
        "select 1;\n---- create above / drop below ----\n---- create above / drop below ----\n",
        "two halves that go back, in tern's format",
        3,
    ),
    "a statement ahead": (
        "-- x\nselect 1;\n-- +goose Up\nselect 2;\n-- +goose Down\nselect 3;",
        "holds statements ahead of its first half, in goose's format",
        2,
    ),
    "goose's variables": (
        "-- +goose Up\n-- +goose ENVSUB ON\nselect '${A}';\n-- +goose ENVSUB OFF\n",
        "goose fills in a part of 001_a.sql",
        2,
    ),
    "tern's templates": (
        "select '{{ .prefix }}';\n---- create above / drop below ----\nselect 2;",
        "tern fills in a part of 001_a.sql",
        1,
    ),
    "tern's mark too late": (
        "select 1;\n---- tern: disable-tx ----\ncreate index concurrently i on t (id);",
        "behind its first statement that it runs without a transaction",
        2,
    ),
    "marks of two tools": (
        "-- migrate:up\nselect 1;\n-- +goose Down\nselect 2;\n-- migrate:down\nselect 3;",
        "holds both halves of a migration, in goose's format",
        3,
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_the_tool_would_refuse_or_fill_in_is_refused(folder: Folder, case: str) -> None:
    text, said, line = WRONG[case]
    folder.write({"001_a.sql": text})
    ran = folder("migrate")
    assert ran.code == 2
    assert said in ran.err
    assert f"migrations/001_a.sql:{line}\n" in ran.err
    assert "next" in ran.err
    assert folder.query("select to_regclass('pgvouch.migration')") == [(None,)]


@pytest.mark.parametrize("tool", ["dbmate", "tern", "golang-migrate"])
def test_two_rollbacks_are_refused(folder: Folder, tool: str) -> None:
    name = written(folder, tool)
    folder.write({"001_a.rollback.sql": DOWN})
    ran = folder("migrate")
    assert ran.code == 2
    assert "001_a has two rollbacks" in ran.err
    assert name in ran.err


def test_an_empty_half_is_no_rollback(folder: Folder) -> None:
    folder.write({"001_a.sql": f"-- migrate:up\n{UP}\n-- migrate:down\n\n"})
    assert folder("migrate").code == 0
    ran = folder("rollback")
    assert ran.code == 2
    assert "001_a has no rollback" in ran.err


def test_a_pair_and_a_file_of_one_name_are_refused(folder: Folder) -> None:
    folder.write({"001_a.up.sql": UP, "001_a.down.sql": DOWN, "001_a.sql": UP})
    ran = folder("migrate")
    assert ran.code == 2
    assert "are one migration twice" in ran.err


def test_half_of_a_pair_is_called_as_the_pair_would_be(folder: Folder) -> None:
    folder.write({"001_a.up.sql": UP})
    assert folder("migrate").code == 0
    folder.write({"001_a.down.sql": DOWN})
    assert folder("status", "--exit-code").code == 0
    assert folder("rollback", "--from-files").code == 0
    assert folder.query("select to_regclass('a')") == [(None,)]


@pytest.mark.parametrize("tool", REFUSED)
def test_a_file_with_both_halves_is_refused_by_the_name_of_its_tool(
    folder: Folder, tool: str
) -> None:
    folder.write({"001_a.sql": REFUSED[tool]})
    folder.query("create table a (id int); insert into a values (1)")
    ran = folder("migrate")
    assert ran.code == 2
    headline, place = ran.err.splitlines()[:2]
    assert headline.startswith("error: 001_a.sql ")
    assert tool.rstrip("'") in headline
    back = re.compile("formatted sql|.*migrate:down|.* (down|!downs)", re.IGNORECASE)
    lines = REFUSED[tool].split("\n")
    line = next(n for n, text in enumerate(lines, 1) if back.search(text))
    assert place == f"  at      migrations/001_a.sql:{line}"
    assert ".rollback.sql" in ran.err
    assert folder.query("select count(*) from a") == [(1,)]


IN_A_ROLLBACK = {**REFUSED, **READ, "dbmate": READ["dbmate"]}


@pytest.mark.parametrize("tool", sorted(IN_A_ROLLBACK.keys() - {"golang-migrate"}))
@pytest.mark.parametrize("ending", ["rollback.sql", "down.sql"])
def test_both_halves_in_a_rollback_file_are_refused(folder: Folder, tool: str, ending: str) -> None:
    first = "001_a.up.sql" if ending == "down.sql" else "001_a.sql"
    folder.write({first: UP, f"001_a.{ending}": IN_A_ROLLBACK[tool]})
    ran = folder("migrate")
    assert ran.code == 2
    assert ran.err.startswith(f"error: 001_a.{ending} ")
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_halves_that_have_been_cut_apart_keep_their_marks(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": f"-- migrate:up\n{UP}",
            "001_a.rollback.sql": f"-- migrate:down\n{DOWN}",
        }
    )
    assert folder("migrate").code == 0
    assert folder("rollback").code == 0
    assert folder.query("select to_regclass('a')") == [(None,)]


def test_a_mark_in_quotes_or_in_prose_is_none(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": f"{UP}\n"
            "comment on table a is '\n-- migrate:down\n';\n"
            "do $$\n-- +goose Down\nbegin end $$;\n"
            "/*\n-- rambler down\n*/\n"
            "-- the down migration of this is 001_a.rollback.sql\n"
            "-- down\n"
            "-- Down migration: see 001_a.rollback.sql\n"
            "select 1; -- migrate:down\n"
        }
    )
    assert folder("migrate").code == 0
    assert folder.query("select count(*) from a") == [(0,)]
