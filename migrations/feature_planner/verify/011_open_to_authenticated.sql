-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: tables = '{feature_plans,feature_refinements,file_discovery_sessions,discovered_files,implementation_plan_generations,plan_steps,plan_step_templates,plan_execution_logs}'::text[]
-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_plan = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_refinement = '5afe0000-0000-4000-8000-0000000000a2'
-- let: bobs_refinement = '5afe0000-0000-4000-8000-0000000000b2'
-- let: anns_discovery = '5afe0000-0000-4000-8000-0000000000a3'
-- let: bobs_discovery = '5afe0000-0000-4000-8000-0000000000b3'
-- let: anns_file = '5afe0000-0000-4000-8000-0000000000a4'
-- let: bobs_file = '5afe0000-0000-4000-8000-0000000000b4'
-- let: anns_generation = '5afe0000-0000-4000-8000-0000000000a5'
-- let: bobs_generation = '5afe0000-0000-4000-8000-0000000000b5'
-- let: anns_template = '5afe0000-0000-4000-8000-0000000000a6'
-- let: bobs_template = '5afe0000-0000-4000-8000-0000000000b6'
-- let: anns_step = '5afe0000-0000-4000-8000-0000000000a7'
-- let: bobs_step = '5afe0000-0000-4000-8000-0000000000b7'
-- let: anns_log = '5afe0000-0000-4000-8000-0000000000a8'
-- let: bobs_log = '5afe0000-0000-4000-8000-0000000000b8'
-- let: bobs_private_template = '5afe0000-0000-4000-8000-0000000000b9'
-- let: servers_file = '5afe0000-0000-4000-8000-0000000000aa'
-- let: nobody = '5afe0000-0000-4000-8000-00000000000f'

-- Ann and Bob have a row each in every table; Bob's template is public, as others may be that
-- are here already. Bob also has a plan of every status, and a template that is used and private: what
-- they hold opens nothing.
insert into public.users (id, clerk_id, email, username, display_name)
values
  (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  (:'bob', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');
insert into feature_planner.feature_plans (id, user_id, original_request)
values (:'anns_plan', :'ann', 'A search box'), (:'bobs_plan', :'bob', 'A search box');
insert into feature_planner.feature_refinements (id, plan_id, agent_id, input_request)
values
  (:'anns_refinement', :'anns_plan', 'agent-1', 'A search box'),
  (:'bobs_refinement', :'bobs_plan', 'agent-1', 'A search box');
insert into feature_planner.file_discovery_sessions (id, plan_id, agent_id, refined_request)
values
  (:'anns_discovery', :'anns_plan', 'agent-1', 'A search box'),
  (:'bobs_discovery', :'bobs_plan', 'agent-1', 'A search box');
insert into feature_planner.discovered_files (id, discovery_session_id, file_path, priority)
values
  (:'anns_file', :'anns_discovery', 'src/search.ts', 'high'),
  (:'bobs_file', :'bobs_discovery', 'src/search.ts', 'high');
insert into feature_planner.implementation_plan_generations (id, plan_id, agent_id, refined_request)
values
  (:'anns_generation', :'anns_plan', 'agent-1', 'A search box'),
  (:'bobs_generation', :'bobs_plan', 'agent-1', 'A search box');
insert into feature_planner.plan_step_templates (id, user_id, name, title, description, content, category, is_public)
values
  (:'anns_template', :'ann', 'tests', 'Tests', 'First', '…', 'quality', false),
  (:'bobs_template', :'bob', 'tests', 'Tests', 'First', '…', 'quality', true);
insert into feature_planner.plan_steps (id, plan_generation_id, step_number, display_order, title, description)
values
  (:'anns_step', :'anns_generation', 1, 0, 'Add the box', 'Above'),
  (:'bobs_step', :'bobs_generation', 1, 0, 'Add the box', 'Above');
insert into feature_planner.plan_execution_logs (id, plan_id, step, step_number, agent_type, start_time)
values
  (:'anns_log', :'anns_plan', 'refinement', 1, 'refiner', '2001-02-03'),
  (:'bobs_log', :'bobs_plan', 'refinement', 1, 'refiner', '2001-02-03');
insert into feature_planner.feature_plans (
  id, user_id, original_request, status, current_step, version, parent_plan_id, session_id,
  complexity, risk_level, completed_at
)
select
  ('5afe0000-0000-4000-8000-0000000001' || lpad(number::text, 2, '0'))::uuid,
  :'bob',
  'A search box',
  status,
  3,
  2,
  :'anns_plan',
  'shared',
  'low',
  'low',
  now()
from unnest(enum_range(null::feature_planner.plan_status)) with ordinality as each (status, number);
insert into feature_planner.plan_step_templates
  (id, user_id, name, title, description, content, category, is_public, usage_count)
values (:'bobs_private_template', :'bob', 'tests', 'Tests', 'First', '…', 'quality', false, 5);

-- check as ann: a user sees their own rows, and a template that is public
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
  where user_id in (:'ann', :'bob')
  union all
  select 'plan_execution_logs', id from feature_planner.plan_execution_logs
)
select array_agg(relname || ' ' || right(id::text, 2) order by relname, id) = array[
  'discovered_files a4', 'feature_plans a1', 'feature_refinements a2', 'file_discovery_sessions a3',
  'implementation_plan_generations a5', 'plan_execution_logs a8', 'plan_step_templates a6', 'plan_step_templates b6',
  'plan_steps a7'
] from seen;

-- Without a where clause only the policy of the command stands between the caller and other
-- people's rows. Should one be broken on a large live table, the timeout ends the statement early.
-- check as ann: a user who changes every row within reach changes their own only
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
select array_agg(right(id::text, 2) order by id) = array['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8']
from marked;

-- Children first, so that no cascade does it for the policy.
-- check as ann: a user who deletes every row within reach deletes their own only
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
  where id in (:'anns_log', :'bobs_log')
  union all
  select id from feature_planner.plan_steps
  where id in (:'anns_step', :'bobs_step')
  union all
  select id from feature_planner.plan_step_templates
  where id in (:'anns_template', :'bobs_template')
  union all
  select id from feature_planner.discovered_files
  where id in (:'anns_file', :'bobs_file')
  union all
  select id from feature_planner.implementation_plan_generations
  where id in (:'anns_generation', :'bobs_generation')
  union all
  select id from feature_planner.file_discovery_sessions
  where id in (:'anns_discovery', :'bobs_discovery')
  union all
  select id from feature_planner.feature_refinements
  where id in (:'anns_refinement', :'bobs_refinement')
)
select array_agg(right(id::text, 2) order by id) = array['b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'b8']
from kept;

-- check as ann: a user who deletes every plan within reach deletes their own only
set local statement_timeout = '5s';
delete from feature_planner.feature_plans;
reset role;
select array_agg(right(id::text, 2)) = array['b1']
from feature_planner.feature_plans where id in (:'anns_plan', :'bobs_plan');

-- check as ann: a user writes a new row of every table
insert into feature_planner.feature_plans (user_id, original_request) values (:'ann', 'Mine');
insert into feature_planner.feature_refinements (plan_id, agent_id, input_request)
values (:'anns_plan', 'agent-1', 'Mine');
insert into feature_planner.file_discovery_sessions (plan_id, agent_id, refined_request)
values (:'anns_plan', 'agent-1', 'Mine');
insert into feature_planner.discovered_files (discovery_session_id, file_path, priority)
values (:'anns_discovery', 'mine.ts', 'low');
insert into feature_planner.implementation_plan_generations (plan_id, agent_id, refined_request)
values (:'anns_plan', 'agent-1', 'Mine');
insert into feature_planner.plan_steps (plan_generation_id, step_number, display_order, title, description)
values (:'anns_generation', 2, 1, 'Mine', 'Mine');
insert into feature_planner.plan_step_templates (user_id, name, title, description, content, category)
values (:'ann', 'mine', 'Mine', 'Mine', 'Mine', 'mine');
insert into feature_planner.plan_execution_logs (plan_id, step, step_number, agent_type, start_time)
values (:'anns_plan', 'planning', 3, 'mine', '2001-02-03');
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
  where user_id in (:'ann', :'bob')
  union all
  select id from feature_planner.plan_execution_logs
)
select count(*) = 17 from seen;

