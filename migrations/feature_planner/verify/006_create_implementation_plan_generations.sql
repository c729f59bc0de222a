-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_plan = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_generation = '5afe0000-0000-4000-8000-0000000000a5'
-- let: bobs_generation = '5afe0000-0000-4000-8000-0000000000b5'
-- let: nobody = '5afe0000-0000-4000-8000-00000000000f'

-- The tables are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;
insert into public.users (id, clerk_id, email, username, display_name)
values
  (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  (:'bob', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');
insert into feature_plans (id, user_id, original_request)
values (:'anns_plan', :'ann', 'A search box'), (:'bobs_plan', :'bob', 'A dark mode');
insert into implementation_plan_generations (id, plan_id, agent_id, refined_request)
values
  (:'anns_generation', :'anns_plan', 'agent-1', 'A search box above the list'),
  (:'bobs_generation', :'bobs_plan', 'agent-1', 'A dark mode');

-- check: a row of implementation_plan_generations with what it cannot do without: the defaults, and an id of its own
insert into implementation_plan_generations (plan_id, agent_id, refined_request)
values (:'anns_plan', 'agent-2', 'Defaults');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'plan_id', :'anns_plan', 'agent_id', 'agent-2', 'status', 'pending', 'refined_request', 'Defaults',
    'total_steps', 0, 'prerequisites_count', 0, 'quality_gates_count', 0, 'has_required_sections', false,
    'is_valid_markdown', false, 'is_selected', false, 'created_at', localtimestamp
  )
  and id <> :'anns_generation'
from implementation_plan_generations as made where refined_request = 'Defaults';

-- check error 23514: total_steps of implementation_plan_generations at -1
update implementation_plan_generations set total_steps = -1 where id = :'anns_generation';

-- check error 23514: prerequisites_count of implementation_plan_generations at -1
update implementation_plan_generations set prerequisites_count = -1 where id = :'anns_generation';

-- check error 23514: quality_gates_count of implementation_plan_generations at -1
update implementation_plan_generations set quality_gates_count = -1 where id = :'anns_generation';

-- check error 23514: execution_time_ms of implementation_plan_generations at -1
update implementation_plan_generations set execution_time_ms = -1 where id = :'anns_generation';

-- check error 23514: prompt_tokens of implementation_plan_generations at -1
update implementation_plan_generations set prompt_tokens = -1 where id = :'anns_generation';

-- check error 23514: completion_tokens of implementation_plan_generations at -1
update implementation_plan_generations set completion_tokens = -1 where id = :'anns_generation';

-- check error 23514: total_tokens of implementation_plan_generations at -1
update implementation_plan_generations set total_tokens = -1 where id = :'anns_generation';

-- check: numbers of implementation_plan_generations may be as low as this
update implementation_plan_generations
set
  total_steps = 0,
  prerequisites_count = 0,
  quality_gates_count = 0,
  execution_time_ms = 0,
  prompt_tokens = 0,
  completion_tokens = 0,
  total_tokens = 0
where id = :'anns_generation' returning true;

-- check error 23503: plan_id of implementation_plan_generations that is in no row of feature_plans
update implementation_plan_generations set plan_id = :'nobody' where id = :'anns_generation';

-- check: a row of feature_plans takes its rows of implementation_plan_generations along
delete from feature_plans where id = :'anns_plan';
select count(*) = 0 from implementation_plan_generations where id = :'anns_generation';

-- check: implementation_plan_generations is its owner's alone: no right, policy or trigger of another's
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
from pg_catalog.pg_class as c where c.oid = 'implementation_plan_generations'::regclass;
