-- What happens in a session, line by line, as the worker reports it. Events are never changed, so
-- that there is no updated_at.
-- depends: 003_create_coding_sessions

create table public.session_events (
  id uuid not null default gen_random_uuid(),
  session_id uuid not null,
  event_type text not null,
  data jsonb not null,
  created_at timestamptz not null default now(),
  constraint session_events_pkey primary key (id),
  constraint session_events_session_id_fkey
    foreign key (session_id) references public.coding_sessions (id) on delete cascade,
  constraint session_events_event_type_check check (
    event_type in ('thinking', 'terminal', 'file_change', 'preview_ready', 'completion', 'error')
  )
);

comment on table public.session_events is
  'What happened in a session; written by the worker, read live by the owner of the session.';

alter table public.session_events enable row level security;

-- stamp: owner_via_policies(table="session_events",
--   via=[{"table": "coding_sessions", "key": "id", "column": "session_id", "owner": "user_id"}],
--   commands=["select"], names={"select": "Users can view own session events"})
-- stamped: owner_via_policies sha256:a28b4ecbc4552a8d  (edit the stamp line or the template, then run pgvouch stamp)
-- any (array (…)) runs once and lets an index find the rows; in (…) would read the whole table.
create policy "Users can view own session events"
  on public.session_events
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

create index session_events_session_id_idx on public.session_events (session_id);
create index session_events_created_at_idx on public.session_events (created_at desc);

-- stamp: grants(table="session_events",
--   to={"authenticated": ["select"],
--   "service_role": ["select", "insert", "update", "delete"]})
-- stamped: grants sha256:31c6285243142ceb  (edit the stamp line or the template, then run pgvouch stamp)
-- Default privileges may have opened the table already: start from nothing.
revoke all on table public.session_events
  from public, anon, authenticated, service_role;
grant select on table public.session_events to authenticated;
grant select, insert, update, delete on table public.session_events to service_role;
-- end stamp

-- Clients subscribe to the inserts; Realtime shows each of them what the select policy lets
-- through.
-- A database without the publication has no Realtime to tell. A publication FOR ALL TABLES takes no
-- table, and PostgreSQL says so: make it a list of tables first.
do $realtime$
begin
  if exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    alter publication supabase_realtime add table public.session_events;
  end if;
end
$realtime$;