-- check error 42501 as ann: a user writes a row of feature_plans in somebody else's name
insert into feature_planner.feature_plans (user_id, original_request) values (:'bob', 'Mine');

-- check error 42501 as ann: a user writes a row of feature_refinements into somebody else's plan
insert into feature_planner.feature_refinements (plan_id, agent_id, input_request)
values (:'bobs_plan', 'agent-1', 'Mine');

-- check error 42501 as ann: a user writes a row of file_discovery_sessions into somebody else's plan
insert into feature_planner.file_discovery_sessions (plan_id, agent_id, refined_request)
values (:'bobs_plan', 'agent-1', 'Mine');

-- check error 42501 as ann: a user writes a row of discovered_files into somebody else's plan
insert into feature_planner.discovered_files (discovery_session_id, file_path, priority)
values (:'bobs_discovery', 'mine.ts', 'low');

-- check error 42501 as ann: a user writes a row of implementation_plan_generations into somebody else's plan
insert into feature_planner.implementation_plan_generations (plan_id, agent_id, refined_request)
values (:'bobs_plan', 'agent-1', 'Mine');

-- check error 42501 as ann: a user writes a row of plan_steps into somebody else's plan
insert into feature_planner.plan_steps (plan_generation_id, step_number, display_order, title, description)
values (:'bobs_generation', 2, 1, 'Mine', 'Mine');

-- check error 42501 as ann: a user writes a row of plan_step_templates in somebody else's name
insert into feature_planner.plan_step_templates (user_id, name, title, description, content, category)
values (:'bob', 'mine', 'Mine', 'Mine', 'Mine', 'mine');

-- check error 42501 as ann: a user writes a row of plan_execution_logs into somebody else's plan
insert into feature_planner.plan_execution_logs (plan_id, step, step_number, agent_type, start_time)
values (:'bobs_plan', 'planning', 3, 'mine', '2001-02-03');

-- check error 42501 as ann: a user adds a file in the name of somebody whom it would keep
insert into feature_planner.discovered_files (discovery_session_id, file_path, priority, added_by_user_id)
values (:'anns_discovery', 'mine.ts', 'low', :'bob');

-- check error 42501 as ann: or in that of nobody, to see which ids are in use
insert into feature_planner.discovered_files (discovery_session_id, file_path, priority, added_by_user_id)
values (:'anns_discovery', 'mine.ts', 'low', :'nobody');

-- check error 42501 as ann: a user puts a name into a file
update feature_planner.discovered_files set added_by_user_id = :'bob';

-- check: a user adds a file in their own name, and changes one that the server has in another's
insert into feature_planner.discovered_files (id, discovery_session_id, file_path, priority, added_by_user_id)
values (:'servers_file', :'anns_discovery', 'server.ts', 'low', :'bob');
-- as: ann
insert into feature_planner.discovered_files
  (discovery_session_id, file_path, priority, added_by_user_id, is_manually_added)
values (:'anns_discovery', 'mine.ts', 'low', :'ann', true);
with changed as (
  update feature_planner.discovered_files set is_selected = true where file_path in ('server.ts', 'mine.ts')
  returning id
)
select count(*) = 2 from changed;

-- check error 42501 as ann: a user gives a plan away
update feature_planner.feature_plans set user_id = :'bob';

-- check none as ann: a row that a token of nobody sees, but for public templates
select set_config('request.jwt.claims', '{"sub": "user_verify_nobody"}', true);
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

-- check as ann: without a token the caller is nobody
select set_config('request.jwt.claims', '', true);
select feature_planner.caller_id() is null;

-- check: without a subject in it the caller is nobody, even where somebody's Clerk id is empty
insert into public.users (clerk_id, email, username, display_name)
values ('', 'nobody@verify.invalid', 'verify_nobody', 'Nobody')
on conflict (clerk_id) do nothing;
-- as: ann
select set_config('request.jwt.claims', '{}', true);
select feature_planner.caller_id() is null;

-- check as ann: with one, the account of its Clerk id
select feature_planner.caller_id() = :'ann';

-- check error 42501 as ann: a user makes a table in the schema
create table feature_planner.surplus (id integer);

-- check error 42501 as ann: a user reads the accounts
select id from public.users;

-- check error 42501 as visitor: a visitor reads a plan
select id from feature_planner.feature_plans;

-- check: each of the ten policies is for authenticated
select count(*) = 10 and bool_and(roles = '{authenticated}')
from pg_catalog.pg_policies where schemaname = 'feature_planner' and tablename = any (:tables);

-- check none: a table of the schema without row level security
-- Default privileges open a new one to every user: this holds for tables to come as well.
select relname
from pg_catalog.pg_class
where relnamespace = 'feature_planner'::regnamespace and relkind in ('r', 'p') and not relrowsecurity;

