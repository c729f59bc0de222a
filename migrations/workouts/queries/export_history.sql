-- A user's whole history, one row for each set, for a client that takes 500 rows at a time:
--
--   begin; set local statement_timeout = '30s'; the statement below;
--   fetch 500 from export_cursor, until that gives no row; close export_cursor; commit;
--
-- An open end is an infinite one, so that the index serves with and without it: here, from the
-- beginning to 2025-12-31.
-- plan: index idx_sessions_user_started
-- plan: index idx_sets_session_exercise_id
-- plan: no seq scan on workout_sessions
-- plan: no seq scan on workout_session_exercises
-- plan: no seq scan on workout_sets
-- time: 100ms
-- rows: 1000000
-- load: rows/users_1000.sql

-- query:
declare export_cursor no scroll cursor for
select
  session.started_at::date as date,
  session.name as session_name,
  exercise.exercise_name,
  one.set_number,
  one.is_warmup,
  one.weight,
  one.weight_unit,
  one.reps,
  one.rpe,
  one.notes,
  extract(epoch from session.completed_at - session.started_at) / 60 as session_duration_min
from public.workout_sessions as session
join public.workout_session_exercises as exercise on exercise.session_id = session.id
join public.workout_sets as one on one.session_exercise_id = exercise.id
where session.user_id = :'ann'
  and session.status = 'completed'
  and session.started_at >= coalesce(null::date, '-infinity')
  and session.started_at < coalesce(date '2025-12-31' + 1, 'infinity')
order by session.started_at, session.id, exercise.order_index, one.set_number;
