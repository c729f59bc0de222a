"""One transaction around one migration or rollback: how it begins, and how it ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from pgvouch.engine import wording
from pgvouch.engine.context import RunContext, Scope
from pgvouch.engine.data_loss import AFTER
from pgvouch.engine.task import Task
from pgvouch.errors import MigrationError
from pgvouch.files.promises import Promises
from pgvouch.ledger.lock import guard_error, guard_run_sql, guard_sql, under_lock
from pgvouch.postgres import read_only
from pgvouch.postgres.message import Message
from pgvouch.postgres.pooling import (
    RESET_ROLE,
    RESET_SESSION,
    application_name,
    marker_of,
)
from pgvouch.postgres.result import Result
from pgvouch.postgres.session import OWN_SCHEMAS, QueryError
from pgvouch.postgres.timeouts import look_after_s, settings_sql
from pgvouch.sqltext.duration import seconds
from pgvouch.sqltext.own import Raw
from pgvouch.verify import checks
from pgvouch.verify.wording import check_error, unjudged_error

_NO_CURSOR = "34000"
_ON_DISK = Raw(
    "case when pg_catalog.current_setting('synchronous_commit') operator(pg_catalog.=) 'off' "
    "then 'on' else pg_catalog.current_setting('synchronous_commit') end"
)

_FLUSH_COUNTS = "select pg_catalog.pg_stat_force_next_flush()"
"""Else what the server counts in a transaction begins with what earlier ones have done in the last
second: it gives its counts away no more often."""


@dataclass
class Transaction:
    """A transaction that holds a migration (or rollback), its checks and its ledger row."""

    context: RunContext
    task: Task
    scope: Scope = Scope.EACH
    is_last: bool = True
    """Whether it is the last task of the run."""
    recorded: int | None = None
    """How many migrations the ledger has to have ahead of this one; None: they are not counted."""
    begins: bool = True
    """False where it was begun before, by an earlier task or by the caller."""
    xid: str = ""

    def __post_init__(self) -> None:
        self.session, self.watch = self.context.session, self.context.watch
        self.session.mask.add(self.task.source.rendered.secrets)
        self.context.xid = ""
        self.lock_timeout = self.task.directives.lock_timeout or self.context.options.lock_timeout
        """None, until the server has said how long by default."""
        self._leave_savepoint: tuple[str, ...] = ()
        """The statements that end the savepoint in which the promises have run."""
        self._yoyo: tuple[str, str] | None = None

    @property
    def commits(self) -> bool:
        """Whether it ends with the task, and what the task did stays."""
        return self.scope is Scope.EACH or (self.scope is Scope.TOGETHER and self.is_last)

    @property
    def settings(self) -> str:
        """What has to be said again after each reset of the session."""
        return self._settings()

    def _settings(self, **others: str) -> str:
        asked, default = self.task.directives.statement_timeout, self.context.options
        name = application_name(self.task.direction, self.task.id)
        longest = asked or default.statement_timeout
        return settings_sql(self.lock_timeout, longest, application_name=name, **others)

    def prepare(self) -> None:
        """Do the client's work for the end of the task while the server does the task's."""
        self._yoyo = self.yoyo

    @property
    def yoyo(self) -> tuple[str, str]:
        """yoyo's own statements for the ledger."""
        if self._yoyo is not None:
            return self._yoyo
        backend = self.context.backend
        mark = backend.unmark_sql if self.task.is_rollback else backend.mark_sql
        return mark(self.task.id)

    def look_out(self, marker: str) -> None:
        """Watch for who is in the way of the message that begins with a marker."""
        self.watch.begin(marker, look_after_s(self.lock_timeout))

    def opening(self) -> Message:
        """Return the message that begins it: a clean session, the lock, the timeouts."""
        marker = marker_of(self.task.direction, self.task.id)
        self.begins = self.scope is Scope.EACH or self.session.is_idle
        if self.begins and self.context.counts and not self.context.counts_are_flushed:
            self.session.try_run(_FLUSH_COUNTS)
        self.context.counts_are_flushed = False
        self.look_out(marker)
        message = Message()
        if self.begins:
            isolation = self.task.directives.isolation
            message.add(f"{marker} begin isolation level {isolation} read write", name="begin")
        else:
            message.add_comment(marker)
        message.add_joined(self._reset())
        # Ahead of the guard: the ledger itself may be locked.
        message.add(self._settings(search_path=OWN_SCHEMAS))
        message.add(*self._guard(), name="guard")
        return message.add("set local search_path to default")

    def _guard(self) -> tuple[str, str]:
        task = self.task
        if task.is_repeatable:
            return guard_run_sql(
                task.id,
                in_force=task.in_force,
                checksum=task.migration.checksum if task.migration else None,
                behind=task.behind,
                recorded=self.recorded,
            )
        # Stock yoyo takes no lock and leaves its row alone: the last one counts, as the first does.
        return guard_sql(
            task.id,
            applied=task.is_rollback,
            recorded=self.recorded,
            written_by="" if self.is_last else self.context.written_by,
        )

    def _reset(self) -> list[str]:
        """Return what makes the session clean; a prepared statement of ours stays in it."""
        known = self.context.known
        if known is None or not known.is_prepared:
            return list(RESET_SESSION)
        if known.leaves_statements:
            known.is_prepared = False
            return list(RESET_SESSION)
        return [s for s in RESET_SESSION if s not in {"deallocate all", "discard plans"}]

    @property
    def may_prepare(self) -> bool:
        """Whether a statement may stay prepared: the backend is known to be ours alone."""
        context = self.context
        return self.scope is Scope.EACH and context.may_prepare and context.has_own_backend

    def read_on(self, message: Message) -> tuple[Result, ...]:
        """Send a message that reads, once what the promises have done is taken back.

        Raises:
            MigrationError: PostgreSQL refused it.
        """
        ahead = Message().add(*self._leave_savepoint, *RESET_ROLE)
        self._leave_savepoint = ()
        message.parts[:0] = ahead.parts
        return self.send(message)

    def open(self, message: Message) -> tuple[Result, ...]:
        """Send the opening (and what was appended to it), waiting for other runners.

        Raises:
            MigrationError: PostgreSQL refused a statement.
            ConnectError: another runner held the lock for all of the wait.
            LedgerMovedError: another runner has done this migration already.
        """
        results = under_lock(
            self.session,
            self.context.options,
            self.context.listener,
            lambda: self.try_open(message),
            state=f"Nothing of {self.task.what} was run.",
        )
        _, found = message.results_of("guard", results)
        _, xid, pid, lock_timeout, deadlock_timeout = found.rows[0]
        self.xid = self.context.xid = xid or ""
        self.watch.pid = int(pid or 0)
        # A pooler tells another number than that of the backend.
        self.context.has_own_backend = pid == str(self.session.connection.info.backend_pid)
        self.refuse_ended()
        self._warn_of_patience(deadlock_timeout or "1s")
        self.lock_timeout = lock_timeout
        return results

    def go_on(self, message: Message) -> tuple[Result, ...]:
        """Send a message: that which begins with the opening, or a further one.

        Raises:
            VouchError: as open() and send() do.
        """
        return self.send(message) if self.xid else self.open(message)

    def try_open(self, message: Message) -> tuple[Result, ...]:
        """Send the opening once.

        Raises:
            LockedError: another runner holds the lock; the session is idle again.
            MigrationError: PostgreSQL refused a statement.
            LedgerMovedError: another runner has done this migration already.
            PlanError: another runner has done something else meanwhile.
        """
        try:
            return message.send(self.session)
        except QueryError as exc:
            name = message.locate(exc).part.name
            if name == "begin" or (name == "guard" and exc.word == read_only.READ_ONLY):
                raise read_only.cannot_begin(self.session, exc) from None
            if name != "guard":
                raise self.error(message, exc) from None
            self.session.roll_back()
            raise guard_error(exc) or self.error(message, exc) from None

    def send(self, message: Message) -> tuple[Result, ...]:
        """Send a further message of the transaction.

        Raises:
            MigrationError: PostgreSQL refused a statement, or the file ended its transaction.
        """
        try:
            results = message.send(self.session)
        except QueryError as exc:
            raise self.error(message, exc) from None
        self.refuse_ended()
        return results

    def check(
        self, message: Message, before: Sequence[Result] = ()
    ) -> tuple[tuple[Result, ...], int]:
        """Send a further message with the task's promises behind it.

        Args:
            message: what goes ahead of the promises.
            before: what the `before` queries of `same` pairs gave.

        Returns:
            The results of the message, and how many promises were kept.

        Raises:
            CheckError: one was not.
            MigrationError: PostgreSQL refused the message itself, or others were in a check's way.
        """
        return self._check(message, self.task.promises, before)

    def check_always(self) -> int:
        """Run what has to hold whatever is applied; nothing is sent where there is nothing.

        Raises what `check` raises.

        Returns:
            How many promises were kept.
        """
        passed = 0
        for promises in self.task.always:
            message = Message().add(*self._leave_savepoint, *RESET_ROLE)
            passed += self._check(message, promises)[1]
        return passed

    def _check(
        self, message: Message, promises: Promises | None, before: Sequence[Result] = ()
    ) -> tuple[tuple[Result, ...], int]:
        try:
            results, verdict = checks.run(
                self.session, message, promises, before, settings=(self.settings,)
            )
        except QueryError as exc:
            raise self.error(message, exc) from None
        self._leave_savepoint = checks.BACK
        if verdict.broken:
            raise check_error(self.task.what, verdict.broken)
        if verdict.unjudged:
            error = unjudged_error(self.task.what, verdict.unjudged[0])
            raise wording.name_blockers(error, self.watch.seen)
        return results, verdict.passed

    def finish(self, *ledger: str) -> None:
        """Write the ledger and commit, in one message.

        Args:
            ledger: the statements that record it; the last one fails with the word `ended`
                where the transaction is not `xid` any more.

        Raises:
            MigrationError: a deferred constraint failed, or the file ended its transaction.
        """
        message = Message().add(*self._leave_savepoint)
        # Deferred constraints are checked now, so that a failure is reported for this migration.
        # LISTEN begins and ends with a commit: ended by the next migration it would be late.
        message.add("set constraints all immediate", *RESET_ROLE, "unlisten *")
        flushes = self.is_last or not self.task.directives.transactional
        # The last one is on disk before it is reported, and takes all earlier ones with it.
        commit = {"synchronous_commit": _ON_DISK if flushes else "off"} if self.commits else {}
        message.add(self._settings(search_path=OWN_SCHEMAS, **commit))
        if self.context.counts:
            message.add(_FLUSH_COUNTS)
        message.add(*ledger, name="ledger")
        message.add("commit" if self.commits else "set local search_path to default")
        try:
            self.session.run(message.text)
        except QueryError as exc:
            error = self.error(message, exc)
            if message.locate(exc).part.name == "ledger" and exc.word != wording.ENDED:
                error.explain(
                    "this is where its row is written into the ledger",
                    hint="does the migration itself change the schema pgvouch?",
                )
            raise error from None
        self.context.counts_are_flushed = self.context.counts and self.commits
        # A row's xmin is the last half of it.
        self.context.written_by = str(int(self.xid) & 0xFFFFFFFF)

    def _warn_of_patience(self, deadlock_timeout: str) -> None:
        """Say what a lock timeout that was asked for may do to others."""
        asked = self.lock_timeout
        if asked and not 0 < seconds(asked) < seconds(deadlock_timeout):
            longer = "without end" if seconds(asked) == 0 else f"for {asked}"
            who = self.task.id if self.task.directives.lock_timeout else "a migration"
            self.context.note(
                f"{who} waits for a lock {longer}, not less than the server's deadlock_timeout of "
                f"{deadlock_timeout}: in a deadlock it may be a client's transaction that is ended"
            )

    def refuse_ended(self) -> None:
        """Refuse to go on outside a transaction.

        Raises:
            MigrationError: the file has committed or rolled back by itself.
        """
        if not self.session.in_transaction:
            raise wording.ended_its_transaction(self.task)

    def error(self, message: Message, exc: QueryError) -> MigrationError:
        """Return the error for a statement of a message, with those who were in its way."""
        if exc.server.sqlstate == _NO_CURSOR and message.locate(exc).part.name == AFTER:
            if self.session.is_idle:
                return wording.ended_its_transaction(self.task)
            return wording.unwatched(self.task)
        return wording.migration_error(self.task, message, exc, self.watch.seen)
