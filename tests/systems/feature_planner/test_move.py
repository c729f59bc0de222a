"""The move and the way back: every row, the same files, and what else hangs on the tables."""

import re
import secrets
import subprocess

import psycopg
import pytest
from psycopg import errors

from pgvouch.config.options import Options
from pgvouch.errors import CheckError, VouchError
from pgvouch.events import silent
from pgvouch.operations.rehearsal import rehearse
from pgvouch.postgres.session import Session
from systems.system import dump

from .world import (
    BEFORE,
    ENUMS,
    MOVE,
    OURS,
    TABLES,
    Database,
    broken_in,
    changed_move,
    described,
    migrate,
    roll_back,
)

FILES = (
    "select relname, pg_relation_filenode(oid) from pg_class "
    "where relkind in ('r', 'i', 't') and relnamespace = to_regnamespace(%s) "
    "and relname not like 'users%%' order by relname"
)
LEFT = (
    "select relname from pg_class where relnamespace = 'public'::regnamespace "
    "and relname not like 'users%%' union all "
    "select typname from pg_type where typnamespace = 'public'::regnamespace "
    "and ltrim(typname, '_') <> 'users' union all "
    "select proname from pg_proc where pronamespace = 'public'::regnamespace"
)


def said(error):
    """Everything that an error says."""
    return "\n".join([str(error), *error.notes])


def test_every_row_goes_there_and_back_and_no_file_is_written(every_server, address_before, before):
    schema = dump(every_server, address_before)
    rows, files = before.contents("public"), before.rows(FILES, "public")
    assert all(rows.values())
    assert len(files) == 60

    migrate(address_before, MOVE)
    moved = dump(every_server, address_before)
    assert before.contents("feature_planner") == rows
    assert before.rows(FILES, "feature_planner") == files
    assert before.rows(LEFT) == []

    roll_back(address_before)
    assert dump(every_server, address_before) == schema
    assert before.contents("public") == rows
    assert before.rows(FILES, "public") == files
    assert before.value("select to_regnamespace('feature_planner')") is None

    migrate(address_before, MOVE)
    assert dump(every_server, address_before) == moved
    assert before.contents("feature_planner") == rows


def test_rows_written_after_the_move_come_back_as_well(address_before, before):
    migrate(address_before)
    before.rows("update feature_planner.feature_plans set session_id = 'later'")
    before.rows("delete from feature_planner.plan_steps where category is null")
    rows = before.contents("feature_planner")

    roll_back(address_before, to=BEFORE)

    assert before.contents("public") == rows
    assert before.value("select bool_and(session_id = 'later') from public.feature_plans")
    assert before.rows(
        "select relname from pg_class, aclexplode(relacl) "
        "where relnamespace = 'public'::regnamespace and grantee <> relowner"
    ) == []  # fmt: skip


THIRD = (
    "insert into public.users (clerk_id, email, username, display_name) "
    "values ('third', 'third@example.test', 'third', 'Third')"
)
COPY = """
create table feature_planner.plan_steps (like public.plan_steps including all);
insert into feature_planner.plan_steps select * from public.plan_steps;
alter table feature_planner.plan_steps add constraint plan_steps_plan_generation_fk
  foreign key (plan_generation_id)
  references feature_planner.implementation_plan_generations (id) on delete cascade;
drop table public.plan_steps"""
LAST = "alter function public.touch_updated_at() set schema feature_planner"
MOVED = "alter table public.plan_steps set schema feature_planner"


# The same text would do for one table: a move that doubles, thins out or touches up.
ROWS = [
    "insert into {0}.feature_plans (user_id, original_request, status) "
    "select user_id, original_request, status from {0}.feature_plans",
    "insert into {0}.feature_plans (id, user_id, original_request) "
    "select '5afe0000-0000-4000-8000-0000000000ff', id, 'One more' from public.users limit 1",
    "delete from {0}.plan_execution_logs where step_number = 3",
    "update {0}.discovered_files set relevance_score = relevance_score + 1",
    "with gone as (delete from {0}.plan_steps where step_number = 3 returning *) "
    "insert into {0}.plan_steps (plan_generation_id, step_number, display_order, title, description) "
    "select plan_generation_id, step_number, display_order, title, description from gone",
    "truncate {0}.discovered_files",
    "insert into public.users (clerk_id, email, username, display_name) values ('x', 'x', 'x', 'x')",
    "update public.users set display_name = 'x'",
    "delete from public.users where email = 'third@example.test'",
]


