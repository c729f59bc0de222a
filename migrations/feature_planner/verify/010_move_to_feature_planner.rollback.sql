-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: tables = '{feature_plans,feature_refinements,file_discovery_sessions,discovered_files,implementation_plan_generations,plan_steps,plan_step_templates,plan_execution_logs}'::text[]
-- let: types = '{complexity,confidence_level,estimated_scope,execution_step,file_discovery_status,file_priority,implementation_plan_status,plan_status,refinement_status,risk_level,technical_complexity}'::text[]
-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_plan = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_refinement = '5afe0000-0000-4000-8000-0000000000a2'
-- let: anns_discovery = '5afe0000-0000-4000-8000-0000000000a3'
-- let: bobs_discovery = '5afe0000-0000-4000-8000-0000000000b3'
-- let: anns_file = '5afe0000-0000-4000-8000-0000000000a4'
-- let: anns_generation = '5afe0000-0000-4000-8000-0000000000a5'
-- let: bobs_generation = '5afe0000-0000-4000-8000-0000000000b5'
-- let: anns_template = '5afe0000-0000-4000-8000-0000000000a6'
-- let: anns_step = '5afe0000-0000-4000-8000-0000000000a7'
-- let: anns_log = '5afe0000-0000-4000-8000-0000000000a8'
-- let: nobody = '5afe0000-0000-4000-8000-00000000000f'

