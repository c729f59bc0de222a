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

-- check: a row of feature_plans with what it cannot do without: the defaults, and an id of its own
insert into feature_plans (user_id, original_request)
values ('5afe0000-0000-4000-8000-000000000042', 'Defaults');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'user_id', '5afe0000-0000-4000-8000-000000000042',
    'original_request', 'Defaults',
    'status', 'draft',
    'current_step', 0,
    'version', 1,
    'total_execution_time_ms', 0,
    'created_at', localtimestamp,
    'updated_at', localtimestamp
  )
  and id <> '5afe0000-0000-4000-8000-0000000000a1'
from feature_plans as made
where original_request = 'Defaults';

-- check error 23514: current_step of feature_plans at -1
update feature_plans set current_step = -1 where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23514: current_step of feature_plans at 4
update feature_plans set current_step = 4 where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23514: total_execution_time_ms of feature_plans at -1
update feature_plans set total_execution_time_ms = -1
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23514: original_request of feature_plans that is empty
update feature_plans set original_request = '' where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23514: original_request of feature_plans that is blank
update feature_plans set original_request = '  ' where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23514: original_request of feature_plans that holds tabs and line breaks only
update feature_plans
set original_request = E'\n\t \r\f\u000b'
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23514: original_request of feature_plans that nobody can see
update feature_plans
set original_request = U&'\00a0\2003\200b\3000\feff'
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check: original_request of feature_plans may be a letter between blanks
update feature_plans
set original_request = E'\n x\u3000'
where id = '5afe0000-0000-4000-8000-0000000000a1'
returning true;

-- check error 23514: version of feature_plans at 0
update feature_plans set version = 0 where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check: numbers of feature_plans may be as low as this
update feature_plans
set current_step = 0, total_execution_time_ms = 0, version = 1
where id = '5afe0000-0000-4000-8000-0000000000a1'
returning true;

-- check: and as high as this
update feature_plans
set current_step = 3
where id = '5afe0000-0000-4000-8000-0000000000a1'
returning true;

-- check error 23503: user_id of feature_plans that is in no row of users
update feature_plans set user_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check: a row of users takes its rows of feature_plans along
delete from users where id = '5afe0000-0000-4000-8000-000000000042';
select count(*) = 0
from feature_plans
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check: feature_plans has these constraints and no other
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'CHECK (((current_step >= 0) AND (current_step <= 3)))',
  'CHECK ((total_execution_time_ms >= 0))',
  'CHECK ((original_request ~ ''[^\s\u0085\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]''::text))',
  'PRIMARY KEY (id)',
  'FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE',
  'CHECK ((version > 0))'
]
from pg_catalog.pg_constraint
where conrelid = 'feature_plans'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: feature_plans has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'feature_plans_current_step_idx btree (current_step)',
  'feature_plans_original_request_search_idx gin (to_tsvector(''english''::regconfig, original_request))',
  'feature_plans_parent_id_idx btree (parent_plan_id)',
  'feature_plans_parent_version_idx btree (parent_plan_id, version)',
  'feature_plans_pkey UNIQUE btree (id)',
  'feature_plans_refined_request_search_idx gin (to_tsvector(''english''::regconfig, refined_request))',
  'feature_plans_status_idx btree (status)',
  'feature_plans_user_created_desc_idx btree (user_id, created_at DESC)',
  'feature_plans_user_created_idx btree (user_id, created_at)',
  'feature_plans_user_id_idx btree (user_id)',
  'feature_plans_user_status_idx btree (user_id, status)'
]
from pg_catalog.pg_indexes
where schemaname in ('public', 'feature_planner')
  and indexname in (
    'feature_plans_current_step_idx',
    'feature_plans_original_request_search_idx',
    'feature_plans_parent_id_idx',
    'feature_plans_parent_version_idx',
    'feature_plans_pkey',
    'feature_plans_refined_request_search_idx',
    'feature_plans_status_idx',
    'feature_plans_user_created_desc_idx',
    'feature_plans_user_created_idx',
    'feature_plans_user_id_idx',
    'feature_plans_user_status_idx'
  );

-- check: feature_plans cannot be without these columns, and can be without all others
select array_agg(attname::text order by attname collate "C") = array[
  'created_at',
  'current_step',
  'id',
  'original_request',
  'status',
  'total_execution_time_ms',
  'updated_at',
  'user_id',
  'version'
]
from pg_catalog.pg_attribute
where attrelid = 'feature_plans'::regclass
  and attnum > 0
  and attnotnull;

-- check: feature_plans says what it is
select obj_description('feature_plans'::regclass, 'pg_class') = 'One feature-planning workflow of a user.';

-- check: columns of feature_plans that nothing checks say so
select count(*) = 4
from pg_catalog.pg_description
where objoid = 'feature_plans'::regclass
  and classoid = 'pg_catalog.pg_class'::regclass
  and objsubid > 0
  and description like 'In %; no foreign key.';

-- check none: a right, another owner, a policy or a trigger on feature_plans
-- until: 011_open_to_authenticated
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'feature_plans'::regclass
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
  and t.tgname <> 'feature_plans_updated_at';
