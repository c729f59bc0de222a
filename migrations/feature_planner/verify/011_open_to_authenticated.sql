-- Ann and Bob have a row each in every table; Bob's template is public, as others may be that
-- are here already. Ann is the caller.
insert into public.users (id, clerk_id, email, username, display_name)
values
  (
    '5afe0000-0000-4000-8000-00000000000a', 'user_verify_ann', 'ann@verify.invalid',
    'verify_ann', 'Ann'
  ),
  (
    '5afe0000-0000-4000-8000-00000000000b', 'user_verify_bob', 'bob@verify.invalid',
    'verify_bob', 'Bob'
  );
insert into feature_planner.feature_plans (id, user_id, original_request)
values
  ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-00000000000a', 'A search box'),
  ('5afe0000-0000-4000-8000-0000000000b1', '5afe0000-0000-4000-8000-00000000000b', 'A search box');
insert into feature_planner.feature_refinements (id, plan_id, agent_id, input_request)
values
  (
    '5afe0000-0000-4000-8000-0000000000a2', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1',
    'A search box'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b2', '5afe0000-0000-4000-8000-0000000000b1', 'agent-1',
    'A search box'
  );
insert into feature_planner.file_discovery_sessions (id, plan_id, agent_id, refined_request)
values
  (
    '5afe0000-0000-4000-8000-0000000000a3', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1',
    'A search box'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b3', '5afe0000-0000-4000-8000-0000000000b1', 'agent-1',
    'A search box'
  );
insert into feature_planner.discovered_files (id, discovery_session_id, file_path, priority)
values
  (
    '5afe0000-0000-4000-8000-0000000000a4', '5afe0000-0000-4000-8000-0000000000a3',
    'src/search.ts', 'high'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b4', '5afe0000-0000-4000-8000-0000000000b3',
    'src/search.ts', 'high'
  );
insert into feature_planner.implementation_plan_generations (id, plan_id, agent_id, refined_request)
values
  (
    '5afe0000-0000-4000-8000-0000000000a5', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1',
    'A search box'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b5', '5afe0000-0000-4000-8000-0000000000b1', 'agent-1',
    'A search box'
  );
insert into feature_planner.plan_step_templates
  (id, user_id, name, title, description, content, category, is_public)
values
  (
    '5afe0000-0000-4000-8000-0000000000a6', '5afe0000-0000-4000-8000-00000000000a', 'tests',
    'Tests', 'First', '…', 'quality', false
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b6', '5afe0000-0000-4000-8000-00000000000b', 'tests',
    'Tests', 'First', '…', 'quality', true
  );
insert into feature_planner.plan_steps
  (id, plan_generation_id, step_number, display_order, title, description)
values
  (
    '5afe0000-0000-4000-8000-0000000000a7', '5afe0000-0000-4000-8000-0000000000a5', 1, 0,
    'Add the box', 'Above'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b7', '5afe0000-0000-4000-8000-0000000000b5', 1, 0,
    'Add the box', 'Above'
  );
insert into feature_planner.plan_execution_logs
  (id, plan_id, step, step_number, agent_type, start_time)
values
  (
    '5afe0000-0000-4000-8000-0000000000a8', '5afe0000-0000-4000-8000-0000000000a1', 'refinement',
    1, 'refiner', '2001-02-03'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b8', '5afe0000-0000-4000-8000-0000000000b1', 'refinement',
    1, 'refiner', '2001-02-03'
  );
select set_config(
  'request.jwt.claims',
  '{"sub": "user_verify_ann", "role": "authenticated"}',
  true
);

-- check: a user sees the own rows, and a template that is public
set local role authenticated;
with seen (relname, id) as (
  select 'feature_plans', id from feature_planner.feature_plans
  union all
  select 'feature_refinements', id from feature_planner.feature_refinements
  union all
  select 'file_discovery_sessions', id from feature_planner.file_discovery_sessions
  union all
  select 'discovered_files', id from feature_planner.discovered_files
  union all
  select 'implementation_plan_generations', id from feature_planner.implementation_plan_generations
  union all
  select 'plan_steps', id from feature_planner.plan_steps
  union all
  select 'plan_step_templates', id from feature_planner.plan_step_templates
  where user_id in ('5afe0000-0000-4000-8000-00000000000a', '5afe0000-0000-4000-8000-00000000000b')
  union all
  select 'plan_execution_logs', id from feature_planner.plan_execution_logs
)
select array_agg(relname || ' ' || right(id::text, 2) order by relname, id) = array[
  'discovered_files a4',
  'feature_plans a1',
  'feature_refinements a2',
  'file_discovery_sessions a3',
  'implementation_plan_generations a5',
  'plan_execution_logs a8',
  'plan_step_templates a6',
  'plan_step_templates b6',
  'plan_steps a7'
]
from seen;

