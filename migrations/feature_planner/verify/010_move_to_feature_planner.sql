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
-- them first took 1.5 s. All rows count, and nobody else writes any: the migration has locked the
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
insert into feature_planner.feature_plans (id, user_id, original_request)
values (:'anns_plan', :'ann', 'A search box'), (:'bobs_plan', :'bob', 'A dark mode');
insert into feature_planner.feature_refinements (id, plan_id, agent_id, input_request)
values (:'anns_refinement', :'anns_plan', 'agent-1', 'A search box');
insert into feature_planner.file_discovery_sessions (id, plan_id, agent_id, refined_request)
values
  (:'anns_discovery', :'anns_plan', 'agent-1', 'A search box above the list'),
  (:'bobs_discovery', :'bobs_plan', 'agent-1', 'A dark mode');
insert into feature_planner.discovered_files (id, discovery_session_id, added_by_user_id, file_path, priority)
values (:'anns_file', :'anns_discovery', :'bob', 'src/search.ts', 'high');
insert into feature_planner.implementation_plan_generations (id, plan_id, agent_id, refined_request)
values
  (:'anns_generation', :'anns_plan', 'agent-1', 'A search box above the list'),
  (:'bobs_generation', :'bobs_plan', 'agent-1', 'A dark mode');
insert into feature_planner.plan_step_templates (id, user_id, name, title, description, content, category)
values (:'anns_template', :'ann', 'tests', 'Write tests', 'Tests first', '…', 'quality');
insert into feature_planner.plan_steps (id, plan_generation_id, step_number, display_order, title, description)
values (:'anns_step', :'anns_generation', 1, 0, 'Add the box', 'Above the list');
insert into feature_planner.plan_execution_logs (id, plan_id, step, step_number, agent_type, start_time)
values (:'anns_log', :'anns_plan', 'refinement', 1, 'refiner', '2001-02-03 04:05:06');

-- same: feature_plans holds the same rows
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from feature_plans as t where t.id not in (:'anns_plan', :'bobs_plan');

-- same: feature_refinements holds the same rows
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from feature_refinements as t where t.id <> :'anns_refinement';

-- same: file_discovery_sessions holds the same rows
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from file_discovery_sessions as t where t.id not in (:'anns_discovery', :'bobs_discovery');

-- same: discovered_files holds the same rows
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from discovered_files as t where t.id <> :'anns_file';

-- same: implementation_plan_generations holds the same rows
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from implementation_plan_generations as t where t.id not in (:'anns_generation', :'bobs_generation');

-- same: plan_steps holds the same rows
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from plan_steps as t where t.id <> :'anns_step';

-- same: plan_step_templates holds the same rows
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select count(*), sum(hash_record_extended(t, 0)) from plan_step_templates as t where t.id <> :'anns_template';

-- same: plan_execution_logs holds the same rows
set local search_path = pg_catalog, public, feature_planner, pg_temp;
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
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select t::text from feature_plans as t where t.id not in (:'anns_plan', :'bobs_plan') order by t.created_at desc, t.id limit 5;

-- same: every publication still has the tables
select pubname, tablename
from pg_catalog.pg_publication_tables
where schemaname in ('public', 'feature_planner') and tablename = any (:tables);

-- same: no table, index or long value is written anew: the files are the same
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select f.relname, pg_relation_filenode(f.oid)
from pg_class as c
left join pg_index as x on x.indrelid in (c.oid, c.reltoastrelid)
join pg_class as f on f.oid in (c.oid, x.indexrelid, x.indrelid)
where c.oid in (select to_regclass(name) from unnest(:tables) as name);

-- same: columns, types, defaults
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
where c.oid in (select to_regclass(name) from unnest(:tables) as name);

-- same: keys, checks and references, by definition
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select k.conrelid, k.conname, k.convalidated, pg_get_constraintdef(k.oid)
from pg_constraint as k where k.conrelid in (select to_regclass(name) from unnest(:tables) as name);

-- same: indexes, by definition
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select i.relname, x.indisvalid, replace(pg_get_indexdef(i.oid), format(' ON %s.', i.relnamespace::regnamespace), ' ON ')
from pg_index as x
join pg_class as i on i.oid = x.indexrelid
where x.indrelid in (select to_regclass(name) from unnest(:tables) as name);

