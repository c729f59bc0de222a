-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_plan = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_log = '5afe0000-0000-4000-8000-0000000000a8'
-- let: nobody = '5afe0000-0000-4000-8000-00000000000f'

-- The tables are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;
insert into public.users (id, clerk_id, email, username, display_name)
values
  (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  (:'bob', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');
insert into feature_plans (id, user_id, original_request)
values (:'anns_plan', :'ann', 'A search box'), (:'bobs_plan', :'bob', 'A dark mode');
insert into plan_execution_logs (id, plan_id, step, step_number, agent_type, start_time)
values (:'anns_log', :'anns_plan', 'refinement', 1, 'refiner', '2001-02-03 04:05:06');

-- check: a row of plan_execution_logs with what it cannot do without: the defaults, and an id of its own
insert into plan_execution_logs (plan_id, step, step_number, agent_type, start_time)
values (:'anns_plan', 'planning', 3, 'defaults', '2001-02-03 04:05:06');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'plan_id', :'anns_plan', 'step', 'planning', 'step_number', 3, 'agent_type', 'defaults', 'agent_level', 0,
    'is_success', true, 'retry_attempt', 0, 'start_time', '2001-02-03T04:05:06', 'created_at', localtimestamp
  )
  and id <> :'anns_log'
from plan_execution_logs as made where agent_type operator(pg_catalog.=) 'defaults';

-- check error 23514: agent_level of plan_execution_logs at -1
update plan_execution_logs set agent_level = -1 where id = :'anns_log';

-- check error 23514: duration_ms of plan_execution_logs at -1
update plan_execution_logs set duration_ms = -1 where id = :'anns_log';

-- check error 23514: retry_attempt of plan_execution_logs at -1
update plan_execution_logs set retry_attempt = -1 where id = :'anns_log';

-- check error 23514: step_number of plan_execution_logs at 0
update plan_execution_logs set step_number = 0 where id = :'anns_log';

-- check error 23514: step_number of plan_execution_logs at 4
update plan_execution_logs set step_number = 4 where id = :'anns_log';

-- check error 23514: prompt_tokens of plan_execution_logs at -1
update plan_execution_logs set prompt_tokens = -1 where id = :'anns_log';

-- check error 23514: completion_tokens of plan_execution_logs at -1
update plan_execution_logs set completion_tokens = -1 where id = :'anns_log';

-- check error 23514: total_tokens of plan_execution_logs at -1
update plan_execution_logs set total_tokens = -1 where id = :'anns_log';

-- check error 23514: cache_creation_tokens of plan_execution_logs at -1
update plan_execution_logs set cache_creation_tokens = -1 where id = :'anns_log';

-- check error 23514: cache_read_tokens of plan_execution_logs at -1
update plan_execution_logs set cache_read_tokens = -1 where id = :'anns_log';

-- check error 23514: a row of plan_execution_logs that ends before it starts
update plan_execution_logs set end_time = start_time - interval '1 microsecond' where id = :'anns_log';

-- check: and one that ends in the moment in which it starts
update plan_execution_logs set end_time = start_time where id = :'anns_log' returning true;

-- check: numbers of plan_execution_logs may be as low as this
update plan_execution_logs
set
  agent_level = 0,
  duration_ms = 0,
  retry_attempt = 0,
  step_number = 1,
  prompt_tokens = 0,
  completion_tokens = 0,
  total_tokens = 0, cache_creation_tokens = 0, cache_read_tokens = 0
where id = :'anns_log' returning true;

-- check: and as high as this
update plan_execution_logs set step_number = 3 where id = :'anns_log' returning true;

-- check error 23503: plan_id of plan_execution_logs that is in no row of feature_plans
update plan_execution_logs set plan_id = :'nobody' where id = :'anns_log';

-- check: a row of feature_plans takes its rows of plan_execution_logs along
delete from feature_plans where id = :'anns_plan';
select count(*) = 0 from plan_execution_logs where id = :'anns_log';

-- check: plan_execution_logs is its owner's alone: no right, policy or trigger of another's
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
from pg_catalog.pg_class as c where c.oid = 'plan_execution_logs'::regclass;