-- Every row is hashed as a whole, and the hashes are added up: 0.5 s for a million logs. Sorting
-- them first took 1.5 s. All rows count, and nobody else writes any: the rollback has locked the
-- eight tables ahead of the first hash (`-- lock_tables:` in its header). Left out afterwards are
-- the rows that these checks bring themselves, by their ids; one of these that was there already
-- would stop the insert below.
--
-- The accounts are not locked, for the site goes on. What this transaction itself has written
-- there is counted by the server.
insert into public.users (id, clerk_id, email, username, display_name)
values
  (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  (:'bob', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');
insert into public.feature_plans (id, user_id, original_request)
values (:'anns_plan', :'ann', 'A search box'), (:'bobs_plan', :'bob', 'A dark mode');
insert into public.feature_refinements (id, plan_id, agent_id, input_request)
values (:'anns_refinement', :'anns_plan', 'agent-1', 'A search box');
insert into public.file_discovery_sessions (id, plan_id, agent_id, refined_request)
values
  (:'anns_discovery', :'anns_plan', 'agent-1', 'A search box above the list'),
  (:'bobs_discovery', :'bobs_plan', 'agent-1', 'A dark mode');
insert into public.discovered_files (id, discovery_session_id, added_by_user_id, file_path, priority)
values (:'anns_file', :'anns_discovery', :'bob', 'src/search.ts', 'high');
insert into public.implementation_plan_generations (id, plan_id, agent_id, refined_request)
values
  (:'anns_generation', :'anns_plan', 'agent-1', 'A search box above the list'),
  (:'bobs_generation', :'bobs_plan', 'agent-1', 'A dark mode');
insert into public.plan_step_templates (id, user_id, name, title, description, content, category)
values (:'anns_template', :'ann', 'tests', 'Write tests', 'Tests first', '…', 'quality');
insert into public.plan_steps (id, plan_generation_id, step_number, display_order, title, description)
values (:'anns_step', :'anns_generation', 1, 0, 'Add the box', 'Above the list');
insert into public.plan_execution_logs (id, plan_id, step, step_number, agent_type, start_time)
values (:'anns_log', :'anns_plan', 'refinement', 1, 'refiner', '2001-02-03 04:05:06');

-- same: feature_plans holds the same rows
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from feature_plans as t where t.id not in (:'anns_plan', :'bobs_plan');

-- same: feature_refinements holds the same rows
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from feature_refinements as t where t.id <> :'anns_refinement';

-- same: file_discovery_sessions holds the same rows
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from file_discovery_sessions as t where t.id not in (:'anns_discovery', :'bobs_discovery');

-- same: discovered_files holds the same rows
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from discovered_files as t where t.id <> :'anns_file';

-- same: implementation_plan_generations holds the same rows
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from implementation_plan_generations as t where t.id not in (:'anns_generation', :'bobs_generation');

-- same: plan_steps holds the same rows
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from plan_steps as t where t.id <> :'anns_step';

-- same: plan_step_templates holds the same rows
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from plan_step_templates as t where t.id <> :'anns_template';

-- same: plan_execution_logs holds the same rows
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from plan_execution_logs as t where t.id <> :'anns_log';

-- same: the accounts are not touched
-- before:
select
  pg_stat_get_xact_tuples_inserted(oid), pg_stat_get_xact_tuples_updated(oid), pg_stat_get_xact_tuples_deleted(oid),
  pg_relation_filenode(oid)
from pg_catalog.pg_class where oid = 'public.users'::regclass;
-- after:
-- Two rows of the checks themselves.
select
  pg_stat_get_xact_tuples_inserted(oid) - 2, pg_stat_get_xact_tuples_updated(oid),
  pg_stat_get_xact_tuples_deleted(oid), pg_relation_filenode(oid)
from pg_catalog.pg_class where oid = 'public.users'::regclass;

-- same: the five newest plans are the same
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select t::text from feature_plans as t where t.id not in (:'anns_plan', :'bobs_plan') order by t.created_at desc, t.id limit 5;

-- same: every publication still has the tables
select pubname, tablename
from pg_catalog.pg_publication_tables
where schemaname in ('public', 'feature_planner') and tablename = any (:tables);

-- same: no table, index or long value is written anew: the files are the same
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select f.relname, pg_relation_filenode(f.oid)
from pg_class as c
left join pg_index as x on x.indrelid in (c.oid, c.reltoastrelid)
join pg_class as f on f.oid in (c.oid, x.indexrelid, x.indrelid)
where c.oid in (select to_regclass(name) from unnest(:tables) as name);

-- same: columns, types, defaults
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
where c.oid in (select to_regclass(name) from unnest(:tables) as name);

-- same: keys, checks and references, by definition
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select k.conrelid, k.conname, k.convalidated, pg_get_constraintdef(k.oid)
from pg_constraint as k where k.conrelid in (select to_regclass(name) from unnest(:tables) as name);

-- same: indexes, by definition
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select i.relname, x.indisvalid, replace(pg_get_indexdef(i.oid), format(' ON %s.', i.relnamespace::regnamespace), ' ON ')
from pg_index as x
join pg_class as i on i.oid = x.indexrelid
where x.indrelid in (select to_regclass(name) from unnest(:tables) as name);

-- same: triggers, their function beside them
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select c.relname, t.tgname, t.tgtype, t.tgenabled, t.tgfoid, p.pronamespace = c.relnamespace
from pg_class as c
join pg_trigger as t on t.tgrelid = c.oid and not t.tgisinternal
join pg_proc as p on p.oid = t.tgfoid where c.oid in (select to_regclass(name) from unnest(:tables) as name);

-- same: the values of the enums, in their order
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select t.typname, array_agg(e.enumlabel order by e.enumsortorder)
from pg_type as t
join pg_enum as e on e.enumtypid = t.oid where t.oid in (select to_regtype(name) from unnest(:types) as name)
group by t.typname;

-- same: nobody gains or loses a right
set local search_path = pg_catalog, feature_planner, public, pg_temp;
select c.relname, c.relowner, c.relrowsecurity, c.relacl
from pg_class as c where c.oid in (select to_regclass(name) from unnest(:tables) as name);

-- check: public has the eight tables
select count(*) = 8 and bool_and(to_regclass('public.' || name) is not null) from unnest(:tables) as name;

-- check: public has the eleven enums
select count(*) = 11 and bool_and(to_regtype('public.' || name) is not null) from unnest(:types) as name;

-- check none: one of them, or an array or row type of theirs, in feature_planner
select relname from pg_catalog.pg_class where relnamespace = to_regnamespace('feature_planner') and relname = any (:tables)
union all
select typname
from pg_catalog.pg_type
where typnamespace = to_regnamespace('feature_planner') and ltrim(typname, '_') = any (:tables || :types);

-- check error 23503: a new row of feature_plans whose user_id leads nowhere
insert into public.feature_plans
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'user_id', :'nobody'))).*
from public.feature_plans as t where id = :'anns_plan';

-- check error 23503: a row of feature_plans whose user_id comes to lead nowhere
update public.feature_plans set user_id = :'nobody' where id = :'anns_plan';

-- check error 23503: a new row of feature_refinements whose plan_id leads nowhere
insert into public.feature_refinements
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'plan_id', :'nobody'))).*
from public.feature_refinements as t where id = :'anns_refinement';