-- same: triggers, their function beside them
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select c.relname, t.tgname, t.tgtype, t.tgenabled, t.tgfoid, p.pronamespace = c.relnamespace
from pg_class as c
join pg_trigger as t on t.tgrelid = c.oid and not t.tgisinternal
join pg_proc as p on p.oid = t.tgfoid where c.oid in (select to_regclass(name) from unnest(:tables) as name);

-- same: the values of the enums, in their order
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select t.typname, array_agg(e.enumlabel order by e.enumsortorder)
from pg_type as t
join pg_enum as e on e.enumtypid = t.oid where t.oid in (select to_regtype(name) from unnest(:types) as name)
group by t.typname;

-- same: nobody gains or loses a right
set local search_path = pg_catalog, public, feature_planner, pg_temp;
select c.relname, c.relowner, c.relrowsecurity, c.relacl
from pg_class as c where c.oid in (select to_regclass(name) from unnest(:tables) as name);

-- check: feature_planner has the eight tables
select count(*) = 8 and bool_and(to_regclass('feature_planner.' || name) is not null) from unnest(:tables) as name;

-- check: feature_planner has the eleven enums
select count(*) = 11 and bool_and(to_regtype('feature_planner.' || name) is not null) from unnest(:types) as name;

-- check none: one of them, or an array or row type of theirs, in public
select relname from pg_catalog.pg_class where relnamespace = to_regnamespace('public') and relname = any (:tables)
union all
select typname
from pg_catalog.pg_type
where typnamespace = to_regnamespace('public') and ltrim(typname, '_') = any (:tables || :types);

-- check error 23503: a new row of feature_plans whose user_id leads nowhere
insert into feature_planner.feature_plans
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'user_id', :'nobody'))).*
from feature_planner.feature_plans as t where id = :'anns_plan';

-- check error 23503: a row of feature_plans whose user_id comes to lead nowhere
update feature_planner.feature_plans set user_id = :'nobody' where id = :'anns_plan';

-- check error 23503: a new row of feature_refinements whose plan_id leads nowhere
insert into feature_planner.feature_refinements
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'plan_id', :'nobody'))).*
from feature_planner.feature_refinements as t where id = :'anns_refinement';

-- check error 23503: a row of feature_refinements whose plan_id comes to lead nowhere
update feature_planner.feature_refinements set plan_id = :'nobody' where id = :'anns_refinement';

-- check error 23503: a new row of file_discovery_sessions whose plan_id leads nowhere
insert into feature_planner.file_discovery_sessions
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'plan_id', :'nobody'))).*
from feature_planner.file_discovery_sessions as t where id = :'anns_discovery';

-- check error 23503: a row of file_discovery_sessions whose plan_id comes to lead nowhere
update feature_planner.file_discovery_sessions set plan_id = :'nobody' where id = :'anns_discovery';

-- check error 23503: a new row of discovered_files whose added_by_user_id leads nowhere
insert into feature_planner.discovered_files
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'added_by_user_id', :'nobody'))).*
from feature_planner.discovered_files as t where id = :'anns_file';

-- check error 23503: a row of discovered_files whose added_by_user_id comes to lead nowhere
update feature_planner.discovered_files set added_by_user_id = :'nobody' where id = :'anns_file';

-- check error 23503: a new row of discovered_files whose discovery_session_id leads nowhere
insert into feature_planner.discovered_files
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'discovery_session_id', :'nobody'))).*
from feature_planner.discovered_files as t where id = :'anns_file';

-- check error 23503: a row of discovered_files whose discovery_session_id comes to lead nowhere
update feature_planner.discovered_files set discovery_session_id = :'nobody' where id = :'anns_file';

-- check error 23503: a new row of implementation_plan_generations whose plan_id leads nowhere
insert into feature_planner.implementation_plan_generations
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'plan_id', :'nobody'))).*
from feature_planner.implementation_plan_generations as t where id = :'anns_generation';

-- check error 23503: a row of implementation_plan_generations whose plan_id comes to lead nowhere
update feature_planner.implementation_plan_generations set plan_id = :'nobody' where id = :'anns_generation';

-- check error 23503: a new row of plan_steps whose plan_generation_id leads nowhere
insert into feature_planner.plan_steps
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'plan_generation_id', :'nobody'))).*
from feature_planner.plan_steps as t where id = :'anns_step';

