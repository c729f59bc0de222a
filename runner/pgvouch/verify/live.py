"""Runs the promises of what is applied again, on a live database, and leaves nothing behind."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.errors import MigrationError
from pgvouch.events import Listener, Waiting, silent
from pgvouch.files.migration import Migration
from pgvouch.files.promises import Check, Promises, read_always, read_promises
from pgvouch.files.variables import given_variables
from pgvouch.ledger import repeatable
from pgvouch.ledger.rows import Applied, State
from pgvouch.plan.squashed import squashed_by, with_squashed
from pgvouch.postgres.blockers import Watch
from pgvouch.postgres.message import Message
from pgvouch.postgres.pooling import RESET_SESSION, application_name_sql, marker_of
from pgvouch.postgres.read_only import cannot_begin
from pgvouch.postgres.retry import FailedAttempt, RetryLimits, others_were_in_the_way, retry
from pgvouch.postgres.session import QueryError, Session
from pgvouch.postgres.timeouts import look_after_s, settings_sql
from pgvouch.verify import checks
from pgvouch.verify.checks import Finding, Verdict


class _BlockedError(Exception):
    """Checks gave way to other sessions."""

    def __init__(self, blocked: Sequence[Finding]) -> None:
        first = blocked[0].server
        assert first is not None
        many = f"{len(blocked)} check{'s' * (len(blocked) != 1)}"
        super().__init__(f"{many} gave way: {first.primary}")


@dataclass
class _File:
    """The promises of one file on their way to an answer."""

    id: str
    """The migration's; `always`, behind its platform set, where it is no one migration's."""
    promises: Promises
    lock_timeout: str | None
    statement_timeout: str | None
    todo: tuple[Check, ...]
    passed: int = 0
    broken: list[Finding] = field(default_factory=list)
    unjudged: list[Finding] = field(default_factory=list)
    blocked: dict[Check, Finding] = field(default_factory=dict)
    """What is to be tried again, with the reason."""

    def verdict(self) -> Verdict:
        """Return what has come of them until now."""
        unjudged = (*self.unjudged, *self.blocked.values())
        return Verdict(self.passed, tuple(self.broken), unjudged, id=self.id)

    def run(self, session: Session, watch: Watch, until_s: float) -> None:
        """Run what has no answer yet, in a new transaction after each check that gave way.

        Args:
            session: idle.
            watch: looks at who is in the way.
            until_s: the moment after which only what has begun is ended.
        """
        if self.blocked:
            self.todo = tuple(check for check in self.promises.checks if check in self.blocked)
            self.blocked = {}
        while self.todo:
            verdict = self._judge(session, watch)
            self.passed += verdict.passed
            self.broken += verdict.broken
            self.todo = verdict.left
            for stopped in verdict.unjudged:
                if others_were_in_the_way(stopped.server):
                    self.blocked[stopped.check] = stopped
                else:
                    self.unjudged.append(stopped)
            if verdict.unjudged and time.monotonic() > until_s:
                reason = verdict.unjudged[-1]
                self.blocked |= {check: replace(reason, check=check) for check in self.todo}
                self.todo = ()

    def _judge(self, session: Session, watch: Watch) -> Verdict:
        name = self.id
        marker = marker_of("verify", name)
        watch.begin(marker, look_after_s(self.lock_timeout))
        message = Message().add(f"{marker} begin isolation level read committed read write")
        message.add(*RESET_SESSION)
        promises = replace(self.promises, checks=self.todo)
        timeouts = (settings_sql(self.lock_timeout, self.statement_timeout),)
        settings = (*timeouts, application_name_sql("verify", name))
        try:
            return checks.run(session, message, promises, settings=settings, marker=marker)[1]
        except QueryError as exc:
            if not exc.done:
                raise cannot_begin(session, exc) from None
            raise MigrationError(
                f"{name} cannot be verified: {exc.server.primary}", server=exc.server
            ) from None
        finally:
            session.roll_back()


def verify_database(
    session: Session,
    database: Database,
    rows: Sequence[Applied],
    options: Options | None = None,
    listener: Listener = silent,
) -> list[Verdict]:
    """Run every promise of every applied migration again, and leave nothing behind.

    A check that gives way to other sessions is not broken by that. It is tried again, with pauses
    in which no transaction is open, until the attempts or the budget are spent.

    Raises:
        FileError: a file that is not a verify file.
        MigrationError: promises cannot be run at all.
    """
    options = options or Options(variables=given_variables({}))
    files = _files(session, database, rows, options)
    watch = Watch(session.conninfo, listener)
    session.while_waiting = watch
    spent_s = time.monotonic() + options.retry_budget_s
    until_s = math.inf  # the first round takes what it takes

    def run_files() -> None:
        nonlocal until_s
        for file in files:
            file.run(session, watch, until_s)
        until_s = spent_s
        if blocked := [finding for file in files for finding in file.blocked.values()]:
            raise _BlockedError(blocked)

    def tell(refusal: FailedAttempt) -> None:
        listener(
            Waiting(
                f"{refusal.error}; attempt {refusal.attempt + 1} of {options.retries + 1} in "
                f"{refusal.pause_s:.1f} s",
                refusal.remaining_s,
            )
        )

    try:
        retry(
            run_files,
            RetryLimits(options.retry_budget_s, 0.5, 20.0, attempts=options.retries + 1),
            again=lambda exc: isinstance(exc, _BlockedError),
            tell=tell,
            revive=session.revive,
        )
    except _BlockedError:
        pass
    finally:
        session.while_waiting = None
        watch.close()
    return [file.verdict() for file in files]


def _files(
    session: Session, database: Database, rows: Sequence[Applied], options: Options
) -> list[_File]:
    names = (*(row.id for row in rows), *squashed_by(database.migrations))
    in_force = frozenset(name for one in names for name in (one, one.rpartition("/")[2]))
    by_id = database.by_id
    found = []
    for row in with_squashed(database.migrations, rows):
        migration = by_id.get(row.id)
        if migration is None:
            continue
        asked = migration.directives
        session.mask.add(options.variables.get(name, "") for name in asked.variables)
        promises = read_promises(migration.verify_path, migration.actors)
        if promises is None or row.state is not State.APPLIED:
            continue
        found.append(_file(migration, promises.lasting(in_force), options))
    has_runs = database.repeatables and rows
    runs = repeatable.in_force(repeatable.read_runs(session)) if has_runs else {}
    for migration in database.repeatables:
        promises = read_promises(migration.verify_path, migration.actors)
        if promises is not None and migration.id in runs:
            found.append(_file(migration, promises, options))
    for promises in read_always(database.always) if rows else ():
        folder = promises.path.parent.parent
        name = "always" if folder == database.folder else f"{folder.name}/always"
        timeouts = options.lock_timeout, options.statement_timeout
        found.append(_File(name, promises, *timeouts, promises.checks))
    return found


def _file(migration: Migration, promises: Promises, options: Options) -> _File:
    lock_timeout = migration.directives.lock_timeout or options.lock_timeout
    return _File(migration.id, promises, lock_timeout, options.statement_timeout, promises.checks)
