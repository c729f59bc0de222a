"""Migrations to be applied by every tool: each a table as an application with row security has it."""

from pathlib import Path

APPLY = """\
create table public.notes_{n} (
  id bigint generated always as identity primary key,
  owner_id uuid not null,
  title text not null default '',
  created_at timestamptz not null default now()
);
create index notes_{n}_owner_idx on public.notes_{n} (owner_id);
create index notes_{n}_created_idx on public.notes_{n} (created_at);
alter table public.notes_{n} enable row level security;
create policy own_select on public.notes_{n} for select using (owner_id::text = current_setting('app.user', true));
create policy own_insert on public.notes_{n} for insert with check (owner_id::text = current_setting('app.user', true));
create policy own_update on public.notes_{n} for update using (owner_id::text = current_setting('app.user', true));
create policy own_delete on public.notes_{n} for delete using (owner_id::text = current_setting('app.user', true));
"""
BACK = "drop table public.notes_{n};\n"


def write(folder: Path, count: int) -> Path:
    """Write `count` migrations with their rollbacks, as yoyo and pgvouch name them."""
    folder.mkdir()
    for n in range(1, count + 1):
        (folder / f"{n:05}_notes.sql").write_text(APPLY.format(n=n))
        (folder / f"{n:05}_notes.rollback.sql").write_text(BACK.format(n=n))
    return folder


def size(folder: Path) -> int:
    """How many migrations a folder holds."""
    return sum(not path.name.endswith(".rollback.sql") for path in folder.glob("*.sql"))
