-- The tables are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;
insert into public.users (id, clerk_id, email, username, display_name)
values
  ('5afe0000-0000-4000-8000-000000000042', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  ('5afe0000-0000-4000-8000-000000000043', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');
insert into plan_step_templates (id, user_id, name, title, description, content, category)
values ('5afe0000-0000-4000-8000-0000000000a6', '5afe0000-0000-4000-8000-000000000042', 'tests', 'Write tests', 'Tests first', '…', 'quality');
insert into feature_plans (id, user_id, original_request)
values
  ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-000000000042', 'A search box'),
  ('5afe0000-0000-4000-8000-0000000000b1', '5afe0000-0000-4000-8000-000000000043', 'A dark mode');
insert into implementation_plan_generations (id, plan_id, agent_id, refined_request)
values
  ('5afe0000-0000-4000-8000-0000000000a5', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1', 'A search box above the list'),
  ('5afe0000-0000-4000-8000-0000000000b5', '5afe0000-0000-4000-8000-0000000000b1', 'agent-1', 'A dark mode');
insert into plan_steps (id, plan_generation_id, step_number, display_order, title, description)
values ('5afe0000-0000-4000-8000-0000000000a7', '5afe0000-0000-4000-8000-0000000000a5', 1, 0, 'Add the box', 'Above the list');

-- check: a row of plan_step_templates with what it cannot do without: the defaults, and an id of its own
insert into plan_step_templates (user_id, name, title, description, content, category)
values ('5afe0000-0000-4000-8000-000000000042', 'defaults', 'T', 'D', 'C', 'K');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'user_id', '5afe0000-0000-4000-8000-000000000042',
    'name', 'defaults',
    'title', 'T',
    'description', 'D',
    'content', 'C',
    'category', 'K',
    'confidence_level', 'high',
    'is_public', false,
    'usage_count', 0,
    'created_at', localtimestamp,
    'updated_at', localtimestamp
  )
  and id <> '5afe0000-0000-4000-8000-0000000000a6'
from plan_step_templates as made
where name operator(pg_catalog.=) 'defaults';

-- check error 23514: usage_count of plan_step_templates at -1
update plan_step_templates set usage_count = -1 where id = '5afe0000-0000-4000-8000-0000000000a6';

-- check: numbers of plan_step_templates may be as low as this
update plan_step_templates
set usage_count = 0
where id = '5afe0000-0000-4000-8000-0000000000a6'
returning true;

-- check error 23503: user_id of plan_step_templates that is in no row of users
update plan_step_templates set user_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a6';

-- check: a row of users takes its rows of plan_step_templates along
delete from users where id = '5afe0000-0000-4000-8000-000000000042';
select count(*) = 0
from plan_step_templates
where id = '5afe0000-0000-4000-8000-0000000000a6';

-- check: plan_step_templates has these constraints and no other
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'PRIMARY KEY (id)',
  'CHECK ((usage_count >= 0))',
  'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE'
]
from pg_catalog.pg_constraint
where conrelid = 'plan_step_templates'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: plan_step_templates has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'plan_step_templates_category_idx btree (category)',
  'plan_step_templates_is_public_idx btree (is_public)',
  'plan_step_templates_pkey UNIQUE btree (id)',
  'plan_step_templates_usage_count_idx btree (usage_count)',
  'plan_step_templates_user_id_idx btree (user_id)'
]
from pg_catalog.pg_indexes
where schemaname in ('public', 'feature_planner')
  and indexname in (
    'plan_step_templates_category_idx',
    'plan_step_templates_is_public_idx',
    'plan_step_templates_pkey',
    'plan_step_templates_usage_count_idx',
    'plan_step_templates_user_id_idx'
  );

-- check: plan_step_templates cannot be without these columns, and can be without all others
select array_agg(attname::text order by attname collate "C") = array[
  'category',
  'confidence_level',
  'content',
  'created_at',
  'description',
  'id',
  'is_public',
  'name',
  'title',
  'updated_at',
  'usage_count',
  'user_id'
]
from pg_catalog.pg_attribute
where attrelid = 'plan_step_templates'::regclass
  and attnum > 0
  and attnotnull;