-- check none: a right on the tables that is missing, or one too many
with design (relname, grantee, privilege, is_grantable) as (
  select relname, 'authenticated', privilege, false
  from unnest(:tables) as relname
  cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as privilege
  where (relname, privilege) <> ('discovered_files', 'UPDATE')
),
found as (
  select
    c.relname::text, coalesce(r.rolname, 'public')::text as grantee, entry.privilege_type::text, entry.is_grantable
  from pg_catalog.pg_class as c
  cross join aclexplode(c.relacl) as entry
  left join pg_catalog.pg_roles as r on r.oid = entry.grantee
  where c.relnamespace = 'feature_planner'::regnamespace and entry.grantee <> c.relowner and c.relname = any (:tables)
)
(table design except table found)
union all
(table found except table design);

-- check: who added a file is the one column of its table that users may not change
select array_agg(format('%s %s', a.attrelid::regclass, a.attname) order by a.attname collate "C")
  = (
    select array_agg(format('feature_planner.discovered_files %s', attname) order by attname collate "C")
    from pg_catalog.pg_attribute
    where attrelid = 'feature_planner.discovered_files'::regclass
      and attnum > 0
      and not attisdropped
      and attname <> 'added_by_user_id'
  )
  and bool_and(
    entry.privilege_type = 'UPDATE'
    and not entry.is_grantable
    and entry.grantee = 'authenticated'::regrole
  )
from pg_catalog.pg_attribute as a
join pg_catalog.pg_class as c on c.oid = a.attrelid
cross join aclexplode(a.attacl) as entry
where c.relnamespace = 'feature_planner'::regnamespace and c.relname = any (:tables);

-- check: authenticated may use the schema, and nobody but its owner may do more
select array_agg(
  format('%s %s %s', r.rolname, entry.privilege_type, entry.is_grantable)
) = array['authenticated USAGE f']
from pg_catalog.pg_namespace as n
cross join aclexplode(n.nspacl) as entry
left join pg_catalog.pg_roles as r on r.oid = entry.grantee
where n.nspname = 'feature_planner' and entry.grantee <> n.nspowner;

-- check: authenticated may execute caller_id, and nobody else but its owner
select array_agg(
  format('%s %s %s', r.rolname, entry.privilege_type, entry.is_grantable)
) = array['authenticated EXECUTE f']
from pg_catalog.pg_proc as p
cross join aclexplode(p.proacl) as entry
left join pg_catalog.pg_roles as r on r.oid = entry.grantee
where p.oid = 'feature_planner.caller_id()'::regprocedure and entry.grantee <> p.proowner;

-- check none: a subject that is empty, blank or no text, and an account with that Clerk id: nobody all the same
insert into public.users (clerk_id, email, username, display_name)
select odd.sub, odd.place || '@odd.verify.invalid', 'verify_odd_' || odd.place, 'Odd'
from unnest(array['', ' ', E'\t', E'\u00a0', 'true', '0', '{"a": 1}', '["user_verify_ann"]', 'null'])
  with ordinality as odd (sub, place);
select odd.claims, called.id
from unnest(array[
  '{"sub": ""}', '{"sub": " "}', '{"sub": "\t"}', '{"sub": "\u00a0"}', '{"sub": true}', '{"sub": 0}', '{"sub": {"a": 1}}',
  '{"sub": ["user_verify_ann"]}', '{"sub": null}', '{}', ''
]) as odd (claims)
-- The setting is made ahead of the call, and anew for each.
cross join lateral (
  select case when set_config('request.jwt.claims', odd.claims, true) is not null then feature_planner.caller_id() end
) as called (id)
where called.id is not null;

-- check: caller_id runs with its owner's rights and an empty search_path, once a query
select prosecdef and proconfig = array['search_path=""'] and provolatile = 's'
from pg_catalog.pg_proc where oid = 'feature_planner.caller_id()'::regprocedure;

-- stamp: malformed_callers(schema="feature_planner",
--   tables=["feature_plans", "feature_refinements", "file_discovery_sessions", "discovered_files",
--     "implementation_plan_generations", "plan_steps", "plan_step_templates", "plan_execution_logs"],
--   actor="ann", claims={"email": "ann@verify.invalid", "username": "verify_ann", "name": "Ann"})
-- stamped: malformed_callers sha256:c7509ac7204ae1e2  (edit the stamp line or the template, then run pgvouch stamp)
-- check none as ann: feature_plans, feature_refinements, file_discovery_sessions, discovered_files, implementation_plan_generations, plan_steps, plan_step_templates and plan_execution_logs: a token that only resembles hers shows more than a stranger sees
select pg_catalog.set_config('malformed.role', pg_catalog.current_setting('role'), true);
reset role;
set local search_path = pg_catalog, pg_temp;

create temporary table asked as
  select 'feature_planner' as schema, 'request.jwt.claims' as setting, t.relation, current_setting('malformed.role') as role
  from unnest(array['feature_plans', 'feature_refinements', 'file_discovery_sessions', 'discovered_files', 'implementation_plan_generations', 'plan_steps', 'plan_step_templates', 'plan_execution_logs']) as t (relation);

create temporary table tried as
with true_one (token, sub) as (
  select t.token, t.token ->> 'sub'
  from (
    select current_setting('request.jwt.claims')::jsonb || jsonb_build_object('email', 'ann@verify.invalid'::text) || jsonb_build_object('username', 'verify_ann'::text) || jsonb_build_object('name', 'Ann'::text)
  ) as t (token)
),
stranger (token) as (select jsonb_build_object('sub', gen_random_uuid())),
subject (sub) as (
  -- The caller's subject, but for a letter, a blank, its case; and texts that a pattern would take for it.
  select to_jsonb(made.sub)
  from true_one as o cross join unnest(array[
    '', ' ', E'\t', '%', '_', '.*', 'null', 'true', '{}', '0',
    concat(o.sub, ' '), concat(' ', o.sub), concat(o.sub, E'\n'), concat(o.sub, 'x'), left(o.sub, -1), concat(left(o.sub, 3), '%'),
    upper(o.sub), lower(o.sub), initcap(o.sub), concat('"', o.sub, '"'), concat('0', o.sub)
  ]) as made (sub)
  -- A uuid is the same in capitals.
  where made.sub <> o.sub and (upper(made.sub) <> upper(o.sub) or o.sub !~ '^[0-9a-f-]{36}$')
  union all
  -- As a part of it, which is hers where the rest is cut off; and with what a pattern would strip inside of it.
  select to_jsonb(made.sub)
  from true_one as o cross join unnest(array['|', ',', ';', ':', '/', '.', '@', '#', '-', '_', '*']) as mark (sign)
  cross join unnest(array[
    concat(o.sub, mark.sign, 'x'), concat('x', mark.sign, o.sub), concat(left(o.sub, 1), mark.sign, substr(o.sub, 2))
  ]) as made (sub)
  -- Hyphens and braces of a uuid mean nothing.
  where o.sub !~ '^[0-9a-f-]{36}$' or mark.sign <> '-'
  union all select jsonb_array_elements('[null, true, 0, [], {}]')
  union all select jsonb_build_array(o.sub) from true_one as o
  union all select jsonb_build_object('sub', o.sub) from true_one as o
  -- What else the token says of her is no subject.
  union all select claim.value from true_one as o cross join jsonb_each(o.token) as claim where claim.key <> 'sub'
)
select 1 as turn, o.token::text as token from true_one as o
union all select 2, s.token::text from stranger as s
union all select 3, unnest(array[null, '', '{}', 'null', '[]', '""'])
-- All else is as hers: her address, her name.
union all select 3, (o.token || jsonb_build_object('sub', s.sub))::text from true_one as o cross join subject as s
union all select 3, (o.token || s.token)::text from true_one as o cross join stranger as s
union all
select 3, made.token::text
from true_one as o cross join stranger as s cross join unnest(array[
  o.token - 'sub',
  (o.token - 'sub') || jsonb_build_object('id', o.sub, 'SUB', o.sub, 'user_id', o.sub),
  -- Her subject as a name or an address, which anybody may choose.
  (select jsonb_object_agg(claim.key, o.sub) from jsonb_each(o.token - 'sub') as claim),
  s.token || (select jsonb_object_agg(claim.key, o.sub) from jsonb_each(o.token - 'sub') as claim),
  s.token || jsonb_build_object('user_metadata', o.token, 'app_metadata', o.token),
  s.token || '{"role": "service_role", "is_admin": true}'
]) as made (token);

