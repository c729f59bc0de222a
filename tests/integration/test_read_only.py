"""What an administrator has switched off is not switched on in silence."""

import psycopg
import pytest

from conftest import Folder, database_of

A = {
    "001_a.sql": "create table a ();",
    "001_a.rollback.sql": "drop table a;",
    "002_b.sql": "-- transactional: false\ncreate table b ();",
    "002_b.rollback.sql": "-- transactional: false\ndrop table b;",
}


def _switch(folder: Folder, value: str) -> None:
    folder.query(f"alter database {database_of(folder.url)} set {value}")


@pytest.mark.parametrize("applied", ["0", "1", "2"])
@pytest.mark.parametrize("command", [["migrate"], ["rollback"], ["migrate", "--rehearse"]])
def test_it_is_refused(folder: Folder, applied: str, command: list[str]) -> None:
    folder.write(A)
    if applied != "0":
        assert folder("migrate", "--to", applied).code == 0
    before = folder.query("select count(*) from pg_class")
    _switch(folder, "default_transaction_read_only = on")
    ran = folder(*command)
    has_work = (applied != "0") if command[0] == "rollback" else applied != "2"
    if has_work and command[-1] != "--rehearse":
        assert ran.code == 1
        assert "default_transaction_read_only is on" in ran.err
        assert "PGOPTIONS='-c default_transaction_read_only=off'" in ran.err
        assert "Nothing was run" in ran.err
    if has_work:
        assert ran.code != 0
    assert folder.query("select count(*) from pg_class") == before
    assert folder("status").code == 0


def test_who_insists_can_write(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write(A)
    _switch(folder, "default_transaction_read_only = on")
    insisting = psycopg.conninfo.make_conninfo(
        folder.url, options="-c default_transaction_read_only=off"
    )
    assert folder("migrate", "--to", "1", url=insisting).code == 0
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=off")
    assert folder("migrate").code == 0
    assert folder("rollback", "--all").code == 0


def test_looking_needs_no_right_to_write(folder: Folder) -> None:
    folder.write(A | {"verify/001_a.sql": "-- check: x\nselect true;\n"})
    assert folder("migrate").code == 0
    _switch(folder, "default_transaction_read_only = on")
    for command in ("status", "plan", "verify", "migrate"):
        assert folder(command).code == 0
