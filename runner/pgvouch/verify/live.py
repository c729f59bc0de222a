"""Runs the promises of what is applied again, on a live database, and leaves nothing behind."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.errors import MigrationError
from pgvouch.events import Listener, Waiting, silent
from pgvouch.files.migration import Migration
from pgvouch.files.promises import Check, Promises, read_promises
from pgvouch.files.variables import given_variables
from pgvouch.ledger.rows import Applied, State
from pgvouch.postgres.blockers import Watch, telling_of_blockers
from pgvouch.postgres.message import Message
from pgvouch.postgres.pooling import RESET_SESSION, application_name_sql, marker_of
from pgvouch.postgres.retry import FailedAttempt, RetryLimits, others_were_in_the_way, retry
from pgvouch.postgres.session import QueryError, Session
from pgvouch.postgres.timeouts import LOCK_TIMEOUT_SHARE, timeouts_sql
from pgvouch.sqltext.duration import seconds
from pgvouch.verify import checks
from pgvouch.verify.checks import Finding, Verdict


class _BlockedError(Exception):
    """Checks met other people's work."""

    def __init__(self, count: int, reason: str) -> None:
        super().__init__(reason)
        self.count = count


@dataclass
class _File:
    """The promises of one migration on their way to an answer."""

    migration: Migration
    promises: Promises
    settings: tuple[str, ...]
    todo: tuple[Check, ...]
    passed: int = 0
    broken: list[Finding] = field(default_factory=list)
    unjudged: list[Finding] = field(default_factory=list)
    blocked: dict[Check, Finding] = field(default_factory=dict)
    """What is to be tried again, with the reason."""

    def verdict(self) -> Verdict:
        """Return what has come of them until now."""
        unjudged = (*self.unjudged, *self.blocked.values())
        return Verdict(self.passed, tuple(self.broken), unjudged, id=self.migration.id)

    def run(self, session: Session, watch: Watch, until_s: float | None) -> None:
        """Run what is to be done, in a transaction of its own after each check that met others.

        Args:
            session: idle.
            watch: looks at who is in the way.
            until_s: the moment after which only what has begun is ended; None: there is none.
        """
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
            if verdict.unjudged and until_s is not None and time.monotonic() > until_s:
                reason = verdict.unjudged[-1]
                self.blocked |= {check: replace(reason, check=check) for check in self.todo}
                self.todo = ()

    def _judge(self, session: Session, watch: Watch) -> Verdict:
        marker = marker_of("verify", self.migration.id)
        watch.begin(marker)
        message = Message().add(f"{marker} begin isolation level read committed read write")
        message.add(*RESET_SESSION)
        promises = replace(self.promises, checks=self.todo)
        try:
            _, verdict = checks.run(
                session, message, promises, settings=self.settings, marker=marker
            )
        except QueryError as exc:
            if not exc.done:
                from pgvouch.postgres.read_only import cannot_begin

                raise cannot_begin(session, exc) from None
            raise MigrationError(
                f"{self.migration.id} cannot be verified: {exc.server.primary}", server=exc.server
            ) from None
        finally:
            session.roll_back()
        return verdict


def verify_database(
    session: Session,
    database: Database,
    rows: Sequence[Applied],
    options: Options | None = None,
    listener: Listener = silent,
) -> list[Verdict]:
    """Run every promise of every applied migration again, and leave nothing behind.

    A check that meets other people's work is not broken by that. It is tried again, with pauses in
    which no transaction is open, until the attempts or the budget are spent.

    Raises:
        FileError: a file that is not a verify file.
        MigrationError: promises cannot be run at all.
    """
    options = options or Options(variables=given_variables({}))
    files = _files(session, database, rows, options)
    watch = Watch(session.conninfo, telling_of_blockers(listener))
    session.while_waiting = watch
    attempts = 0

    def again() -> None:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            session.revive()  # an idle session may have been ended in the pause
        _round(session, files, watch, options, until_s if attempts > 1 else None)

    def tell(refusal: FailedAttempt) -> None:
        assert isinstance(refusal.error, _BlockedError)
        count = refusal.error.count
        listener(
            Waiting(
                f"{count} check{'s' * (count != 1)} gave way: {refusal.error}; attempt "
                f"{refusal.attempt + 1} of {options.retries + 1} in {refusal.pause_s:.1f} s",
                refusal.remaining_s,
            )
        )

    until_s = time.monotonic() + options.retry_budget_s
    try:
        retry(
            again,
            RetryLimits(options.retry_budget_s, 0.5, 20.0, attempts=options.retries + 1),
            again=lambda exc: isinstance(exc, _BlockedError),
            tell=tell,
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
    in_force = frozenset(name for row in rows for name in (row.id, row.id.rpartition("/")[2]))
    by_id = database.by_id
    found = []
    for row in rows:
        migration = by_id.get(row.id)
        if migration is None:
            continue
        names = migration.directives.variables
        session.mask.add(options.variables.get(name, "") for name in names)
        promises = read_promises(migration.verify_path)
        if promises is None or row.state is not State.APPLIED:
            continue
        promises = promises.lasting(in_force)
        settings = (
            *timeouts_sql(_lock_timeout(migration, options), options.statement_timeout),
            application_name_sql("verify", migration.id),
        )
        found.append(_File(migration, promises, settings, promises.checks))
    return found


def _lock_timeout(migration: Migration, options: Options) -> str | None:
    return migration.directives.lock_timeout or options.lock_timeout


def _round(
    session: Session,
    files: Sequence[_File],
    watch: Watch,
    options: Options,
    until_s: float | None,
) -> None:
    """Run everything that has no answer yet.

    Raises:
        _BlockedError: others were in the way of some of it.
    """
    for file in files:
        if file.blocked:
            order = {check: at for at, check in enumerate(file.promises.checks)}
            file.todo = tuple(sorted(file.blocked, key=order.__getitem__))
            file.blocked = {}
        timeout = _lock_timeout(file.migration, options)
        limit_s = seconds(timeout) if timeout else LOCK_TIMEOUT_SHARE
        session.waiting_interval_s = min(limit_s / 2 or 1.0, 1.0)
        file.run(session, watch, until_s)
    blocked = [broken for file in files for broken in file.blocked.values()]
    if blocked:
        assert blocked[0].server is not None
        raise _BlockedError(len(blocked), blocked[0].server.primary)