-- Without a where clause only the policy of the command stands between the caller and other
-- people's rows. Should one be broken on a large live table, the timeout ends the statement early.
-- check: a user who changes every row within reach changes the own ones only
set local role authenticated;
set local statement_timeout = '5s';
update feature_planner.feature_plans set session_id = 'mine';
update feature_planner.feature_refinements set agent_name = 'mine';
update feature_planner.file_discovery_sessions set architecture_insights = 'mine';
update feature_planner.discovered_files set role = 'mine';
update feature_planner.implementation_plan_generations set estimated_duration = 'mine';
update feature_planner.plan_steps set category = 'mine';
update feature_planner.plan_step_templates set estimated_duration = 'mine';
update feature_planner.plan_execution_logs set session_id = 'mine';
reset role;
with marked (id) as (
  select id from feature_planner.feature_plans where session_id = 'mine'
  union all
  select id from feature_planner.feature_refinements where agent_name = 'mine'
  union all
  select id from feature_planner.file_discovery_sessions where architecture_insights = 'mine'
  union all
  select id from feature_planner.discovered_files where role = 'mine'
  union all
  select id from feature_planner.implementation_plan_generations where estimated_duration = 'mine'
  union all
  select id from feature_planner.plan_steps where category = 'mine'
  union all
  select id from feature_planner.plan_step_templates where estimated_duration = 'mine'
  union all
  select id from feature_planner.plan_execution_logs where session_id = 'mine'
)
select array_agg(right(id::text, 2) order by id)
  = array['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8']
from marked;

