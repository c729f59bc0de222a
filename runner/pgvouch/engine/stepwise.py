"""Applies a non-transactional migration: its statements one by one, then its promises."""

import time
from typing import TYPE_CHECKING

from pgvouch.engine.atomic import judge, record
from pgvouch.engine.prepare import Prepared
from pgvouch.engine.transaction import Transaction
from pgvouch.engine.walk import Walk
from pgvouch.events import Finished

if TYPE_CHECKING:
    from pgvouch.engine.run import Engine


def apply_stepwise(engine: "Engine", transaction: Transaction, item: Prepared) -> Finished:
    """Apply a non-transactional migration, going on where an earlier run stopped.

    Args:
        engine: the session and its options.
        transaction: not begun; the promises and the row of the ledger will be in it.
        item: the migration.

    Raises:
        MigrationError: a statement failed; those before it are done and stay done.
        CheckError: its promises are not kept; all its statements are done and stay done.
        DriftError: the statements that are done are not those at the head of the file any more.
    """
    began = time.perf_counter()
    with Walk(engine, transaction) as walk:
        if item.migration.is_python and not walk.done:
            walk.run_python(item.migration, "apply")
        walk.run()
        transaction.open(transaction.opening())
        passed, _ = judge(engine, transaction, item)
        duration_ms = (time.perf_counter() - began) * 1000
        done = Finished(item.migration.id, "applied", duration_ms, passed)
        verified = item.promises is not None
        record(engine, transaction, item, done, walk.owned_sql(), verified=verified, flush=True)
    return done
