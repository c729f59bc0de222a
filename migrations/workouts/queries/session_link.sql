-- A session is started from an entry of the calendar. No row means that the entry is linked by now,
-- is not the user's, or is to be linked to somebody else's session. Of two at once the second waits
-- for the first, finds the entry linked, and leaves it.
-- plan: index scheduled_workouts_pkey
-- plan: no seq scan on scheduled_workouts
-- plan: no seq scan on workout_sessions
-- time: 10ms
-- rows: 100000
-- load: rows/users_1000.sql

-- query:
update public.scheduled_workouts as entry
set completed_session_id = session.id
from public.workout_sessions as session
where entry.id = '5afe0004-0000-4000-8000-000000000041'
  and entry.user_id = :'ann'
  and entry.completed_session_id is null
  and session.id = '5afe0002-0000-4000-8000-000000000041'
  and session.user_id = entry.user_id
returning entry.id, entry.completed_session_id;
