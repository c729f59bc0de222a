-- let: anns_plan = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_plan = '5afe0000-0000-4000-8000-0000000000b1'
-- let: nobody = '5afe0000-0000-4000-8000-00000000000f'

-- The tables are found in public and, when they have moved, in feature_planner.
set local search_path = feature_planner, public;
insert into public.users (id, clerk_id, email, username, display_name)
values
  (:'ann', 'user_verify_ann', 'ann@verify.invalid', 'verify_ann', 'Ann'),
  (:'bob', 'user_verify_bob', 'bob@verify.invalid', 'verify_bob', 'Bob');
insert into feature_plans (id, user_id, original_request)
values (:'anns_plan', :'ann', 'A search box'), (:'bobs_plan', :'bob', 'A dark mode');

-- check: a row of feature_plans with what it cannot do without: the defaults, and an id of its own
insert into feature_plans (user_id, original_request) values (:'ann', 'Defaults');
select
  jsonb_strip_nulls(to_jsonb(made) - 'id') = jsonb_build_object(
    'user_id', :'ann', 'original_request', 'Defaults', 'status', 'draft', 'current_step', 0, 'version', 1,
    'total_execution_time_ms', 0, 'created_at', localtimestamp, 'updated_at', localtimestamp
  )
  and id <> :'anns_plan'
from feature_plans as made where original_request = 'Defaults';

-- check error 23514: current_step of feature_plans at -1
update feature_plans set current_step = -1 where id = :'anns_plan';

-- check error 23514: current_step of feature_plans at 4
update feature_plans set current_step = 4 where id = :'anns_plan';

-- check error 23514: total_execution_time_ms of feature_plans at -1
update feature_plans set total_execution_time_ms = -1 where id = :'anns_plan';

-- check error 23514: original_request of feature_plans that is empty
update feature_plans set original_request = '' where id = :'anns_plan';

-- check error 23514: original_request of feature_plans that is blank
update feature_plans set original_request = '  ' where id = :'anns_plan';

-- check error 23514: original_request of feature_plans that holds tabs and line breaks only
update feature_plans set original_request = E'\n\t \r\f\u000b' where id = :'anns_plan';

-- check error 23514: original_request of feature_plans that nobody can see
update feature_plans set original_request = U&'\00a0\2003\200b\3000\feff' where id = :'anns_plan';

-- check: original_request of feature_plans may be a letter between blanks
update feature_plans set original_request = E'\n x\u3000' where id = :'anns_plan' returning true;

-- check error 23514: version of feature_plans at 0
update feature_plans set version = 0 where id = :'anns_plan';

-- check: numbers of feature_plans may be as low as this
update feature_plans set current_step = 0, total_execution_time_ms = 0, version = 1 where id = :'anns_plan'
returning true;

-- check: and as high as this
update feature_plans set current_step = 3 where id = :'anns_plan' returning true;

-- check error 23503: user_id of feature_plans that is in no row of users
update feature_plans set user_id = :'nobody' where id = :'anns_plan';

-- check: a row of users takes its rows of feature_plans along
delete from users where id = :'ann';
select count(*) = 0 from feature_plans where id = :'anns_plan';

-- check: feature_plans is its owner's alone: no right, policy or trigger of another's
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
from pg_catalog.pg_class as c where c.oid = 'feature_plans'::regclass;
