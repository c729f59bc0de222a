"""One transaction around one migration or rollback: how it begins, and how it ends."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from pgvouch import failure
from pgvouch.db import QueryError, Result, Session
from pgvouch.errors import ConnectError
from pgvouch.events import Listener, Waiting
from pgvouch.message import (
    LEDGER_MOVED,
    LOCK_KEY,
    LOCK_TIMEOUT,
    LOCKED,
    RESET_ROLE,
    RESET_SESSION,
    Message,
    guard_sql,
    literal,
    same_transaction_sql,
)
from pgvouch.prepare import Script
from pgvouch.verify import BACK

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """How migrations are run."""

    lock_timeout: str = LOCK_TIMEOUT
    """For transactional migrations; the header of a file overrides it."""
    statement_timeout: str | None = None
    lock_wait_s: float = 300.0
    """How long to wait for another runner."""
    variables: Mapping[str, str] = field(default_factory=dict)
    single_transaction: bool = False


class LedgerMovedError(Exception):
    """Another runner has applied or rolled back this migration in the meantime."""


@dataclass
class Transaction:
    """A transaction that holds a migration (or rollback), its checks and its ledger row."""

    session: Session
    options: Options
    listener: Listener
    identifier: str
    script: Script
    verb: str
    """`migrate` or `rollback`."""
    begins: bool = True
    """False where an outer run has begun already (--single-transaction)."""
    commits: bool = True
    xid: str = ""

    def opening(self) -> Message:
        """Return the message that begins it: a clean session, the lock, the timeouts."""
        message = Message()
        if self.begins:
            message.add("begin isolation level read committed read write")
        message.add(*RESET_SESSION)
        guard = guard_sql(self.identifier, lock_key=LOCK_KEY, applied=self.verb == "rollback")
        message.add(guard, name="guard")
        message.add(self._lock_timeout)
        if timeout := self.script.statement_timeout or self.options.statement_timeout:
            message.add(f"set local statement_timeout = {literal(timeout)}")
        return message.add("select pg_catalog.pg_current_xact_id()::text", name="xid")

    def open(self, message: Message) -> tuple[Result, ...]:
        """Send the opening (and what was appended to it), waiting for other runners.

        Raises:
            MigrationError: PostgreSQL refused a statement.
            ConnectError: another runner held the lock for all of the wait.
            LedgerMovedError: another runner has done this migration already.
        """
        deadline = time.monotonic() + self.options.lock_wait_s
        pause = _FIRST_PAUSE_S
        while True:
            try:
                results = self.session.run(message.text, rows_of_first=message.counted)
            except QueryError as exc:
                at_guard = message.locate(exc).part.name == "guard"
                if not at_guard:
                    raise self._error(message, exc) from None
                self.session.try_run("rollback")
                if exc.server.sqlstate == LEDGER_MOVED:
                    raise LedgerMovedError from None
                if exc.server.sqlstate != LOCKED:
                    raise self._error(message, exc) from None
                pause = self._wait(deadline, pause)
            else:
                self.xid = message.results_of("xid", results)[0].rows[0][0] or ""
                self.refuse_ended()
                return results

    def send(self, message: Message) -> tuple[Result, ...]:
        """Send a further message of the transaction.

        Raises:
            MigrationError: PostgreSQL refused a statement, or the file ended its transaction.
        """
        try:
            results = self.session.run(message.text, rows_of_first=message.counted)
        except QueryError as exc:
            raise self._error(message, exc) from None
        self.refuse_ended()
        return results

    def finish(self, *ledger: str, verified: bool, flush: bool) -> None:
        """Write the ledger and commit, in one message.

        Args:
            ledger: the statements that record it.
            verified: whether promises have run and must be taken back first.
            flush: wait until the commit is on disk; it takes all earlier ones with it.

        Raises:
            MigrationError: a deferred constraint failed, or the file ended its transaction.
        """
        message = Message()
        if verified:
            message.add(*BACK)
        # Deferred constraints speak now, where there is still a migration to blame.
        message.add("set constraints all immediate", *RESET_ROLE, self._lock_timeout)
        # LISTEN begins and ends with a commit: taken back in the next migration it would be late.
        message.add("unlisten *")
        message.add(same_transaction_sql(self.xid), "set local search_path = pg_catalog", *ledger)
        message.add("set local search_path to default")
        if self.commits:
            durable = (
                "case current_setting('synchronous_commit') when 'off' then 'on' "
                "else current_setting('synchronous_commit') end"
            )
            setting = durable if flush else "'off'"
            message.add(f"select pg_catalog.set_config('synchronous_commit', {setting}, true)")
            message.add("commit")
        try:
            self.session.run(message.text)
        except QueryError as exc:
            raise self._error(message, exc) from None

    @property
    def _lock_timeout(self) -> str:
        timeout = self.script.lock_timeout or self.options.lock_timeout
        return f"set local lock_timeout = {literal(timeout)}"

    def refuse_ended(self) -> None:
        """Refuse to go on outside a transaction.

        Raises:
            MigrationError: the file has committed or rolled back by itself.
        """
        if not self.session.in_transaction:
            raise failure.ended_its_transaction(self.identifier, self.script.source.place(0))

    def _error(self, message: Message, exc: QueryError) -> Exception:
        rendered = self.script.source.rendered
        error = failure.migration_error(self.identifier, message, exc, rendered, verb=self.verb)
        if error.place is None:
            error.place = self.script.source.place(0)
        return error

    def _wait(self, deadline: float, pause: float) -> float:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise ConnectError(
                f"another runner has held the lock for {self.options.lock_wait_s:g} s",
                state=f"Nothing of {self.identifier} was run.",
                hint="see who it is: select * from pg_stat_activity where "
                "application_name like 'pgvouch%'",
            )
        self.listener(Waiting("another runner is at work", remaining))
        time.sleep(min(remaining, pause * random.uniform(0.5, 1.5)))  # noqa: S311 - jitter
        return min(pause * 2, _LONGEST_PAUSE_S)
