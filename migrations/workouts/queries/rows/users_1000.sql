-- A year of a thousand users: 50 workouts each with 5 exercises of 4 sets, which makes a million
-- sets; 10 templates each, two of them shared; 100 entries of the calendar each.

-- Everybody from the tenth on was invited, and nine in ten invited nobody.
insert into public.users (id, email, display_name, invite_code, invited_by)
select
  ('5afe0000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  'user' || n || '@verify.invalid',
  'User ' || n,
  'VERIFY' || n,
  case
    when n >= 10 then ('5afe0000-0000-4000-8000-' || lpad((n / 10)::text, 12, '0'))::uuid
  end
from generate_series(1, 1000) as n;

insert into public.workout_templates (id, user_id, name, visibility, is_archived, updated_at)
select
  ('5afe0001-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  ('5afe0000-0000-4000-8000-' || lpad((n % 1000 + 1)::text, 12, '0'))::uuid,
  'Template ' || n,
  case when n / 1000 in (3, 7, 9) then 'friends' else 'private' end,
  n / 1000 = 9,
  timestamp '2025-01-01' + make_interval(mins => n * 7919 % 500000)
from generate_series(0, 9999) as n;

insert into public.workout_template_exercises (template_id, exercise_id, order_index)
select
  ('5afe0001-0000-4000-8000-' || lpad((n / 5)::text, 12, '0'))::uuid,
  ('ec5e0000-0000-4000-8000-' || lpad((n % 15 + 1)::text, 12, '0'))::uuid,
  n % 5
from generate_series(0, 49999) as n;

-- One workout a week. A twentieth was given up, and the last one of some is still going on.
insert into public.workout_sessions (id, user_id, name, status, started_at, completed_at)
select
  ('5afe0002-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  ('5afe0000-0000-4000-8000-' || lpad((n % 1000 + 1)::text, 12, '0'))::uuid,
  'Workout ' || n,
  case
    when n >= 49000 and n % 20 = 0 then 'in_progress'
    when (n / 1000 + n) % 20 = 7 then 'abandoned'
    else 'completed'
  end,
  started_at,
  case when n < 49000 or n % 20 > 0 then started_at + interval '70 minutes' end
from generate_series(0, 49999) as n,
  lateral (
    select timestamp '2025-01-01' + make_interval(days => n / 1000 * 7, mins => n * 7919 % 10080)
  ) as start (started_at);

insert into public.workout_session_exercises (
  id, session_id, exercise_id, exercise_name, order_index
)
select
  ('5afe0003-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  ('5afe0002-0000-4000-8000-' || lpad((n / 5)::text, 12, '0'))::uuid,
  ('ec5e0000-0000-4000-8000-' || lpad((n % 15 + 1)::text, 12, '0'))::uuid,
  'Exercise ' || n % 15 + 1,
  n % 5
from generate_series(0, 249999) as n;

insert into public.workout_sets (
  id, session_exercise_id, set_number, weight, weight_unit, reps, is_warmup, completed_at
)
select
  ('5afe0005-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  ('5afe0003-0000-4000-8000-' || lpad((n / 4)::text, 12, '0'))::uuid,
  n % 4 + 1,
  20 + n % 100,
  'kg',
  n % 12 + 1,
  n % 4 = 0,
  timestamp '2025-01-01' + make_interval(secs => n * 30)
from generate_series(0, 999999) as n;

-- In the order of nobody's days.
insert into public.scheduled_workouts (id, user_id, template_id, scheduled_date)
select
  ('5afe0004-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
  ('5afe0000-0000-4000-8000-' || lpad((n % 1000 + 1)::text, 12, '0'))::uuid,
  ('5afe0001-0000-4000-8000-' || lpad((n % 10000)::text, 12, '0'))::uuid,
  date '2025-01-01' + (n * 7919 % 365)::integer
from generate_series(0, 99999) as n;

analyze;
