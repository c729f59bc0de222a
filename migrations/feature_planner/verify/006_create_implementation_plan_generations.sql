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
insert into implementation_plan_generations (id, plan_id, agent_id, refined_request)
values
  ('5afe0000-0000-4000-8000-0000000000a5', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1', 'A search box above the list'),
  ('5afe0000-0000-4000-8000-0000000000b5', '5afe0000-0000-4000-8000-0000000000b1', 'agent-1', 'A dark mode');

-- check: a row of implementation_plan_generations with what it cannot do without: the defaults, and an id of its own
insert into implementation_plan_generations (plan_id, agent_id, refined_request)
values ('5afe0000-0000-4000-8000-0000000000a1', 'agent-2', 'Defaults');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'plan_id', '5afe0000-0000-4000-8000-0000000000a1',
    'agent_id', 'agent-2',
    'status', 'pending',
    'refined_request', 'Defaults',
    'total_steps', 0,
    'prerequisites_count', 0,
    'quality_gates_count', 0,
    'has_required_sections', false,
    'is_valid_markdown', false,
    'is_selected', false,
    'created_at', localtimestamp
  )
  and id <> '5afe0000-0000-4000-8000-0000000000a5'
from implementation_plan_generations as made
where refined_request = 'Defaults';

-- check error 23514: total_steps of implementation_plan_generations at -1
update implementation_plan_generations set total_steps = -1
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check error 23514: prerequisites_count of implementation_plan_generations at -1
update implementation_plan_generations set prerequisites_count = -1
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check error 23514: quality_gates_count of implementation_plan_generations at -1
update implementation_plan_generations set quality_gates_count = -1
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check error 23514: execution_time_ms of implementation_plan_generations at -1
update implementation_plan_generations set execution_time_ms = -1
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check error 23514: prompt_tokens of implementation_plan_generations at -1
update implementation_plan_generations set prompt_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check error 23514: completion_tokens of implementation_plan_generations at -1
update implementation_plan_generations set completion_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check error 23514: total_tokens of implementation_plan_generations at -1
update implementation_plan_generations set total_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a5';

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
where id = '5afe0000-0000-4000-8000-0000000000a5'
returning true;

-- check error 23503: plan_id of implementation_plan_generations that is in no row of feature_plans
update implementation_plan_generations set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check: a row of feature_plans takes its rows of implementation_plan_generations along
delete from feature_plans where id = '5afe0000-0000-4000-8000-0000000000a1';
select count(*) = 0
from implementation_plan_generations
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check: implementation_plan_generations has these constraints and no other
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'CHECK (((total_steps >= 0) AND (prerequisites_count >= 0) AND (quality_gates_count >= 0)))',
  'CHECK (((execution_time_ms IS NULL) OR (execution_time_ms >= 0)))',
  'PRIMARY KEY (id)',
  'FOREIGN KEY (plan_id) REFERENCES feature_plans(id) ON DELETE CASCADE',
  'CHECK ((((prompt_tokens IS NULL) OR (prompt_tokens >= 0)) AND ((completion_tokens IS NULL) OR (completion_tokens >= 0)) AND ((total_tokens IS NULL) OR (total_tokens >= 0))))'
]
from pg_catalog.pg_constraint
where conrelid = 'implementation_plan_generations'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: implementation_plan_generations has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'implementation_plan_generations_agent_id_idx btree (agent_id)',
  'implementation_plan_generations_is_selected_idx btree (is_selected)',
  'implementation_plan_generations_pkey UNIQUE btree (id)',
  'implementation_plan_generations_plan_id_idx btree (plan_id)',
  'implementation_plan_generations_status_idx btree (status)'
]
from pg_catalog.pg_indexes
where schemaname in ('public', 'feature_planner')
  and indexname in (
    'implementation_plan_generations_agent_id_idx',
    'implementation_plan_generations_is_selected_idx',
    'implementation_plan_generations_pkey',
    'implementation_plan_generations_plan_id_idx',
    'implementation_plan_generations_status_idx'
  );

-- check: implementation_plan_generations cannot be without these columns, and can be without all others
select array_agg(attname::text order by attname collate "C") = array[
  'agent_id',
  'created_at',
  'has_required_sections',
  'id',
  'is_selected',
  'is_valid_markdown',
  'plan_id',
  'prerequisites_count',
  'quality_gates_count',
  'refined_request',
  'status',
  'total_steps'
]
from pg_catalog.pg_attribute
where attrelid = 'implementation_plan_generations'::regclass
  and attnum > 0
  and attnotnull;

-- check: implementation_plan_generations says what it is
select obj_description('implementation_plan_generations'::regclass, 'pg_class') = 'Attempts to generate an implementation plan.';

-- check none: a right, another owner, a policy or a trigger on implementation_plan_generations
-- until: 011_open_to_authenticated
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'implementation_plan_generations'::regclass
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
  and t.tgname <> 'implementation_plan_generations_updated_at';