create temporary table shown (relation text, what text, token text);
do $shown$
declare
  one record;
  -- Rows are known by their place, which is found at once among any number of public ones.
  seen tid[];
  hers tid[];
  number bigint;
begin
  for one in select * from pg_temp.asked cross join pg_temp.tried order by relation, turn loop
    perform set_config(one.setting, one.token, true);
    begin
      perform set_config('role', one.role, true);
      if one.turn = 3 then
        execute format('select count(*) from %I.%I where ctid = any ($1)', one.schema, one.relation) into number using hers;
      else
        execute format('select array(select ctid from %I.%I)', one.schema, one.relation) into seen;
      end if;
      reset role;
    -- To refuse the token is as good: a subject that is no uuid, a text that is no token.
    exception when data_exception then
      number := 0;
      seen := '{}';
    end;
    case one.turn
      when 1 then
        hers := seen;
      when 2 then
        hers := array(select unnest(hers) except select unnest(seen));
        if hers = '{}' then
          insert into pg_temp.shown
          values (one.relation, 'the caller has no row that a stranger does not see, so nothing was tried', null);
        end if;
      else
        if number > 0 then
          insert into pg_temp.shown values (one.relation, format('shows %s of her rows', number), one.token);
        end if;
    end case;
  end loop;
end
$shown$;
select * from pg_temp.shown order by relation, token;
-- end stamp