-- check error 23503: a row of feature_refinements whose plan_id comes to lead nowhere
update public.feature_refinements set plan_id = :'nobody' where id = :'anns_refinement';

-- check error 23503: a new row of file_discovery_sessions whose plan_id leads nowhere
insert into public.file_discovery_sessions
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'plan_id', :'nobody'))).*
from public.file_discovery_sessions as t where id = :'anns_discovery';

-- check error 23503: a row of file_discovery_sessions whose plan_id comes to lead nowhere
update public.file_discovery_sessions set plan_id = :'nobody' where id = :'anns_discovery';

-- check error 23503: a new row of discovered_files whose added_by_user_id leads nowhere
insert into public.discovered_files
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'added_by_user_id', :'nobody'))).*
from public.discovered_files as t where id = :'anns_file';

-- check error 23503: a row of discovered_files whose added_by_user_id comes to lead nowhere
update public.discovered_files set added_by_user_id = :'nobody' where id = :'anns_file';

-- check error 23503: a new row of discovered_files whose discovery_session_id leads nowhere
insert into public.discovered_files
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'discovery_session_id', :'nobody'))).*
from public.discovered_files as t where id = :'anns_file';

-- check error 23503: a row of discovered_files whose discovery_session_id comes to lead nowhere
update public.discovered_files set discovery_session_id = :'nobody' where id = :'anns_file';

-- check error 23503: a new row of implementation_plan_generations whose plan_id leads nowhere
insert into public.implementation_plan_generations
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'plan_id', :'nobody'))).*
from public.implementation_plan_generations as t where id = :'anns_generation';

-- check error 23503: a row of implementation_plan_generations whose plan_id comes to lead nowhere
update public.implementation_plan_generations set plan_id = :'nobody' where id = :'anns_generation';

-- check error 23503: a new row of plan_steps whose plan_generation_id leads nowhere
insert into public.plan_steps
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'plan_generation_id', :'nobody'))).*
from public.plan_steps as t where id = :'anns_step';

-- check error 23503: a row of plan_steps whose plan_generation_id comes to lead nowhere
update public.plan_steps set plan_generation_id = :'nobody' where id = :'anns_step';

-- check error 23503: a new row of plan_step_templates whose user_id leads nowhere
insert into public.plan_step_templates
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'user_id', :'nobody'))).*
from public.plan_step_templates as t where id = :'anns_template';

-- check error 23503: a row of plan_step_templates whose user_id comes to lead nowhere
update public.plan_step_templates set user_id = :'nobody' where id = :'anns_template';

-- check error 23503: a new row of plan_execution_logs whose plan_id leads nowhere
insert into public.plan_execution_logs
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'plan_id', :'nobody'))).*
from public.plan_execution_logs as t where id = :'anns_log';

-- check error 23503: a row of plan_execution_logs whose plan_id comes to lead nowhere
update public.plan_execution_logs set plan_id = :'nobody' where id = :'anns_log';

-- check error 23503: a user goes away while a file names that user
delete from public.feature_plans where user_id = :'bob';
delete from public.users where id = :'bob';

-- check: a plan takes along what hangs on it, and a discovery and a generation what hangs on them
delete from public.feature_plans where id = :'anns_plan';
select
  not exists (select from public.feature_refinements where id = :'anns_refinement')
  and not exists (select from public.file_discovery_sessions where id = :'anns_discovery')
  and not exists (select from public.discovered_files where id = :'anns_file')
  and not exists (select from public.implementation_plan_generations where id = :'anns_generation')
  and not exists (select from public.plan_steps where id = :'anns_step')
  and not exists (select from public.plan_execution_logs where id = :'anns_log')
  and exists (select from public.plan_step_templates where id = :'anns_template');

-- check: a user takes along plans and templates, from the other schema
delete from public.users where id = :'ann';
select
  not exists (select from public.feature_plans where user_id = :'ann')
  and not exists (select from public.plan_step_templates where id = :'anns_template')
  and exists (select from public.feature_plans where user_id = :'bob');

-- check error 23514: a condition holds as before
update public.feature_plans set current_step = 4 where id = :'anns_plan';

-- check: the schema is gone
select to_regnamespace('feature_planner') is null;

-- check: the trigger's function is back
select to_regprocedure('public.touch_updated_at()') is not null;