-- Children first, so that no cascade does it for the policy.
-- check: a user who deletes every row within reach deletes the own ones only
set local role authenticated;
set local statement_timeout = '5s';
delete from feature_planner.plan_execution_logs;
delete from feature_planner.plan_steps;
delete from feature_planner.plan_step_templates;
delete from feature_planner.discovered_files;
delete from feature_planner.implementation_plan_generations;
delete from feature_planner.file_discovery_sessions;
delete from feature_planner.feature_refinements;
reset role;
with kept (id) as (
  select id from feature_planner.plan_execution_logs
  where id in ('5afe0000-0000-4000-8000-0000000000a8', '5afe0000-0000-4000-8000-0000000000b8')
  union all
  select id from feature_planner.plan_steps
  where id in ('5afe0000-0000-4000-8000-0000000000a7', '5afe0000-0000-4000-8000-0000000000b7')
  union all
  select id from feature_planner.plan_step_templates
  where id in ('5afe0000-0000-4000-8000-0000000000a6', '5afe0000-0000-4000-8000-0000000000b6')
  union all
  select id from feature_planner.discovered_files
  where id in ('5afe0000-0000-4000-8000-0000000000a4', '5afe0000-0000-4000-8000-0000000000b4')
  union all
  select id from feature_planner.implementation_plan_generations
  where id in ('5afe0000-0000-4000-8000-0000000000a5', '5afe0000-0000-4000-8000-0000000000b5')
  union all
  select id from feature_planner.file_discovery_sessions
  where id in ('5afe0000-0000-4000-8000-0000000000a3', '5afe0000-0000-4000-8000-0000000000b3')
  union all
  select id from feature_planner.feature_refinements
  where id in ('5afe0000-0000-4000-8000-0000000000a2', '5afe0000-0000-4000-8000-0000000000b2')
)
select array_agg(right(id::text, 2) order by id) = array['b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'b8']
from kept;

-- check: a user who deletes every plan within reach deletes the own one only
set local role authenticated;
set local statement_timeout = '5s';
delete from feature_planner.feature_plans;
reset role;
select array_agg(right(id::text, 2)) = array['b1']
from feature_planner.feature_plans
where id in ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-0000000000b1');

-- check: a user writes a new row of every table
set local role authenticated;
insert into feature_planner.feature_plans
  (user_id, original_request)
values ('5afe0000-0000-4000-8000-00000000000a', 'Mine');
insert into feature_planner.feature_refinements
  (plan_id, agent_id, input_request)
values ('5afe0000-0000-4000-8000-0000000000a1', 'agent-1', 'Mine');
insert into feature_planner.file_discovery_sessions
  (plan_id, agent_id, refined_request)
values ('5afe0000-0000-4000-8000-0000000000a1', 'agent-1', 'Mine');
insert into feature_planner.discovered_files
  (discovery_session_id, file_path, priority)
values ('5afe0000-0000-4000-8000-0000000000a3', 'mine.ts', 'low');
insert into feature_planner.implementation_plan_generations
  (plan_id, agent_id, refined_request)
values ('5afe0000-0000-4000-8000-0000000000a1', 'agent-1', 'Mine');
insert into feature_planner.plan_steps
  (plan_generation_id, step_number, display_order, title, description)
values ('5afe0000-0000-4000-8000-0000000000a5', 2, 1, 'Mine', 'Mine');
insert into feature_planner.plan_step_templates
  (user_id, name, title, description, content, category)
values ('5afe0000-0000-4000-8000-00000000000a', 'mine', 'Mine', 'Mine', 'Mine', 'mine');
insert into feature_planner.plan_execution_logs
  (plan_id, step, step_number, agent_type, start_time)
values ('5afe0000-0000-4000-8000-0000000000a1', 'planning', 3, 'mine', '2001-02-03');
with seen (id) as (
  select id from feature_planner.feature_plans
  union all
  select id from feature_planner.feature_refinements
  union all
  select id from feature_planner.file_discovery_sessions
  union all
  select id from feature_planner.discovered_files
  union all
  select id from feature_planner.implementation_plan_generations
  union all
  select id from feature_planner.plan_steps
  union all
  select id from feature_planner.plan_step_templates
  where user_id in ('5afe0000-0000-4000-8000-00000000000a', '5afe0000-0000-4000-8000-00000000000b')
  union all
  select id from feature_planner.plan_execution_logs
)
select count(*) = 17 from seen;

-- check error 42501: a user writes a row of feature_plans in somebody else's name
set local role authenticated;
insert into feature_planner.feature_plans
  (user_id, original_request)
values ('5afe0000-0000-4000-8000-00000000000b', 'Mine');

-- check error 42501: a user writes a row of feature_refinements into somebody else's plan
set local role authenticated;
insert into feature_planner.feature_refinements
  (plan_id, agent_id, input_request)
values ('5afe0000-0000-4000-8000-0000000000b1', 'agent-1', 'Mine');

-- check error 42501: a user writes a row of file_discovery_sessions into somebody else's plan
set local role authenticated;
insert into feature_planner.file_discovery_sessions
  (plan_id, agent_id, refined_request)
values ('5afe0000-0000-4000-8000-0000000000b1', 'agent-1', 'Mine');

-- check error 42501: a user writes a row of discovered_files into somebody else's plan
set local role authenticated;
insert into feature_planner.discovered_files
  (discovery_session_id, file_path, priority)
values ('5afe0000-0000-4000-8000-0000000000b3', 'mine.ts', 'low');

-- check error 42501: a user writes a row of implementation_plan_generations into somebody else's plan
set local role authenticated;
insert into feature_planner.implementation_plan_generations
  (plan_id, agent_id, refined_request)
values ('5afe0000-0000-4000-8000-0000000000b1', 'agent-1', 'Mine');

-- check error 42501: a user writes a row of plan_steps into somebody else's plan
set local role authenticated;
insert into feature_planner.plan_steps
  (plan_generation_id, step_number, display_order, title, description)
values ('5afe0000-0000-4000-8000-0000000000b5', 2, 1, 'Mine', 'Mine');

-- check error 42501: a user writes a row of plan_step_templates in somebody else's name
set local role authenticated;
insert into feature_planner.plan_step_templates
  (user_id, name, title, description, content, category)
values ('5afe0000-0000-4000-8000-00000000000b', 'mine', 'Mine', 'Mine', 'Mine', 'mine');

-- check error 42501: a user writes a row of plan_execution_logs into somebody else's plan
set local role authenticated;
insert into feature_planner.plan_execution_logs
  (plan_id, step, step_number, agent_type, start_time)
values ('5afe0000-0000-4000-8000-0000000000b1', 'planning', 3, 'mine', '2001-02-03');

-- check error 42501: a user gives a plan away
set local role authenticated;
update feature_planner.feature_plans set user_id = '5afe0000-0000-4000-8000-00000000000b';

-- check none: a row that a token of nobody sees, but for public templates
select set_config('request.jwt.claims', '{"sub": "user_verify_nobody"}', true);
set local role authenticated;
select id from feature_planner.feature_plans
union all
select id from feature_planner.feature_refinements
union all
select id from feature_planner.file_discovery_sessions
union all
select id from feature_planner.discovered_files
union all
select id from feature_planner.implementation_plan_generations
union all
select id from feature_planner.plan_steps
union all
select id from feature_planner.plan_step_templates where not is_public
union all
select id from feature_planner.plan_execution_logs;

-- check: without a token the caller is nobody
select set_config('request.jwt.claims', '', true);
set local role authenticated;
select feature_planner.caller_id() is null;

-- check: with one, the account of its Clerk id
set local role authenticated;
select feature_planner.caller_id() = '5afe0000-0000-4000-8000-00000000000a';

-- check error 42501: a user makes a table in the schema
set local role authenticated;
create table feature_planner.surplus (id integer);

-- check error 42501: a user reads the accounts
set local role authenticated;
select id from public.users;

-- check error 42501: a visitor reads a plan
set local role anon;
select id from feature_planner.feature_plans;

-- check: these tables have these policies, for authenticated, and no other
select array_agg(
  format('%s %s %s %s %s', tablename, policyname, lower(permissive), lower(cmd), roles)
  order by policyname collate "C"
) = array[
  'discovered_files discovered_files_own permissive all {authenticated}',
  'feature_plans feature_plans_own permissive all {authenticated}',
  'feature_refinements feature_refinements_own permissive all {authenticated}',
  'file_discovery_sessions file_discovery_sessions_own permissive all {authenticated}',
  'implementation_plan_generations implementation_plan_generations_own permissive all {authenticated}',
  'plan_execution_logs plan_execution_logs_own permissive all {authenticated}',
  'plan_step_templates plan_step_templates_own permissive all {authenticated}',
  'plan_step_templates plan_step_templates_public permissive select {authenticated}',
  'plan_steps plan_steps_own permissive all {authenticated}'
]
from pg_catalog.pg_policies
where schemaname = 'feature_planner'
  and tablename in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );

