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
insert into file_discovery_sessions (id, plan_id, agent_id, refined_request)
values
  ('5afe0000-0000-4000-8000-0000000000a3', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1', 'A search box above the list'),
  ('5afe0000-0000-4000-8000-0000000000b3', '5afe0000-0000-4000-8000-0000000000b1', 'agent-1', 'A dark mode');
insert into discovered_files (id, discovery_session_id, added_by_user_id, file_path, priority)
values ('5afe0000-0000-4000-8000-0000000000a4', '5afe0000-0000-4000-8000-0000000000a3', '5afe0000-0000-4000-8000-000000000043', 'src/search.ts', 'high');

-- check: a row of file_discovery_sessions with what it cannot do without: the defaults, and an id of its own
insert into file_discovery_sessions (plan_id, agent_id, refined_request)
values ('5afe0000-0000-4000-8000-0000000000a1', 'agent-2', 'Defaults');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'plan_id', '5afe0000-0000-4000-8000-0000000000a1',
    'agent_id', 'agent-2',
    'status', 'pending',
    'refined_request', 'Defaults',
    'is_selected', false,
    'total_files_found', 0,
    'critical_priority_count', 0,
    'high_priority_count', 0,
    'medium_priority_count', 0,
    'low_priority_count', 0,
    'created_at', localtimestamp
  )
  and id <> '5afe0000-0000-4000-8000-0000000000a3'
from file_discovery_sessions as made
where refined_request = 'Defaults';

-- check error 23514: critical_priority_count of file_discovery_sessions at -1
update file_discovery_sessions set critical_priority_count = -1
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23514: high_priority_count of file_discovery_sessions at -1
update file_discovery_sessions set high_priority_count = -1
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23514: medium_priority_count of file_discovery_sessions at -1
update file_discovery_sessions set medium_priority_count = -1
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23514: low_priority_count of file_discovery_sessions at -1
update file_discovery_sessions set low_priority_count = -1
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23514: execution_time_ms of file_discovery_sessions at -1
update file_discovery_sessions set execution_time_ms = -1
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23514: prompt_tokens of file_discovery_sessions at -1
update file_discovery_sessions set prompt_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23514: completion_tokens of file_discovery_sessions at -1
update file_discovery_sessions set completion_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23514: total_tokens of file_discovery_sessions at -1
update file_discovery_sessions set total_tokens = -1
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23514: total_files_found of file_discovery_sessions at -1
update file_discovery_sessions set total_files_found = -1
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check: numbers of file_discovery_sessions may be as low as this
update file_discovery_sessions
set
  critical_priority_count = 0,
  high_priority_count = 0,
  medium_priority_count = 0,
  low_priority_count = 0,
  execution_time_ms = 0,
  prompt_tokens = 0,
  completion_tokens = 0,
  total_tokens = 0,
  total_files_found = 0
where id = '5afe0000-0000-4000-8000-0000000000a3'
returning true;

-- check error 23503: plan_id of file_discovery_sessions that is in no row of feature_plans
update file_discovery_sessions set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check: a row of feature_plans takes its rows of file_discovery_sessions along
delete from feature_plans where id = '5afe0000-0000-4000-8000-0000000000a1';
select count(*) = 0
from file_discovery_sessions
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check: file_discovery_sessions has these constraints and no other
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'CHECK (((critical_priority_count >= 0) AND (high_priority_count >= 0) AND (medium_priority_count >= 0) AND (low_priority_count >= 0)))',
  'CHECK (((execution_time_ms IS NULL) OR (execution_time_ms >= 0)))',
  'PRIMARY KEY (id)',
  'FOREIGN KEY (plan_id) REFERENCES feature_plans(id) ON DELETE CASCADE',
  'CHECK ((((prompt_tokens IS NULL) OR (prompt_tokens >= 0)) AND ((completion_tokens IS NULL) OR (completion_tokens >= 0)) AND ((total_tokens IS NULL) OR (total_tokens >= 0))))',
  'CHECK ((total_files_found >= 0))'
]
from pg_catalog.pg_constraint
where conrelid = 'file_discovery_sessions'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: file_discovery_sessions has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'file_discovery_sessions_agent_id_idx btree (agent_id)',
  'file_discovery_sessions_is_selected_idx btree (is_selected)',
  'file_discovery_sessions_pkey UNIQUE btree (id)',
  'file_discovery_sessions_plan_id_idx btree (plan_id)',
  'file_discovery_sessions_status_idx btree (status)'
]
from pg_catalog.pg_indexes
where schemaname in ('public', 'feature_planner')
  and indexname in (
    'file_discovery_sessions_agent_id_idx',
    'file_discovery_sessions_is_selected_idx',
    'file_discovery_sessions_pkey',
    'file_discovery_sessions_plan_id_idx',
    'file_discovery_sessions_status_idx'
  );

-- check: file_discovery_sessions cannot be without these columns, and can be without all others
select array_agg(attname::text order by attname collate "C") = array[
  'agent_id',
  'created_at',
  'critical_priority_count',
  'high_priority_count',
  'id',
  'is_selected',
  'low_priority_count',
  'medium_priority_count',
  'plan_id',
  'refined_request',
  'status',
  'total_files_found'
]
from pg_catalog.pg_attribute
where attrelid = 'file_discovery_sessions'::regclass
  and attnum > 0
  and attnotnull;

