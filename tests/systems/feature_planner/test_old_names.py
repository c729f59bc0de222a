"""An application of before the move, still running after it: what keeps it going, and what does not."""

import psycopg
import pytest
from psycopg import errors

from .world import MOVE, migrate, roll_back

SEARCH_PATH = "alter role {} in database {} set search_path = public, feature_planner"
READ = "select original_request from feature_plans where status = %s::plan_status order by 1"
WRITE = (
    "insert into plan_execution_logs (plan_id, step, step_number, agent_type, start_time) "
    "select id, %s::execution_step, 3, 'old', now() from feature_plans limit 1"
)


def old_application(address, db, *, prepared_by_path):
    """A session of the old release: names without a schema, statements prepared."""
    if prepared_by_path:
        user, database = db.rows("select quote_ident(current_user), quote_ident(current_database())")[0]  # fmt: skip
        db.rows(SEARCH_PATH.format(user, database))
    return psycopg.connect(address, autocommit=True)


def use(application):
    """What the old release does all day."""
    found = application.execute(READ, ["draft"], prepare=True).fetchall()
    application.execute(WRITE, ["planning"], prepare=True)
    return found


def test_with_the_search_path_an_open_session_does_not_notice(address_before, before):
    with old_application(address_before, before, prepared_by_path=True) as application:
        found = use(application)
        migrate(address_before, MOVE)
        assert use(application) == found == [("Sort the collection by date",)]
        roll_back(address_before)
        assert use(application) == found

    assert before.value("select count(*) from public.plan_execution_logs where agent_type = 'old'") == 3  # fmt: skip


def test_nothing_stands_in_public_for_it(address_before, before):
    with old_application(address_before, before, prepared_by_path=True) as application:
        migrate(address_before, MOVE)
        assert use(application)
    assert before.schema_of("feature_plans") == ["feature_planner"]
    assert before.value("select to_regclass('public.plan_execution_logs')") is None


@pytest.mark.parametrize("statement", [READ, "select id from feature_plans where %s <> ''"])
def test_without_it_the_old_names_are_not_found(address_before, before, statement):
    with old_application(address_before, before, prepared_by_path=False) as application:
        application.execute(statement, ["draft"], prepare=True)
        migrate(address_before, MOVE)
        with pytest.raises((errors.UndefinedTable, errors.UndefinedObject)):
            application.execute(statement, ["draft"], prepare=True)


def test_names_that_say_public_are_not_found_either_way(address_before, before):
    with old_application(address_before, before, prepared_by_path=True) as application:
        application.execute("select id from public.feature_plans")
        migrate(address_before, MOVE)
        with pytest.raises(errors.UndefinedTable):
            application.execute("select id from public.feature_plans")
        # The release that knows where they are.
        assert len(application.execute("select id from feature_planner.feature_plans").fetchall()) == 5  # fmt: skip
