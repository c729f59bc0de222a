"""Changes for the worse that careless authors were seen to make, and that a promise has to notice."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Listed:
    """A change to one migration: something appended, or its first `old` made `new`."""

    system: str
    migration: str
    """What its identifier begins with."""
    added: str = ""
    old: str | re.Pattern[str] = ""
    new: str = ""
    before: str = ""
    """What is in the database already."""
    why_not: str = ""
    """Why nothing notices it; empty where something does."""

    def applied_to(self, sql: str) -> str:
        """Return the text of the changed migration."""
        if self.added:
            return f"{sql}\n;{self.added};\n"
        if isinstance(self.old, re.Pattern):
            changed, number = self.old.subn(self.new, sql)
            assert number == 1, self
            return changed
        assert self.old in sql, self
        return sql.replace(self.old, self.new, 1)


DATED = "new.updated_at := now()"
OWN = "using (user_id = (select feature_planner.caller_id()))"
PUBLIC = "using (is_public)"
NAMES = "added_by_user_id = (select feature_planner.caller_id())"
CODE = "upper(left(gen_random_uuid()::text, 8))"
ACTIVE = "where (status::text = 'in_progress')"
FEATURE_PLANNER = [
    ("009", DATED, "new.updated_at := greatest(now(), old.updated_at)"),
    ("009", DATED, "new.updated_at := clock_timestamp()"),
    ("009", DATED, "new.updated_at := coalesce(new.updated_at, now())"),
    ("011", PUBLIC, "using (is_public or usage_count > 0)"),
    ("011", PUBLIC, "using (is_public or name = 'x')"),
    ("011", OWN, f"{OWN[:-1]} or status = 'completed')"),
    ("011", OWN, f"{OWN[:-1]} or parent_plan_id is not null)"),
    ("011", OWN, f"{OWN[:-1]} or session_id = 'never written')"),
    ("011", NAMES, f"{NAMES} or is_manually_added"),
    ("011", "  as restrictive\n", ""),
    ("011", "grant update (\n    id,", "grant update (\n    added_by_user_id,\n    id,"),
    ("003", "\\u2000-\\u200d", ""),
    ("008", "check (end_time >= start_time)", "check (end_time <> start_time)"),
    ("008", "check (end_time >= start_time)", "check (end_time > start_time)"),
    ("008", "      and (cache_read_tokens is null or cache_read_tokens >= 0)\n", ""),
    ("005", "on delete cascade,", "on delete cascade deferrable initially deferred,"),
]
WORKOUTS = [
    ("001", CODE, "lpad(floor(random() * 10000)::text, 8, '0')"),
    ("001", CODE, "repeat(upper(left(gen_random_uuid()::text, 4)), 2)"),
    ("001", CODE, "upper(left(gen_random_uuid()::text, 7)) || '0'"),
    ("001", DATED, "new.updated_at := greatest(now(), old.updated_at)"),
    ("001", DATED, "new.updated_at := clock_timestamp()"),
    ("003", "\\u2000-\\u200d", ""),
    ("004", "  is_system_exercise = category::text !~ '^Own(: |$)',\n", ""),
    ("004", "default_weight >= 0 and default_weight <> 'NaN'", "default_weight >= 0"),
    ("006", "target_weight >= 0 and target_weight <> 'NaN'", "target_weight >= 0"),
    ("006", "deferrable initially immediate", "deferrable initially deferred"),
    ("006", "deferrable initially immediate", ""),
    ("007", ACTIVE, "where (status::text = 'in_progress' and completed_at is null)"),
    ("007", ACTIVE, "where (status::text = 'in_progress' and name is null)"),
    (
        "007",
        "exclude using btree (user_id with =)",
        "exclude using btree (user_id with =, started_at with =)",
    ),
    ("007", "isfinite(started_at) and isfinite(completed_at) and ", ""),
    ("007", " and completed_at >= started_at", ""),
    ("008", "deferrable initially immediate", "deferrable initially deferred"),
    ("009", "weight >= 0 and weight <> 'NaN'", "weight >= 0"),
    ("009", "weight > 0 and weight <> 'NaN'", "weight > 0"),
    ("009", "on delete cascade\n", "on delete cascade deferrable initially deferred\n"),
    ("010", "on conflict (id) do nothing", "on conflict (id) do update set name = excluded.name"),
    ("010", "on conflict (id) do nothing", "on conflict (id) do update set is_deleted = false"),
]
BEFORE = {
    "004": "insert into public.exercises (name, category) values ('Box Jump', 'Own')",
    "010": "insert into public.exercises (id, name, is_deleted) "
    "values ('ec5e0000-0000-4000-8000-000000000001', 'Back Squat', true)",
}
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
            "011",
            old="where clerk_id = auth.jwt() ->> 'sub'",
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
        "011",
        old=re.compile(r"where clerk_id = auth\.jwt\(\) ->> 'sub'[^$]*?\$'"),
        new="where clerk_id = coalesce(auth.jwt() ->> 'sub', '')",
    ),
    *(
        Listed(
            "feature_planner",
            "011",
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
        old="coalesce(account.raw_user_meta_data ->> 'display_name', split_part(account.email, '@', 1))",
        new="account.email",
    ),
    Listed(
        "coding_sessions",
        "001_create_profiles",
        old="where account.email is not null",
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
        "001_create_profiles",
        old=re.compile(r"  if not found then\n.*?\n  end if;\n", re.DOTALL),
    ),
    Listed(
        "coding_sessions",
        "001_create_profiles",
        old=re.compile(r"(insert into public\.profiles[^$]*?return new;)\nend;"),
        new=r"\1\nexception when others then\n  return new;\nend;",
    ),
    Listed(
        "workouts",
        "001",
        old="left(gen_random_uuid()::text, 8)",
        new="left(gen_random_uuid()::text, 4)",
    ),
    Listed(
        "workouts",
        "007",
        old=ACTIVE,
        new="where (status::text = 'in_progress' and completed_at is null)",
    ),
    Listed(
        "workouts",
        "001",
        old="new.updated_at := now()",
        new="new.updated_at := greatest(now(), old.updated_at)",
    ),
    Listed(
        "workouts",
        "001",
        old="new.updated_at := now()",
        new="new.updated_at := clock_timestamp()",
    ),
    Listed(
        "workouts",
        "006",
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
    *(Listed("feature_planner", at, old=old, new=new) for at, old, new in FEATURE_PLANNER),
    *(
        Listed("workouts", at, old=old, new=new, before=BEFORE.get(at, ""))
        for at, old, new in WORKOUTS
    ),
]
