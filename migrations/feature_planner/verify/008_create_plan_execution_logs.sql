-- The tables are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;
insert into public.users (id, clerk_id, email, username, display_name)
values
  ('5afe0000-0000-4000-8000-000000000042', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  ('5afe0000-0000-4000-8000-000000000043', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');
insert into feature_plans (id, user_id, original_request)
values
  ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-000000000042', 'A search box'),
  ('5afe0000-0000-4000-8000-0000000000b1', '5afe0000-0000-4000-8000-000000000043', 'A dark mode');
insert into plan_execution_logs (id, plan_id, step, step_number, agent_type, start_time)
values ('5afe0000-0000-4000-8000-0000000000a8', '5afe0000-0000-4000-8000-0000000000a1', 'refinement', 1, 'refiner', '2001-02-03 04:05:06');

-- check: a row of plan_execution_logs with what it cannot do without: the defaults, and an id of its own
insert into plan_execution_logs (plan_id, step, step_number, agent_type, start_time)
values ('5afe0000-0000-4000-8000-0000000000a1', 'planning', 3, 'defaults', '2001-02-03 04:05:06');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'plan_id', '5afe0000-0000-4000-8000-0000000000a1',
    'step', 'planning',
    'step_number', 3,
    'agent_type', 'defaults',
    'agent_level', 0,
    'is_success', true,
    'retry_attempt', 0,
    'start_time', '2001-02-03T04:05:06',
    'created_at', localtimestamp
  )
  and id <> '5afe0000-0000-4000-8000-0000000000a8'
from plan_execution_logs as made
where agent_type operator(pg_catalog.=) 'defaults';

-- check error 23514: agent_level of plan_execution_logs at -1
update plan_execution_logs set agent_level = -1 where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23514: duration_ms of plan_execution_logs at -1
update plan_execution_logs set duration_ms = -1 where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23514: retry_attempt of plan_execution_logs at -1
update plan_execution_logs set retry_attempt = -1 where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23514: step_number of plan_execution_logs at 0
update plan_execution_logs set step_number = 0 where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23514: step_number of plan_execution_logs at 4
update plan_execution_logs set step_number = 4 where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23514: prompt_tokens of plan_execution_logs at -1
update plan_execution_logs set prompt_tokens = -1 where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23514: completion_tokens of plan_execution_logs at -1
update plan_execution_logs set completion_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23514: total_tokens of plan_execution_logs at -1
update plan_execution_logs set total_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23514: cache_creation_tokens of plan_execution_logs at -1
update plan_execution_logs set cache_creation_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23514: cache_read_tokens of plan_execution_logs at -1
update plan_execution_logs set cache_read_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23514: a row of plan_execution_logs that ends before it starts
update plan_execution_logs set end_time = start_time - interval '1 microsecond'
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check: and one that ends in the moment in which it starts
update plan_execution_logs set end_time = start_time
where id = '5afe0000-0000-4000-8000-0000000000a8'
returning true;

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
where id = '5afe0000-0000-4000-8000-0000000000a8'
returning true;

-- check: and as high as this
update plan_execution_logs
set step_number = 3
where id = '5afe0000-0000-4000-8000-0000000000a8'
returning true;

-- check error 23503: plan_id of plan_execution_logs that is in no row of feature_plans
update plan_execution_logs set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check: a row of feature_plans takes its rows of plan_execution_logs along
delete from feature_plans where id = '5afe0000-0000-4000-8000-0000000000a1';
select count(*) = 0
from plan_execution_logs
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check: plan_execution_logs has these constraints and no other
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'CHECK ((agent_level >= 0))',
  'CHECK (((duration_ms IS NULL) OR (duration_ms >= 0)))',
  'CHECK ((end_time >= start_time))',
  'PRIMARY KEY (id)',
  'FOREIGN KEY (plan_id) REFERENCES feature_plans(id) ON DELETE CASCADE',
  'CHECK ((retry_attempt >= 0))',
  'CHECK (((step_number >= 1) AND (step_number <= 3)))',
  'CHECK ((((prompt_tokens IS NULL) OR (prompt_tokens >= 0)) AND ((completion_tokens IS NULL) OR (completion_tokens >= 0)) AND ((total_tokens IS NULL) OR (total_tokens >= 0)) AND ((cache_creation_tokens IS NULL) OR (cache_creation_tokens >= 0)) AND ((cache_read_tokens IS NULL) OR (cache_read_tokens >= 0))))'
]
from pg_catalog.pg_constraint
where conrelid = 'plan_execution_logs'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: plan_execution_logs has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'plan_execution_logs_agent_level_idx btree (agent_level)',
  'plan_execution_logs_created_at_idx btree (created_at)',
  'plan_execution_logs_parent_log_id_idx btree (parent_log_id)',
  'plan_execution_logs_pkey UNIQUE btree (id)',
  'plan_execution_logs_plan_id_idx btree (plan_id)',
  'plan_execution_logs_plan_step_idx btree (plan_id, step_number)',
  'plan_execution_logs_session_id_idx btree (session_id)',
  'plan_execution_logs_step_idx btree (step)'
]
from pg_catalog.pg_indexes
where schemaname in ('public', 'feature_planner')
  and indexname in (
    'plan_execution_logs_agent_level_idx',
    'plan_execution_logs_created_at_idx',
    'plan_execution_logs_parent_log_id_idx',
    'plan_execution_logs_pkey',
    'plan_execution_logs_plan_id_idx',
    'plan_execution_logs_plan_step_idx',
    'plan_execution_logs_session_id_idx',
    'plan_execution_logs_step_idx'
  );

-- check: plan_execution_logs cannot be without these columns, and can be without all others
select array_agg(attname::text order by attname collate "C") = array[
  'agent_level',
  'agent_type',
  'created_at',
  'id',
  'is_success',
  'plan_id',
  'retry_attempt',
  'start_time',
  'step',
  'step_number'
]
from pg_catalog.pg_attribute
where attrelid = 'plan_execution_logs'::regclass
  and attnum > 0
  and attnotnull;

-- check: plan_execution_logs says what it is
select obj_description('plan_execution_logs'::regclass, 'pg_class') = 'Audit trail: every execution, prompt and answer.';

-- check: columns of plan_execution_logs that nothing checks say so
select count(*) = 1
from pg_catalog.pg_description
where objoid = 'plan_execution_logs'::regclass
  and classoid = 'pg_catalog.pg_class'::regclass
  and objsubid > 0
  and description like 'In %; no foreign key.';

-- check none: a right, another owner, a policy or a trigger on plan_execution_logs
-- until: 011_open_to_authenticated
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'plan_execution_logs'::regclass
)
select 'owner ' || r.relowner::regrole
from relation as r
where r.relowner <> (
  select typowner from pg_catalog.pg_type where oid = 'complexity'::regtype
)
union all
select r.relname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r, aclexplode(r.relacl) as acl
where acl.grantee <> r.relowner
union all
select a.attname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid, aclexplode(a.attacl) as acl
where acl.grantee <> r.relowner
union all
select 'row level security' from relation as r where r.relrowsecurity
union all
select 'policy ' || p.polname
from relation as r
join pg_catalog.pg_policy as p on p.polrelid = r.oid
union all
select 'trigger ' || t.tgname
from relation as r
join pg_catalog.pg_trigger as t on t.tgrelid = r.oid
where not t.tgisinternal
  and t.tgname <> 'plan_execution_logs_updated_at';
