"""The library: one database and the migrations that make it.

Nothing is printed, and neither the process's signals, its stdout nor its environment are touched:
results are frozen values, progress is events, and what goes wrong is a VouchError.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pgvouch.api.one_database import OneDatabase, as_vouch_errors
from pgvouch.config.project import (
    database_names,
    read_database,
    read_files,
    without_files,
)
from pgvouch.engine import commands
from pgvouch.engine.commands import Outcome
from pgvouch.errors import (
    NoDatabaseError,
    Place,
    UsageError,
)
from pgvouch.ledger.rows import Applied

if TYPE_CHECKING:
    from pgvouch.adopt.baseline import Baseline
    from pgvouch.adopt.from_database import FromDatabase
    from pgvouch.adopt.take_over import Adopted
    from pgvouch.api.values import Plan, Repaired, RollbackStep
    from pgvouch.delta.fold import Comparison
    from pgvouch.operations.accept_delta import Written
    from pgvouch.operations.explain import Explanation
    from pgvouch.operations.history import HistoryEntry
    from pgvouch.operations.lint import Linted
    from pgvouch.operations.schema_file import Dumped
    from pgvouch.operations.squash import Squashed
    from pgvouch.operations.starter import Started
    from pgvouch.plan.status import MigrationStatus
    from pgvouch.report.model import Report
    from pgvouch.stamp.templates import Family
    from pgvouch.stamp.verdict import Stamped
    from pgvouch.verify.checks import Verdict


class Vouch(OneDatabase):
    """One database, and the migrations that make it.

    The files are read once, by the first call. Each call reads the ledger, does its work and ends
    its connection, or within a `with` block keeps it for the next one. An object is for one thread
    at a time; several objects can be at work at once.
    """

    def status(self) -> tuple["MigrationStatus", ...]:
        """Return every migration of the files and of the ledger, and what became of it.

        A database that is not there has applied nothing.
        """
        from pgvouch.plan.status import status

        rows, _, runs = self._read()
        return tuple(status(self._database, rows, runs))

    def plan(self, *, to: str | None = None, out_of_order: bool = False) -> "Plan":
        """Return what `migrate` would do, with every file read and found sound.

        Args:
            to: the last migration (identifier or number); None means all.
            out_of_order: allow a number below the newest applied one.

        Raises:
            VouchError: `migrate` would refuse to begin.
        """
        from pgvouch.api.values import Plan, planned
        from pgvouch.engine.task import sound
        from pgvouch.plan.repeat import due

        options = self._options()
        rows, limits, runs = self._read()
        todo = commands.pending(self._database, rows, to=to, out_of_order=out_of_order)
        repeated = due(self._database.repeatables, runs) if to is None else []
        requires = self.project.verify_required
        prepared = sound(
            todo, self._database, options, require_promises=requires, repeated=repeated
        )
        return Plan(
            tuple(planned(item.migration, options, limits) for item in prepared if item.migration),
            todo.ahead,
            tuple(warning for item in prepared for warning in item.warnings),
            limits is not None,
        )

    def lint(self) -> "Linted":
        """Read every file as `migrate` and `rollback` would; no server is asked.

        Raises:
            FileError: a file that one of them would refuse; RefusedError lists several.
        """
        from pgvouch.operations.lint import lint

        files = self._chosen or read_files(self.project, self._folder_name())
        return lint(
            files, require_promises=self.project.verify_required, strict=self.project.strict
        )

    def migrate(
        self, *, to: str | None = None, single_transaction: bool = False, out_of_order: bool = False
    ) -> Outcome:
        """Apply what is pending, each migration verified inside its own transaction.

        Args:
            to: the last migration (identifier or number); None means all.
            single_transaction: all or nothing.
            out_of_order: allow a number below the newest applied one.

        Raises:
            VouchError: with what landed and what did not.
        """
        options = self._options(single_transaction=single_transaction)
        with self._connected("migrate", notices=True) as session:
            return commands.migrate(
                session,
                self._database,
                options,
                self.on_event,
                to=to,
                out_of_order=out_of_order,
                require_promises=self.project.verify_required,
            )

    def rehearse(self, *, to: str | None = None) -> Outcome:
        """Apply what is pending and roll it back, in one transaction that keeps nothing.

        Raises:
            VouchError: a migration, a check or a rollback failed, or a rollback left something.
        """
        from pgvouch.operations.rehearsal import rehearse

        with self._connected("migrate", notices=True) as session:
            return rehearse(
                session,
                self._database,
                self._options(),
                self.on_event,
                to=to,
                require_promises=self.project.verify_required,
            )

    def rollback(
        self,
        *,
        steps: int | None = 1,
        to: str | None = None,
        discard_data: bool = False,
        accept_difference: bool = False,
        from_files: bool = False,
    ) -> Outcome:
        """Roll migrations back, newest first.

        Args:
            steps: how many; None means all. Not looked at with `to`.
            to: the migration that is to be the newest one afterwards.
            discard_data: allow rows to be lost.
            accept_difference: allow a rollback to undo something else than its migration did.
            from_files: run the rollback files, not what the ledger has stored of them.

        Raises:
            DataLossError: rows would be lost.
            CheckError: a check of a rollback fails, or it does not undo what its migration did.
            VouchError: with what was rolled back and what is still there.
        """
        options = self._options(
            discard_data=discard_data,
            accept_difference=accept_difference,
            rollback_from_files=from_files,
        )
        with self._connected("rollback", notices=True) as session:
            return commands.roll_back_steps(
                session, self._database, options, self.on_event, steps=steps, to=to
            )

    def redo(
        self,
        *,
        discard_data: bool = False,
        accept_difference: bool = False,
        from_files: bool = False,
    ) -> Outcome:
        """Roll the newest migration back and apply its file as it is now.

        In one transaction, which keeps both or neither; unless one of the two is not transactional.

        Args:
            discard_data: allow rows to be lost.
            accept_difference: allow the rollback to undo something else than its migration did.
            from_files: run the rollback file, not what the ledger has stored of it.

        Raises:
            DataLossError: rows would be lost.
            PlanError: the migration has no file here, or no rollback.
            VouchError: with what is in the database now.
        """
        from pgvouch.operations.redo import redo

        options = self._options(
            discard_data=discard_data,
            accept_difference=accept_difference,
            rollback_from_files=from_files,
        )
        required = self.project.verify_required
        with self._connected("redo", notices=True) as session:
            return redo(session, self._database, options, self.on_event, require_promises=required)

    def history(self) -> tuple["HistoryEntry", ...]:
        """Return what was done with the migrations of the database, the oldest first.

        In a database that is not there nothing was done.
        """
        from pgvouch.operations.history import read_history

        try:
            with self._connected("history", only_looks=True) as session:
                return tuple(read_history(session))
        except NoDatabaseError:
            return ()

    def current(self) -> Applied | None:
        """Return the migration that was applied last, None where none is."""
        from pgvouch.plan.status import newest

        rows, _, _ = self._read()
        return newest(rows)

    def preview_rollback(
        self, *, steps: int | None = 1, to: str | None = None, from_files: bool = False
    ) -> tuple["RollbackStep", ...]:
        """Return what `rollback` would run and lose, found in a transaction that keeps nothing.

        Its locks are held as long as that takes.

        Raises:
            VouchError: a rollback fails.
        """
        from pgvouch.api.values import RollbackStep

        options = self._options(rollback_from_files=from_files)
        with self._connected("rollback") as session:
            found = commands.look_back(session, self._database, options, steps=steps, to=to)
        return tuple(RollbackStep(task.id, task.source.text, notes) for task, notes in found)

    def verify(self) -> tuple["Verdict", ...]:
        """Run every promise of every applied migration again, and leave nothing behind.

        Returns:
            What came of the promises of each migration; a broken one raises nothing.

        Raises:
            VouchError: promises cannot be run at all.
        """
        from pgvouch.verify.live import verify_database

        options = self._options()
        with self._connected("verify") as session:
            rows = commands.read_ledger(session)
            return tuple(verify_database(session, self._database, rows, options, self.on_event))

    def explain(self, migration: str) -> "Explanation":
        """Explain a migration; it needs no server, and no URL: then its state is `not asked`.

        Args:
            migration: identifier or number.

        Raises:
            PlanError: there is no such migration, or more than one.
            FileError: a file of it cannot be read.
        """
        from pgvouch.operations.explain import explain

        return explain(self.project, self._folder_name(), migration, self._asked)

    def drift(self) -> "Comparison":
        """Compare the live catalog with what the deltas of the applied migrations come to.

        It reads only, in one transaction. A changed file is no concern of it: see `status`.

        Returns:
            What differs; that raises nothing.

        Raises:
            VouchError: the catalog, the ledger or a .delta file cannot be read.
        """
        from pgvouch.operations.drift import compare_database

        with self._connected("drift", only_looks=True) as session:
            return compare_database(session, self._database, self._options(), self.on_event)

    def report(self, *, verify: bool = False) -> "Report":
        """Return what is known of the database; `Report.page` makes HTML of it.

        Args:
            verify: run every promise, and compare the catalog with the deltas.

        Raises:
            VouchError: the ledger or a file cannot be read, or promises cannot be run at all.
        """
        from pgvouch.report.gather import gather

        verdicts, compared = (self.verify(), self.drift()) if verify else (None, None)
        try:
            with self._connected("report", only_looks=True) as session:
                return gather(session, self._database, verdicts, compared)
        except NoDatabaseError:
            return gather(None, self._database)

    def adopt(
        self,
        project: str | Path,
        *,
        tool: str | None = None,
        into: str | Path | None = None,
        in_place: bool = False,
        ledger: str | None = None,
        with_files: bool = True,
        with_ledger: bool = True,
        dry_run: bool = False,
    ) -> "Adopted":
        """Make a project of another tool one of pgvouch. Nothing of the old one is changed.

        Args:
            project: its folder, or that of its migrations.
            tool: which tool's; None finds out.
            into: where the files go; None is the folder of this database's migrations.
            in_place: leave the files where they are: pgvouch reads them as the tool does.
            ledger: the tool's table, where it has another name.
            with_files: False where they are adopted already.
            with_ledger: False looks at no database.
            dry_run: write nothing.

        Returns:
            What became of each file and of the ledger.

        Raises:
            UsageError: the project is of no known tool, or files of ours are there.
            FileError: something that cannot be taken over.
            PlanError: the ledger does not agree with the files, or is in use.
        """
        from contextlib import nullcontext

        from pgvouch.adopt.take_over import adopt, plan, plan_in_place

        if with_ledger and self._chosen is None:
            self._chosen = without_files(self.project, self._name or "", self._given, self.on_event)
        folder = Path(into) if into else self.project.migrations / (self._name or "")
        adoption = (
            plan_in_place(Path(project), tool) if in_place else plan(Path(project), tool, folder)
        )
        with self._connected("adopt") if with_ledger else nullcontext() as session:
            return adopt(
                adoption,
                session,
                self._options(),
                self.on_event,
                named=ledger,
                writes_files=with_files,
                is_dry=dry_run,
            )

    def init(self, *, ci: bool = True) -> "Started":
        """Write the first files of a project: configuration, a migration that works, a CI workflow.

        No server is asked, and what is there stays as it is.

        Args:
            ci: write a workflow for GitHub.

        Raises:
            UsageError: there are migrations already, ours or those of another tool that neither
                the configuration nor `migrations=` stands apart from; nothing was written.
        """
        from pgvouch.adopt.tools import refuse_known
        from pgvouch.embedded import wheel_bin
        from pgvouch.operations.starter import start_project

        try:
            has_server = wheel_bin().is_dir()
        except UsageError:
            has_server = False
        if self._folder is None and self.project.config_file is None:
            refuse_known(Path())
        named = {**self._given.dotenv, **self._environment}
        named |= {"DATABASE_URL": self._url} if self._url else {}
        return start_project(self.project, self._name or "", named, ci=ci, has_server=has_server)

    def init_from_database(
        self,
        *,
        without: Sequence[str] = (),
        why: str | None = None,
        pg_dump: str | Path | None = None,
    ) -> "FromDatabase":
        """Write the first migration from what the database is, and record it there as applied.

        Args:
            without: schemas to leave out, which a platform makes.
            why: the reason for which a difference is accepted.
            pg_dump: the program; None finds one that is not older than the server.

        Returns:
            The files, and what they make beside the database; nothing was written where the two
            differ, unless a reason was given.

        Raises:
            UsageError: there are migrations already, or no pg_dump is here.
            PlanError: the database has a ledger.
        """
        from pgvouch.adopt.from_database import from_database
        from pgvouch.operations.starter import refuse_mixture

        refuse_mixture(self.project.migrations, self._name or "")
        if self._chosen is None:
            self._chosen = without_files(self.project, self._name or "", self._given, self.on_event)
        with self._connected("init", only_looks=True) as session:
            return from_database(
                session,
                self._database,
                self.url,
                self._options(),
                self.on_event,
                without=without,
                why=why,
                pg_dump=Path(pg_dump) if pg_dump else None,
            )

    def squash(
        self, *, to: str, name: str = "squashed", pg_dump: str | Path | None = None
    ) -> "Squashed":
        """Write one migration in the place of all up to one; the old ones are kept in squashed/.

        Proved on scratch databases beside this one, which is not touched: catalog, rows and
        sequences are the same. A database that has the old ones has the new one.

        Args:
            to: the last migration to squash (identifier or number).
            name: the words of the new file's name.
            pg_dump: the program; None finds one that is not older than the server.

        Raises:
            PlanError: there is nothing to squash.
            CheckError: the new file would make something else; no file was changed.
        """
        from pgvouch.operations.squash import squash

        program = Path(pg_dump) if pg_dump else None
        return squash(
            self._database,
            self.url,
            self._options(),
            self.on_event,
            to=to,
            name=name,
            pg_dump=program,
        )

    def baseline(
        self, *, to: str | None = None, why: str | None = None, dry_run: bool = False
    ) -> "Baseline":
        """Record migrations as applied without running them, where the database is what they make.

        They are applied to a scratch database beside it, and the two catalogs are compared.

        Args:
            to: the last of them (identifier or number); None means all.
            why: the reason for which a difference is accepted.
            dry_run: record nothing.

        Returns:
            What differs; nothing was recorded then, unless a reason was given.

        Raises:
            PlanError: the database has a ledger.
            VouchError: a migration fails on the scratch database.
        """
        from pgvouch.adopt.baseline import baseline

        with self._connected("baseline", only_looks=True) as session:
            return baseline(
                session,
                self._database,
                self.url,
                self._options(),
                self.on_event,
                to=to,
                why=why,
                is_dry=dry_run,
            )

    def accept(self, migration: str, why: str) -> Applied:
        """Record that the change to an applied file is harmless.

        Returns:
            The ledger's row as it was.

        Raises:
            PlanError: the migration is not applied, or its file has not changed.
            UsageError: there is no reason.
        """
        if not why.strip():
            raise UsageError("--why says nothing")
        with self._connected("accept") as session:
            return commands.accept(session, self._database, migration, why)

    def repair(
        self, migration: str, how: Literal["done", "redo", "undo"], *, discard_data: bool = False
    ) -> "Repaired":
        """Settle a non-transactional migration that stopped in a statement of unknown outcome.

        Args:
            migration: identifier or number.
            how: `done`: the statement is done; `redo`: it is not; `undo`: roll all of it back.
            discard_data: with `undo`: allow rows to be lost.

        Raises:
            PlanError: it has not stopped, or a runner is at work on it.
            UsageError: `how` is none of these.
        """
        from pgvouch.api.values import Repaired
        from pgvouch.operations.repair import How, repair

        known = {item.value: item for item in How}
        if how not in known:
            raise UsageError(f"say one of {', '.join(known)}, not {how!r}")

        options = self._options(discard_data=discard_data)
        with self._connected("repair", notices=True) as session:
            row, finished = repair(
                session, self._database, migration, known[how], options, self.on_event
            )
        return Repaired(row.id, row.state, tuple(finished))

    def dump(
        self,
        *,
        path: str | Path | None = None,
        check: bool = False,
        without: Sequence[str] = (),
        pg_dump: str | Path | None = None,
    ) -> "Dumped":
        """Write the schema, without rows and without the ledger, into a file for review.

        Args:
            path: another file than the configuration's: schema.sql, or schema/NAME.sql where the
                project has several databases.
            check: write nothing.
            without: schemas to leave out, besides those of the configuration.
            pg_dump: the program; None finds one that is not older than the server.

        Raises:
            UsageError: no pg_dump is new enough.
            ConnectError: pg_dump failed.
            FileError: the file cannot be read or written.
        """
        from pgvouch.operations.schema_file import dump_schema

        settings = self.project.dump
        program = pg_dump or settings.pg_dump
        with self._connected("dump", only_looks=True) as session:
            return dump_schema(
                session,
                self.url,
                Path(path) if path else self.project.schema_file(self._database.folder),
                without=(*settings.exclude_schemas, *without),
                pg_dump=Path(program) if program else None,
                lock_timeout=self._options().lock_timeout,
                check=check,
            )

    def seed(self) -> None:
        """Load development data from seed/NAME.sql, in one transaction.

        Raises:
            UsageError: there is no such file.
            MigrationError: PostgreSQL refused a statement; nothing of it stays.
        """
        from pgvouch.operations.seed import read_seed, run_seed

        path = self.project.seed / f"{self.name}.sql"
        if not path.exists():
            raise UsageError(f"there is no seed for {self.name}", Place(path))
        source = read_seed(path)
        with self._connected("seed") as session:
            run_seed(session, self.name, source)

    def wait_for_server(self, budget_s: float = 60.0) -> bool:
        """Wait until the server answers, and say whether the database is there.

        Raises:
            ConnectError: the time, in seconds, has run out.
        """
        try:
            with self._waiter(budget_s):
                return True
        except NoDatabaseError:
            return False

    def wait_for_schema(self, budget_s: float = 60.0) -> None:
        """Wait until another runner has applied every migration of these files.

        Raises:
            ConnectError: the time, in seconds, has run out.
            DriftError: an applied file has changed or is gone.
        """
        from pgvouch.operations.ready import wait_for_schema

        wait_for_schema(self._waiter, self._database, budget_s, self.on_event)

    def new(
        self,
        name: str,
        *,
        sql: str | None = None,
        stamps: Sequence[str] = (),
        timestamp: bool = False,
    ) -> tuple[Path, ...]:
        """Write the files of a new migration, numbered as the folder is.

        Args:
            name: words in letters, digits and underscores.
            sql: its statements; otherwise the file says what is to be filled in.
            stamps: calls of templates, as behind `-- stamp:`; they are expanded.
            timestamp: number it by the time, whatever the folder has.

        Raises:
            UsageError: a name that cannot be part of a file's name, or several databases.
            StampError: a stamp that cannot be expanded; no file was written.
        """
        from pgvouch.operations.authoring import Wanted, new_migration

        folder_name = self._folder_name()
        folder = self.project.migrations / folder_name
        there = read_database(self.project, folder_name) if folder.is_dir() else ()
        wanted = Wanted(name, sql, tuple(stamps), timestamp)
        return tuple(new_migration(self.project, folder, there, wanted))

    def accept_delta(self, migration: str | None = None) -> tuple["Written", ...]:
        """Write verify/ID.delta, of one migration or of all, from a scratch database.

        Raises:
            VouchError: a migration fails there; no file was written.
        """
        from pgvouch.operations.accept_delta import accept_deltas

        options = self._options()
        with as_vouch_errors():
            return tuple(accept_deltas(self._database, self.url, migration, options, self.on_event))

    def stamp(self, *, check: bool = False, force: bool = False) -> tuple["Stamped", ...]:
        """Bring the expansions of stamps up to date, or (with `check`) only say which are not.

        Args:
            check: write nothing.
            force: overwrite expansions that were edited by hand.
        """
        from pgvouch.operations.authoring import stamp_folder

        name = self._folder_name()
        applied = None if name.startswith("_") else self._applied  # a platform set has no database
        return tuple(stamp_folder(self.project, name, applied, check=check, force=force))

    def stamped_folders(self, names: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the folders of the project to stamp: its databases, and the platform sets.

        Args:
            names: which databases; none means all, and the platform sets beside them.

        Raises:
            UsageError: one of them is not there.
        """
        there = database_names(self.project)
        if unknown := [name for name in names if name not in there]:
            folder = self.project.migrations.name
            raise UsageError(f"there is no database {unknown[0]} in {folder}/")
        if there == [""]:
            return ("",)
        if names:
            return tuple(name for name in there if name in names)
        platforms = self.project.migrations.glob("_*/")
        return (*sorted(path.name for path in platforms), *there)

    def templates(self) -> tuple[tuple["Family", str], ...]:
        """Return what can be stamped, each family with what its sample gives."""
        from pgvouch.stamp.render import list_templates
        from pgvouch.stamp.templates import Templates

        return tuple(list_templates(Templates(self.project.templates)))