-- check none: a table of the schema without row level security
-- Default privileges open a new one to every user: this holds for tables to come as well.
select relname
from pg_catalog.pg_class
where relnamespace = 'feature_planner'::regnamespace
  and relkind in ('r', 'p')
  and not relrowsecurity;

-- check none: a right on the tables that is missing, or one too many
with design (relname, grantee, privilege, is_grantable) as (
  select relname, 'authenticated', privilege, false
  from unnest(array[
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  ]) as relname
  cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as privilege
),
found as (
  select
    c.relname::text,
    coalesce(r.rolname, 'public')::text as grantee,
    entry.privilege_type::text,
    entry.is_grantable
  from pg_catalog.pg_class as c
  cross join aclexplode(c.relacl) as entry
  left join pg_catalog.pg_roles as r on r.oid = entry.grantee
  where c.relnamespace = 'feature_planner'::regnamespace
    and entry.grantee <> c.relowner
    and c.relname in (
      'feature_plans',
      'feature_refinements',
      'file_discovery_sessions',
      'discovered_files',
      'implementation_plan_generations',
      'plan_steps',
      'plan_step_templates',
      'plan_execution_logs'
    )
)
(table design except table found)
union all
(table found except table design);

-- check: authenticated may use the schema, and nobody but its owner may do more
select array_agg(
  format('%s %s %s', r.rolname, entry.privilege_type, entry.is_grantable)
) = array['authenticated USAGE f']
from pg_catalog.pg_namespace as n
cross join aclexplode(n.nspacl) as entry
left join pg_catalog.pg_roles as r on r.oid = entry.grantee
where n.nspname = 'feature_planner'
  and entry.grantee <> n.nspowner;

-- check: authenticated may execute caller_id, and nobody else but its owner
select array_agg(
  format('%s %s %s', r.rolname, entry.privilege_type, entry.is_grantable)
) = array['authenticated EXECUTE f']
from pg_catalog.pg_proc as p
cross join aclexplode(p.proacl) as entry
left join pg_catalog.pg_roles as r on r.oid = entry.grantee
where p.oid = 'feature_planner.caller_id()'::regprocedure
  and entry.grantee <> p.proowner;

-- check: caller_id runs with its owner's rights and an empty search_path, once a query
select prosecdef and proconfig = array['search_path=""'] and provolatile = 's'
from pg_catalog.pg_proc
where oid = 'feature_planner.caller_id()'::regprocedure;

-- check: caller_id says what it is
select obj_description('feature_planner.caller_id()'::regprocedure, 'pg_proc')
  = 'The id of the user who is signed in, by the Clerk id in the token; null for anybody else.';

-- check: tables and sequences to come are open to authenticated as the others are
select array_agg(
  format('%s %s %s', defaclobjtype, entry.privilege_type, entry.is_grantable)
  order by defaclobjtype, entry.privilege_type
) = array['S USAGE f', 'r DELETE f', 'r INSERT f', 'r SELECT f', 'r UPDATE f']
from pg_catalog.pg_default_acl
cross join aclexplode(defaclacl) as entry
where defaclnamespace = 'feature_planner'::regnamespace
  and entry.grantee = 'authenticated'::regrole;