-- check error 23503: a row of plan_steps whose plan_generation_id comes to lead nowhere
update feature_planner.plan_steps set plan_generation_id = :'nobody' where id = :'anns_step';

-- check error 23503: a new row of plan_step_templates whose user_id leads nowhere
insert into feature_planner.plan_step_templates
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'user_id', :'nobody'))).*
from feature_planner.plan_step_templates as t where id = :'anns_template';

-- check error 23503: a row of plan_step_templates whose user_id comes to lead nowhere
update feature_planner.plan_step_templates set user_id = :'nobody' where id = :'anns_template';

-- check error 23503: a new row of plan_execution_logs whose plan_id leads nowhere
insert into feature_planner.plan_execution_logs
select (jsonb_populate_record(t, jsonb_build_object('id', :'nobody', 'plan_id', :'nobody'))).*
from feature_planner.plan_execution_logs as t where id = :'anns_log';

-- check error 23503: a row of plan_execution_logs whose plan_id comes to lead nowhere
update feature_planner.plan_execution_logs set plan_id = :'nobody' where id = :'anns_log';

-- check error 23503: a user goes away while a file names that user
delete from feature_planner.feature_plans where user_id = :'bob';
delete from public.users where id = :'bob';

-- check: a plan takes along what hangs on it, and a discovery and a generation what hangs on them
delete from feature_planner.feature_plans where id = :'anns_plan';
select
  not exists (select from feature_planner.feature_refinements where id = :'anns_refinement')
  and not exists (select from feature_planner.file_discovery_sessions where id = :'anns_discovery')
  and not exists (select from feature_planner.discovered_files where id = :'anns_file')
  and not exists (select from feature_planner.implementation_plan_generations where id = :'anns_generation')
  and not exists (select from feature_planner.plan_steps where id = :'anns_step')
  and not exists (select from feature_planner.plan_execution_logs where id = :'anns_log')
  and exists (select from feature_planner.plan_step_templates where id = :'anns_template');

-- check: a user takes along plans and templates, from the other schema
delete from public.users where id = :'ann';
select
  not exists (select from feature_planner.feature_plans where user_id = :'ann')
  and not exists (select from feature_planner.plan_step_templates where id = :'anns_template')
  and exists (select from feature_planner.feature_plans where user_id = :'bob');

-- check error 23514: a condition holds as before
update feature_planner.feature_plans set current_step = 4 where id = :'anns_plan';

-- stamp: updated_at_trigger(table="feature_plans", schema="feature_planner",
--   function="touch_updated_at", function_schema="feature_planner")
-- stamped: updated_at_trigger sha256:fa1115d068c5a573  (edit the stamp line or the template, then run pgvouch stamp)
-- check: feature_plans_updated_at runs feature_planner.touch_updated_at before every update of a row of feature_planner.feature_plans, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table feature_plans as select * from feature_planner.feature_plans with no data;
create trigger feature_plans_updated_at before update on pg_temp.feature_plans for each row execute function feature_planner.touch_updated_at();
insert into pg_temp.feature_plans (updated_at) values ('2999-01-01');
update pg_temp.feature_plans set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.feature_plans as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('feature_planner', 'feature_plans', 'feature_plans_updated_at');
-- end stamp

-- stamp: updated_at_trigger(table="plan_steps", schema="feature_planner",
--   function="touch_updated_at", function_schema="feature_planner")
-- stamped: updated_at_trigger sha256:d67b26936f5d16db  (edit the stamp line or the template, then run pgvouch stamp)
-- check: plan_steps_updated_at runs feature_planner.touch_updated_at before every update of a row of feature_planner.plan_steps, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table plan_steps as select * from feature_planner.plan_steps with no data;
create trigger plan_steps_updated_at before update on pg_temp.plan_steps for each row execute function feature_planner.touch_updated_at();
insert into pg_temp.plan_steps (updated_at) values ('2999-01-01');
update pg_temp.plan_steps set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.plan_steps as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('feature_planner', 'plan_steps', 'plan_steps_updated_at');
-- end stamp