-- check: plan_step_templates says what it is
select obj_description('plan_step_templates'::regclass, 'pg_class') = 'A user''s library of steps to use again.';

-- check none: a right, another owner, a policy or a trigger on plan_step_templates
-- until: 011_open_to_authenticated
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'plan_step_templates'::regclass
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
  and t.tgname <> 'plan_step_templates_updated_at';

-- check: a row of plan_steps with what it cannot do without: the defaults, and an id of its own
insert into plan_steps (plan_generation_id, step_number, display_order, title, description)
values ('5afe0000-0000-4000-8000-0000000000a5', 2, 1, 'Defaults', 'D');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'plan_generation_id', '5afe0000-0000-4000-8000-0000000000a5',
    'step_number', 2,
    'display_order', 1,
    'title', 'Defaults',
    'description', 'D',
    'is_from_template', false,
    'created_at', localtimestamp,
    'updated_at', localtimestamp
  )
  and id <> '5afe0000-0000-4000-8000-0000000000a7'
from plan_steps as made
where title operator(pg_catalog.=) 'Defaults';

-- check error 23514: display_order of plan_steps at -1
update plan_steps set display_order = -1 where id = '5afe0000-0000-4000-8000-0000000000a7';

-- check error 23514: step_number of plan_steps at 0
update plan_steps set step_number = 0 where id = '5afe0000-0000-4000-8000-0000000000a7';

-- check: numbers of plan_steps may be as low as this
update plan_steps
set display_order = 0, step_number = 1
where id = '5afe0000-0000-4000-8000-0000000000a7'
returning true;

-- check error 23503: plan_generation_id of plan_steps that is in no row of implementation_plan_generations
update plan_steps set plan_generation_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a7';

-- check: a row of implementation_plan_generations takes its rows of plan_steps along
delete from implementation_plan_generations where id = '5afe0000-0000-4000-8000-0000000000a5';
select count(*) = 0
from plan_steps
where id = '5afe0000-0000-4000-8000-0000000000a7';

-- check: plan_steps has these constraints and no other
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'CHECK ((display_order >= 0))',
  'PRIMARY KEY (id)',
  'FOREIGN KEY (plan_generation_id) REFERENCES implementation_plan_generations(id) ON DELETE CASCADE',
  'CHECK ((step_number > 0))'
]
from pg_catalog.pg_constraint
where conrelid = 'plan_steps'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: plan_steps has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'plan_steps_category_idx btree (category)',
  'plan_steps_display_order_idx btree (display_order)',
  'plan_steps_pkey UNIQUE btree (id)',
  'plan_steps_plan_generation_id_idx btree (plan_generation_id)',
  'plan_steps_template_id_idx btree (template_id)'
]
from pg_catalog.pg_indexes
where schemaname in ('public', 'feature_planner')
  and indexname in (
    'plan_steps_category_idx',
    'plan_steps_display_order_idx',
    'plan_steps_pkey',
    'plan_steps_plan_generation_id_idx',
    'plan_steps_template_id_idx'
  );

-- check: plan_steps cannot be without these columns, and can be without all others
select array_agg(attname::text order by attname collate "C") = array[
  'created_at',
  'description',
  'display_order',
  'id',
  'is_from_template',
  'plan_generation_id',
  'step_number',
  'title',
  'updated_at'
]
from pg_catalog.pg_attribute
where attrelid = 'plan_steps'::regclass
  and attnum > 0
  and attnotnull;

-- check: plan_steps says what it is
select obj_description('plan_steps'::regclass, 'pg_class') = 'The steps of a generated plan, in an order that may change.';

-- check: columns of plan_steps that nothing checks say so
select count(*) = 1
from pg_catalog.pg_description
where objoid = 'plan_steps'::regclass
  and classoid = 'pg_catalog.pg_class'::regclass
  and objsubid > 0
  and description like 'In %; no foreign key.';

-- check none: a right, another owner, a policy or a trigger on plan_steps
-- until: 011_open_to_authenticated
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'plan_steps'::regclass
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
  and t.tgname <> 'plan_steps_updated_at';
