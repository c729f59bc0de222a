"""A fleet is migrated in waves; what fails in one database stops the others only past the budget."""

import json

import psycopg
import pytest

from fleet.conftest import Tenants
from pgvouch.errors import FileError, UsageError
from pgvouch.fleet.rollout import Began, Ended, Event, Stopped
from pgvouch.fleet.target import State

ALL = range(6)


def test_every_database_is_migrated_and_again_there_is_nothing_to_do(tenants: Tenants) -> None:
    tenants.make(*ALL)
    assert (tenants("status").code, tenants("status", "--exit-code").code) == (0, 3)
    ran = tenants("migrate")
    assert ran.code == 0, ran.err
    assert [tenants.applied(n) for n in ALL] == [2] * 6
    assert "fleet: 6 done in " in ran.out
    again = tenants("migrate")
    assert "fleet: 6 current in " in again.out
    assert tenants("status", "--exit-code").code == 0


def test_the_canary_comes_first_and_alone(tenants: Tenants) -> None:
    names = tenants.make(*ALL)
    told: list[Event] = []
    tenants.fleet(waves=("1", "50%"), on_event=told.append).migrate()
    waves = [(e.wave, e.databases, e.may_fail) for e in told if isinstance(e, Began)]
    assert waves == [("canary", 1, 0), ("50%", 3, 1), ("rest", 2, 1)]
    order = [(e.wave, e.result.target) for e in told if isinstance(e, Ended)]
    assert order[0] == ("canary", names[0])
    assert {name for wave, name in order if wave == "50%"} == set(names[1:4])


def test_a_canary_that_fails_keeps_all_others_as_they_were(tenants: Tenants) -> None:
    tenants.make(*ALL)
    tenants.query(0, "create table public.b (id text)")
    ran = tenants("migrate")
    assert ran.code == 1
    assert [tenants.applied(n) for n in ALL] == [1, 0, 0, 0, 0, 0]
    assert f'{tenants.prefix}_0  failed: 002_b.sql:1: 002_b failed: relation "b" already' in ran.err
    assert "1 failed, and 0 may: nothing new is begun" in ran.err
    assert "fleet: 1 failed, 5 left" in ran.out
    tenants.query(0, "drop table public.b")
    assert tenants("migrate").code == 0
    assert [tenants.applied(n) for n in ALL] == [2] * 6, "again, it does what is left"


def test_within_the_budget_the_others_go_on(tenants: Tenants) -> None:
    tenants.make(*ALL)
    for broken in (2, 4):
        tenants.query(broken, "create table public.b (id text)")
    summary = tenants.fleet(waves=("1",), budget=_budget("2")).migrate()
    assert summary.stopped_in is None
    assert sorted(r.target[-1] for r in summary.failed) == ["2", "4"]
    assert {r.version for r in summary.failed} == {"001_a"}
    ((state, cause, names),) = summary.by_cause
    assert (state, len(names)) == (State.FAILED, 2)
    assert "already exists" in cause
    assert dict(summary.by_version) == {"002_b": 4, "001_a": 2}


def test_past_the_budget_nothing_new_is_begun(tenants: Tenants) -> None:
    tenants.make(*ALL)
    for broken in (1, 2):
        tenants.query(broken, "create table public.b (id text)")
    told: list[Event] = []
    fleet = tenants.fleet(waves=("1",), budget=_budget("1"), jobs=1, on_event=told.append)
    summary = fleet.migrate()
    assert summary.stopped_in == "rest"
    assert summary.count(State.LEFT) == 3
    assert [(e.failed, e.may_fail) for e in told if isinstance(e, Stopped)] == [(2, 1)]
    assert [tenants.applied(n) for n in (3, 4, 5)] == [0, 0, 0]


def test_the_template_goes_first_and_a_database_made_meanwhile_is_found(tenants: Tenants) -> None:
    names = tenants.make("template", 0, 1)
    told: list[Event] = []

    def listen(event: Event) -> None:
        told.append(event)
        if isinstance(event, Ended) and event.wave == "canary":
            tenants.make("late")

    fleet = tenants.fleet(template=names[0], on_event=listen)
    assert fleet.migrate().count(State.DONE) == 4
    assert [e.wave for e in told if isinstance(e, Began)] == ["template", "canary", "1%", "new"]
    assert tenants.applied("late") == 2


def test_what_a_rollout_did_is_taken_back_and_no_more(tenants: Tenants) -> None:
    tenants.make(*ALL)
    tenants.fleet().migrate(to="1")
    (tenants.root / "migrations" / "003_c.sql").write_text("create table public.c ();")
    (tenants.root / "migrations" / "003_c.rollback.sql").write_text("drop table public.c;")
    tenants.query(3, "create table public.c ()")
    ran = tenants("migrate", "--max-failures", "50%")
    assert ran.code == 1
    assert [tenants.applied(n) for n in ALL] == [3, 3, 3, 2, 3, 3]
    back = tenants("rollback")
    assert back.code == 0, back.err
    assert [tenants.applied(n) for n in ALL] == [1] * 6


