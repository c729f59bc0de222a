"""Tests of migrations that hold for every project: import them into a module of tests."""

from collections.abc import Callable

import pytest

from pgvouch.testing.database import ClonedDatabase


def test_each_migration_goes_up_back_and_up_again(
    pgvouch_clone: Callable[..., ClonedDatabase],
) -> None:
    """Each is applied, rolled back and applied again.

    The rollback has to undo what the migration did, whether there is a .delta file or not. One that
    has no rollback is only applied.
    """
    database = pgvouch_clone(empty=True)
    with database.vouch as vouch:
        for planned in vouch.plan().pending:
            if planned.has_rollback and planned.transactional:
                vouch.rehearse(to=planned.id)
            vouch.migrate(to=planned.id)
            if planned.has_rollback and not planned.transactional:
                vouch.rollback(discard_data=True)
                vouch.migrate(to=planned.id)
        vouch.migrate()


def test_every_promise_holds(pgvouch_database: ClonedDatabase) -> None:
    """Every promise of every migration holds where all of them, and the seed, are applied."""
    broken = [
        f"{verdict.id}: {finding.sentence} ({finding.place})"
        for verdict in pgvouch_database.vouch.verify()
        for finding in (*verdict.broken, *verdict.unjudged)
    ]
    if broken:
        pytest.fail("\n".join(broken), pytrace=False)
