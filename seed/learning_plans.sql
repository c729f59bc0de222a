-- Development data: two people with a plan each, and the schedule of each plan.
-- Running it again changes nothing. To act as one of them, use the Clerk id as the `sub` of a token.

insert into public.users (id, clerk_user_id, email, name, subscription_tier)
values
  (
    '1ea40000-0000-4000-8000-00000000000a',
    'user_dev_first',
    'dev@example.test',
    'Dev',
    'free'
  ),
  (
    '1ea40000-0000-4000-8000-00000000000b',
    'user_dev_second',
    'second@example.test',
    null,
    'pro'
  )
on conflict (id) do nothing;

-- The second plan is public: everybody reads it, and its schedule stays the owner's.
insert into public.learning_plans (
  id,
  user_id,
  topic,
  skill_level,
  weekly_hours,
  learning_style,
  start_date,
  deadline_date,
  visibility,
  generation_status,
  is_quota_eligible,
  finalized_at
)
values
  (
    '1ea40000-0000-4000-8000-0000000000a1',
    '1ea40000-0000-4000-8000-00000000000a',
    'Test Topic',
    'beginner',
    10,
    'mixed',
    '2025-02-03',
    null,
    'private',
    'ready',
    true,
    now()
  ),
  (
    '1ea40000-0000-4000-8000-0000000000b1',
    '1ea40000-0000-4000-8000-00000000000b',
    'Watercolours',
    'advanced',
    4,
    'practice',
    '2025-02-10',
    '2025-04-07',
    'public',
    'ready',
    true,
    now()
  )
on conflict (id) do nothing;

insert into public.plan_schedules
  (plan_id, schedule_json, inputs_hash, timezone, weekly_hours, start_date, deadline)
values
  (
    '1ea40000-0000-4000-8000-0000000000a1',
    '{
      "weeks": [
        {
          "weekNumber": 1,
          "startDate": "2025-02-03",
          "endDate": "2025-02-09",
          "days": [
            {
              "dayNumber": 1,
              "date": "2025-02-03",
              "sessions": [
                {
                  "taskId": "1ea40000-0000-4000-8000-0000000000a2",
                  "taskTitle": "Read the first chapter",
                  "estimatedMinutes": 60,
                  "moduleId": "1ea40000-0000-4000-8000-0000000000a3",
                  "moduleName": "Foundations"
                }
              ]
            },
            {
              "dayNumber": 3,
              "date": "2025-02-05",
              "sessions": [
                {
                  "taskId": "1ea40000-0000-4000-8000-0000000000a4",
                  "taskTitle": "Solve three exercises",
                  "estimatedMinutes": 90,
                  "moduleId": "1ea40000-0000-4000-8000-0000000000a3",
                  "moduleName": "Foundations"
                }
              ]
            }
          ]
        }
      ],
      "totalWeeks": 1,
      "totalSessions": 2
    }',
    'test-hash-123',
    'UTC',
    10,
    '2025-02-03',
    null
  ),
  -- A plan without tasks has an empty schedule.
  (
    '1ea40000-0000-4000-8000-0000000000b1',
    '{"weeks": [], "totalWeeks": 0, "totalSessions": 0}',
    'test-hash-456',
    'UTC',
    4,
    '2025-02-10',
    '2025-04-07'
  )
on conflict (plan_id) do nothing;
