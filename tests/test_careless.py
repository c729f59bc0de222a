"""Careless changes, the delta regenerated: of a hundred at random, at least 85 are noticed."""

import os
import random
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from careless import Author, Careless, Tried, draw
from conftest import ROOT, Server
from mutants import OLD_ROWS
from pgvouch import api, ledger
from pgvouch.config import Database, database_names, find_project, read_database
from pgvouch.db import Session
from pgvouch.events import silent
from pgvouch.migration import checksum
from pgvouch.options import Options

PROJECT = find_project(ROOT / "pyproject.toml")
SYSTEMS = database_names(PROJECT)
SEED = int(os.environ.get("SEED", "1"))
NUMBER = int(os.environ.get("NUMBER", "20"))
"""How many changes of each system."""


@contextmanager
def _author(server: Server, system: str, position: int) -> Iterator[Author]:
    migrations = read_database(PROJECT, system)
    name = f"careless_{secrets.token_hex(4)}"
    with server.janitor(name):
        session = Session.open(server.url(name))
        try:
            ledger.ensure(session)
            if position:
                database = Database("careless", Path(), "", migrations)
                last = migrations[position - 1].id
                api.migrate(session, database, Options(), silent, to=last)
            session.run(OLD_ROWS.get(migrations[position].id, ""))
            seed = (ROOT / "seed" / f"{system}.sql").read_text()
            yield Author(session, migrations, position, seed)
        finally:
            session.connection.close()


def _try(server: Server, system: str, number: int, r: random.Random) -> list[Tried]:
    migrations = read_database(PROJECT, system)
    own = [p for p, migration in enumerate(migrations) if not migration.set_name]
    wanted = Counter(r.choice(own) for _ in range(number))
    tried = []
    for position, times in sorted(wanted.items()):
        with _author(server, system, position) as author:
            names = author.names()
            for _ in range(times):
                found = draw(r, author, names)
                # Hardly anything fits into a file of three enums.
                tried += [] if found is None else [Tried(system, *found)]
    return tried


# The planner has its own schema beside a site's: what is new in public is the site's matter.
PASS = {"feature_planner": 0.25}
"""Which share of the changes may pass, where it is more than 15 of 100."""


@pytest.mark.parametrize("system", SYSTEMS)
def test_careless_changes_are_noticed(pg18: Server, system: str) -> None:
    tried = _try(pg18, system, NUMBER, random.Random(f"{SEED} {system}"))
    survivors = [t for t in tried if t.by is None]
    told = "\n".join(
        f"{'NOT' if t.by is None else '   '} {t.change.kind:28} {t.change.migration.id}: "
        f"{t.change.title}\n        {t.by or ''}"
        for t in tried
    )
    print(told)
    assert len(tried) >= NUMBER * 9 // 10
    assert len(survivors) <= len(tried) * PASS.get(system, 0.15), told


@dataclass(frozen=True)
class Listed:
    """A change that a careless author was seen to make."""

    system: str
    migration: str
    added: str = ""
    old: str = ""
    new: str = ""
    why_not: str = ""
    """Why nothing notices it; empty where something does."""

    @property
    def title(self) -> str:
        """A name for the test."""
        return f"{self.system} {self.added or self.new}"[:100].replace("\n", " ")


