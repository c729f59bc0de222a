-- Development data: two users with a project each, a session on it, one job and two events.
-- Running it again changes nothing. Neither user has a password: act as one of them with the claims
-- of a token, or on Supabase send a sign-in link from the dashboard.

-- Their profiles are made by the trigger. The tokens are empty and not null, because the auth
-- server of Supabase cannot read null there.
insert into auth.users (
  instance_id,
  id,
  aud,
  role,
  email,
  email_confirmed_at,
  confirmation_token,
  recovery_token,
  email_change_token_new,
  email_change,
  raw_app_meta_data,
  raw_user_meta_data,
  created_at,
  updated_at
)
values
  (
    '00000000-0000-0000-0000-000000000000',
    'c0de0000-0000-4000-8000-00000000000a',
    'authenticated',
    'authenticated',
    'dev@example.test',
    now(),
    '',
    '',
    '',
    '',
    '{"provider": "email", "providers": ["email"]}',
    '{"display_name": "Dev"}',
    now(),
    now()
  ),
  (
    '00000000-0000-0000-0000-000000000000',
    'c0de0000-0000-4000-8000-00000000000b',
    'authenticated',
    'authenticated',
    'second@example.test',
    now(),
    '',
    '',
    '',
    '',
    '{"provider": "email", "providers": ["email"]}',
    -- Without a display name, so that this profile shows the other half of the trigger.
    '{}',
    now(),
    now()
  )
on conflict (id) do nothing;

insert into public.projects (id, user_id, name, description)
values
  (
    'c0de0000-0000-4000-8000-0000000000a1',
    'c0de0000-0000-4000-8000-00000000000a',
    'Test Todo App',
    'A sample todo application for testing'
  ),
  (
    'c0de0000-0000-4000-8000-0000000000b1',
    'c0de0000-0000-4000-8000-00000000000b',
    'Test Weather App',
    'A sample weather application for testing'
  )
on conflict (id) do nothing;

insert into public.coding_sessions (id, user_id, project_id, initial_prompt, expires_at)
values
  (
    'c0de0000-0000-4000-8000-0000000000a2',
    'c0de0000-0000-4000-8000-00000000000a',
    'c0de0000-0000-4000-8000-0000000000a1',
    'Build a todo app with React',
    now() + interval '1 hour'
  ),
  (
    'c0de0000-0000-4000-8000-0000000000b2',
    'c0de0000-0000-4000-8000-00000000000b',
    'c0de0000-0000-4000-8000-0000000000b1',
    'Build a weather app with React',
    now() + interval '1 hour'
  )
on conflict (id) do nothing;

insert into public.coding_jobs (id, session_id, prompt)
values
  (
    'c0de0000-0000-4000-8000-0000000000a3',
    'c0de0000-0000-4000-8000-0000000000a2',
    'Build a todo app with React'
  ),
  (
    'c0de0000-0000-4000-8000-0000000000b3',
    'c0de0000-0000-4000-8000-0000000000b2',
    'Build a weather app with React'
  )
on conflict (id) do nothing;

insert into public.session_events (id, session_id, event_type, data)
values
  (
    'c0de0000-0000-4000-8000-0000000000a4',
    'c0de0000-0000-4000-8000-0000000000a2',
    'thinking',
    '{"message": "Planning the todo app structure..."}'
  ),
  (
    'c0de0000-0000-4000-8000-0000000000a5',
    'c0de0000-0000-4000-8000-0000000000a2',
    'terminal',
    '{"command": "npm install", "output": "Installing dependencies..."}'
  ),
  (
    'c0de0000-0000-4000-8000-0000000000b4',
    'c0de0000-0000-4000-8000-0000000000b2',
    'thinking',
    '{"message": "Planning the weather app structure..."}'
  ),
  (
    'c0de0000-0000-4000-8000-0000000000b5',
    'c0de0000-0000-4000-8000-0000000000b2',
    'terminal',
    '{"command": "npm install", "output": "Installing dependencies..."}'
  )
on conflict (id) do nothing;