-- stamp: updated_at_trigger(table="plan_step_templates", schema="feature_planner",
--   function="touch_updated_at", function_schema="feature_planner")
-- stamped: updated_at_trigger sha256:f213afca31fd4115  (edit the stamp line or the template, then run pgvouch stamp)
-- check: plan_step_templates_updated_at runs feature_planner.touch_updated_at before every update of a row of feature_planner.plan_step_templates, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table plan_step_templates as select * from feature_planner.plan_step_templates with no data;
create trigger plan_step_templates_updated_at before update on pg_temp.plan_step_templates for each row execute function feature_planner.touch_updated_at();
insert into pg_temp.plan_step_templates (updated_at) values ('2999-01-01');
update pg_temp.plan_step_templates set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.plan_step_templates as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('feature_planner', 'plan_step_templates', 'plan_step_templates_updated_at');
-- end stamp

-- check: public has lost the trigger's function
select to_regprocedure('public.touch_updated_at()') is null;

-- check: the accounts are still in public
select to_regclass('public.users') is not null and to_regclass('feature_planner.users') is null;

-- Its text is looked at when it runs, and would fail then. A view, and a function in standard SQL
-- (begin atomic), follow by themselves.
-- check none: a function whose text still says where the tables were
select oid::regprocedure
from pg_catalog.pg_proc
where prosrc ~* concat(
    '\mpublic"?\s*\.\s*"?(feature_plans|feature_refinements|file_discovery_sessions',
    '|discovered_files|implementation_plan_generations|plan_steps|plan_step_templates',
    '|plan_execution_logs)\M'
  )
  and pronamespace <> 'pg_catalog'::regnamespace;

-- Otherwise it could not be dropped whole.
-- check none: something outside that would go with the schema, or lose a part
-- Whatever refers to something in the schema, at first or second hand: a table that inherits or has a
-- column of a type, a reference, a domain, a view, a function, a default, a policy or a trigger of
-- somebody's on a table of theirs. Temporary tables and the server's own triggers are left out; a
-- publication merely has one table less.
with recursive dropped (classid, objid, objsubid) as (
  select classid, objid, objsubid
  from pg_catalog.pg_depend
  where refclassid = 'pg_namespace'::regclass
    and refobjid = 'feature_planner'::regnamespace
  union
  select d.classid, d.objid, d.objsubid
  from dropped
  join pg_catalog.pg_depend as d
    on d.refclassid = dropped.classid
    and d.refobjid = dropped.objid
    and (dropped.objsubid in (0, d.refobjsubid))
),
placed as (
  select
    dropped.*,
    coalesce(
      (
        select relnamespace
        from pg_catalog.pg_class
        where dropped.classid = 'pg_class'::regclass and oid = dropped.objid
        union all
        select typnamespace
        from pg_catalog.pg_type
        where dropped.classid = 'pg_type'::regclass and oid = dropped.objid
        union all
        select pronamespace
        from pg_catalog.pg_proc
        where dropped.classid = 'pg_proc'::regclass and oid = dropped.objid
        union all
        select connamespace
        from pg_catalog.pg_constraint
        where dropped.classid = 'pg_constraint'::regclass and oid = dropped.objid
        union all
        select stxnamespace
        from pg_catalog.pg_statistic_ext
        where dropped.classid = 'pg_statistic_ext'::regclass and oid = dropped.objid
        union all
        select oprnamespace
        from pg_catalog.pg_operator
        where dropped.classid = 'pg_operator'::regclass and oid = dropped.objid
      ),
      (
        -- Part of a table.
        select c.relnamespace
        from pg_catalog.pg_class as c
        where c.oid in (
          select tgrelid
          from pg_catalog.pg_trigger
          where dropped.classid = 'pg_trigger'::regclass
            and oid = dropped.objid
            and not tgisinternal
          union all
          select ev_class
          from pg_catalog.pg_rewrite
          where dropped.classid = 'pg_rewrite'::regclass and oid = dropped.objid
          union all
          select polrelid
          from pg_catalog.pg_policy
          where dropped.classid = 'pg_policy'::regclass and oid = dropped.objid
          union all
          select adrelid
          from pg_catalog.pg_attrdef
          where dropped.classid = 'pg_attrdef'::regclass and oid = dropped.objid
        )
      )
    ) as namespace
  from dropped
)
select object.type, object.identity
from placed
cross join lateral pg_identify_object(placed.classid, placed.objid, placed.objsubid) as object
left join pg_catalog.pg_namespace as n on n.oid = placed.namespace
where n.nspname <> 'feature_planner' and n.nspname !~ '^pg_(temp|toast)'
  or placed.classid = 'pg_event_trigger'::regclass;
