"""Random DDL: the delta of what a transaction has touched is that of two snapshots of everything.

The examples are the same in every run; PGVOUCH_DELTA_EXAMPLES=500 looks at that many new ones.
"""

import os
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Server
from integration.test_delta_property import BASE, STEPS
from pgvouch.delta.known import Changes, Known, UnresolvedError, add_rest, read_rest
from pgvouch.delta.snapshot import REST, Snapshot, add_snapshot, difference, read_snapshot
from pgvouch.postgres.message import Message
from pgvouch.postgres.result import Result
from pgvouch.postgres.session import QueryError, Session
from support.catalogs import make_roles


@pytest.fixture(scope="module")
def template(pg18: Server) -> Iterator[str]:
    make_roles(pg18.url("postgres"))
    name = f"touched_{secrets.token_hex(4)}"
    with pg18.janitor(name):
        with psycopg.connect(pg18.url(name)) as connection:
            connection.execute(BASE)
        yield name


def send(session: Session, message: Message) -> tuple[Result, ...]:
    return session.run(message.text)


def whole(session: Session) -> Snapshot:
    message = Message()
    add_snapshot(message)
    return read_snapshot(message, send(session, message))


def run_statements(session: Session, statements: Sequence[str]) -> list[str]:
    """Run what can be run, each statement in a subtransaction."""
    done = []
    for sql in statements:
        session.run("savepoint one")
        try:
            session.run(sql)
            done.append(sql)
        except QueryError:
            session.run("rollback to savepoint one")
    return done


def read_names(session: Session) -> Known:
    known = Known()
    message = Message()
    known.add_names(message)
    known.read_names(message, send(session, message))
    return known


def read_before(session: Session, known: Known, texts: Sequence[str]) -> None:
    message = Message()
    known.add_before(message, texts)
    if message.parts:
        known.read_before(message, send(session, message))


def changes(session: Session, known: Known) -> Changes:
    message = Message()
    known.add_after(message)
    touched = known.read_after(message, send(session, message)).groups
    if REST in touched:
        message = Message()
        add_rest(message)
        touched[REST] = read_rest(message, send(session, message))
    return known.changes_to(touched)


def on_random_steps(steps: st.SearchStrategy) -> settings:
    def decorate(check):  # type: ignore[no-untyped-def]
        found = settings(
            max_examples=int(os.environ.get("PGVOUCH_DELTA_EXAMPLES", "25")),
            derandomize="PGVOUCH_DELTA_EXAMPLES" not in os.environ,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        return found(given(steps=steps)(check))

    return decorate


def test_the_delta_of_what_is_touched_is_that_of_everything(pg18: Server, template: str) -> None:
    seen: Counter[str] = Counter()

    @on_random_steps(STEPS)
    def check(steps: list[list[str]]) -> None:
        name = f"{template}_x"
        with pg18.janitor(name, template), Session.open(pg18.url(name)) as session:
            known: Known | None = None
            for step in steps:
                session.run("begin; select pg_catalog.pg_current_xact_id()")
                before = whole(session)
                known = known or read_names(session)
                read_before(session, known, step)
                done = run_statements(session, step)
                expected = difference(before, whole(session))
                try:
                    found = changes(session, known)
                except UnresolvedError:
                    seen["unresolved"] += 1
                    found = None
                else:
                    seen["changed" if expected else "unchanged"] += 1
                    assert found.lines == expected, told(done, found.lines, expected)
                try:
                    session.run("set constraints all immediate; commit")
                except QueryError:
                    session.run("rollback")
                    continue
                if found is None:
                    known = None
                else:
                    known.move(found, None)

    check()
    assert min(seen["changed"], seen["unchanged"]) > sum(seen.values()) / 5, seen
    assert seen["unresolved"] < sum(seen.values()) / 4, seen


def told(done: Sequence[str], found: Sequence[str], expected: Sequence[str]) -> str:
    missing = [f"missing  {line}" for line in expected if line not in found]
    surplus = [f"surplus  {line}" for line in found if line not in expected]
    return "\n".join(("SQL:", *done, *missing, *surplus))
