"""The live catalog beside the fold of what the applied migrations did to it."""

from collections.abc import Mapping, Sequence

from pgvouch.config.options import Options
from pgvouch.config.project import Database
from pgvouch.delta.file import delta_of_applied
from pgvouch.delta.fold import Comparison, Deed, Fold
from pgvouch.delta.lines import catalog_of
from pgvouch.delta.snapshot import Snapshot, add_snapshot, read_snapshot
from pgvouch.errors import ConnectError, MigrationError
from pgvouch.events import Listener, Waiting
from pgvouch.ledger import ledger
from pgvouch.ledger.repeatable import Run, read_runs
from pgvouch.ledger.rows import Applied, State
from pgvouch.plan.squashed import with_squashed
from pgvouch.postgres.message import Message
from pgvouch.postgres.pooling import RESET_ROLE, application_name_sql
from pgvouch.postgres.retry import FailedAttempt, RetryLimits, others_were_in_the_way, retry
from pgvouch.postgres.session import OWN_PATH, QueryError, Session
from pgvouch.postgres.timeouts import settings_sql
from pgvouch.sqltext.own import own_query


def compare_database(
    session: Session, database: Database, options: Options, listener: Listener
) -> Comparison:
    """Compare the live catalog with what the deltas of the applied migrations come to.

    It reads only, in one transaction, and gives every lock back.

    Args:
        session: idle.
        database: the files: where the ledger has no delta of a migration, its file says it.
        options: timeouts and retries, and the values of variables, which are never shown.
        listener: told of waiting for others.

    Raises:
        FileError: a .delta file that cannot be read.
        ConnectError: others have kept a table locked for all of the attempts.
        MigrationError: PostgreSQL refuses to describe the catalog.
        PlanError: the ledger is not to be believed.
    """
    declared = {name for m in database.migrations for name in m.directives.variables}
    session.mask.add(options.variables.get(name, "") for name in declared)
    has_ledger = ledger.read(session) is not None
    rows = [] if has_ledger else ledger.read_yoyo(session)

    def look() -> Comparison:
        ours, deltas, snapshot = _look(session, options, has_ledger=has_ledger)
        deeds, provided = _deeds(database, ours if has_ledger else rows, deltas)
        deeds = _with_repeatables(deeds, read_runs(session) if has_ledger else ())
        return Fold.of(deeds).compare(catalog_of(snapshot.objects), provided).shown(session.mask)

    def tell(refusal: FailedAttempt) -> None:
        listener(Waiting(f"{refusal.error}; it is tried again", refusal.remaining_s))

    try:
        return retry(
            look,
            RetryLimits(options.retry_budget_s, 0.5, 20.0, attempts=options.retries + 1),
            again=lambda exc: isinstance(exc, QueryError) and others_were_in_the_way(exc.server),
            tell=tell,
            revive=session.revive,
        )
    except QueryError as exc:
        what = f"the catalog cannot be described: {exc.server.primary}"
        if others_were_in_the_way(exc.server):
            raise ConnectError(
                what,
                server=exc.server,
                hint="others have locked a table: run it again; --retries and --retry-budget keep "
                "trying for longer",
            ) from None
        raise MigrationError(what, server=exc.server) from None


def _look(
    session: Session, options: Options, *, has_ledger: bool
) -> tuple[list[Applied], dict[str, str], Snapshot]:
    """Return the ledger's rows and deltas and the catalog, as they are at one moment."""
    message = Message().add("begin isolation level repeatable read read only", *RESET_ROLE)
    message.add(settings_sql(options.lock_timeout, None))
    message.add(application_name_sql("drift", ""), OWN_PATH)
    if has_ledger:
        message.add(*ledger.rows_sql(), name="rows")
        message.add(own_query("ledger", "deltas"), name="deltas")
        # A delta leaves out the owner who is the role that migrates, whoever is asking now.
        message.add(own_query("ledger", "act_as_owner"))
    add_snapshot(message)
    message.add("rollback")
    try:
        results = message.send(session)
    finally:
        session.roll_back()
    found = message.results_of("rows", results)
    rows = ledger.rows_of(found) if found else []
    deltas = [row for result in message.results_of("deltas", results) for row in result.rows]
    known = {str(name): delta or "" for name, delta in deltas}
    return rows, known, read_snapshot(message, results)


def _with_repeatables(deeds: Sequence[Deed], runs: Sequence[Run]) -> list[Deed]:
    """Put each run of a repeatable migration behind what was the newest migration at that time."""
    known = {deed.id for deed in deeds}
    found = [Deed(run.id, run.delta) for run in runs if run.after not in known]
    for deed in deeds:
        found.append(deed)
        found += [Deed(run.id, run.delta) for run in runs if run.after == deed.id]
    return found


def _deeds(
    database: Database, rows: Sequence[Applied], deltas: Mapping[str, str]
) -> tuple[list[Deed], list[tuple[str, ...]]]:
    """Return what each migration did, and what those would have done that had nothing to do."""
    by_id = database.by_id
    deeds, provided = [], []
    for row in with_squashed(database.migrations, rows):
        migration = by_id.get(row.id)
        delta = delta_of_applied(deltas.get(row.id), migration.delta_path if migration else None)
        if row.state is State.PROVIDED:
            provided.append(delta or ())
        else:
            is_whole = row.state is State.APPLIED or row.is_untouched
            deeds.append(Deed(row.id, delta if is_whole else None))
    return deeds, provided
