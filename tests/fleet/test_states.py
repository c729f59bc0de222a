"""What a database is in, each way as its own state, and none of them stops the others."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from conftest import Server, _project, query, start
from fleet.conftest import Tenants
from pgvouch import embedded
from pgvouch.fleet.fleet import Fleet
from pgvouch.fleet.rollout import Ended, Event, Summary
from pgvouch.fleet.target import State
from pgvouch.fleet.waves import Budget

TROUBLED = "troubled"


@pytest.fixture(scope="module")
def own(pg18: Server) -> Iterator[Server]:
    """A server that tests may fill and stop."""
    del pg18
    yield start("pg18", "states")
    embedded.stop(_project("pg18", "states"))
    shutil.rmtree(_project("pg18", "states").server_data)


class Around:
    """A database in trouble, between two that are not."""

    def __init__(self, tenants: Tenants) -> None:
        self.tenants = tenants
        self.names = tenants.make("a", TROUBLED, "z")
        self.url = tenants.url(TROUBLED)
        self.name = self.names[1]

    def maintain(self, statement: str) -> None:
        query(self.tenants.server.url("postgres"), statement.format(self.name))

    def fleet(self, **options: object) -> Fleet:
        names = [json.dumps({"name": n, "url": self.tenants.server.url(n)}) for n in self.names]
        names[1] = json.dumps({"name": self.name, "url": self.url})
        (self.tenants.root / "list").write_text("\n".join(names))
        given = {"pattern": None, "file": "list", "waves": (), "budget": Budget(1), "jobs": 1}
        return self.tenants.fleet(**{**given, **options})

    def found(self, **options: object) -> tuple[State, str | None]:
        """Migrate, and return what became of the one in trouble; the others are done."""
        return self.of(self.fleet(**options).migrate())

    def of(self, summary: Summary) -> tuple[State, str | None]:
        first, troubled, last = sorted(summary.results, key=lambda result: result.target)
        assert (first.state, last.state) == (State.DONE, State.DONE)
        assert summary.stopped_in is None
        return troubled.state, troubled.cause


@pytest.fixture
def around(tenants: Tenants) -> Around:
    return Around(tenants)


@pytest.fixture
def role(around: Around) -> Iterator[str]:
    name = f"{around.tenants.prefix}_role"
    around.maintain(f"create role {name} login")
    yield name
    around.maintain(f"drop role {name}")


def _as(url: str, role: str) -> str:
    return url.replace("postgres@", f"{role}@", 1)


def test_down_where_nothing_listens(around: Around) -> None:
    around.url = "postgresql://x@127.0.0.1:1/x"
    assert around.found() == (State.DOWN, "no connection to 127.0.0.1:1: Connection refused")


def test_down_where_its_server_is_stopped_meanwhile(around: Around, own: Server) -> None:
    query(own.url("postgres"), "create database stopped")
    around.url = own.url("stopped")
    around.tenants.write({"003_c.sql": "select 1;"})

    def listen(event: Event) -> None:
        if isinstance(event, Ended) and event.result.target == around.names[0]:
            embedded.stop(_project("pg18", "states"))

    try:
        state, cause = around.found(on_event=listen, per_server=1)
    finally:
        embedded.ensure_running(_project("pg18", "states"))
    assert state is State.DOWN
    assert re.fullmatch("no connection to /.*: No such file or directory", str(cause))
    again = around.fleet().migrate()
    assert sorted((r.target, r.state) for r in again.results) == [
        (around.names[0], State.CURRENT), (around.name, State.DONE), (around.names[2], State.CURRENT),
    ]  # fmt: skip


def test_down_where_its_connection_is_ended_in_a_migration(around: Around) -> None:
    end = "select pg_terminate_backend(pg_backend_pid()) where current_database() like '%_troubled'"
    around.tenants.write({"003_c.sql": f"create table c (); {end};"})
    state, cause = around.found()
    assert state is State.DOWN, cause
    assert around.tenants.applied(TROUBLED) == 2


def test_refused_where_the_role_may_not_connect(around: Around, role: str) -> None:
    around.maintain("revoke connect on database {} from public")
    around.url = _as(around.url, role)
    state, cause = around.found()
    assert state is State.REFUSED, cause


def test_refused_where_the_role_may_not_log_in(around: Around, role: str) -> None:
    around.maintain(f"alter role {role} nologin")
    around.url = _as(around.url, role)
    state, cause = around.found()
    assert state is State.REFUSED, cause


def test_refused_where_there_is_no_such_role(around: Around) -> None:
    around.url = _as(around.url, "nobody_at_all")
    state, cause = around.found()
    assert state is State.REFUSED, cause


def test_refused_where_the_role_may_not_migrate(around: Around, role: str) -> None:
    around.url = _as(around.url, role)
    state, cause = around.found()
    assert state is State.REFUSED, cause


def test_gone_where_it_is_dropped_before_its_turn(around: Around) -> None:
    def listen(event: Event) -> None:
        if isinstance(event, Ended) and event.result.target == around.names[0]:
            around.maintain("drop database {}")

    state, _ = around.found(on_event=listen)
    assert state is State.GONE


@pytest.mark.parametrize(
    ("shut", "opened", "told"),
    [
        (
            "update pg_database set datconnlimit = -2 where datname = '{}'",
            "update pg_database set datconnlimit = -1 where datname = '{}'",
            State.GONE,  # its drop was interrupted
        ),
        (
            "alter database {} allow_connections false",
            "alter database {} allow_connections true",
            State.REFUSED,
        ),
    ],
)
def test_a_pattern_leaves_out_what_takes_no_connections(
    around: Around, shut: str, opened: str, told: State
) -> None:
    around.maintain(shut)
    try:
        by_pattern = around.tenants.fleet().status()
        others = [around.names[0], around.names[2]]
        assert [result.target for result in by_pattern.results] == others
        state, cause = around.found()
        assert state is told, cause
    finally:
        around.maintain(opened)


@pytest.mark.parametrize("held", ["the ledger", "public.a"])
def test_busy_where_others_hold_a_lock(around: Around, held: str) -> None:
    around.fleet().migrate(to="1")
    around.tenants.write({"003_c.sql": "alter table public.a add c int;"})
    settings = {"lock_timeout": "100ms", "retries": "0", "lock_wait": "100ms"}
    with psycopg.connect(around.url) as other:
        if held == "public.a":
            other.execute("lock table public.a")
        else:
            other.execute("select * from pgvouch.ledger for update")
        state, cause = around.found(settings=settings)
    assert state is State.BUSY, cause


@pytest.mark.parametrize("limit", [0, 1])
def test_full_where_its_connections_are_limited(around: Around, role: str, limit: int) -> None:
    around.maintain(f"alter database {{}} connection limit {limit}")
    around.url = _as(around.url, role)
    with ExitStack() as stack:
        for _ in range(limit):
            stack.enter_context(psycopg.connect(around.url))
        state, cause = around.found()
    assert state is State.FULL, cause


def test_full_where_its_server_has_no_connection_left(around: Around, own: Server) -> None:
    query(own.url("postgres"), "create role visitor login")
    query(own.url("postgres"), "create database visited owner visitor")
    ((most,),) = query(own.url("postgres"), "select current_setting('max_connections')::int - 3")
    around.url = _as(own.url("visited"), "visitor")
    with ExitStack() as stack:
        assert isinstance(most, int)
        for _ in range(most):
            stack.enter_context(psycopg.connect(around.url))
        state, cause = around.found()
    assert state is State.FULL, cause


@pytest.mark.parametrize("sqlstate", ["53100", "53200", "53300"])
def test_full_where_a_migration_finds_no_room(around: Around, sqlstate: str) -> None:
    raised = (
        f"do $$ begin if current_database() like '%_troubled' then raise 'no room' using errcode = "
        f"'{sqlstate}'; end if; end $$;"
    )
    around.tenants.write({"003_c.sql": raised})
    state, cause = around.found()
    assert state is State.FULL, cause
    assert around.tenants.applied(TROUBLED) == 2


def test_ahead_where_a_newer_release_was_there(around: Around) -> None:
    newer = around.tenants.root / "migrations" / "003_c.sql"
    newer.write_text("select 1;")
    (around.tenants.root / "one").write_text(around.name)
    around.tenants.fleet(pattern=None, file="one").migrate()
    newer.unlink()
    assert around.found() == (State.AHEAD, None)


def test_drifted_where_a_file_was_changed(around: Around) -> None:
    (around.tenants.root / "one").write_text(around.name)
    around.tenants.fleet(pattern=None, file="one").migrate(to="1")
    around.tenants.query(TROUBLED, "update pgvouch.migration set checksum = 'x'")
    state, cause = around.found()
    assert state is State.DRIFTED
    assert "001_a" in str(cause)


def test_failed_where_the_ledger_belongs_to_another(around: Around, role: str) -> None:
    (around.tenants.root / "one").write_text(around.name)
    around.tenants.fleet(pattern=None, file="one").migrate(to="1")
    around.tenants.query(TROUBLED, f"alter table pgvouch.migration owner to {role}")
    try:
        state, cause = around.found()
        assert state is State.FAILED
        assert "belongs to another role" in str(cause)
    finally:
        around.tenants.query(TROUBLED, "alter table pgvouch.migration owner to postgres")