@pytest.mark.parametrize("more", ROWS)
def test_a_move_that_adds_changes_or_drops_rows_is_taken_back(address_before, before, more):
    before.rows(THIRD)
    rows = before.contents("public")
    with pytest.raises(CheckError, match=r"holds the same rows|the accounts are not touched"):
        migrate(
            address_before,
            MOVE,
            changed_move(LAST, f"{LAST};\n{more.format('feature_planner')}", delta=True),
        )
    assert before.contents("public") == rows


@pytest.mark.parametrize("more", ROWS)
def test_a_way_back_that_adds_changes_or_drops_rows_is_not_taken(address_before, before, more):
    before.rows(THIRD)
    migrate(address_before, MOVE)
    rows = before.contents("feature_planner")
    before.rows(
        "update pgvouch.migration set rollback_sql = rollback_sql || %s where migration_id = %s",
        more.format("public") + ";",
        MOVE,
    )
    with pytest.raises(CheckError, match=r"holds the same rows|the accounts are not touched"):
        roll_back(address_before)
    assert before.contents("feature_planner") == rows


MORE = [
    ("delete from feature_planner.plan_steps where step_number = 3",
     "plan_steps holds the same rows"),
    ("update feature_planner.plan_steps set title = 'x' where step_number = 3",
     "plan_steps holds the same rows"),
    ("update public.users set display_name = upper(display_name)",
     "the accounts are not touched"),
    ("drop index feature_planner.plan_steps_category_idx", "indexes, by definition"),
    ("alter table feature_planner.plan_steps drop constraint plan_steps_step_number_positive",
     "keys, checks and references, by definition"),
    ("alter table feature_planner.plan_steps alter description type varchar",
     "columns, types, defaults"),
    ("alter table feature_planner.plan_steps alter display_order set default 0",
     "columns, types, defaults"),
    ("alter table feature_planner.plan_steps disable trigger plan_steps_updated_at",
     "triggers, their function beside them"),
    ("alter type feature_planner.risk_level rename value 'low' to 'none'",
     "the values of the enums, in their order"),
    ("grant select on feature_planner.plan_steps to anon", "nobody gains or loses a right"),
    ("cluster feature_planner.plan_steps using plan_steps_pkey",
     "no table, index or long value is written anew: the files are the same"),
    ("create table public.plan_steps ()", "one of them, or an array or row type of theirs, "
     "in public"),
]  # fmt: skip


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
def test_a_move_that_does_more_is_taken_back(address_before, before):
    rows = before.contents("public")
    for more, broken in MORE:
        with pytest.raises(VouchError) as error:
            migrate(address_before, MOVE, changed_move(LAST, f"{LAST};\n{more}"))

        assert broken in said(error.value)
        assert before.contents("public") == rows
        assert before.value("select to_regnamespace('feature_planner')") is None


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
def test_a_copy_instead_of_a_move_is_taken_back(address_before, before):
    with pytest.raises(CheckError) as error:
        migrate(address_before, MOVE, changed_move(MOVED, COPY))

    assert "no table, index or long value is written anew" in said(error.value)
    assert before.schema_of("plan_steps") == ["public"]


def test_a_copy_as_the_document_writes_it_does_not_even_run(before):
    """The enum in the new schema is another type, though it has the same values."""
    before.rows("create schema other")
    before.rows("create type other.risk_level as enum ('low', 'medium', 'high')")
    before.rows("create table other.plans (id uuid, risk_level other.risk_level)")
    with before.refused(errors.DatatypeMismatch):
        before.rows("insert into other.plans select id, risk_level from public.feature_plans")


def test_a_copy_loses_what_is_written_meanwhile(address_before, before):
    """Why the tables have to be locked from the first row to the last, which takes a copy long."""
    added = "insert into public.plan_steps select (jsonb_populate_record(s, %s)).* from public.plan_steps as s limit 1"  # fmt: skip
    create, fill, *_, drop = COPY.split(";\n")
    with psycopg.connect(address_before) as copying:
        copying.execute("create schema feature_planner")
        copying.execute(create)
        copying.execute(fill)
        before.rows(added, '{"id": "00000000-0000-4000-8000-0000000000aa", "title": "Meanwhile"}')
        copying.execute(drop)
    assert before.schema_of("plan_steps") == ["feature_planner"]
    assert before.value("select count(*) from feature_planner.plan_steps") == 5
    assert before.value(
        "select count(*) from feature_planner.plan_steps where title = 'Meanwhile'"
    ) == 0  # fmt: skip


