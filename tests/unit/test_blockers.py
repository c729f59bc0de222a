"""What is told of somebody else's backend."""

from dataclasses import replace
from functools import partial

import pytest

from pgvouch.cli.as_text import Progress
from pgvouch.postgres.blockers import Blocker, look_at, tell_of_blockers


def _blocker(query: str | None, pid: int = 7, age: float | None = 61.0) -> Blocker:
    return Blocker(pid, "app", "web", "10.0.0.1", "active", age, query, "ShareLock", "public.t")


def test_who_since_when_and_what() -> None:
    assert str(_blocker("select 1")) == (
        "pid 7 (web, role app, from 10.0.0.1), in a transaction for 61 s: select 1"
    )
    assert "for 3 min" in str(_blocker("select 1", age=190.0))
    assert "for 3 h" in str(_blocker("select 1", age=3 * 3600.0))


def test_values_of_others_are_not_told() -> None:
    told = str(_blocker("alter role x password 'hunter2'"))
    assert told.endswith("alter role x password '…'")
    assert "it" not in str(_blocker("select 'it''s'")).rpartition(": ")[2]
    assert "hunter" not in str(_blocker("insert into t values ('hunter"))  # cut by the server


def test_a_statement_is_one_short_line() -> None:
    told = str(_blocker("select\n  1,\x1b[31m\t2 /* " + "x" * 200))
    assert "\n" not in told
    assert "\x1b" not in told
    assert told.endswith("…")


def test_our_own_message_is_left_out() -> None:
    """It begins with resets; what it does is in the name of the application."""
    assert str(_blocker("/* pgvouch migrate 003_x abc */ begin")).endswith("for 61 s")


def test_a_prepared_transaction_has_no_pid() -> None:
    blocker = _blocker("PREPARE TRANSACTION 'x'", pid=0)
    assert str(blocker).startswith("a prepared transaction")
    assert look_at([blocker]) == "select * from pg_prepared_xacts"
    assert look_at([_blocker(None)]).endswith("where pid in (7)")


def test_one_lock_that_keeps_many_checks_waiting_is_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell = partial(tell_of_blockers, Progress())
    for age, mode in ((1, "RowExclusiveLock"), (2, "RowExclusiveLock"), (3, "RowShareLock")):
        tell([replace(_blocker("lock table t", age=age), mode=mode)])
    assert capsys.readouterr().err.count("waiting for public.t (") == 1
    tell([_blocker("lock table t", pid=8)])
    tell([replace(_blocker("lock table t", pid=8), relation="public.other")])
    assert capsys.readouterr().err.count("waiting for") == 2
