"""Who sees what: two users, visitors, tokens of nobody, the server, and tables to come."""

import psycopg
from psycopg import errors

from pgvouch.engine import commands
from pgvouch.postgres.session import Session
from pgvouch.verify.live import verify_database

from .world import OPEN, TABLES, as_before, described, roll_back

PARENTS = {
    "feature_plans": ("user_id", "users"),
    "feature_refinements": ("plan_id", "feature_plans"),
    "file_discovery_sessions": ("plan_id", "feature_plans"),
    "discovered_files": ("discovery_session_id", "file_discovery_sessions"),
    "implementation_plan_generations": ("plan_id", "feature_plans"),
    "plan_steps": ("plan_generation_id", "implementation_plan_generations"),
    "plan_step_templates": ("user_id", "users"),
    "plan_execution_logs": ("plan_id", "feature_plans"),
}
ORDER = (
    "plan_execution_logs",
    "plan_steps",
    "plan_step_templates",
    "discovered_files",
    "implementation_plan_generations",
    "file_discovery_sessions",
    "feature_refinements",
    "feature_plans",
)
EVERYTHING = (
    "create table feature_planner.mine (id integer)",
    "create view feature_planner.mine as select 1",
    "truncate feature_planner.plan_execution_logs",
    "create trigger mine before insert on feature_planner.feature_plans "
    "for each row execute function feature_planner.touch_updated_at()",
    "alter table feature_planner.feature_plans disable row level security",
    "drop schema feature_planner cascade",
    "select * from public.users",
)


def test_users_reach_the_own_rows_and_no_others(planner, ann, bob):
    # Children first: what a cascade takes along the policy has not let through.
    for table in sorted(TABLES, key=ORDER.index):
        column, parent = PARENTS[table]
        for person in (ann, bob):
            with planner.acting("authenticated", person.sub) as db:
                assert db.rows(f"select id from feature_planner.{table}") == [(person.rows[table],)]
        with planner.acting("authenticated", ann.sub) as db:
            assert db.changed(f"update feature_planner.{table} set created_at = created_at") == 1
        with (
            planner.refused(errors.InsufficientPrivilege),
            planner.acting("authenticated", ann.sub) as db,
        ):
            others = bob.id if parent == "users" else bob.rows[parent]
            db.rows(f"update feature_planner.{table} set {column} = %s", others)
        with planner.acting("authenticated", ann.sub) as db:
            assert db.changed(f"delete from feature_planner.{table}") == 1
        assert planner.rows(f"select id from feature_planner.{table}") == [(bob.rows[table],)]


def test_nobody_keeps_another_from_being_deleted_or_learns_of_ids(planner, ann, bob):
    """An id that is in use and one that is not get the same answer."""
    session = ann.rows["file_discovery_sessions"]
    for other in (bob.id, "00000000-0000-4000-8000-000000000000"):
        for statement in (
            "insert into feature_planner.discovered_files "
            "(discovery_session_id, file_path, priority, added_by_user_id) "
            "values (%s, 'b.ts', 'low', %s)",
            "update feature_planner.discovered_files set discovery_session_id = %s, "
            "added_by_user_id = %s",
        ):
            with (
                planner.refused(errors.InsufficientPrivilege),
                planner.acting("authenticated", ann.sub) as db,
            ):
                db.rows(statement, session, other)
    assert planner.changed("delete from public.users where id = %s", bob.id) == 1


def test_a_file_that_the_server_has_in_anothers_name_is_still_its_owners(planner, ann, bob):
    planner.rows(
        "update feature_planner.discovered_files set added_by_user_id = %s where id = %s",
        bob.id,
        ann.rows["discovered_files"],
    )
    with planner.acting("authenticated", ann.sub) as db:
        assert db.changed("update feature_planner.discovered_files set is_selected = true") == 1
    with planner.acting("authenticated", bob.sub) as db:
        assert db.rows("select id from feature_planner.discovered_files") == [
            (bob.rows["discovered_files"],)
        ]


def test_a_public_template_is_read_by_all_and_changed_by_one(planner, ann, bob):
    planner.rows(
        "update feature_planner.plan_step_templates set is_public = true where user_id = %s", bob.id
    )
    with planner.acting("authenticated", ann.sub) as db:
        assert db.value("select count(*) from feature_planner.plan_step_templates") == 2
        assert db.changed("update feature_planner.plan_step_templates set name = 'x'") == 1
        assert db.changed("delete from feature_planner.plan_step_templates") == 1
    with planner.acting("authenticated", bob.sub) as db:
        assert db.rows("select name from feature_planner.plan_step_templates") == [("tests",)]