def test_a_rollback_keeps_what_came_behind(tenants: Tenants) -> None:
    tenants.make(0, 1)
    tenants.fleet().migrate(to="1")
    tenants.fleet().migrate()
    fleet = tenants.fleet(waves=(), budget=_budget("2"))
    summary = fleet.rollback(number=1)
    assert [r.state for r in summary.results] == [State.FAILED] * 2
    assert [tenants.applied(n) for n in (0, 1)] == [2, 2]
    assert "other migrations were applied behind 001_a" in str(summary.results[0].cause)


def test_a_release_is_mended_after_its_canary(tenants: Tenants) -> None:
    """Forward to the canary, found broken, back there, mended, and run on all."""
    tenants.make(*ALL)
    tenants.fleet().migrate()
    tenants.write(
        {
            "003_c.sql": "create table public.c (id int);",
            "003_c.rollback.sql": "drop table public.c;",
        }
    )
    canary = tenants.fleet(waves=("1",))
    summary = canary.migrate(between=lambda _wave, _results: "a customer called")
    assert (summary.stopped_in, summary.reason) == ("canary", "a customer called")
    assert summary.count(State.LEFT) == 5
    assert [tenants.applied(n) for n in ALL] == [3, 2, 2, 2, 2, 2]
    assert canary.rollback().count(State.DONE) == 1
    assert [tenants.applied(n) for n in ALL] == [2] * 6
    tenants.write({"003_c.sql": "create table public.c (id bigint);"})
    assert tenants.fleet().migrate().count(State.DONE) == 6
    typed = "select format_type(atttypid, null) from pg_attribute where attrelid = 'c'::regclass and attnum = 1"
    assert {tenants.query(n, typed)[0][0] for n in ALL} == {"bigint"}


def test_files_that_cannot_be_read_stop_it_ahead_of_everything(tenants: Tenants) -> None:
    tenants.make(0)
    tenants.write({"003_c.sql": "commit;"})
    with pytest.raises(FileError):
        tenants.fleet().migrate()
    assert tenants.applied(0) == 0


def test_a_database_in_trouble_is_one_of_few_states(tenants: Tenants) -> None:
    names = tenants.make(*ALL)
    tenants.fleet().migrate(to="1")
    tenants.query(1, "update pgvouch.migration set checksum = 'x'")
    (tenants.root / "fleet.txt").write_text(
        "\n".join(
            [
                *names,
                f"{tenants.prefix}_nowhere",
                json.dumps({"name": "down", "url": "postgresql://x@127.0.0.1:1/x"}),
            ]
        )
    )
    fleet = tenants.fleet(pattern=None, file="fleet.txt", waves=(), budget=_budget("50%"))
    with psycopg.connect(tenants.url(2)) as held:
        held.execute("lock table pgvouch.migration in access exclusive mode")
        found = {r.target.rpartition("_")[2]: r.state for r in fleet.status().results}
    assert found["1"] is State.DRIFTED
    assert found["nowhere"] is State.GONE
    assert found["down"] is State.DOWN
    assert found["0"] is State.PENDING
    summary = fleet.migrate()
    assert {r.state for r in summary.failed} == {State.DRIFTED, State.DOWN}
    assert summary.count(State.DONE) == 5


def test_broken_promises_and_drift_are_grouped(tenants: Tenants) -> None:
    tenants.write(
        {
            "verify/001_a.sql": "-- check: a is empty\nselect not exists (select from public.a);",
        }
    )
    tenants.make(*ALL)
    tenants.fleet().migrate()
    for broken in (1, 3):
        tenants.query(broken, "insert into public.a values (1)")
    ran = tenants("verify")
    assert ran.code == 1
    assert "2 failed: 001_a: a is empty" in ran.out
    assert f"{tenants.prefix}_1, {tenants.prefix}_3" in ran.out
    assert tenants("drift").code == 0


def test_nothing_to_take_back(tenants: Tenants) -> None:
    tenants.make(0)
    with pytest.raises(UsageError, match="there is no rollout here"):
        tenants.fleet().rollback()


def _budget(text: str) -> object:
    from pgvouch.fleet.waves import Budget

    return Budget.of(text)


def test_a_text_that_is_in_force_is_not_pending(tenants: Tenants) -> None:
    """Whether repeatable migrations are due is in another table than what a look reads."""
    tenants.make(0, 1)
    tenants.write(
        {"../migrations/repeat/v.sql": "create or replace view public.v as select 1 as n;"}
    )
    assert tenants("status", "--exit-code").code == 3
    assert tenants.fleet().migrate().count(State.DONE) == 2
    ran = tenants("status", "--exit-code")
    assert (ran.code, "fleet: 2 current" in ran.out) == (0, True)
    tenants.write(
        {"../migrations/repeat/v.sql": "create or replace view public.v as select 2 as n;"}
    )
    assert {r.state: r.pending for r in tenants.fleet().status().results} == {State.PENDING: 1}
