-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_plan = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_discovery = '5afe0000-0000-4000-8000-0000000000a3'
-- let: bobs_discovery = '5afe0000-0000-4000-8000-0000000000b3'
-- let: anns_file = '5afe0000-0000-4000-8000-0000000000a4'
-- let: nobody = '5afe0000-0000-4000-8000-00000000000f'

-- The tables are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;
insert into public.users (id, clerk_id, email, username, display_name)
values
  (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  (:'bob', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');
insert into feature_plans (id, user_id, original_request)
values (:'anns_plan', :'ann', 'A search box'), (:'bobs_plan', :'bob', 'A dark mode');
insert into file_discovery_sessions (id, plan_id, agent_id, refined_request)
values
  (:'anns_discovery', :'anns_plan', 'agent-1', 'A search box above the list'),
  (:'bobs_discovery', :'bobs_plan', 'agent-1', 'A dark mode');
insert into discovered_files (id, discovery_session_id, added_by_user_id, file_path, priority)
values (:'anns_file', :'anns_discovery', :'bob', 'src/search.ts', 'high');

-- check: a row of file_discovery_sessions with what it cannot do without: the defaults, and an id of its own
insert into file_discovery_sessions (plan_id, agent_id, refined_request) values (:'anns_plan', 'agent-2', 'Defaults');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'plan_id', :'anns_plan', 'agent_id', 'agent-2', 'status', 'pending', 'refined_request', 'Defaults',
    'is_selected', false, 'total_files_found', 0, 'critical_priority_count', 0, 'high_priority_count', 0,
    'medium_priority_count', 0, 'low_priority_count', 0, 'created_at', localtimestamp
  )
  and id <> :'anns_discovery'
from file_discovery_sessions as made where refined_request = 'Defaults';

-- check error 23514: critical_priority_count of file_discovery_sessions at -1
update file_discovery_sessions set critical_priority_count = -1 where id = :'anns_discovery';

-- check error 23514: high_priority_count of file_discovery_sessions at -1
update file_discovery_sessions set high_priority_count = -1 where id = :'anns_discovery';

-- check error 23514: medium_priority_count of file_discovery_sessions at -1
update file_discovery_sessions set medium_priority_count = -1 where id = :'anns_discovery';

-- check error 23514: low_priority_count of file_discovery_sessions at -1
update file_discovery_sessions set low_priority_count = -1 where id = :'anns_discovery';

-- check error 23514: execution_time_ms of file_discovery_sessions at -1
update file_discovery_sessions set execution_time_ms = -1 where id = :'anns_discovery';

-- check error 23514: prompt_tokens of file_discovery_sessions at -1
update file_discovery_sessions set prompt_tokens = -1 where id = :'anns_discovery';

-- check error 23514: completion_tokens of file_discovery_sessions at -1
update file_discovery_sessions set completion_tokens = -1 where id = :'anns_discovery';

-- check error 23514: total_tokens of file_discovery_sessions at -1
update file_discovery_sessions set total_tokens = -1 where id = :'anns_discovery';

-- check error 23514: total_files_found of file_discovery_sessions at -1
update file_discovery_sessions set total_files_found = -1 where id = :'anns_discovery';

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
where id = :'anns_discovery' returning true;

-- check error 23503: plan_id of file_discovery_sessions that is in no row of feature_plans
update file_discovery_sessions set plan_id = :'nobody' where id = :'anns_discovery';

-- check: a row of feature_plans takes its rows of file_discovery_sessions along
delete from feature_plans where id = :'anns_plan';
select count(*) = 0 from file_discovery_sessions where id = :'anns_discovery';

-- check: file_discovery_sessions is its owner's alone: no right, policy or trigger of another's
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
from pg_catalog.pg_class as c where c.oid = 'file_discovery_sessions'::regclass;

-- check: a row of discovered_files with what it cannot do without: the defaults, and an id of its own
insert into discovered_files (discovery_session_id, file_path, priority)
values (:'anns_discovery', 'src/defaults.ts', 'low');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'discovery_session_id', :'anns_discovery', 'file_path', 'src/defaults.ts', 'file_exists', true,
    'priority', 'low', 'relevance_score', 0, 'is_manually_added', false, 'is_selected', false,
    'created_at', localtimestamp
  )
  and id <> :'anns_file'
from discovered_files as made where file_path operator(pg_catalog.=) 'src/defaults.ts';

-- check error 23514: lines_of_code of discovered_files at 0
update discovered_files set lines_of_code = 0 where id = :'anns_file';

-- check error 23514: relevance_score of discovered_files at -1
update discovered_files set relevance_score = -1 where id = :'anns_file';

-- check error 23514: relevance_score of discovered_files at 101
update discovered_files set relevance_score = 101 where id = :'anns_file';

-- check: numbers of discovered_files may be as low as this
update discovered_files set lines_of_code = 1, relevance_score = 0 where id = :'anns_file' returning true;

-- check: and as high as this
update discovered_files set relevance_score = 100 where id = :'anns_file' returning true;

-- check error 23503: added_by_user_id of discovered_files that is in no row of users
update discovered_files set added_by_user_id = :'nobody' where id = :'anns_file';

-- check error 23503: a user goes away while a file names that user
delete from feature_plans where user_id = :'bob';
delete from users where id = :'bob';

-- check: the name taken out of the file, the user may go
update discovered_files set added_by_user_id = null where id = :'anns_file';
delete from users where id = :'bob' returning true;

-- check error 23503: a user goes away whose own plan holds a file that names that user
-- The check of this key comes before the cascade has reached the file.
update discovered_files set added_by_user_id = :'ann' where id = :'anns_file';
delete from users where id = :'ann';

-- check error 23503: discovery_session_id of discovered_files that is in no row of file_discovery_sessions
update discovered_files set discovery_session_id = :'nobody' where id = :'anns_file';

-- check: a row of file_discovery_sessions takes its rows of discovered_files along
delete from file_discovery_sessions where id = :'anns_discovery';
select count(*) = 0 from discovered_files where id = :'anns_file';

-- check: discovered_files is its owner's alone: no right, policy or trigger of another's
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
from pg_catalog.pg_class as c where c.oid = 'discovered_files'::regclass;
