"""Files of other migration tools: what they would do here by mistake, and what is said instead."""

import re

import pytest

from conftest import Folder

UP, DOWN = "create table a (id int);", "drop table a;"

BOTH_HALVES = {
    "dbmate": f"-- migrate:up\n{UP}\n\n-- migrate:down\n{DOWN}\n",
    "dbmate's": f"--migrate:up transaction:false\n{UP}\n--migrate:down transaction:false\n{DOWN}\n",
    "goose": f"-- +goose Up\n-- +goose StatementBegin\n{UP}\n-- +goose StatementEnd\n"
    f"-- +goose Down\n{DOWN}\n",
    "goose's": f"--+goose UP\n{UP}\n--+goose down\n{DOWN}\n",
    "sql-migrate": f"-- +migrate Up\n{UP}\n-- +migrate Down notransaction\n{DOWN}\n",
    "Rambler": f"-- rambler up\n{UP}\n-- rambler down\n{DOWN}\n",
    "node-pg-migrate": f"-- Up Migration\n{UP}\n-- Down Migration\n{DOWN}\n",
    "tern": f"{UP}\n---- create above / drop below ----\n{DOWN}\n",
    "Play Evolutions": f"# --- !Ups\n{UP}\n# --- !Downs\n{DOWN}\n",
    "Play Evolutions'": f"-- !Ups\n{UP}\n-- !Downs\n{DOWN}\n",
    "MyBatis Migrations": f"-- // make it\n{UP}\n-- //@UNDO\n{DOWN}\n",
    "shmig": f"-- ==== UP ====\n{UP}\n-- ==== DOWN ====\n{DOWN}\n",
    "another tool": f"-- Up\r\n{UP}\r\n-- Down\r\n{DOWN}\r\n",
    "Liquibase": f"--liquibase formatted sql\n--changeset me:1\n{UP}\n--rollback {DOWN}\n",
}


@pytest.mark.parametrize("tool", BOTH_HALVES)
def test_a_file_with_both_halves_is_refused_by_the_name_of_its_tool(
    folder: Folder, tool: str
) -> None:
    folder.write({"001_a.sql": BOTH_HALVES[tool]})
    folder.query("create table a (id int); insert into a values (1)")
    ran = folder("migrate")
    assert ran.code == 2
    headline, place = ran.err.splitlines()[:2]
    assert headline.startswith("error: 001_a.sql ")
    assert tool.rstrip("'s") in headline
    back = re.compile("formatted sql|migrate:down|.* (down|!downs|/ drop)|//@undo", re.IGNORECASE)
    lines = BOTH_HALVES[tool].split("\n")
    line = next(n for n, text in enumerate(lines, 1) if back.search(text))
    assert place == f"  at      migrations/001_a.sql:{line}"
    assert ".rollback.sql" in ran.err
    assert folder.query("select count(*) from a") == [(1,)]


@pytest.mark.parametrize("tool", sorted(BOTH_HALVES.keys() - {"tern", "MyBatis Migrations"}))
def test_both_halves_in_a_rollback_file_are_refused(folder: Folder, tool: str) -> None:
    folder.write({"001_a.sql": UP, "001_a.rollback.sql": BOTH_HALVES[tool]})
    ran = folder("migrate")
    assert ran.code == 2
    assert ran.err.startswith("error: 001_a.rollback.sql ")
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
            "select 1; -- migrate:down\n"
        }
    )
    assert folder("migrate").code == 0
    assert folder.query("select count(*) from a") == [(0,)]