SEQUENCES = """
alter table public.plan_execution_logs add number bigserial;
alter table public.plan_steps add place integer generated always as identity;
"""


def test_sequences_go_along_and_stay_in_step(before):
    before.rows(SEQUENCES)
    last = "select sequencename, last_value from pg_sequences where schemaname = %s order by 1"
    values = before.rows(last, "public")
    assert values == [("plan_execution_logs_number_seq", 7), ("plan_steps_place_seq", 5)]
    move = described().by_id[MOVE]

    before.rows(move.sql)

    assert before.rows(last, "feature_planner") == values
    assert before.rows(
        "insert into feature_planner.plan_execution_logs "
        "(plan_id, step, step_number, agent_type, start_time) "
        "select id, 'planning', 3, 'planner', now() from feature_planner.feature_plans limit 1 "
        "returning number"
    ) == [(8,)]
    assert before.rows(
        "insert into feature_planner.plan_steps "
        "(plan_generation_id, step_number, display_order, title, description) "
        "select id, 9, 9, 'x', 'x' from feature_planner.implementation_plan_generations limit 1 "
        "returning place"
    ) == [(6,)]
    before.rows(move.rollback_path.read_text())
    assert before.rows(last, "public") == [
        ("plan_execution_logs_number_seq", 8),
        ("plan_steps_place_seq", 6),
    ]


FOLLOWING = """
create view public.open_plans as
  select id, original_request from public.feature_plans where status = 'draft'::public.plan_status;
create function public.count_of_plans() returns bigint
  language sql stable
  begin atomic
    select count(*) from public.feature_plans;
  end;
"""


OUTSIDE = "something outside that would go with the schema, or lose a part"


def test_views_and_functions_of_others_stop_the_move(address_before, before):
    before.rows(FOLLOWING)
    with pytest.raises(CheckError, match=OUTSIDE) as error:
        migrate(address_before, MOVE)
    assert "on public.open_plans" in said(error.value)
    assert "public.count_of_plans()" in said(error.value)
    assert before.schema_of("feature_plans") == ["public"]


@pytest.mark.parametrize("there", [True, False], ids=["with the view", "without it"])
def test_the_way_out_for_a_view_works_with_it_and_without(address_before, before, there):
    """What section 6 of the document says, in a database that has the view and in one without."""
    if there:
        before.rows("create view public.open_plans as select id from public.feature_plans")
    ahead, behind = re.findall(r"^-- (?:ahead|behind).*?(?=^-- behind|\Z)", way_out(), re.M | re.S)

    before.rows(ahead)
    migrate(address_before)
    before.rows(behind)

    assert before.value("select count(*) from feature_planner.open_plans") == 1
    before.rows("set search_path = public, feature_planner")
    assert before.value("select count(*) from open_plans") == 1
    assert broken_in(address_before) == set()
    assert before.rows(
        "select reloptions from pg_class where relname = 'open_plans'"
    ) == [(["security_invoker=true"],)]  # fmt: skip


def way_out() -> str:
    """The block of the document that deals with a view in public."""
    (found,) = [
        block
        for block in re.findall(r"^```\n(.*?)^```$", OURS.text, re.M | re.S)
        if "open_plans" in block
    ]
    return found


def test_a_function_whose_text_says_the_old_place_stops_the_move(address_before, before):
    for name in ("public.feature_plans", '"public" . "feature_plans"', "PUBLIC.feature_plans"):
        before.rows(
            "create or replace function public.count_of_plans() returns bigint language sql stable "
            f"as $$ select count(*) from {name} $$"
        )
        with pytest.raises(CheckError, match="whose text still says where the tables were"):
            migrate(address_before, MOVE)

        assert before.value("select public.count_of_plans()") == 5
    before.rows(
        "create or replace function public.count_of_plans() returns bigint language plpgsql stable "
        "as $$ begin return (select count(*) from feature_planner.feature_plans); end $$"
    )
    migrate(address_before, MOVE)
    assert before.value("select public.count_of_plans()") == 5


