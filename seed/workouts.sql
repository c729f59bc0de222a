-- Development data: two users who are friends, for one invited the other, with rows in every table:
-- how they signed in, an exercise of their own, templates, workouts of January 2026 with their
-- sets, a best lift, a calendar with something completed, missed and planned, and an import.
--
-- The ids are fixed and a row that is there already stays, so running it again changes nothing.

insert into public.users (
  id, email, display_name, unit_preference, email_verified, email_verified_at, invited_by,
  invite_code, last_login_at
)
values
  (
    'de5e0000-0000-4000-8000-000000000001', 'dev@example.test', 'Dev', 'kg', true,
    '2026-01-01 09:00', null, 'SEEDDEV1', '2026-01-05 17:50'
  ),
  (
    'de5e0000-0000-4000-8000-000000000002', 'second@example.test', 'Second', 'lb', true,
    '2026-01-02 09:00', 'de5e0000-0000-4000-8000-000000000001', 'SEEDSEC2', '2026-01-06 06:50'
  )
on conflict (id) do nothing;

insert into public.magic_links (id, email, token, expires_at, used_at)
values
  (
    'de5e0001-0000-4000-8000-000000000001', 'dev@example.test', 'seed-link-dev',
    '2026-01-05 18:05', '2026-01-05 17:50'
  ),
  (
    'de5e0001-0000-4000-8000-000000000002', 'second@example.test', 'seed-link-second',
    '2026-01-06 07:05', null
  )
on conflict (id) do nothing;

insert into public.password_resets (id, user_id, token, expires_at, used_at)
values
  (
    'de5e0002-0000-4000-8000-000000000001', 'de5e0000-0000-4000-8000-000000000001',
    'seed-reset-dev', '2026-01-05 18:50', null
  ),
  (
    'de5e0002-0000-4000-8000-000000000002', 'de5e0000-0000-4000-8000-000000000002',
    'seed-reset-second', '2026-01-06 07:50', '2026-01-06 06:50'
  )
on conflict (id) do nothing;

insert into public.sessions (id, user_id, token, expires_at, ip_address, user_agent)
values
  (
    'de5e0003-0000-4000-8000-000000000001', 'de5e0000-0000-4000-8000-000000000001',
    'seed-session-dev', '2036-01-05', '127.0.0.1', 'Seed'
  ),
  (
    'de5e0003-0000-4000-8000-000000000002', 'de5e0000-0000-4000-8000-000000000002',
    'seed-session-second', '2036-01-06', '127.0.0.1', 'Seed'
  )
on conflict (id) do nothing;

insert into public.invites (id, code, created_by, used_by, used_at, max_uses, current_uses)
values
  (
    'de5e0004-0000-4000-8000-000000000001', 'SEED-INVITE-1', 'de5e0000-0000-4000-8000-000000000001',
    'de5e0000-0000-4000-8000-000000000002', '2026-01-02 09:00', 1, 1
  ),
  (
    'de5e0004-0000-4000-8000-000000000002', 'SEED-INVITE-2', 'de5e0000-0000-4000-8000-000000000002',
    null, null, null, 0
  )
on conflict (id) do nothing;

insert into public.exercises (
  id, name, type, movement_category, primary_muscle, secondary_muscles, is_system_exercise,
  created_by
)
values
  (
    'de5e0005-0000-4000-8000-000000000001', 'Box Jump', 'compound', 'legs', 'Quadriceps',
    '["Calves"]', false, 'de5e0000-0000-4000-8000-000000000001'
  ),
  (
    'de5e0005-0000-4000-8000-000000000002', 'Rope Climb', 'compound', 'pull', 'Lats',
    '["Forearms"]', false, 'de5e0000-0000-4000-8000-000000000002'
  )
on conflict (id) do nothing;

