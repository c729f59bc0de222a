-- The sessions of an import, all of them done: $1 the user, then an array for each column. The
-- client makes the ids, so that it knows them for the exercises.
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
  as session (id, name, notes, started_at, completed_at);
