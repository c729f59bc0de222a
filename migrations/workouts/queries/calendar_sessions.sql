-- The calendar: what a user has done from a day to a day, both included. The design asks for
-- `started_at::date between …`, and no index on started_at can serve a cast of it. From the first
-- moment of the one day to before the first moment of the day after the other is the same sessions.
-- plan: index idx_sessions_user_started
-- plan: index idx_sets_session_exercise_id
-- plan: no seq scan on workout_sessions
-- plan: no seq scan on workout_session_exercises
-- plan: no seq scan on workout_sets
-- time: 10ms
-- rows: 1000000
-- load: rows/users_1000.sql

-- query:
select
  session.id,
  session.name,
  session.started_at::date as date,
  session.started_at,
  session.completed_at,
  extract(epoch from session.completed_at - session.started_at) / 60 as duration_minutes,
  count(distinct exercise.id) as exercise_count,
  sum(one.weight * one.reps) filter (where not one.is_warmup) as total_volume
from public.workout_sessions as session
left join public.workout_session_exercises as exercise on exercise.session_id = session.id
left join public.workout_sets as one on one.session_exercise_id = exercise.id
where session.user_id = :'ann'
  and session.status = 'completed'
  and session.started_at >= date '2025-03-01'
  and session.started_at < date '2025-03-31' + 1
group by session.id
order by session.started_at;
