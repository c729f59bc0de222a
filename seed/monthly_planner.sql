-- Development data: two users with an input each, a quota, a plan for January 2026 with its tasks,
-- what became of them and what that says. Running it again changes nothing.
--
-- The ids come from the sequences, so that an application can go on from here: every row is known by
-- what it says, and put in only where it is missing.

insert into public.users (name, email)
select sample.name, sample.email
from (
  values
    ('Dev', 'dev@example.test'),
    ('Second', 'second@example.test')
) as sample (name, email)
where not exists (select from public.users as u where u.email = sample.email)
order by sample.email;

insert into public.user_goals_and_preferences (
  user_id,
  goals_text,
  task_complexity,
  focus_areas,
  weekend_preference,
  fixed_commitments_json,
  input_saved_at
)
select
  u.id,
  sample.goals_text,
  sample.task_complexity::public.complexity,
  sample.focus_areas,
  sample.weekend_preference::public.weekend_preference,
  sample.fixed_commitments_json::jsonb,
  '2025-12-30 18:00'
from (
  values
    (
      'dev@example.test',
      'Run 10 km by the end of the month and finish the report',
      'Balanced',
      'Health,Work',
      'Mixed',
      '{"commitments": [{"dayOfWeek": "Monday", "startTime": "09:00", "endTime": "10:00", '
      '"description": "Team meeting"}]}'
    ),
    (
      'second@example.test',
      'Learn enough Italian for a week in Rome',
      'Simple',
      'Learning',
      'Rest',
      '{"commitments": []}'
    )
) as sample (
  email, goals_text, task_complexity, focus_areas, weekend_preference, fixed_commitments_json
)
join public.users as u on u.email = sample.email
where not exists (
  select
  from public.user_goals_and_preferences as p
  where p.user_id = u.id
    and p.goals_text = sample.goals_text
)
order by u.id;

insert into public.generation_quota (
  user_id, month_year, total_allowed, generations_used, resets_on
)
select u.id, '2026-01-01', sample.total_allowed, 1, '2026-02-01'
from (
  values
    ('dev@example.test', 5),
    ('second@example.test', 1)
) as sample (email, total_allowed)
join public.users as u on u.email = sample.email
where not exists (
  select
  from public.generation_quota as q
  where q.user_id = u.id
    and q.month_year = '2026-01-01'
)
order by u.id;

insert into public.monthly_plans (
  user_id,
  preference_id,
  month_year,
  ai_prompt,
  ai_response_raw,
  monthly_summary,
  generated_at
)
select
  u.id,
  p.id,
  '2026-01-01',
  sample.ai_prompt,
  sample.ai_response_raw::jsonb,
  sample.monthly_summary,
  '2025-12-30 18:01'
from (
  values
    (
      'dev@example.test',
      'Plan January: running and the report, Mondays 09:00 to 10:00 are taken',
      '{"monthly_summary": "Three runs a week, the report in the mornings.", '
      '"weekly_breakdown": [{"week": 1, "focus": "A calm start"}]}',
      'Three runs a week, the report in the mornings.'
    ),
    (
      'second@example.test',
      'Plan January: Italian in the evenings, weekends are free',
      '{"weekly_breakdown": []}',
      null
    )
) as sample (email, ai_prompt, ai_response_raw, monthly_summary)
join public.users as u on u.email = sample.email
join public.user_goals_and_preferences as p
  on p.user_id = u.id
  and p.input_saved_at = '2025-12-30 18:00'
where not exists (
  select
  from public.monthly_plans as plan
  where plan.user_id = u.id
    and plan.month_year = '2026-01-01'
    and plan.ai_prompt = sample.ai_prompt
)
order by u.id;

insert into public.plan_tasks (
  plan_id,
  task_description,
  focus_area,
  start_time,
  end_time,
  difficulty_level,
  scheduling_reason,
  is_completed
)
select
  plan.id,
  sample.task_description,
  sample.focus_area,
  sample.start_time::timestamp,
  sample.end_time::timestamp,
  sample.difficulty_level,
  sample.scheduling_reason,
  sample.is_completed
from (
  values
    (
      'dev@example.test',
      'Run 5 km',
      'Health',
      '2026-01-05 07:00',
      '2026-01-05 08:00',
      'Medium',
      'Before the meeting',
      true
    ),
    (
      'dev@example.test',
      'Outline the report',
      'Work',
      '2026-01-06 09:00',
      '2026-01-06 11:00',
      'Hard',
      'Peak Energy Window',
      false
    ),
    (
      'second@example.test',
      'First lesson',
      'Learning',
      '2026-01-07 20:00',
      '2026-01-07 21:00',
      null,
      null,
      false
    )
) as sample (
  email,
  task_description,
  focus_area,
  start_time,
  end_time,
  difficulty_level,
  scheduling_reason,
  is_completed
)
join public.users as u on u.email = sample.email
join public.monthly_plans as plan
  on plan.user_id = u.id
  and plan.month_year = '2026-01-01'
  and plan.generated_at = '2025-12-30 18:01'
where not exists (
  select
  from public.plan_tasks as task
  where task.plan_id = plan.id
    and task.task_description = sample.task_description
    and task.start_time = sample.start_time::timestamp
)
order by sample.start_time;

insert into public.user_activity_history (
  user_id,
  task_id,
  actual_start_time,
  actual_end_time,
  duration_deviation,
  was_completed,
  logged_at
)
select
  u.id,
  task.id,
  sample.actual_start_time::timestamp,
  sample.actual_end_time::timestamp,
  sample.duration_deviation,
  sample.was_completed,
  sample.logged_at::timestamp
from (
  values
    (
      'dev@example.test',
      'Run 5 km',
      '2026-01-05 07:00',
      '2026-01-05 08:05',
      5,
      true,
      '2026-01-05 08:10'
    ),
    ('second@example.test', 'First lesson', null, null, null, false, '2026-01-07 21:30')
) as sample (
  email,
  task_description,
  actual_start_time,
  actual_end_time,
  duration_deviation,
  was_completed,
  logged_at
)
join public.users as u on u.email = sample.email
join public.monthly_plans as plan
  on plan.user_id = u.id
  and plan.month_year = '2026-01-01'
  and plan.generated_at = '2025-12-30 18:01'
join public.plan_tasks as task
  on task.plan_id = plan.id
  and task.task_description = sample.task_description
where not exists (
  select
  from public.user_activity_history as entry
  where entry.task_id = task.id
    and entry.logged_at = sample.logged_at::timestamp
)
order by sample.logged_at;

insert into public.user_productivity_insights (
  user_id, insight_type, insight_value_json, last_updated
)
select
  u.id,
  sample.insight_type::public.insight_type,
  sample.insight_value_json::jsonb,
  '2026-01-08 03:00'
from (
  values
    ('dev@example.test', 'PeakEnergy', '{"peakHours": "9:00-11:00"}'),
    ('dev@example.test', 'CompletionRate', '{"rate": 1}'),
    ('dev@example.test', 'SessionDuration', '{"preferredMinutes": 60}'),
    ('second@example.test', 'CompletionRate', '{"rate": 0}'),
    ('second@example.test', 'Challenges', '{"challenges": ["Evenings"], "taskTypeSuccessRates": {}}')
) as sample (email, insight_type, insight_value_json)
join public.users as u on u.email = sample.email
where not exists (
  select
  from public.user_productivity_insights as insight
  where insight.user_id = u.id
    and insight.insight_type = sample.insight_type::public.insight_type
)
order by u.id, sample.insight_type;
