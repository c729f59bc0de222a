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

-- check: these columns may be empty, and no other
select array_agg(found.columns order by found.columns collate "C") = array[
  'discovered_files: added_by_user_id description file_type integration_point lines_of_code reasoning role',
  'feature_plans: completed_at complexity discovered_files estimated_duration implementation_plan parent_plan_id '
  'refined_request refinement_settings risk_level selected_discovery_session_id selected_files '
  'selected_plan_generation_id selected_refinement_id session_id',
  'feature_refinements: agent_name agent_role assumptions character_count completed_at completion_tokens confidence '
  'error_message estimated_scope execution_time_ms expansion_ratio focus key_requirements prompt_tokens '
  'refined_request risks technical_complexity total_tokens validation_errors word_count',
  'file_discovery_sessions: architecture_insights completed_at completion_tokens discovered_files error_message '
  'execution_time_ms prompt_tokens total_tokens',
  'implementation_plan_generations: completed_at completion_tokens complexity discovered_files error_message '
  'estimated_duration execution_time_ms implementation_plan prompt_tokens risk_level total_tokens validation_errors',
  'plan_execution_logs: agent_model agent_response cache_creation_tokens cache_read_tokens completion_tokens '
  'duration_ms end_time error_message input_prompt metadata parent_log_id parent_tool_use_id prompt_tokens '
  'session_id total_tokens',
  'plan_step_templates: commands estimated_duration validation_commands',
  'plan_steps: category commands confidence_level estimated_duration template_id validation_commands'
]
from (
  select c.relname || ':' || coalesce(
    string_agg(' ' || a.attname, '' order by a.attname collate "C") filter (where not a.attnotnull), ''
  )
  from pg_catalog.pg_class as c
  join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'feature_planner'::regnamespace
    and c.relname = any (:tables)
  group by c.relname
) as found (columns);

-- check: the policies ask this, and nothing else
set local search_path = '';
select array_agg(
  format('%s to %s: ', policyname, array_to_string(roles, ', '))
    || regexp_replace(concat_ws(' / ', qual, case when qual is distinct from with_check then with_check end), '\s+', ' ', 'g')
  order by policyname collate "C"
) = array[
  'discovered_files_added_by_caller to authenticated: ((added_by_user_id IS NULL) OR (added_by_user_id = ( SELECT feature_planner.caller_id() AS caller_id)))',
  'discovered_files_own to authenticated: (discovery_session_id = ANY (ARRAY( SELECT parent.id FROM (feature_planner.feature_plans parent2 JOIN feature_planner.file_discovery_sessions parent ON ((parent.plan_id = parent2.id))) WHERE (parent2.user_id = ( SELECT feature_planner.caller_id() AS caller_id)))))',
  'feature_plans_own to authenticated: (user_id = ( SELECT feature_planner.caller_id() AS caller_id))',
  'feature_refinements_own to authenticated: (plan_id = ANY (ARRAY( SELECT parent.id FROM feature_planner.feature_plans parent WHERE (parent.user_id = ( SELECT feature_planner.caller_id() AS caller_id)))))',
  'file_discovery_sessions_own to authenticated: (plan_id = ANY (ARRAY( SELECT parent.id FROM feature_planner.feature_plans parent WHERE (parent.user_id = ( SELECT feature_planner.caller_id() AS caller_id)))))',
  'implementation_plan_generations_own to authenticated: (plan_id = ANY (ARRAY( SELECT parent.id FROM feature_planner.feature_plans parent WHERE (parent.user_id = ( SELECT feature_planner.caller_id() AS caller_id)))))',
  'plan_execution_logs_own to authenticated: (plan_id = ANY (ARRAY( SELECT parent.id FROM feature_planner.feature_plans parent WHERE (parent.user_id = ( SELECT feature_planner.caller_id() AS caller_id)))))',
  'plan_step_templates_own to authenticated: (user_id = ( SELECT feature_planner.caller_id() AS caller_id))',
  'plan_step_templates_public to authenticated: is_public',
  'plan_steps_own to authenticated: (plan_generation_id = ANY (ARRAY( SELECT parent.id FROM (feature_planner.feature_plans parent2 JOIN feature_planner.implementation_plan_generations parent ON ((parent.plan_id = parent2.id))) WHERE (parent2.user_id = ( SELECT feature_planner.caller_id() AS caller_id)))))'
]
from pg_catalog.pg_policies where schemaname = 'feature_planner' and tablename = any (:tables);

-- check error 42501 as ann: or in that of another, by hand
insert into feature_planner.discovered_files
  (discovery_session_id, file_path, priority, added_by_user_id, is_manually_added)
values (:'anns_discovery', 'mine.ts', 'low', :'bob', true);

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
