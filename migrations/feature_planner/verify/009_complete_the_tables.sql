-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: anns_generation = '5afe0000-0000-4000-8000-0000000000a5'
-- let: anns_template = '5afe0000-0000-4000-8000-0000000000a6'
-- let: anns_step = '5afe0000-0000-4000-8000-0000000000a7'

-- All of it is found in public and, when it has moved, in feature_planner.
set local search_path = feature_planner, public;

-- stamp: updated_at_trigger(table="feature_plans", function="touch_updated_at")
-- stamped: updated_at_trigger sha256:d5e2329ad20fd7ba  (edit the stamp line or the template, then run pgvouch stamp)
-- check: feature_plans_updated_at runs public.touch_updated_at before every update of a row of public.feature_plans, and sets updated_at
-- until: 010_move_to_feature_planner
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table feature_plans as select * from public.feature_plans with no data;
create trigger feature_plans_updated_at before update on pg_temp.feature_plans for each row execute function public.touch_updated_at();
insert into pg_temp.feature_plans (updated_at) values ('2999-01-01');
update pg_temp.feature_plans set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.feature_plans as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'feature_plans', 'feature_plans_updated_at');
-- end stamp

-- stamp: updated_at_trigger(table="plan_steps", function="touch_updated_at")
-- stamped: updated_at_trigger sha256:4432e6c0dc3d3286  (edit the stamp line or the template, then run pgvouch stamp)
-- check: plan_steps_updated_at runs public.touch_updated_at before every update of a row of public.plan_steps, and sets updated_at
-- until: 010_move_to_feature_planner
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table plan_steps as select * from public.plan_steps with no data;
create trigger plan_steps_updated_at before update on pg_temp.plan_steps for each row execute function public.touch_updated_at();
insert into pg_temp.plan_steps (updated_at) values ('2999-01-01');
update pg_temp.plan_steps set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.plan_steps as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'plan_steps', 'plan_steps_updated_at');
-- end stamp

-- stamp: updated_at_trigger(table="plan_step_templates", function="touch_updated_at")
-- stamped: updated_at_trigger sha256:8d6c6b9f51e22dc9  (edit the stamp line or the template, then run pgvouch stamp)
-- check: plan_step_templates_updated_at runs public.touch_updated_at before every update of a row of public.plan_step_templates, and sets updated_at
-- until: 010_move_to_feature_planner
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table plan_step_templates as select * from public.plan_step_templates with no data;
create trigger plan_step_templates_updated_at before update on pg_temp.plan_step_templates for each row execute function public.touch_updated_at();
insert into pg_temp.plan_step_templates (updated_at) values ('2999-01-01');
update pg_temp.plan_step_templates set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.plan_step_templates as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'plan_step_templates', 'plan_step_templates_updated_at');
-- end stamp

-- check: an update is dated with the time of the transaction, whatever date the row has
insert into public.users (id, clerk_id, email, username, display_name)
values (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann');
insert into feature_plans (id, user_id, original_request, updated_at)
values (:'anns_plan', :'ann', 'A search box', 'infinity');
insert into implementation_plan_generations (id, plan_id, agent_id, refined_request)
values (:'anns_generation', :'anns_plan', 'agent-1', 'A search box');
insert into plan_steps (id, plan_generation_id, step_number, display_order, title, description, updated_at)
values (:'anns_step', :'anns_generation', 1, 0, 'Add the box', 'Above the list', 'infinity');
insert into plan_step_templates (id, user_id, name, title, description, content, category, updated_at)
values (:'anns_template', :'ann', 'tests', 'Write tests', 'Tests first', '…', 'quality', 'infinity');
with plan as (
  update feature_plans set session_id = 'x', updated_at = 'infinity' where id = :'anns_plan'
  returning updated_at
),
step as (update plan_steps set category = 'x', updated_at = 'infinity' where id = :'anns_step' returning updated_at),
template as (
  update plan_step_templates set name = 'x', updated_at = 'infinity' where id = :'anns_template'
  returning updated_at
)
select updated_at = localtimestamp, updated_at from plan
union all
select updated_at = localtimestamp, updated_at from step
union all
select updated_at = localtimestamp, updated_at from template;

-- check: the function runs with its caller's rights and an empty search_path
select not prosecdef and proconfig = array['search_path=""']
from pg_catalog.pg_proc where oid = 'touch_updated_at()'::regprocedure;

-- check none: somebody besides its owner who may execute the function
-- Without an entry of its own a function is open to PUBLIC.
select coalesce(r.rolname, 'public')
from pg_catalog.pg_proc as p
cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as entry
left join pg_catalog.pg_roles as r on r.oid = entry.grantee
where p.oid = 'touch_updated_at()'::regprocedure and entry.grantee <> p.proowner;
