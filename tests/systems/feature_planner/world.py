"""The system feature_planner on real servers: before its move to a schema of its own, and after."""

from dataclasses import replace
from typing import Any

from pgvouch.config.options import Options
from pgvouch.engine import commands
from pgvouch.events import silent
from pgvouch.files.directives import parse_directives
from pgvouch.files.migration import Migration, checksum
from pgvouch.postgres.session import Session
from pgvouch.verify.live import verify_database
from systems.owner import Owner
from systems.system import System

BEFORE, MOVE, OPEN = (
    "009_complete_the_tables",
    "010_move_to_feature_planner",
    "011_open_to_authenticated",
)
TABLES = (
    "feature_plans",
    "feature_refinements",
    "file_discovery_sessions",
    "discovered_files",
    "implementation_plan_generations",
    "plan_steps",
    "plan_step_templates",
    "plan_execution_logs",
)
ENUMS = (
    "complexity",
    "confidence_level",
    "estimated_scope",
    "execution_step",
    "file_discovery_status",
    "file_priority",
    "implementation_plan_status",
    "plan_status",
    "refinement_status",
    "risk_level",
    "technical_complexity",
)

OURS = System("feature_planner", TABLES, schema="feature_planner")
SYSTEM = OURS.folder
SEED = OURS.seed
described = OURS.described
migrate = OURS.migrate


def as_before(sql: str) -> str:
    """SQL that says where the tables are, for where they were."""
    return sql.replace("feature_planner.", "public.")


def changed_move(old: str = "", new: str = "", *, delta: bool = False) -> Migration:
    """The move with another text, and without its delta: what the checks alone make of it."""
    move = described().by_id[MOVE]
    assert old in move.sql
    sql = move.sql.replace(old, new, 1) if old else move.sql
    return replace(
        move,
        sql=sql,
        checksum=checksum(sql),
        directives=parse_directives(sql, move.path),
        beside=[name for name in move.beside if delta or not name.endswith(".delta")],
    )


def roll_back(address: str, to: str | None = None, steps: int | None = 1) -> commands.Outcome:
    """Take back what is applied, as `pgvouch rollback` does."""
    with Session.open(address) as session:
        return commands.roll_back_steps(
            session,
            described(),
            Options(discard_data=True),
            silent,
            steps=None if to else steps,
            to=to,
        )


def broken_in(address: str) -> set[str]:
    """The promises that do not hold, as `pgvouch verify` finds them."""
    with Session.open(address) as session:
        found = verify_database(session, described(), commands.read_ledger(session))
    return {one.sentence for item in found for one in item.broken}


class Database(Owner):
    """A connection as the owner, and ways to act as the roles of the API."""

    def place(self, table: str) -> str:
        """A table with its schema."""
        return f"{'public' if table == 'users' else 'feature_planner'}.{table}"

    def contents(self, schema: str) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the planner's tables, and of the accounts."""
        return {
            table: self.rows(f"select to_jsonb(t) from {schema}.{table} as t order by id")
            for table in TABLES
        } | {"users": self.rows("select to_jsonb(t) from public.users as t order by id")}

    def schema_of(self, table: str) -> list[str]:
        """Where tables of a name are."""
        return [
            schema
            for (schema,) in self.rows(
                "select relnamespace::regnamespace::text from pg_class where relname = %s", table
            )
        ]


class Person:
    """A user with one row in every table."""

    def __init__(self, db: Database, name: str) -> None:
        self.sub = f"user_test_{name}"
        self.id = db.insert(
            "users",
            clerk_id=self.sub,
            email=f"{name}@example.test",
            username=name,
            display_name=name.title(),
        )
        plan = db.insert("feature_plans", user_id=self.id, original_request="A search box")
        refinement = db.insert(
            "feature_refinements", plan_id=plan, agent_id="agent-1", input_request="A search box"
        )
        discovery = db.insert(
            "file_discovery_sessions", plan_id=plan, agent_id="agent-1", refined_request="A box"
        )
        file = db.insert(
            "discovered_files", discovery_session_id=discovery, file_path="a.ts", priority="low"
        )
        generation = db.insert(
            "implementation_plan_generations",
            plan_id=plan,
            agent_id="agent-1",
            refined_request="A box",
        )
        step = db.insert(
            "plan_steps",
            plan_generation_id=generation,
            step_number=1,
            display_order=0,
            title="Add it",
            description="Above the list",
        )
        template = db.insert(
            "plan_step_templates",
            user_id=self.id,
            name="tests",
            title="Tests",
            description="First",
            content="…",
            category="quality",
        )
        log = db.insert(
            "plan_execution_logs",
            plan_id=plan,
            step="refinement",
            step_number=1,
            agent_type="refiner",
            start_time="2026-01-05 07:00",
        )
        ids = (plan, refinement, discovery, file, generation, step, template, log)
        self.rows = dict(zip(TABLES, ids, strict=True))