insert into public.workout_templates (id, user_id, name, description, visibility, cloned_from)
values
  (
    'de5e0006-0000-4000-8000-000000000001', 'de5e0000-0000-4000-8000-000000000001', 'Leg day',
    'Heavy first', 'private', null
  ),
  (
    'de5e0006-0000-4000-8000-000000000002', 'de5e0000-0000-4000-8000-000000000002', 'Pull day',
    null, 'friends', null
  ),
  (
    'de5e0006-0000-4000-8000-000000000003', 'de5e0000-0000-4000-8000-000000000001', 'Pull day',
    null, 'private', 'de5e0006-0000-4000-8000-000000000002'
  )
on conflict (id) do nothing;

insert into public.workout_template_exercises (
  id, template_id, exercise_id, order_index, sets, reps, target_weight, target_weight_unit,
  rest_seconds
)
select
  sample.id::uuid,
  sample.template_id::uuid,
  exercise.id,
  sample.order_index,
  sample.sets,
  sample.reps,
  sample.target_weight,
  sample.target_weight_unit,
  sample.rest_seconds
from (
  values
    (
      'de5e0007-0000-4000-8000-000000000001', 'de5e0006-0000-4000-8000-000000000001', 'Squat', 0, 3,
      '5', 100, 'kg', 180
    ),
    (
      'de5e0007-0000-4000-8000-000000000002', 'de5e0006-0000-4000-8000-000000000001', 'Box Jump', 1,
      3, 'AMRAP', null, null, 90
    ),
    (
      'de5e0007-0000-4000-8000-000000000003', 'de5e0006-0000-4000-8000-000000000002', 'Deadlift', 0,
      2, '8-12', 225, 'lb', 180
    ),
    (
      'de5e0007-0000-4000-8000-000000000004', 'de5e0006-0000-4000-8000-000000000003', 'Deadlift', 0,
      2, '8-12', 225, 'lb', 180
    )
) as sample (
  id, template_id, exercise_name, order_index, sets, reps, target_weight, target_weight_unit,
  rest_seconds
)
join public.workout_templates as template on template.id = sample.template_id::uuid
join public.exercises as exercise
  on exercise.name = sample.exercise_name
  and (exercise.is_system_exercise or exercise.created_by = template.user_id)
on conflict (id) do nothing;

insert into public.workout_sessions (
  id, user_id, template_id, name, status, started_at, completed_at
)
values
  (
    'de5e0008-0000-4000-8000-000000000001', 'de5e0000-0000-4000-8000-000000000001',
    'de5e0006-0000-4000-8000-000000000001', 'Leg day 2026-01-05', 'completed',
    '2026-01-05 18:00', '2026-01-05 19:05'
  ),
  (
    'de5e0008-0000-4000-8000-000000000002', 'de5e0000-0000-4000-8000-000000000001', null,
    'Freestyle 2026-01-08', 'abandoned', '2026-01-08 18:00', null
  ),
  (
    'de5e0008-0000-4000-8000-000000000003', 'de5e0000-0000-4000-8000-000000000002',
    'de5e0006-0000-4000-8000-000000000002', 'Pull day 2026-01-06', 'completed',
    '2026-01-06 07:00', '2026-01-06 07:40'
  )
on conflict (id) do nothing;

insert into public.workout_session_exercises (
  id, session_id, exercise_id, exercise_name, order_index, rest_seconds
)
select
  sample.id::uuid,
  session.id,
  exercise.id,
  exercise.name,
  sample.order_index,
  120
from (
  values
    (
      'de5e0009-0000-4000-8000-000000000001', 'de5e0008-0000-4000-8000-000000000001', 'Squat', 0
    ),
    (
      'de5e0009-0000-4000-8000-000000000002', 'de5e0008-0000-4000-8000-000000000001', 'Box Jump', 1
    ),
    (
      'de5e0009-0000-4000-8000-000000000003', 'de5e0008-0000-4000-8000-000000000003', 'Deadlift', 0
    )
) as sample (id, session_id, exercise_name, order_index)
join public.workout_sessions as session on session.id = sample.session_id::uuid
join public.exercises as exercise
  on exercise.name = sample.exercise_name
  and (exercise.is_system_exercise or exercise.created_by = session.user_id)