LISTED = [
    # New things.
    Listed(
        "coding_sessions",
        "001_create_profiles",
        "create view public.all_profiles as select * from public.profiles",
    ),
    Listed(
        "coding_sessions",
        "005_create_session_events",
        "create materialized view public.cached as select * from public.profiles",
    ),
    Listed(
        "coding_sessions",
        "001_create_profiles",
        "create function public.become_pro() returns void language sql security definer "
        "set search_path = '' as $$ update public.profiles set tier = 'pro' $$",
    ),
    Listed(
        "coding_sessions",
        "005_create_session_events",
        "create function public.tidy() returns void language sql security definer "
        "set search_path = '' as $$ delete from public.profiles $$",
    ),
    Listed(
        "coding_sessions",
        "005_create_session_events",
        "create function public.promote() returns void language plpgsql security definer "
        "as $$ begin execute 'alter role anon superuser'; end $$",
    ),
    Listed(
        "coding_sessions", "002_create_projects", "grant all on public.projects to authenticator"
    ),
    Listed(
        "coding_sessions",
        "005_create_session_events",
        "alter publication supabase_realtime add table public.profiles",
    ),
    Listed(
        "coding_sessions", "004_create_coding_jobs", "alter table public.coding_jobs set unlogged"
    ),
    Listed(
        "coding_sessions",
        "002_create_projects",
        "alter table public.projects owner to authenticator",
    ),
    Listed("coding_sessions", "002_create_projects", "alter schema public owner to authenticator"),
    Listed("learning_plans", "002_create_users", "grant create on schema public to authenticated"),
    Listed(
        "learning_plans",
        "002_create_users",
        "alter default privileges in schema public grant all on tables to public",
    ),
    Listed(
        "monthly_planner",
        "002_create_users",
        "alter sequence public.users_id_seq maxvalue 1000 cycle",
    ),
    # Who is asking.
    *(
        Listed(
            "feature_planner",
            "011_open_to_authenticated",
            old=r"where clerk_id = auth\.jwt\(\) ->> 'sub'",
            new=new,
        )
        for new in (
            "where clerk_id = auth.jwt() ->> 'sub' or email = auth.jwt() ->> 'email'",
            "where lower(clerk_id) = lower(auth.jwt() ->> 'sub')",
            "where clerk_id = auth.jwt() ->> 'sub' or display_name = auth.jwt() ->> 'name'",
        )
    ),
    Listed(
        "feature_planner",
        "011_open_to_authenticated",
        old=r"where clerk_id = auth\.jwt\(\) ->> 'sub'[^$]*?\$'",
        new="where clerk_id = coalesce(auth.jwt() ->> 'sub', '')",
    ),
    *(
        Listed(
            "feature_planner",
            "011_open_to_authenticated",
            f"alter policy {policy} on feature_planner.{table} using ({condition})",
        )
        for policy, table, condition in (
            (
                "feature_plans_own",
                "feature_plans",
                "user_id = (select feature_planner.caller_id()) or created_at < now() - interval '1 year'",
            ),
            (
                "feature_plans_own",
                "feature_plans",
                "user_id = (select feature_planner.caller_id()) or status = 'completed'",
            ),
            (
                "plan_step_templates_public",
                "plan_step_templates",
                "is_public or usage_count > 0",
            ),
        )
    ),
    # What a delta cannot see.
    Listed(
        "coding_sessions",
        "001_create_profiles",
        old=r"coalesce\(account\.raw_user_meta_data ->> 'display_name', split_part\(account\.email, '@', 1\)\)",
        new="account.email",
    ),
    Listed(
        "coding_sessions",
        "001_create_profiles",
        old=r"where account\.email is not null",
        new="where false",
    ),
    Listed(
        "coding_sessions",
        "003_create_coding_sessions",
        "alter role authenticator set row_security = off",
    ),
    Listed(
        "coding_sessions",
        "003_create_coding_sessions",
        "do $$ begin execute format('alter database %I set request.jwt.claims = %L', "
        "current_database(), '{}'); end $$",
    ),
    Listed(
        "coding_sessions",
        "001_create_profiles",
        "insert into auth.users (id, email) values (gen_random_uuid(), 'support@example.test')",
        why_not="rows that a migration writes are in no promise yet",
    ),
    # What happens.
    Listed(
        "coding_sessions",
        "*handle_new_user",
        old=r"on conflict \(email\) do nothing;\s+if not found then[^$]*?end if;",
        new="on conflict do nothing;",
    ),
    Listed(
        "coding_sessions",
        "*handle_new_user",
        old=r"(insert into public\.profiles[^$]*?return new;)\nend;",
        new=r"\1\nexception when others then\n  return new;\nend;",
    ),
    Listed(
        "workouts",
        "001_create_users",
        old=r"left\(gen_random_uuid\(\)::text, 8\)",
        new="left(gen_random_uuid()::text, 4)",
    ),
    Listed(
        "workouts",
        "007_create_workout_sessions",
        old=r"where \(status = 'in_progress'\)",
        new="where (status = 'in_progress' and completed_at is null)",
    ),
    Listed(
        "workouts",
        "001_create_users",
        old=r"new\.updated_at := now\(\)",
        new="new.updated_at := greatest(now(), old.updated_at)",
    ),
    Listed(
        "workouts",
        "001_create_users",
        old=r"new\.updated_at := now\(\)",
        new="new.updated_at := clock_timestamp()",
    ),
    Listed(
        "workouts",
        "006_create_workout_template_exercises",
        old="deferrable initially immediate",
        new="deferrable initially deferred",
    ),
    # Types that no check names.
    Listed(
        "coding_sessions",
        "004_create_coding_jobs",
        "alter table public.coding_jobs alter max_retries type smallint",
    ),
    Listed(
        "coding_sessions",
        "005_create_session_events",
        "alter table public.session_events alter data type json",
    ),
    Listed(
        "coding_sessions",
        "002_create_projects",
        "alter table public.projects alter name type varchar(200)",
    ),
    Listed(
        "coding_sessions",
        "002_create_projects",
        "alter table public.projects alter created_at type timestamptz(0)",
    ),
    Listed(
        "coding_sessions",
        "002_create_projects",
        'alter table public.projects alter name type text collate "C"',
    ),
]


@pytest.mark.parametrize("listed", LISTED, ids=lambda listed: listed.title)
def test_a_change_that_was_seen_is_noticed(pg18: Server, listed: Listed) -> None:
    migrations = read_database(PROJECT, listed.system)
    if listed.migration.startswith("*"):
        word = listed.migration[1:]
        position = next(
            p for p, m in enumerate(migrations) if f"create function public.{word}" in m.sql
        )
    else:
        position = next(p for p, m in enumerate(migrations) if m.id == listed.migration)
    migration = migrations[position]
    if listed.old:
        sql, number = re.subn(listed.old, listed.new, migration.sql)
        assert number == 1
    else:
        sql = f"{migration.sql}\n;{listed.added};\n"
    changed = replace(migration, sql=sql, checksum=checksum(sql))
    with _author(pg18, listed.system, position) as author:
        assert author.noticed(Careless("listed", listed.title, migration)) is None
        by = author.noticed(Careless("listed", listed.title, changed))
    assert by != "", "PostgreSQL refuses it"
    assert (by is None) == bool(listed.why_not), by
