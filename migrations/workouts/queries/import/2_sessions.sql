-- The sessions of an import, all of them done: $1 the user, then an array for each column. The
-- client makes the ids, so that it knows them for the exercises. A session of the same start and name
-- that the user has completed is the same one: the file was imported before, and it is left out. Gives
-- the ids of those that are new.
insert into public.workout_sessions (
  id, user_id, name, notes, status, started_at, completed_at
)
select
  session.id,
  $1::uuid,
  session.name,
  session.notes,
  'completed',
  session.started_at,
  session.completed_at
from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamp[], $6::timestamp[])
  as session (id, name, notes, started_at, completed_at)
where not exists (
  select
  from public.workout_sessions as there
  where there.user_id = $1::uuid
    and there.started_at = session.started_at
    and there.status = 'completed'
    and there.name is not distinct from session.name
)
returning id;