on conflict (id) do nothing;

insert into public.workout_sets (
  id, session_exercise_id, set_number, weight, weight_unit, reps, rpe, is_warmup, completed_at
)
values
  (
    'de5e000a-0000-4000-8000-000000000001', 'de5e0009-0000-4000-8000-000000000001', 1, 60, 'kg', 5,
    null, true, '2026-01-05 18:05'
  ),
  (
    'de5e000a-0000-4000-8000-000000000002', 'de5e0009-0000-4000-8000-000000000001', 2, 100, 'kg', 5,
    7.5, false, '2026-01-05 18:12'
  ),
  (
    'de5e000a-0000-4000-8000-000000000003', 'de5e0009-0000-4000-8000-000000000001', 3, 102.5, 'kg',
    4, 9, false, '2026-01-05 18:20'
  ),
  (
    'de5e000a-0000-4000-8000-000000000004', 'de5e0009-0000-4000-8000-000000000002', 1, null, null,
    12, 8, false, '2026-01-05 18:40'
  ),
  (
    'de5e000a-0000-4000-8000-000000000005', 'de5e0009-0000-4000-8000-000000000003', 1, 225, 'lb',
    10, 8, false, '2026-01-06 07:20'
  )
on conflict (id) do nothing;

insert into public.max_lifts (
  id, user_id, exercise_id, weight, unit, reps, achieved_at, workout_id
)
select
  sample.id::uuid,
  session.user_id,
  done.exercise_id,
  best.weight,
  best.weight_unit,
  best.reps,
  best.completed_at,
  session.id
from (
  values
    ('de5e000b-0000-4000-8000-000000000001', 'de5e000a-0000-4000-8000-000000000003'),
    ('de5e000b-0000-4000-8000-000000000002', 'de5e000a-0000-4000-8000-000000000005')
) as sample (id, set_id)
join public.workout_sets as best on best.id = sample.set_id::uuid
join public.workout_session_exercises as done on done.id = best.session_exercise_id
join public.workout_sessions as session on session.id = done.session_id
on conflict (id) do nothing;

-- Planned is a week from the day on which this is first run.
insert into public.scheduled_workouts (
  id, user_id, template_id, scheduled_date, title, notes, completed_session_id
)
values
  (
    'de5e000c-0000-4000-8000-000000000001', 'de5e0000-0000-4000-8000-000000000001',
    'de5e0006-0000-4000-8000-000000000001', '2026-01-05', null, null,
    'de5e0008-0000-4000-8000-000000000001'
  ),
  (
    'de5e000c-0000-4000-8000-000000000002', 'de5e0000-0000-4000-8000-000000000001',
    'de5e0006-0000-4000-8000-000000000003', '2026-01-07', null, null, null
  ),
  (
    'de5e000c-0000-4000-8000-000000000003', 'de5e0000-0000-4000-8000-000000000001', null,
    current_date + 7, 'Rest', 'Sleep in', null
  ),
  (
    'de5e000c-0000-4000-8000-000000000004', 'de5e0000-0000-4000-8000-000000000002',
    'de5e0006-0000-4000-8000-000000000002', '2026-01-06', 'Before work', null,
    'de5e0008-0000-4000-8000-000000000003'
  )
on conflict (id) do nothing;

insert into public.import_jobs (id, user_id, status, summary, error)
values
  (
    'de5e000d-0000-4000-8000-000000000001', 'de5e0000-0000-4000-8000-000000000001', 'completed',
    '{"sessions": 200, "exercises_created": 3}', null
  ),
  (
    'de5e000d-0000-4000-8000-000000000002', 'de5e0000-0000-4000-8000-000000000002', 'failed', null,
    'line 1: no column named date'
  )
on conflict (id) do nothing;
