-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_plan = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_refinement = '5afe0000-0000-4000-8000-0000000000a2'
-- let: nobody = '5afe0000-0000-4000-8000-00000000000f'

-- The tables are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;
insert into public.users (id, clerk_id, email, username, display_name)
values
  (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  (:'bob', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');
insert into feature_plans (id, user_id, original_request)
values (:'anns_plan', :'ann', 'A search box'), (:'bobs_plan', :'bob', 'A dark mode');
insert into feature_refinements (id, plan_id, agent_id, input_request)
values (:'anns_refinement', :'anns_plan', 'agent-1', 'A search box');

-- check: a row of feature_refinements with what it cannot do without: the defaults, and an id of its own
insert into feature_refinements (plan_id, agent_id, input_request) values (:'anns_plan', 'agent-2', 'Defaults');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'plan_id', :'anns_plan', 'agent_id', 'agent-2', 'agent_model', 'sonnet', 'status', 'pending',
    'input_request', 'Defaults', 'is_valid_format', false, 'retry_count', 0, 'created_at', localtimestamp
  )
  and id <> :'anns_refinement'
from feature_refinements as made where input_request = 'Defaults';

-- check error 23514: character_count of feature_refinements at -1
update feature_refinements set character_count = -1 where id = :'anns_refinement';

-- check error 23514: execution_time_ms of feature_refinements at -1
update feature_refinements set execution_time_ms = -1 where id = :'anns_refinement';

-- check error 23514: expansion_ratio of feature_refinements at 0
update feature_refinements set expansion_ratio = 0 where id = :'anns_refinement';

-- check error 23514: retry_count of feature_refinements at -1
update feature_refinements set retry_count = -1 where id = :'anns_refinement';

-- check error 23514: prompt_tokens of feature_refinements at -1
update feature_refinements set prompt_tokens = -1 where id = :'anns_refinement';

-- check error 23514: completion_tokens of feature_refinements at -1
update feature_refinements set completion_tokens = -1 where id = :'anns_refinement';

-- check error 23514: total_tokens of feature_refinements at -1
update feature_refinements set total_tokens = -1 where id = :'anns_refinement';

-- check error 23514: word_count of feature_refinements at -1
update feature_refinements set word_count = -1 where id = :'anns_refinement';

-- check: numbers of feature_refinements may be as low as this
update feature_refinements
set
  character_count = 0,
  execution_time_ms = 0,
  expansion_ratio = 1,
  retry_count = 0,
  prompt_tokens = 0,
  completion_tokens = 0,
  total_tokens = 0,
  word_count = 0
where id = :'anns_refinement' returning true;

-- check error 23503: plan_id of feature_refinements that is in no row of feature_plans
update feature_refinements set plan_id = :'nobody' where id = :'anns_refinement';

-- check: a row of feature_plans takes its rows of feature_refinements along
delete from feature_plans where id = :'anns_plan';
select count(*) = 0 from feature_refinements where id = :'anns_refinement';

-- check: feature_refinements is its owner's alone: no right, policy or trigger of another's
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
from pg_catalog.pg_class as c where c.oid = 'feature_refinements'::regclass;
