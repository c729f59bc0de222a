-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_plan = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_generation = '5afe0000-0000-4000-8000-0000000000a5'
-- let: bobs_generation = '5afe0000-0000-4000-8000-0000000000b5'
-- let: anns_template = '5afe0000-0000-4000-8000-0000000000a6'
-- let: anns_step = '5afe0000-0000-4000-8000-0000000000a7'
-- let: nobody = '5afe0000-0000-4000-8000-00000000000f'

-- The tables are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;
insert into public.users (id, clerk_id, email, username, display_name)
values
  (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  (:'bob', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');
insert into plan_step_templates (id, user_id, name, title, description, content, category)
values (:'anns_template', :'ann', 'tests', 'Write tests', 'Tests first', '…', 'quality');
insert into feature_plans (id, user_id, original_request)
values (:'anns_plan', :'ann', 'A search box'), (:'bobs_plan', :'bob', 'A dark mode');
insert into implementation_plan_generations (id, plan_id, agent_id, refined_request)
values
  (:'anns_generation', :'anns_plan', 'agent-1', 'A search box above the list'),
  (:'bobs_generation', :'bobs_plan', 'agent-1', 'A dark mode');
insert into plan_steps (id, plan_generation_id, step_number, display_order, title, description)
values (:'anns_step', :'anns_generation', 1, 0, 'Add the box', 'Above the list');

-- check: a row of plan_step_templates with what it cannot do without: the defaults, and an id of its own
insert into plan_step_templates (user_id, name, title, description, content, category)
values (:'ann', 'defaults', 'T', 'D', 'C', 'K');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'user_id', :'ann', 'name', 'defaults', 'title', 'T', 'description', 'D', 'content', 'C', 'category', 'K',
    'confidence_level', 'high', 'is_public', false, 'usage_count', 0, 'created_at', localtimestamp,
    'updated_at', localtimestamp
  )
  and id <> :'anns_template'
from plan_step_templates as made where name operator(pg_catalog.=) 'defaults';

-- check error 23514: usage_count of plan_step_templates at -1
update plan_step_templates set usage_count = -1 where id = :'anns_template';

-- check: numbers of plan_step_templates may be as low as this
update plan_step_templates set usage_count = 0 where id = :'anns_template' returning true;

-- check error 23503: user_id of plan_step_templates that is in no row of users
update plan_step_templates set user_id = :'nobody' where id = :'anns_template';

-- check: a row of users takes its rows of plan_step_templates along
delete from users where id = :'ann';
select count(*) = 0 from plan_step_templates where id = :'anns_template';

-- check: plan_step_templates is its owner's alone: no right, policy or trigger of another's
-- until: 011_open_to_authenticated
select c.relowner = (select typowner from pg_catalog.pg_type where oid = 'complexity'::regtype)
  and not c.relrowsecurity
  and not exists (select from aclexplode(c.relacl) where grantee <> c.relowner)
  and not exists (select from pg_catalog.pg_attribute where attrelid = c.oid and attacl is not null)
  and not exists (select from pg_catalog.pg_policy where polrelid = c.oid)
  and not exists (
    select from pg_catalog.pg_trigger
    where tgrelid = c.oid and not tgisinternal and tgname <> c.relname || '_updated_at'
  )
from pg_catalog.pg_class as c where c.oid = 'plan_step_templates'::regclass;

-- check: a row of plan_steps with what it cannot do without: the defaults, and an id of its own
insert into plan_steps (plan_generation_id, step_number, display_order, title, description)
values (:'anns_generation', 2, 1, 'Defaults', 'D');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'plan_generation_id', :'anns_generation', 'step_number', 2, 'display_order', 1, 'title', 'Defaults',
    'description', 'D', 'is_from_template', false, 'created_at', localtimestamp, 'updated_at', localtimestamp
  )
  and id <> :'anns_step'
from plan_steps as made where title operator(pg_catalog.=) 'Defaults';

-- check error 23514: display_order of plan_steps at -1
update plan_steps set display_order = -1 where id = :'anns_step';

-- check error 23514: step_number of plan_steps at 0
update plan_steps set step_number = 0 where id = :'anns_step';

-- check: numbers of plan_steps may be as low as this
update plan_steps set display_order = 0, step_number = 1 where id = :'anns_step' returning true;

-- check error 23503: plan_generation_id of plan_steps that is in no row of implementation_plan_generations
update plan_steps set plan_generation_id = :'nobody' where id = :'anns_step';

-- check: a row of implementation_plan_generations takes its rows of plan_steps along
delete from implementation_plan_generations where id = :'anns_generation';
select count(*) = 0 from plan_steps where id = :'anns_step';

-- check: plan_steps is its owner's alone: no right, policy or trigger of another's
-- until: 011_open_to_authenticated
select c.relowner = (select typowner from pg_catalog.pg_type where oid = 'complexity'::regtype)
  and not c.relrowsecurity
  and not exists (select from aclexplode(c.relacl) where grantee <> c.relowner)
  and not exists (select from pg_catalog.pg_attribute where attrelid = c.oid and attacl is not null)
  and not exists (select from pg_catalog.pg_policy where polrelid = c.oid)
  and not exists (
    select from pg_catalog.pg_trigger
    where tgrelid = c.oid and not tgisinternal and tgname <> c.relname || '_updated_at'
  )
from pg_catalog.pg_class as c where c.oid = 'plan_steps'::regclass;