def test_a_token_of_nobody_sees_nothing(planner, ann):
    for sub in ("user_test_nobody", None):
        with planner.acting("authenticated", sub) as db:
            assert [db.rows(f"select id from feature_planner.{t}") for t in TABLES] == [[]] * 8


def test_other_roles_do_not_get_in(planner, ann):
    for role in ("anon", "service_role"):
        for statement in (
            *(f"select id from feature_planner.{table}" for table in TABLES),
            "select feature_planner.caller_id()",
        ):
            with planner.refused(errors.InsufficientPrivilege), planner.acting(role, ann.sub) as db:
                db.rows(statement)


def test_the_server_sees_everything_as_before(planner, ann, bob):
    for table in TABLES:
        assert planner.value(f"select count(*) from feature_planner.{table}") == 2


def test_users_cannot_do_what_takes_more_than_using_the_tool(planner, ann):
    for statement in EVERYTHING:
        with (
            planner.refused(errors.InsufficientPrivilege),
            planner.acting("authenticated", ann.sub) as db,
        ):
            db.rows(statement)


def test_the_documents_own_grants_would_let_a_user_create(planner, ann):
    """Why they are not used: the same statement, with them, goes through."""
    planner.rows("grant all on schema feature_planner to authenticated")
    planner.rows("grant all on all tables in schema feature_planner to authenticated")
    with planner.acting("authenticated", ann.sub) as db:
        db.rows("create table feature_planner.mine (id integer)")
        db.rows("truncate feature_planner.plan_execution_logs")
    assert planner.schema_of("mine") == ["feature_planner"]


def test_a_table_to_come_is_open_and_its_missing_row_security_is_found(address, planner, ann):
    planner.rows("create table feature_planner.notes (id serial, body text)")
    with planner.acting("authenticated", ann.sub) as db:
        assert db.value("insert into feature_planner.notes (body) values ('x') returning id") == 1
    with (
        planner.refused(errors.InsufficientPrivilege),
        planner.acting("authenticated", ann.sub) as db,
    ):
        db.rows("truncate feature_planner.notes")

    def broken():
        with Session.open(address) as session:
            found = verify_database(session, described(), commands.read_ledger(session))
        return [item.sentence for verified in found for item in verified.broken]

    always = "a table without a primary key"
    assert broken() == [
        "a table of the schema without row level security",
        "a table without row level security that users or visitors reach",
        always,
    ]
    planner.rows("alter table feature_planner.notes enable row level security")
    assert broken() == [always]


def test_taken_back_nobody_but_the_owner_is_left(address, planner, ann):
    done = roll_back(address)
    assert [event.id for event in done.finished] == [OPEN]
    with (
        planner.refused(errors.InsufficientPrivilege),
        planner.acting("authenticated", ann.sub) as db,
    ):
        db.rows("select id from feature_planner.feature_plans")


def test_in_public_too_nobody_but_the_owner_got_in(before):
    for role in ("anon", "authenticated", "service_role"):
        for table in (*TABLES, "users"):
            with (
                before.refused(errors.InsufficientPrivilege),
                before.acting(role, "user_dev_first") as db,
            ):
                db.rows(as_before(f"select id from feature_planner.{table}"))


def test_policies_ask_once_a_query(planner, ann):
    planner.rows(
        "insert into feature_planner.plan_execution_logs "
        "(plan_id, step, step_number, agent_type, start_time) "
        "select %s, 'planning', 3, 'planner', now() from generate_series(1, 1000)",
        ann.rows["feature_plans"],
    )
    with planner.acting("authenticated", ann.sub) as db:
        plan = db.rows("explain (analyze) select * from feature_planner.plan_execution_logs")
    text = "\n".join(line for (line,) in plan)
    assert "SubPlan" not in text
    assert "InitPlan" in text


def test_a_login_that_becomes_the_role_is_not_needed_to_own_anything(address, planner, ann):
    with psycopg.connect(address, options="-c role=authenticated") as connection:
        connection.execute(
            "select set_config('request.jwt.claims', %s, false)", [f'{{"sub": "{ann.sub}"}}']
        )
        found = connection.execute("select id from feature_planner.feature_plans").fetchall()
    assert found == [(ann.rows["feature_plans"],)]
