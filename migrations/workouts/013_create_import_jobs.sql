-- Imports of large files, for a worker to take up. A file below 1 MB is imported at once and leaves
-- no row.
-- depends: 001_create_users

create table public.import_jobs (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  status varchar(20) not null default 'pending',
  summary json,
  error text,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint import_jobs_pkey primary key (id),
  constraint import_jobs_status_check
    check (status::text in ('pending', 'processing', 'completed', 'failed')),
  constraint import_jobs_user_id_fkey
    foreign key (user_id) references public.users (id) on delete cascade
);

comment on table public.import_jobs is 'Imports of large files, for a worker to take up.';
comment on column public.import_jobs.summary is 'What was imported, when it is completed.';
comment on column public.import_jobs.error is 'Why it failed.';

create index idx_import_jobs_user_id on public.import_jobs (user_id);
create index idx_import_jobs_status on public.import_jobs (status);
create index idx_import_jobs_created on public.import_jobs (created_at desc);

-- stamp: updated_at_trigger(table="import_jobs", function="update_updated_at_column",
--   name="update_import_jobs_updated_at")
-- stamped: updated_at_trigger sha256:8c88b88077ba5c3f  (edit the stamp line or the template, then run pgvouch stamp)
create trigger update_import_jobs_updated_at
  before update on public.import_jobs
  for each row
  execute function public.update_updated_at_column();
-- end stamp
