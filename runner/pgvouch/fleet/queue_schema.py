"""The queue in the control database: procrastinate's tables, made from its own SQL files.

They are not in the ledger of the control database, for that may be a project's own, whose files
these are not. A table of ours says which are applied.
"""

import re
from importlib import resources
from importlib.metadata import version

from pgvouch.errors import MigrationError, PlanError
from pgvouch.fleet.store import JUDGED, QUEUE_SCHEMA, refuse_strange_queue
from pgvouch.postgres.session import OWN_PATH, QueryError, Session
from pgvouch.sqltext.own import own_query

SCHEMA = QUEUE_SCHEMA
_PATH = f"set local search_path = {SCHEMA}, pg_temp"
_FILE = re.compile(r"\d\d\.\d\d\.\d\d_\d\d_\w+\.sql\Z")
_NAME = re.compile(r"procrastinate_\w+")


def files() -> dict[str, str]:
    """Return procrastinate's SQL files by name, in the order in which they are applied."""
    folder = resources.files("procrastinate.sql.migrations")
    found = {entry.name: entry for entry in folder.iterdir() if _FILE.match(entry.name)}
    return {name: found[name].read_text(encoding="utf-8") for name in sorted(found)}


def bring_up_to_date(session: Session) -> None:
    """Apply what is not applied yet, each file in a transaction of its own.

    Raises:
        PlanError: a newer procrastinate was here, or rollouts are under way that use what is there.
        MigrationError: a file fails.
    """
    known = files()
    applied, under_way = _applied(session)
    _refuse_newer(applied - set(known))
    refuse_strange_queue(session)
    missing = [name for name in known if name not in applied]
    if missing and applied and under_way:
        raise PlanError(
            f"the queue is to be brought up to date for procrastinate {_version()}, and a rollout "
            "is on it",
            hint="let it end, or cancel it; then the same command again",
        )
    for name in missing:
        _apply(session, name, known[name], is_first=name == min(known))
    _refuse_lacking(session)


def _refuse_lacking(session: Session) -> None:
    """Refuse a queue that has not all that the procrastinate that is installed here uses."""
    from procrastinate.sql import queries

    wanted = sorted({name for text in queries.values() for name in _NAME.findall(text)})
    (lacks,) = session.ask(own_query("fleet", "queue_lacks", names=wanted))
    if lacks.rows:
        raise PlanError(
            f"the queue has no {lacks.rows[0][0]}, which procrastinate {_version()} uses",
            hint=f"see who has changed the schema {SCHEMA}; pip install -U procrastinate",
        )


def _version() -> str:
    return version("procrastinate")


def _refuse_newer(strange: set[str]) -> None:
    if strange:
        raise PlanError(
            f"the queue was made by a newer procrastinate than {_version()}: it has {max(strange)}",
            hint="pip install -U procrastinate",
        )


def _applied(session: Session) -> tuple[set[str], int]:
    names, under_way = session.ask(f"{JUDGED};\n{own_query('fleet', 'queue_files')}")[-2:]
    return {str(name) for (name,) in names.rows}, int(under_way.rows[0][0] or 0)


def _apply(session: Session, name: str, text: str, *, is_first: bool) -> None:
    begin = own_query("fleet", "begin_queue_file", name=name)
    record = own_query("fleet", "end_queue_file", name=name, tool_version=_version())
    revoke = own_query("fleet", "revoke_all", name=SCHEMA)
    fix = own_query("fleet", "fix_queue_paths")
    try:
        there = session.run(f"begin;\n{OWN_PATH};\n{JUDGED};\n{begin}")[-1]
        if there.rows != (("t",),):
            if is_first:
                session.run(f"create schema {SCHEMA}")
            session.run(f"{_PATH};\n{text}")
            session.run(f"{OWN_PATH};\n{fix};\n{revoke};\n{record};\ncommit")
    except QueryError as exc:
        raise MigrationError(
            f"the queue cannot be made: procrastinate's {name} fails: {exc.server.primary}",
            server=exc.server,
            state="Nothing of that file has landed.",
            hint=f"if the schema {SCHEMA} is not pgvouch's, find out who made it, and drop it",
        ) from None
    finally:
        session.roll_back()
