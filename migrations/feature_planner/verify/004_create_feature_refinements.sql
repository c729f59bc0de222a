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
insert into feature_refinements (id, plan_id, agent_id, input_request)
values ('5afe0000-0000-4000-8000-0000000000a2', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1', 'A search box');

-- check: a row of feature_refinements with what it cannot do without: the defaults, and an id of its own
insert into feature_refinements (plan_id, agent_id, input_request)
values ('5afe0000-0000-4000-8000-0000000000a1', 'agent-2', 'Defaults');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'plan_id', '5afe0000-0000-4000-8000-0000000000a1',
    'agent_id', 'agent-2',
    'agent_model', 'sonnet',
    'status', 'pending',
    'input_request', 'Defaults',
    'is_valid_format', false,
    'retry_count', 0,
    'created_at', localtimestamp
  )
  and id <> '5afe0000-0000-4000-8000-0000000000a2'
from feature_refinements as made
where input_request = 'Defaults';

-- check error 23514: character_count of feature_refinements at -1
update feature_refinements set character_count = -1
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23514: execution_time_ms of feature_refinements at -1
update feature_refinements set execution_time_ms = -1
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23514: expansion_ratio of feature_refinements at 0
update feature_refinements set expansion_ratio = 0
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23514: retry_count of feature_refinements at -1
update feature_refinements set retry_count = -1 where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23514: prompt_tokens of feature_refinements at -1
update feature_refinements set prompt_tokens = -1 where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23514: completion_tokens of feature_refinements at -1
update feature_refinements set completion_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23514: total_tokens of feature_refinements at -1
update feature_refinements set total_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23514: word_count of feature_refinements at -1
update feature_refinements set word_count = -1 where id = '5afe0000-0000-4000-8000-0000000000a2';

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
where id = '5afe0000-0000-4000-8000-0000000000a2'
returning true;

-- check error 23503: plan_id of feature_refinements that is in no row of feature_plans
update feature_refinements set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check: a row of feature_plans takes its rows of feature_refinements along
delete from feature_plans where id = '5afe0000-0000-4000-8000-0000000000a1';
select count(*) = 0
from feature_refinements
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check: feature_refinements has these constraints and no other
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'CHECK (((character_count IS NULL) OR (character_count >= 0)))',
  'CHECK (((execution_time_ms IS NULL) OR (execution_time_ms >= 0)))',
  'CHECK (((expansion_ratio IS NULL) OR (expansion_ratio > 0)))',
  'PRIMARY KEY (id)',
  'FOREIGN KEY (plan_id) REFERENCES feature_plans(id) ON DELETE CASCADE',
  'CHECK ((retry_count >= 0))',
  'CHECK ((((prompt_tokens IS NULL) OR (prompt_tokens >= 0)) AND ((completion_tokens IS NULL) OR (completion_tokens >= 0)) AND ((total_tokens IS NULL) OR (total_tokens >= 0))))',
  'CHECK (((word_count IS NULL) OR (word_count >= 0)))'
]
from pg_catalog.pg_constraint
where conrelid = 'feature_refinements'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: feature_refinements has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'feature_refinements_agent_id_idx btree (agent_id)',
  'feature_refinements_pkey UNIQUE btree (id)',
  'feature_refinements_plan_id_idx btree (plan_id)',
  'feature_refinements_plan_status_idx btree (plan_id, status)',
  'feature_refinements_status_idx btree (status)'
]
from pg_catalog.pg_indexes
where schemaname in ('public', 'feature_planner')
  and indexname in (
    'feature_refinements_agent_id_idx',
    'feature_refinements_pkey',
    'feature_refinements_plan_id_idx',
    'feature_refinements_plan_status_idx',
    'feature_refinements_status_idx'
  );

-- check: feature_refinements cannot be without these columns, and can be without all others
select array_agg(attname::text order by attname collate "C") = array[
  'agent_id',
  'agent_model',
  'created_at',
  'id',
  'input_request',
  'is_valid_format',
  'plan_id',
  'retry_count',
  'status'
]
from pg_catalog.pg_attribute
where attrelid = 'feature_refinements'::regclass
  and attnum > 0
  and attnotnull;

-- check: feature_refinements says what it is
select obj_description('feature_refinements'::regclass, 'pg_class') = 'Attempts to refine a request; several may run at once.';

-- check none: a right, another owner, a policy or a trigger on feature_refinements
-- until: 011_open_to_authenticated
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'feature_refinements'::regclass
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
  and t.tgname <> 'feature_refinements_updated_at';