OTHERS = {
    "reference": "create table public.favourites (plan_id uuid references {0}.feature_plans)",
    "column": "create table public.favourites (status {0}.plan_status)",
    "array": "create table public.favourites (status {0}.plan_status[])",
    "row type": "create table public.favourites (plan {0}.feature_plans)",
    "inheritance": "create table public.arch () inherits ({0}.plan_steps)",
    "domain": "create domain public.status as {0}.plan_status; "
    "create table public.favourites (status public.status)",
    "range": "create type public.span as range (subtype = {0}.plan_status)",
    "composite": "create type public.pair as (status {0}.plan_status)",
    "trigger": "create table public.notes (updated_at timestamp); "
    "create trigger notes_touch before update on public.notes "
    "for each row execute function {0}.touch_updated_at()",
    "result": "create function public.ends() returns {0}.plan_status language sql "
    "as $$ select null::{0}.plan_status $$",
    "argument": "create function public.says(s {0}.plan_status) returns text language sql "
    "as $$ select 'x' $$",
    "view": "create view public.v as select id from {0}.feature_plans",
    "view of a view": "create view public.v as select id from {0}.feature_plans; "
    "create view public.w as select id from public.v",
    "materialized view": "create materialized view public.v as select id from {0}.feature_plans",
    "default": "create table public.t (a text default 'draft'::{0}.plan_status::text)",
    "condition": "create table public.t (a text check (a::{0}.plan_status = 'draft'))",
    "policy": "create table public.t (a text); "
    "create policy p on public.t using (exists (select from {0}.feature_plans))",
    "rule": "create table public.t (a text); "
    "create rule r as on insert to public.t do also delete from {0}.plan_steps",
}
"""What others may have made, each of which `drop schema … cascade` would take or change."""


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
@pytest.mark.parametrize(
    "kind", [kind for kind in OTHERS if kind != "sequence"]
)  # it moves with its table
def test_what_could_not_be_dropped_whole_is_not_moved(address_before, before, kind):
    before.rows(OTHERS[kind].format("public"))
    with pytest.raises(CheckError, match=OUTSIDE):
        migrate(address_before, MOVE)
    assert before.schema_of("feature_plans") == ["public"]


@pytest.mark.parametrize("kind", OTHERS)
def test_what_could_not_be_dropped_whole_is_seen_later(address, planner, kind):
    assert not broken_in(address)
    planner.rows(OTHERS[kind].format("feature_planner"))
    assert OUTSIDE in broken_in(address)


def test_an_event_trigger_that_would_go_with_the_schema_is_seen(address, planner):
    planner.rows(
        "create function feature_planner.watch() returns event_trigger language plpgsql "
        "as $$ begin end $$"
    )
    assert OUTSIDE not in broken_in(address)
    planner.rows(
        "create event trigger watch on sql_drop when tag in ('DROP CONVERSION') "
        "execute function feature_planner.watch()"
    )
    assert OUTSIDE in broken_in(address)


def test_what_is_not_lost_with_the_schema_is_no_finding(address_before, before):
    migrate(address_before)
    before.rows("create publication everything for table feature_planner.feature_plans")
    before.rows("create temporary table t as select * from feature_planner.feature_plans")
    before.rows("create view feature_planner.v as select id from feature_planner.feature_plans")
    before.rows("create table public.t (id uuid references public.users)")
    assert OUTSIDE not in broken_in(address_before)


@pytest.mark.parametrize("way", ["there", "back"])
def test_a_publication_of_the_schema_does_not_lose_the_tables_unseen(address_before, before, way):
    if way == "back":
        migrate(address_before, MOVE)
    schema = "public" if way == "there" else "feature_planner"
    before.rows(f"create publication everything for tables in schema {schema}")
    with pytest.raises(VouchError) as error:
        migrate(address_before, MOVE) if way == "there" else roll_back(address_before)
    assert before.schema_of("feature_plans") == [schema]
    assert "every publication still has the tables" in said(error.value) or way == "back"