-- Whoever adds to the planner says so here as well. The roles are the platform's, and public is the site's: what it
-- has there is its own matter, unless it runs with its owner's rights or gives the schema away.
-- Whoever adds to the planner says so here as well. The roles are the platform's, and public is the site's: what it
-- has there is its own matter, unless it runs with its owner's rights or gives the schema away.
-- stamp: whole_catalog(schemas=["feature_planner", "public"], roles=["anon", "authenticated", "service_role", "authenticator"],
--   holds=[
--     "table feature_planner.discovered_files, row security, 2 policies: 3 boolean, 1 feature_planner.file_priority, 2 integer, 2 text, 1 timestamp, 3 uuid, 1 varchar(100), 1 varchar(1000), 1 varchar(50), 1 varchar(500)",
--     "table feature_planner.feature_plans, row security, 1 policy: 1 feature_planner.complexity, 1 feature_planner.plan_status, 1 feature_planner.risk_level, 3 integer, 3 jsonb, 3 text, 3 timestamp, 6 uuid, 1 varchar(255), 1 varchar(50)",
--     "table feature_planner.feature_refinements, row security, 1 policy: 1 boolean, 1 feature_planner.confidence_level, 1 feature_planner.estimated_scope, 1 feature_planner.refinement_status, 1 feature_planner.technical_complexity, 8 integer, 4 jsonb, 4 text, 2 timestamp, 2 uuid, 3 varchar(100), 1 varchar(50)",
--     "table feature_planner.file_discovery_sessions, row security, 1 policy: 1 boolean, 1 feature_planner.file_discovery_status, 9 integer, 1 jsonb, 3 text, 2 timestamp, 2 uuid, 1 varchar(100)",
--     "table feature_planner.implementation_plan_generations, row security, 1 policy: 3 boolean, 1 feature_planner.complexity, 1 feature_planner.implementation_plan_status, 1 feature_planner.risk_level, 7 integer, 2 jsonb, 3 text, 2 timestamp, 2 uuid, 1 varchar(100), 1 varchar(50)",
--     "table feature_planner.plan_execution_logs, row security, 1 policy: 1 boolean, 1 feature_planner.execution_step, 9 integer, 1 jsonb, 3 text, 3 timestamp, 3 uuid, 1 varchar(100), 2 varchar(255), 1 varchar(50)",
--     "table feature_planner.plan_step_templates, row security, 2 policies: 1 boolean, 1 integer, 2 jsonb, 1 text, 2 timestamp, 2 uuid, 1 varchar(100), 1 varchar(1000), 1 varchar(20), 1 varchar(255), 2 varchar(50)",
--     "table feature_planner.plan_steps, row security, 1 policy: 1 boolean, 2 integer, 2 jsonb, 1 text, 2 timestamp, 3 uuid, 1 varchar(20), 1 varchar(255), 2 varchar(50)",
--     "type feature_planner.complexity",
--     "type feature_planner.confidence_level",
--     "type feature_planner.estimated_scope",
--     "type feature_planner.execution_step",
--     "type feature_planner.file_discovery_status",
--     "type feature_planner.file_priority",
--     "type feature_planner.implementation_plan_status",
--     "type feature_planner.plan_status",
--     "type feature_planner.refinement_status",
--     "type feature_planner.risk_level",
--     "type feature_planner.technical_complexity",
--     "security definer function feature_planner.caller_id(), search_path=\"\"",
--     "function feature_planner.touch_updated_at(), search_path=\"\"",
--     "trigger feature_plans_updated_at on feature_planner.feature_plans",
--     "trigger plan_step_templates_updated_at on feature_planner.plan_step_templates",
--     "trigger plan_steps_updated_at on feature_planner.plan_steps",
--     "role anon",
--     "role authenticated",
--     "role authenticator may become anon",
--     "role authenticator may become authenticated",
--     "role authenticator may become service_role",
--     "role authenticator, login",
--     "role service_role, bypassrls",
--     "grant delete, insert, select, update (created_at, description, discovery_session_id, file_exists, file_path, file_type, id, integration_point, is_manually_added, is_selected, lines_of_code, priority, reasoning, relevance_score, role) on feature_planner.discovered_files to authenticated",
--     "grant delete, insert, select, update on feature_planner.feature_plans to authenticated",
--     "grant delete, insert, select, update on feature_planner.feature_refinements to authenticated",
--     "grant delete, insert, select, update on feature_planner.file_discovery_sessions to authenticated",
--     "grant delete, insert, select, update on feature_planner.implementation_plan_generations to authenticated",
--     "grant delete, insert, select, update on feature_planner.plan_execution_logs to authenticated",
--     "grant delete, insert, select, update on feature_planner.plan_step_templates to authenticated",
--     "grant delete, insert, select, update on feature_planner.plan_steps to authenticated",
--     "grant execute on function feature_planner.caller_id() to authenticated",
--     "grant usage on schema feature_planner to authenticated",
--     "grant usage on schema public to anon",
--     "grant usage on schema public to authenticated",
--     "grant usage on schema public to service_role",
--     "default privileges in feature_planner for authenticated",
--   ],
--   allowed=[
--     "role service_role may become pgsodium_keyholder*",
--     "role pgsodium_keyholder may become pgsodium_keyiduser*",
--     "default privileges in public for anon",
--     "default privileges in public for authenticated",
--     "default privileges in public for service_role",
--     "security definer function public.rls_auto_enable(), search_path=pg_catalog",
--     "schema *",
--     "extension *",
--     "table public.*",
--     "view public.*",
--     "materialized view public.*",
--     "sequence public.*",
--     "type public.*",
--     "function public.*",
--     "trigger * on public.*",
--     "rule * on public.*",
--     "constraint * on public.*",
--     "publication *: public.*",
--     "owner of public.*",
--     "grant * on public.* to *",
--     "grant execute on function public.* to *",
--   ])
-- stamped: whole_catalog sha256:de9309e42629b401  (edit the stamp line or the template, then run pgvouch stamp)
-- check none: feature_planner and public: something that is not in the list above, or is in it and missing
set local search_path = pg_catalog, pg_temp;
with recursive listed (line) as (
  values
    ('table feature_planner.discovered_files, row security, 2 policies: 3 boolean, 1 feature_planner.file_priority, 2 integer, 2 text, 1 timestamp, 3 uuid, 1 varchar(100), 1 varchar(1000), 1 varchar(50), 1 varchar(500)'),
    ('table feature_planner.feature_plans, row security, 1 policy: 1 feature_planner.complexity, 1 feature_planner.plan_status, 1 feature_planner.risk_level, 3 integer, 3 jsonb, 3 text, 3 timestamp, 6 uuid, 1 varchar(255), 1 varchar(50)'),
    ('table feature_planner.feature_refinements, row security, 1 policy: 1 boolean, 1 feature_planner.confidence_level, 1 feature_planner.estimated_scope, 1 feature_planner.refinement_status, 1 feature_planner.technical_complexity, 8 integer, 4 jsonb, 4 text, 2 timestamp, 2 uuid, 3 varchar(100), 1 varchar(50)'),
    ('table feature_planner.file_discovery_sessions, row security, 1 policy: 1 boolean, 1 feature_planner.file_discovery_status, 9 integer, 1 jsonb, 3 text, 2 timestamp, 2 uuid, 1 varchar(100)'),
    ('table feature_planner.implementation_plan_generations, row security, 1 policy: 3 boolean, 1 feature_planner.complexity, 1 feature_planner.implementation_plan_status, 1 feature_planner.risk_level, 7 integer, 2 jsonb, 3 text, 2 timestamp, 2 uuid, 1 varchar(100), 1 varchar(50)'),
    ('table feature_planner.plan_execution_logs, row security, 1 policy: 1 boolean, 1 feature_planner.execution_step, 9 integer, 1 jsonb, 3 text, 3 timestamp, 3 uuid, 1 varchar(100), 2 varchar(255), 1 varchar(50)'),
    ('table feature_planner.plan_step_templates, row security, 2 policies: 1 boolean, 1 integer, 2 jsonb, 1 text, 2 timestamp, 2 uuid, 1 varchar(100), 1 varchar(1000), 1 varchar(20), 1 varchar(255), 2 varchar(50)'),
    ('table feature_planner.plan_steps, row security, 1 policy: 1 boolean, 2 integer, 2 jsonb, 1 text, 2 timestamp, 3 uuid, 1 varchar(20), 1 varchar(255), 2 varchar(50)'),
    ('type feature_planner.complexity'),
    ('type feature_planner.confidence_level'),
    ('type feature_planner.estimated_scope'),
    ('type feature_planner.execution_step'),
    ('type feature_planner.file_discovery_status'),
    ('type feature_planner.file_priority'),
    ('type feature_planner.implementation_plan_status'),
    ('type feature_planner.plan_status'),
    ('type feature_planner.refinement_status'),
    ('type feature_planner.risk_level'),
    ('type feature_planner.technical_complexity'),
    ('security definer function feature_planner.caller_id(), search_path=""'),
    ('function feature_planner.touch_updated_at(), search_path=""'),
    ('trigger feature_plans_updated_at on feature_planner.feature_plans'),
    ('trigger plan_step_templates_updated_at on feature_planner.plan_step_templates'),
    ('trigger plan_steps_updated_at on feature_planner.plan_steps'),
    ('role anon'),
    ('role authenticated'),
    ('role authenticator may become anon'),
    ('role authenticator may become authenticated'),
    ('role authenticator may become service_role'),
    ('role authenticator, login'),
    ('role service_role, bypassrls'),
    ('grant delete, insert, select, update (created_at, description, discovery_session_id, file_exists, file_path, file_type, id, integration_point, is_manually_added, is_selected, lines_of_code, priority, reasoning, relevance_score, role) on feature_planner.discovered_files to authenticated'),
    ('grant delete, insert, select, update on feature_planner.feature_plans to authenticated'),
    ('grant delete, insert, select, update on feature_planner.feature_refinements to authenticated'),
    ('grant delete, insert, select, update on feature_planner.file_discovery_sessions to authenticated'),
    ('grant delete, insert, select, update on feature_planner.implementation_plan_generations to authenticated'),
    ('grant delete, insert, select, update on feature_planner.plan_execution_logs to authenticated'),
    ('grant delete, insert, select, update on feature_planner.plan_step_templates to authenticated'),
    ('grant delete, insert, select, update on feature_planner.plan_steps to authenticated'),
    ('grant execute on function feature_planner.caller_id() to authenticated'),
    ('grant usage on schema feature_planner to authenticated'),
    ('grant usage on schema public to anon'),
    ('grant usage on schema public to authenticated'),
    ('grant usage on schema public to service_role'),
    ('default privileges in feature_planner for authenticated')
),
-- On one server they are there, on another they are not.
allowed (line) as (
  values
    ('role service_role may become pgsodium_keyholder*'),
    ('role pgsodium_keyholder may become pgsodium_keyiduser*'),
    ('default privileges in public for anon'),
    ('default privileges in public for authenticated'),
    ('default privileges in public for service_role'),
    ('security definer function public.rls_auto_enable(), search_path=pg_catalog'),
    ('schema *'),
    ('extension *'),
    ('table public.*'),
    ('view public.*'),
    ('materialized view public.*'),
    ('sequence public.*'),
    ('type public.*'),
    ('function public.*'),
    ('trigger * on public.*'),
    ('rule * on public.*'),
    ('constraint * on public.*'),
    ('publication *: public.*'),
    ('owner of public.*'),
    ('grant * on public.* to *'),
    ('grant execute on function public.* to *')
),
home as (
  select n.oid, n.nspname
  from pg_namespace as n
  where n.nspname in ('feature_planner', 'public')
),
-- The application's roles, and whatever they may become.
reached as (
  select r.oid, r.rolname
  from pg_roles as r
  where r.rolname in ('anon', 'authenticated', 'service_role', 'authenticator')
  union
  select r.oid, r.rolname
  from reached
  join pg_auth_members as m on m.member = reached.oid
  join pg_roles as r on r.oid = m.roleid
),
grantee (oid, name) as (
  select 0::oid, 'public'::name
  union all
  select oid, rolname from reached
),
things as (
  select
    home.nspname as schema_name, d.classid, d.objid,
    thing.type as kind, thing.identity as name
  from home
  join pg_depend as d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = home.oid
  cross join pg_identify_object(d.classid, d.objid, 0) as thing
  where d.deptype = 'n'
    -- Somebody has dropped it since this query began.
    and thing.identity is not null
    -- As an index, they only help the planner.
    and d.classid <> 'pg_statistic_ext'::regclass
    -- What an extension brought into its own schema is the extension's.
    and not exists (
      select
      from pg_depend as e
      join pg_extension as x on x.oid = e.refobjid and x.extnamespace = home.oid
      where e.classid = d.classid and e.objid = d.objid and e.deptype = 'e'
    )
),
relations as (
  select
    t.schema_name, t.kind, t.name,
    c.oid, c.relowner, c.relacl, c.relkind, c.relpersistence, c.relrowsecurity,
    c.relforcerowsecurity, c.reloptions
  from things as t
  join pg_class as c on c.oid = t.objid
  where t.classid = 'pg_class'::regclass
),
routines as (
  select
    t.schema_name, t.kind, p.oid::regprocedure::text as name,
    p.oid, p.proowner, p.proacl, p.prosecdef, p.proconfig
  from things as t
  join pg_proc as p on p.oid = t.objid
  where t.classid = 'pg_proc'::regclass
),
owners (schema_name, name, owner) as (
  select schema_name, name, relowner from relations
  union all
  select schema_name, name, proowner from routines
  union all
  select t.schema_name, t.name, y.typowner
  from things as t
  join pg_type as y on y.oid = t.objid
  where t.classid = 'pg_type'::regclass
),
-- One role owns it all, the one that migrates: whoever owns most of the first schema.
main (owner) as (
  select mode() within group (order by o.owner)
  from owners as o
  where o.schema_name = 'feature_planner'
),
-- A serial's or identity's sequence goes with its column, as long as it counts one by one to the end of its type.
sequences as (
  select
    r.name,
    exists (
      select
      from pg_depend as d
      where d.classid = 'pg_class'::regclass
        and d.objid = r.oid
        and d.refclassid = 'pg_class'::regclass
        and d.deptype in ('a', 'i')
    ) as goes_with_column,
    concat(
      case when s.seqcycle then ' cycle' end,
      case when s.seqincrement <> 1 then ' increment ' || s.seqincrement end,
      case when s.seqmin <> 1 then ' minvalue ' || s.seqmin end,
      case
        when s.seqmax
          <> case s.seqtypid
            when 'smallint'::regtype then 32767
            when 'integer'::regtype then 2147483647
            else 9223372036854775807
          end
          then ' maxvalue ' || s.seqmax
      end
    ) as oddity
  from relations as r
  join pg_sequence as s on s.seqrelid = r.oid
),
-- What reads rows of these tables, over any number of views.
readers (oid, name) as (
  select r.oid, r.name
  from relations as r
  union
  select w.ev_class, readers.name
  from readers
  join pg_depend as d on d.refclassid = 'pg_class'::regclass and d.refobjid = readers.oid
  join pg_rewrite as w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
),
-- Elsewhere, and open to the application: what gives it rows or rights of these schemas all the same.
outside (line, acl, owner, space) as (
  select concat(r.line, r.name), c.relacl || columns.acl, c.relowner, c.relnamespace
  from (
    select
      readers.oid,
      concat(case v.relkind when 'v' then 'view ' else 'materialized view ' end, v.oid::regclass, ', which reads ') as line,
      readers.name
    from readers
    join pg_class as v on v.oid = readers.oid
    where v.relkind in ('v', 'm')
      and not exists (
        select
        from pg_options_to_table(v.reloptions) as o
        where o.option_name = 'security_invoker' and o.option_value::boolean
      )
    union all
    select i.inhrelid, concat('table ', i.inhrelid::regclass, ', a part of '), p.name
    from relations as p
    join pg_inherits as i on i.inhparent = p.oid
    where p.relkind in ('r', 'p', 'f')
  ) as r
  join pg_class as c on c.oid = r.oid
  cross join lateral (
    select array_agg(item)
    from pg_attribute as a
    cross join unnest(a.attacl) as item
    where a.attrelid = c.oid and a.attnum > 0
  ) as columns (acl)
  union all
  -- What it does may be anything, for its text says nothing to the catalog.
  select
    concat('function ', p.oid::regprocedure, ', security definer'),
    coalesce(p.proacl, acldefault('f', p.proowner)),
    p.proowner,
    p.pronamespace
  from pg_proc as p
  where p.prosecdef
    -- Not PostgreSQL's own.
    and p.oid >= 16384
    and (p.proowner = (select owner from main) or p.pronamespace = 'pg_catalog'::regnamespace)
    and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
    and not exists (
      select
      from pg_depend as e
      where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
    )
),
-- PostgreSQL's catalog, pgvouch's ledger, and the tables of others that foreign keys here refer to: an account's, say.
beneath_tables (classid, oid, subid, name, acl) as (
  select 'pg_class'::regclass, c.oid, 0, c.oid::regclass::text, c.relacl
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  where (
      n.nspname in ('pg_catalog', 'pgvouch')
      or c.oid in (
        select k.confrelid
        from pg_constraint as k
        where k.contype = 'f' and k.conrelid in (select oid from relations)
      )
    )
    and c.relkind <> 'i'
    and c.oid not in (select oid from relations)
),
beneath as (
  select * from beneath_tables
  union all
  select b.classid, b.oid, a.attnum, b.name, a.attacl
  from beneath_tables as b
  join pg_attribute as a on a.attrelid = b.oid and a.attnum > 0 and a.attacl is not null
  union all
  select 'pg_proc'::regclass, p.oid, 0, 'function ' || p.oid::regprocedure, p.proacl
  from pg_proc as p
  where p.pronamespace = 'pg_catalog'::regnamespace
  union all
  select 'pg_namespace'::regclass, n.oid, 0, 'schema ' || n.nspname, n.nspacl
  from pg_namespace as n
  where n.nspname in ('pg_catalog', 'pgvouch')
  union all
  select 'pg_parameter_acl'::regclass, p.oid, 0, 'parameter ' || p.parname, p.paracl
  from pg_parameter_acl as p
),
grants (privilege, object, grantee) as (
  select
    acl.privilege_type || case when acl.is_grantable then ' with grant option' else '' end,
    r.name,
    acl.grantee
  from relations as r
  cross join aclexplode(r.relacl) as acl
  where acl.grantee <> r.relowner
  union all
  select
    acl.privilege_type
      || ' (' || string_agg(a.attname, ', ' order by a.attname) || ')'
      || case when acl.is_grantable then ' with grant option' else '' end,
    r.name,
    acl.grantee
  from relations as r
  join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  cross join aclexplode(a.attacl) as acl
  where acl.grantee <> r.relowner
  group by acl.privilege_type, acl.is_grantable, r.name, acl.grantee
  union all
  select
    acl.privilege_type || case when acl.is_grantable then ' with grant option' else '' end,
    'function ' || f.name,
    acl.grantee
  from routines as f
  cross join aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) as acl
  where acl.grantee <> f.proowner
  union all
  select acl.privilege_type, 'schema ' || home.nspname, acl.grantee
  from home
  join pg_namespace as n on n.oid = home.oid
  cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as acl
  where acl.grantee <> n.nspowner
    -- PostgreSQL lets everybody look into public; to take that back is no harm.
    and (n.nspname, acl.grantee, acl.privilege_type) <> ('public', 0, 'USAGE')
  union all
  select acl.privilege_type, 'this database', acl.grantee
  from pg_database as d
  cross join aclexplode(d.datacl) as acl
  where d.datname = current_database() and acl.privilege_type = 'CREATE'
  union all
  select acl.privilege_type || coalesce(' (' || a.attname || ')', ''), b.name, acl.grantee
  from beneath as b
  cross join aclexplode(b.acl) as acl
  left join pg_attribute as a on b.subid > 0 and a.attrelid = b.oid and a.attnum = b.subid
  -- But for those of the first day.
  where not exists (
      select
      from pg_init_privs as i
      cross join aclexplode(i.initprivs) as was
      where i.classoid = b.classid
        and i.objoid = b.oid
        and i.objsubid = b.subid
        and (was.grantee, was.privilege_type) = (acl.grantee, acl.privilege_type)
    )
    -- Everybody may call a function unless it is said otherwise.
    and (b.classid <> 'pg_proc'::regclass or acl.grantee <> 0)
),
found (line) as (
  select concat(
    case r.relpersistence when 'u' then 'unlogged ' when 't' then 'temporary ' end,
    r.kind, ' ', r.name,
    case when r.relrowsecurity then ', row security' end,
    case when r.relforcerowsecurity then ' of the owner too' end,
    -- Whether a view reads with its owner's rights or its caller's.
    case when r.relkind = 'v' then ', ' || array_to_string(r.reloptions, ', ') end,
    (
      select format(', %s %s', count(*), case count(*) when 1 then 'policy' else 'policies' end)
      from pg_policy as p
      where p.polrelid = r.oid
      having count(*) > 0
    ),
    ': ',
    (
      select string_agg(concat(k.number, ' ', k.type), ', ' order by k.type collate "C")
      from (
        select
          count(*) as number,
          -- PostgreSQL's own long names are shortened.
          replace(replace(replace(
            format_type(a.atttypid, a.atttypmod),
            'character varying', 'varchar'), ' without time zone', ''), ' with time zone', 'tz')
            || case when a.attcollation <> y.typcollation then ' collate ' || l.collname else '' end
            as type
        from pg_attribute as a
        join pg_type as y on y.oid = a.atttypid
        left join pg_collation as l on l.oid = a.attcollation
        where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        group by 2
      ) as k
    )
  )
  from relations as r
  where r.relkind <> 'S'
  union all
  select 'sequence ' || s.name || s.oddity
  from sequences as s
  where not s.goes_with_column or s.oddity <> ''
  union all
  select concat(
    case when f.prosecdef then 'security definer ' end,
    f.kind, ' ', f.name,
    ', ' || array_to_string(f.proconfig, ', ')
  )
  from routines as f
  union all
  select t.kind || ' ' || t.name
  from things as t
  where t.classid not in ('pg_class'::regclass, 'pg_proc'::regclass)
  union all
  -- On tables of others, where it calls a function of ours, as well.
  select concat(
    'trigger ', t.tgname, ' on ', t.tgrelid::regclass,
    case when t.tgenabled <> 'O' then ', not enabled as usual' end
  )
  from pg_trigger as t
  where not t.tgisinternal
    and (t.tgrelid in (select oid from relations) or t.tgfoid in (select oid from routines))
  union all
  -- PostgreSQL's own triggers are what enforces a foreign key.
  select format('constraint %s on %s, not enforced', k.conname, k.conrelid::regclass)
  from pg_trigger as t
  join pg_constraint as k on k.oid = t.tgconstraint
  where t.tgisinternal and t.tgenabled <> 'O' and k.conrelid in (select oid from relations)
  union all
  select concat('rule ', w.rulename, ' on ', r.name)
  from pg_rewrite as w
  join relations as r on r.oid = w.ev_class
  where w.rulename <> '_RETURN'
  union all
  select concat(
    'constraint ', k.conname, ' on ', r.name,
    case when k.condeferrable then ', deferrable' end,
    case when k.condeferred then ', initially deferred' end,
    case when not k.convalidated then ', not validated' end
  )
  from pg_constraint as k
  join relations as r on r.oid = k.conrelid
  where k.condeferrable or not k.convalidated
  union all
  select format('publication %s: %s', p.pubname, m.prrelid::regclass)
    || case when m.prqual is not null or m.prattrs is not null then ' in part' else '' end
  from pg_publication_rel as m
  join pg_publication as p on p.oid = m.prpubid
  where m.prrelid in (select oid from relations)
  union all
  select format('publication %s: every table of %s', p.pubname, home.nspname)
  from pg_publication_namespace as m
  join pg_publication as p on p.oid = m.pnpubid
  join home on home.oid = m.pnnspid
  union all
  select format('publication %s: every table', p.pubname)
  from pg_publication as p
  where p.puballtables
  union all
  select format('subscription %s: %s', s.subname, m.srrelid::regclass)
  from pg_subscription_rel as m
  join pg_subscription as s on s.oid = m.srsubid
  where m.srrelid in (select oid from relations)
  union all
  -- It changes what a query of anybody's means.
  select concat(
    'cast from ', k.castsource::regtype, ' to ', k.casttarget::regtype,
    case k.castcontext when 'i' then ', implicit' when 'a' then ', in assignments' end
  )
  from pg_cast as k
  join pg_type as s on s.oid = k.castsource
  join pg_type as t on t.oid = k.casttarget
  where k.oid >= 16384
    and (
      s.typnamespace in (select oid from home)
      or t.typnamespace in (select oid from home)
      or s.typnamespace = 'pg_catalog'::regnamespace and t.typnamespace = 'pg_catalog'::regnamespace
    )
    and not exists (
      select
      from pg_depend as e
      where e.classid = 'pg_cast'::regclass and e.objid = k.oid and e.deptype in ('e', 'i')
    )
  union all
  select o.line
  from outside as o
  join pg_namespace as n on n.oid = o.space
  where o.space not in (select oid from home)
    and n.nspname !~ '^pg_(toast_)?temp_'
    and (
      o.owner in (select oid from reached)
      or exists (
        select
        from aclexplode(o.acl) as acl
        where acl.grantee in (select oid from grantee)
      )
    )
  union all
  select 'schema ' || n.nspname
  from pg_namespace as n
  where n.nspowner in (select owner from main union all select oid from reached)
    and n.oid not in (select oid from home)
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'pgvouch')
    and not exists (
      select
      from pg_depend as e
      where e.classid = 'pg_namespace'::regclass and e.objid = n.oid and e.deptype = 'e'
    )
  union all
  select format('owner of %s: %s', o.name, pg_get_userbyid(o.owner))
  from owners as o
  where o.owner <> (select owner from main) or o.owner in (select oid from reached)
  union all
  select format('owner of schema %s: %s', n.nspname, r.rolname)
  from pg_namespace as n
  join pg_roles as r on r.oid = n.nspowner
  where n.oid in (select oid from home)
    -- A platform may have made public for its own.
    and (r.oid in (select oid from reached) or not r.rolsuper)
    and r.oid <> (select owner from main)
    and r.rolname <> 'pg_database_owner'
  union all
  select format('owner of this database: %s', r.rolname)
  from pg_database as d
  join reached as r on r.oid = d.datdba
  where d.datname = current_database()
  union all
  select format(
    'grant %s on %s to %s',
    string_agg(lower(g.privilege), ', ' order by lower(g.privilege) collate "C"),
    g.object,
    grantee.name
  )
  from grants as g
  join grantee on grantee.oid = g.grantee
  -- From PostgreSQL 17 on it is part of all; it reads and writes no row.
  where g.privilege <> 'MAINTAIN'
  group by g.object, grantee.name
  union all
  select format(
    'default privileges in %s for %s',
    coalesce(nullif(d.defaclnamespace, 0)::regnamespace::text, 'every schema'),
    grantee.name
  )
  from pg_default_acl as d
  cross join aclexplode(d.defaclacl) as acl
  join grantee on grantee.oid = acl.grantee
  where d.defaclrole = (select owner from main)
    and (d.defaclnamespace = 0 or d.defaclnamespace in (select oid from home))
    -- By PostgreSQL's own defaults everybody may call functions and use types.
    and (d.defaclobjtype, acl.grantee) not in (('f', 0), ('T', 0))
  union all
  select concat('role ', r.rolname, also.said)
  from reached
  join pg_roles as r on r.oid = reached.oid
  cross join concat(
    case when r.rolsuper then ', superuser' end,
    case when r.rolbypassrls then ', bypassrls' end,
    case when r.rolcreaterole then ', createrole' end,
    case when r.rolcreatedb then ', createdb' end,
    case when r.rolreplication then ', replication' end,
    case when r.rolcanlogin then ', login' end
  ) as also (said)
  where r.rolname in ('anon', 'authenticated', 'service_role', 'authenticator') or also.said <> ''
  union all
  select concat(
    'role ', reached.rolname, ' may become ', pg_get_userbyid(m.roleid),
    -- Without asking to be it.
    case when pg_has_role(reached.oid, m.roleid, 'usage') then ', and has its rights' end,
    case when m.admin_option then ', and may make others so' end
  )
  from reached
  join pg_auth_members as m on m.member = reached.oid
  union all
  -- What decides who one is and what one sees; a limit of time or memory does not.
  select format(
    'setting %s of %s',
    split_part(setting, '=', 1),
    coalesce('role ' || reached.rolname, 'the database')
  )
  from pg_db_role_setting as s
  cross join unnest(s.setconfig) as setting
  left join reached on reached.oid = s.setrole
  where (s.setrole = 0 or reached.oid is not null)
    and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
    and (
      setting ~* '^(role|row_security|session_replication_role|session_authorization)='
      or setting ~* '^search_path=' and s.setrole <> 0
      or setting ~ '^[^=]*\.' and setting !~ '^(pgrst|app\.settings|auto_explain|pg_stat_statements|pgaudit|plpgsql|pg_hint_plan|timescaledb|cron)\.'
    )
)
select
  case when f.line is null then 'missing' else 'not in the list' end as difference,
  -- As the list above spells it.
  to_jsonb(line) as spelled
from listed as l
full join (select distinct line from found) as f using (line)
where (l.line is null or f.line is null)
  and not exists (
    select
    from allowed as a
    -- `*` is the only character with a meaning.
    where coalesce(f.line, l.line)
      like replace(replace(replace(replace(a.line, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')
  )
-- What can be done with a thing comes behind the thing.
order by line ~ '^(grant|role|setting|default)', line;
-- end stamp
