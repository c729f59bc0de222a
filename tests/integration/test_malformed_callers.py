"""The stamp that tries tokens: whoever only resembles a caller is not taken for her."""

from collections.abc import Callable

import pytest

from conftest import Folder
from pgvouch.stamp.rewrite import stamp_files
from pgvouch.stamp.templates import Templates
from support.stamp_bench import PLATFORM

IDENTITY = "select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'"
SYSTEM = """
create table public.users (id text primary key, email text not null, name text not null);
create table public.notes (owner text not null, shared boolean not null);
-- Past row security, or no identity could be looked up.
create function public.caller() returns text language sql stable security definer as $$ %s $$;
grant select on public.users, public.notes to authenticated;
alter table public.users enable row level security;
alter table public.notes enable row level security;
create policy users_own on public.users to authenticated using (id = public.caller());
create policy notes_own on public.notes to authenticated using (owner = public.caller() or shared);
"""
ROWS = """
insert into public.users values ('user_Ann', 'ann@verify.invalid', 'Ann'), ('user_Bob', 'bob@verify.invalid', 'Bob');
insert into public.notes values ('user_Ann', false), ('user_Ann', true), ('user_Bob', true);
"""
STAMP = """
-- stamp: malformed_callers(tables=["users", "notes"],
--   actor="ann", claims={"email": "ann@verify.invalid", "name": "Ann"})
"""
ACTORS = """
[ann]
role = "authenticated"
claims = { sub = "user_Ann" }
"""
BY_NAME = (
    "select u.id from public.users as u where u.name = "
    "current_setting('request.jwt.claims', true)::jsonb ->> 'name'"
)


@pytest.fixture
def build(make_folder: Callable[[str], Folder], every_url: str) -> Callable[..., Folder]:
    def make(identity: str = IDENTITY, rows: str = ROWS) -> Folder:
        folder = make_folder(every_url)
        folder.write(
            {
                "001_platform.sql": PLATFORM,
                "002_notes.sql": SYSTEM % identity,
                "verify/002_notes.sql": rows + STAMP,
                "actors.toml": ACTORS,
            }
        )
        stamp_files([folder.path / "verify" / "002_notes.sql"], Templates())
        return folder

    return make


def test_an_exact_identity_holds(build: Callable[..., Folder]) -> None:
    folder = build()
    ran = folder("migrate")
    assert ran.code == 0, ran.err
    # Rows of others, public ones among them, make no difference.
    folder.query(
        "insert into public.notes select 'user_' || i, i % 2 = 0 from generate_series(1, 1000) as i"
    )
    assert folder("verify").code == 0


@pytest.mark.parametrize(
    "identity",
    [
        "select btrim(claims.sub) from (%s) as claims (sub)",
        "select rtrim(claims.sub, E' \\n') from (%s) as claims (sub)",
        "select u.id from public.users as u, (%s) as claims (sub) where lower(u.id) = lower(claims.sub)",
        "select u.id from public.users as u, (%s) as claims (sub) where u.id like claims.sub",
        "select u.id from public.users as u, (%s) as claims (sub) where u.id ~ claims.sub",
        "select u.id from public.users as u, (%s) as claims (sub) where starts_with(u.id, claims.sub)",
        "select coalesce(nullif(claims.sub, ''), 'user_Ann') from (%s) as claims (sub)",
        "select u.id from public.users as u where to_jsonb(u) ->> 'email' = "
        "current_setting('request.jwt.claims', true)::jsonb ->> 'email'",
        "select coalesce((%s), (" + BY_NAME + "))",
        "select case when (%s) is null then 'user_Ann' else (%s) end",
        "select split_part(claims.sub, '|', -1) from (%s) as claims (sub)",
        "select split_part(claims.sub, '@', 1) from (%s) as claims (sub)",
        "select regexp_replace(claims.sub, '[^A-Za-z_]', '', 'g') from (%s) as claims (sub)",
        "select trim('\"' from claims.sub) from (%s) as claims (sub)",
        "select u.id from public.users as u, (%s) as claims (sub) where position(u.id in claims.sub) > 0",
        "select coalesce(current_setting('request.jwt.claims', true)::jsonb #>> '{user_metadata,sub}', (%s))",
        "select coalesce(c ->> 'sub', c ->> 'id') from (select nullif(current_setting("
        "'request.jwt.claims', true), '')::jsonb) as t (c)",
        "select case jsonb_typeof(c -> 'sub') when 'array' then c -> 'sub' ->> 0 else c ->> 'sub' end "
        "from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb) as t (c)",
    ],
)
def test_an_identity_that_takes_others_for_her_does_not_land(
    build: Callable[..., Folder], identity: str
) -> None:
    ran = build(identity.replace("%s", IDENTITY))("migrate")
    assert ran.code == 1
    assert "of her rows" in ran.err, ran.err


@pytest.mark.parametrize("rows", ["", ROWS.replace("('user_Ann', false), ", "")])
def test_without_rows_of_her_own_nothing_is_tried_and_nothing_holds(
    build: Callable[..., Folder], rows: str
) -> None:
    ran = build(rows=rows)("migrate")
    assert ran.code == 1
    assert "no row that a stranger does not see" in ran.err


def test_a_caller_who_sees_nothing_is_no_caller(build: Callable[..., Folder]) -> None:
    ran = build("select null::text")("migrate")
    assert ran.code == 1
    assert "no row that a stranger does not see" in ran.err


def test_a_policy_that_fails_on_the_callers_own_token_shows_her_nothing(
    make_folder: Callable[[str], Folder], every_url: str
) -> None:
    """A subject that is no uuid: what the table before has shown does not count for this one."""
    folder = make_folder(every_url)
    folder.write(
        {
            "001_platform.sql": PLATFORM,
            "002_notes.sql": (SYSTEM % IDENTITY).replace(
                "using (id = public.caller())", "using (id::text = public.caller()::uuid::text)"
            ),
            "verify/002_notes.sql": ROWS + STAMP.replace('"users", "notes"', '"notes", "users"'),
            "actors.toml": ACTORS,
        }
    )
    stamp_files([folder.path / "verify" / "002_notes.sql"], Templates())
    ran = folder("migrate")
    assert ran.code == 1
    assert (
        "(users, the caller has no row that a stranger does not see, so nothing was tried, null)"
        in ran.err
    )