def test_a_schema_that_is_there_is_somebody_elses(address_before, before):
    before.rows("create schema feature_planner")
    with pytest.raises(VouchError, match="already exists"):
        migrate(address_before, MOVE)
    assert before.schema_of("feature_plans") == ["public"]


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
@pytest.mark.parametrize(
    ("more", "error"),
    [
        ("create table feature_planner.extra (id integer)", "cannot drop schema"),
        ("create table public.plan_steps (id integer)", "already exists"),
        ("create type public.plan_status as enum ()", "already exists"),
    ],
)
def test_a_way_back_that_is_not_free_is_not_taken(address_before, before, more, error):
    migrate(address_before, MOVE)
    before.rows(more)
    rows = before.contents("feature_planner")
    with pytest.raises(VouchError, match=error):
        roll_back(address_before)
    assert before.contents("feature_planner") == rows


def test_it_can_be_dropped_whole(address_before, before):
    migrate(address_before)
    accounts = before.contents("feature_planner")["users"]

    before.rows("drop schema feature_planner cascade")

    assert before.rows("select to_jsonb(t) from public.users as t order by id") == accounts
    assert before.rows(
        "select relname from pg_class where relname = any (%s)", list(TABLES)
    ) == []  # fmt: skip


def test_the_move_takes_no_lock_on_the_accounts(address_before, before):
    move = described().by_id[MOVE].sql
    with psycopg.connect(address_before) as connection:
        connection.execute(move)
        held = before.rows(
            "select distinct relation::regclass::text from pg_locks where pid = %s "
            "and mode = 'AccessExclusiveLock' and locktype = 'relation' "
            "and relation in (select oid from pg_class where relkind = 'r')",
            connection.info.backend_pid,
        )
        before.rows("update public.users set display_name = 'x'")
        connection.rollback()
    assert {table.removeprefix("public.") for (table,) in held} == set(TABLES)


def test_it_can_be_tried_on_a_copy_of_a_backup(every_server, address_before, before, tmp_path):
    """Section 9: a dump, a copy of it, and a rehearsal there."""
    dumped = tmp_path / "before_the_move.dump"
    name = f"trial_{secrets.token_hex(6)}"
    dump_it = ["--format=custom", f"--file={dumped}", address_before]
    subprocess.run([every_server.bin / "pg_dump", *dump_it], check=True)
    with every_server.janitor(name):
        trial = every_server.url(name)
        restore = ["--no-owner", f"--dbname={trial}", dumped]
        subprocess.run([every_server.bin / "pg_restore", *restore], check=True)
        with Session.open(trial) as session:
            done = rehearse(session, described(), Options(), silent, require_promises=True)
        assert [event.outcome for event in done.finished] == ["applied"] * 2 + ["rolled back"] * 2
        with psycopg.connect(trial, autocommit=True) as connection:
            copy = Database(connection)
            assert copy.contents("public") == before.contents("public")


def test_the_way_back_of_the_triggers_takes_no_trigger_of_others(address_before, before):
    before.rows(
        "create table public.notes (updated_at timestamp); "
        "create trigger notes_touch before update on public.notes "
        "for each row execute function public.touch_updated_at()"
    )
    with pytest.raises(CheckError, match="what else hangs on the function stays"):
        roll_back(address_before)
    assert before.rows("select tgname from pg_trigger where tgname = 'notes_touch'")
    before.rows("drop table public.notes")
    assert [event.id for event in roll_back(address_before).finished] == [BEFORE]


def test_the_way_back_of_the_triggers_says_no_drop_trigger(address_before, before):
    """Which locks 22 tables of the platform where supautils is loaded. This stands in for it."""
    before.rows(
        "create function public.locks_the_platform() returns event_trigger language plpgsql "
        "as $$ begin raise 'this would lock auth.users'; end $$"
    )
    before.rows(
        "create event trigger stand_in on ddl_command_start "
        "when tag in ('DROP TRIGGER') execute function public.locks_the_platform()"
    )
    with before.refused(errors.RaiseException):
        before.rows("drop trigger plan_steps_updated_at on public.plan_steps")
    assert [event.id for event in roll_back(address_before).finished] == [BEFORE]


def test_types_moved_as_well(address_before, before):
    migrate(address_before, MOVE)
    found = before.rows(
        "select typname from pg_type where typtype = 'e' "
        "and typnamespace = 'feature_planner'::regnamespace order by typname"
    )
    assert [name for (name,) in found] == sorted(ENUMS)
