-- The queue between sessions and the worker. Users watch their jobs; only the worker, as
-- service_role, writes them.
-- depends: 003_create_coding_sessions

create table public.coding_jobs (
  id uuid not null default gen_random_uuid(),
  session_id uuid not null,
  prompt text not null,
  status text not null default 'pending',
  priority integer not null default 0,
  retry_count integer not null default 0,
  max_retries integer not null default 3,
  error_message text,
  started_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint coding_jobs_pkey primary key (id),
  constraint coding_jobs_session_id_fkey
    foreign key (session_id) references public.coding_sessions (id) on delete cascade,
  constraint coding_jobs_status_check
    check (status in ('pending', 'processing', 'completed', 'failed'))
);

comment on table public.coding_jobs is
  'The queue of the worker: the pending job of the highest priority is next, '
  'the oldest among equals.';
comment on column public.coding_jobs.priority is 'Higher is sooner.';

alter table public.coding_jobs enable row level security;

-- stamp: owner_via_policies(table="coding_jobs",
--   via=[{"table": "coding_sessions", "key": "id", "column": "session_id", "owner": "user_id"}],
--   commands=["select"], names={"select": "Users can view own jobs"})
-- stamped: owner_via_policies sha256:81edc9c99486da92  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy "Users can view own jobs"
  on public.coding_jobs
  for select
  to authenticated
  using (
    session_id = any (array(
      select parent.id
      from public.coding_sessions as parent
      where parent.user_id = (select auth.uid())
    ))
  );
-- end stamp

-- In the order of the claim, third column included: without it the worker would sort all pending
-- jobs of one priority to find the oldest.
create index coding_jobs_status_priority_idx
  on public.coding_jobs (status, priority desc, created_at);
create index coding_jobs_session_id_idx on public.coding_jobs (session_id, created_at);

-- stamp: updated_at_trigger(table="coding_jobs")
-- stamped: updated_at_trigger sha256:736f9269c5fad5bb  (edit the stamp line or the template, then run pgvouch stamp)
create trigger coding_jobs_updated_at
  before update on public.coding_jobs
  for each row
  execute function public.update_updated_at();
-- end stamp

-- stamp: grants(table="coding_jobs",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update", "delete"]})
-- stamped: grants sha256:2533a4ebae8279de  (edit the stamp line or the template, then run pgvouch stamp)
-- Default privileges may have opened the table already: start from nothing.
revoke all on table public.coding_jobs
  from public, anon, authenticated, service_role;
grant select on table public.coding_jobs to authenticated;
grant select, insert, update, delete on table public.coding_jobs to service_role;
-- end stamp