-- check: file_discovery_sessions says what it is
select obj_description('file_discovery_sessions'::regclass, 'pg_class') = 'Runs of file discovery for a plan.';

-- check none: a right, another owner, a policy or a trigger on file_discovery_sessions
-- until: 011_open_to_authenticated
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'file_discovery_sessions'::regclass
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
  and t.tgname <> 'file_discovery_sessions_updated_at';

-- check: a row of discovered_files with what it cannot do without: the defaults, and an id of its own
insert into discovered_files (discovery_session_id, file_path, priority)
values ('5afe0000-0000-4000-8000-0000000000a3', 'src/defaults.ts', 'low');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'discovery_session_id', '5afe0000-0000-4000-8000-0000000000a3',
    'file_path', 'src/defaults.ts',
    'file_exists', true,
    'priority', 'low',
    'relevance_score', 0,
    'is_manually_added', false,
    'is_selected', false,
    'created_at', localtimestamp
  )
  and id <> '5afe0000-0000-4000-8000-0000000000a4'
from discovered_files as made
where file_path operator(pg_catalog.=) 'src/defaults.ts';

-- check error 23514: lines_of_code of discovered_files at 0
update discovered_files set lines_of_code = 0 where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23514: relevance_score of discovered_files at -1
update discovered_files set relevance_score = -1 where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23514: relevance_score of discovered_files at 101
update discovered_files set relevance_score = 101 where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check: numbers of discovered_files may be as low as this
update discovered_files
set lines_of_code = 1, relevance_score = 0
where id = '5afe0000-0000-4000-8000-0000000000a4'
returning true;

-- check: and as high as this
update discovered_files
set relevance_score = 100
where id = '5afe0000-0000-4000-8000-0000000000a4'
returning true;

-- check error 23503: added_by_user_id of discovered_files that is in no row of users
update discovered_files set added_by_user_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23503: a user goes away while a file names that user
delete from feature_plans where user_id = '5afe0000-0000-4000-8000-000000000043';
delete from users where id = '5afe0000-0000-4000-8000-000000000043';

-- check: the name taken out of the file, the user may go
update discovered_files set added_by_user_id = null
where id = '5afe0000-0000-4000-8000-0000000000a4';
delete from users where id = '5afe0000-0000-4000-8000-000000000043' returning true;

-- check error 23503: a user goes away whose own plan holds a file that names that user
-- The check of this key comes before the cascade has reached the file.
update discovered_files set added_by_user_id = '5afe0000-0000-4000-8000-000000000042'
where id = '5afe0000-0000-4000-8000-0000000000a4';
delete from users where id = '5afe0000-0000-4000-8000-000000000042';

-- check error 23503: discovery_session_id of discovered_files that is in no row of file_discovery_sessions
update discovered_files set discovery_session_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check: a row of file_discovery_sessions takes its rows of discovered_files along
delete from file_discovery_sessions where id = '5afe0000-0000-4000-8000-0000000000a3';
select count(*) = 0
from discovered_files
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check: discovered_files has these constraints and no other
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (added_by_user_id) REFERENCES users(id)',
  'FOREIGN KEY (discovery_session_id) REFERENCES file_discovery_sessions(id) ON DELETE CASCADE',
  'CHECK (((lines_of_code IS NULL) OR (lines_of_code > 0)))',
  'PRIMARY KEY (id)',
  'CHECK (((relevance_score >= 0) AND (relevance_score <= 100)))'
]
from pg_catalog.pg_constraint
where conrelid = 'discovered_files'::regclass
  and contype in ('p', 'u', 'f', 'c', 'x');

-- check: discovered_files has the indexes that its queries and references rely on
select array_agg(
  regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\S+) .* USING ', '\2 \1')
  order by indexname collate "C"
) = array[
  'discovered_files_discovery_session_id_idx btree (discovery_session_id)',
  'discovered_files_file_path_idx btree (file_path)',
  'discovered_files_is_manually_added_idx btree (is_manually_added)',
  'discovered_files_is_selected_idx btree (is_selected)',
  'discovered_files_pkey UNIQUE btree (id)',
  'discovered_files_priority_idx btree (priority)',
  'discovered_files_session_priority_idx btree (discovery_session_id, priority)'
]
from pg_catalog.pg_indexes
where schemaname in ('public', 'feature_planner')
  and indexname in (
    'discovered_files_discovery_session_id_idx',
    'discovered_files_file_path_idx',
    'discovered_files_is_manually_added_idx',
    'discovered_files_is_selected_idx',
    'discovered_files_pkey',
    'discovered_files_priority_idx',
    'discovered_files_session_priority_idx'
  );

-- check: discovered_files cannot be without these columns, and can be without all others
select array_agg(attname::text order by attname collate "C") = array[
  'created_at',
  'discovery_session_id',
  'file_exists',
  'file_path',
  'id',
  'is_manually_added',
  'is_selected',
  'priority',
  'relevance_score'
]
from pg_catalog.pg_attribute
where attrelid = 'discovered_files'::regclass
  and attnum > 0
  and attnotnull;

-- check: discovered_files says what it is
select obj_description('discovered_files'::regclass, 'pg_class') = 'Files that a discovery found or somebody added by hand.';

-- check none: a right, another owner, a policy or a trigger on discovered_files
-- until: 011_open_to_authenticated
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'discovered_files'::regclass
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
  and t.tgname <> 'discovered_files_updated_at';
