-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

insert into public.users (id, email, display_name)
values
  ('5afe0000-0000-4000-8000-000000000042', 'ann@verify.invalid', 'Ann'),
  ('5afe0000-0000-4000-8000-000000000043', 'bob@verify.invalid', 'Bob');
insert into public.exercises (id, name, is_system_exercise, created_by)
values (
  '5afe0000-0000-4000-8000-0000000000e1', 'Verify Lift', false,
  '5afe0000-0000-4000-8000-000000000042'
);
insert into public.workout_sessions (id, user_id, status, started_at)
values
  (
    '5afe0000-0000-4000-8000-0000000000a2', '5afe0000-0000-4000-8000-000000000042', 'completed',
    '2001-02-03 18:00'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b2', '5afe0000-0000-4000-8000-000000000043', 'completed',
    '2001-02-03 18:00'
  );
insert into public.workout_session_exercises (
  id, session_id, exercise_id, exercise_name, order_index
)
values
  (
    '5afe0000-0000-4000-8000-0000000000d1', '5afe0000-0000-4000-8000-0000000000a2',
    '5afe0000-0000-4000-8000-0000000000e1', 'Verify Lift', 0
  ),
  (
    '5afe0000-0000-4000-8000-0000000000d2', '5afe0000-0000-4000-8000-0000000000a2',
    '5afe0000-0000-4000-8000-0000000000e1', 'Verify Lift', 1
  );

-- check: an exercise of a session with its name and place: the rest is open
select to_jsonb(made) @> jsonb_build_object(
  'rest_seconds', null,
  'notes', null,
  'created_at', localtimestamp
)
from public.workout_session_exercises as made
where id = '5afe0000-0000-4000-8000-0000000000d1';

-- check: a new name of an exercise does not change what was
update public.exercises
set name = 'Verify Press', is_deleted = true
where id = '5afe0000-0000-4000-8000-0000000000e1';
select exercise_name = 'Verify Lift'
from public.workout_session_exercises
where id = '5afe0000-0000-4000-8000-0000000000d1';

-- check: one statement puts the exercises into another order
update public.workout_session_exercises
set order_index = 1 - order_index
where session_id = '5afe0000-0000-4000-8000-0000000000a2';
select array_agg(id order by order_index)
  = array['5afe0000-0000-4000-8000-0000000000d2', '5afe0000-0000-4000-8000-0000000000d1']::uuid[]
from public.workout_session_exercises
where session_id = '5afe0000-0000-4000-8000-0000000000a2';

-- check: whether a place is taken is asked at the end of each statement, not at the commit
select condeferrable and not condeferred
from pg_catalog.pg_constraint
where conname = 'workout_session_exercises_session_id_order_index_key';

-- check error 23505: two exercises of a session in one place
update public.workout_session_exercises
set order_index = 1
where id = '5afe0000-0000-4000-8000-0000000000d1';

-- check: both ends of what is allowed
update public.workout_session_exercises
set rest_seconds = 0
where id = '5afe0000-0000-4000-8000-0000000000d1';
update public.workout_session_exercises
set rest_seconds = 600
where id = '5afe0000-0000-4000-8000-0000000000d2';
select array_agg(rest_seconds order by id) = array[0, 600]
from public.workout_session_exercises
where session_id = '5afe0000-0000-4000-8000-0000000000a2';

-- check: exercises of a session go with it
delete from public.workout_sessions where id = '5afe0000-0000-4000-8000-0000000000a2';
select count(*) = 0
from public.workout_session_exercises
where id in ('5afe0000-0000-4000-8000-0000000000d1', '5afe0000-0000-4000-8000-0000000000d2');

-- check error 23514: a place before the first
update public.workout_session_exercises
set order_index = -1
where id = '5afe0000-0000-4000-8000-0000000000d1';

-- check error 23514: a rest of less than nothing
update public.workout_session_exercises
set rest_seconds = -1
where id = '5afe0000-0000-4000-8000-0000000000d1';

-- check error 23514: a rest of more than ten minutes
update public.workout_session_exercises
set rest_seconds = 601
where id = '5afe0000-0000-4000-8000-0000000000d1';

-- check: what workout_session_exercises refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (exercise_id) REFERENCES public.exercises(id) ON DELETE RESTRICT',
  'FOREIGN KEY (session_id) REFERENCES public.workout_sessions(id) ON DELETE CASCADE'
]
from pg_catalog.pg_constraint
where conrelid = 'public.workout_session_exercises'::regclass
  and contype = 'f';

-- check: of workout_session_exercises these columns may be empty and no other
select array_agg(attname::text order by attnum) = array['rest_seconds', 'notes']
from pg_catalog.pg_attribute
where attrelid = 'public.workout_session_exercises'::regclass
  and attnum > 0
  and not attisdropped
  and not attnotnull;

-- check none: a right, another owner, a policy or a trigger on workout_session_exercises
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'public.workout_session_exercises'::regclass
)
select r.relname || ': owner ' || r.relowner::regrole
from relation as r
where r.relowner <> (
  select proowner
  from pg_catalog.pg_proc
  where oid = 'public.update_updated_at_column()'::regprocedure
)
union all
select r.relname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r, aclexplode(r.relacl) as acl
where acl.grantee <> r.relowner
union all
select r.relname || '.' || a.attname || ': ' || acl.privilege_type || ' to ' || acl.grantee::regrole
from relation as r
join pg_catalog.pg_attribute as a on a.attrelid = r.oid, aclexplode(a.attacl) as acl
where acl.grantee <> r.relowner
union all
select r.relname || ': row level security' from relation as r where r.relrowsecurity
union all
select r.relname || ': policy ' || p.polname
from relation as r
join pg_catalog.pg_policy as p on p.polrelid = r.oid
union all
select r.relname || ': trigger ' || t.tgname
from relation as r
join pg_catalog.pg_trigger as t on t.tgrelid = r.oid
where not t.tgisinternal;
