-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: squat = '5afe0000-0000-4000-8000-0000000000e1'
-- let: bench = '5afe0000-0000-4000-8000-0000000000e2'
-- let: row = '5afe0000-0000-4000-8000-0000000000e3'

insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');
insert into public.exercises (id, name, is_system_exercise, created_by)
values
  (:'squat', 'Verify Lift', true, null),
  (:'bench', 'Verify Row', false, :'ann'),
  (:'row', 'Verify Row', false, :'bob');

-- same: every exercise that was there is of its kind and with its muscles, and the system's or nobody's
-- before:
select
  id, name, case when is_compound then 'compound' else 'isolation' end, muscle_groups::text,
  category not like 'Own: %' and category <> 'Own',
  case when category <> 'Own' then regexp_replace(category, '^Own: ', '') end, null::uuid
from public.exercises;
-- after:
select id, name, type, secondary_muscles::text, is_system_exercise, category, created_by
from public.exercises where id::text not like '5afe0000-%';

-- check none: the trigger function that others may call, with other rights or another search_path
select proname, prosecdef, proconfig, proacl
from pg_catalog.pg_proc
where oid = 'public.generate_exercise_slug()'::regprocedure
  and (
    prosecdef
    or proconfig is distinct from array['search_path=""']
    or proacl is null
    or exists (select from aclexplode(proacl) as door where door.grantee <> proowner)
  );

-- check: an exercise of the system with a name alone: the defaults
insert into public.exercises (name) values ('Verify Squat');
select to_jsonb(made) @> jsonb_build_object(
  'category', null, 'type', null, 'movement_category', null, 'primary_muscle', null, 'secondary_muscles', null,
  'default_unit', null, 'default_reps', null, 'default_weight', null, 'demo_image_url', null, 'demo_video_url', null,
  'is_system_exercise', true, 'is_deleted', false, 'created_by', null
)
from public.exercises as made where name = 'Verify Squat';

-- check: a slug has hyphens for what is no letter and no digit, and a number from the second one on
insert into public.exercises (name, is_system_exercise, created_by)
values
  ('  Verify 5afe: Clean & Jerk!  ', false, :'ann'),
  ('Verify 5afe - clean (jerk)', false, :'ann'),
  ('VERIFY 5AFE CLEAN JERK', false, :'bob');
select array_agg(slug::text order by slug) = array[
  'verify-5afe-clean-jerk', 'verify-5afe-clean-jerk-1', 'verify-5afe-clean-jerk-2'
] from public.exercises where slug like 'verify-5afe-clean%';

-- check: a name without Latin letters has a slug as well
insert into public.exercises (name, is_system_exercise, created_by) values ('スクワット', false, :'ann')
returning slug ~ '^exercise(-\d+)?$';

-- check: a new name makes a new slug, the same name and other columns leave it
update public.exercises set name = 'Verify 5afe Press' where id = :'squat';
update public.exercises set name = name where id = :'row';
update public.exercises set slug = 'verify-5afe-kept' where id = :'bench';
update public.exercises set description = 'Slowly' where id = :'bench';
select array_agg(slug::text order by id) = array['verify-5afe-press', 'verify-5afe-kept', 'verify-row-1']
from public.exercises where id between :'squat' and :'row';

-- check error 23505: a slug that another exercise has
update public.exercises set slug = 'verify-row' where id = :'squat';

-- check: a name of an import finds the exercise by lower(name), in the system's library and the user's
select count(*) = 2
from public.exercises
where lower(name) in (lower('verify LIFT'), lower('VERIFY row')) and (is_system_exercise or created_by = :'ann');

-- check: what an import does not find becomes the user's own, whatever others call theirs
insert into public.exercises (name, is_system_exercise, created_by)
values ('verify lift', false, :'ann'), ('Verify Pull', false, :'ann'), ('Verify Pull', false, :'bob');
select count(*) = 3
from public.exercises where lower(name) in ('verify lift', 'verify pull') and not is_system_exercise;

-- check error 23505: a user has two exercises of one name
insert into public.exercises (name, is_system_exercise, created_by) values ('VERIFY ROW', false, :'ann');

-- check error 23505: the system has two exercises of one name
insert into public.exercises (name) values ('VERIFY LIFT');

-- check: when a user goes, their own exercises stay, for others' sessions may refer to them
delete from public.users where id = :'ann';
select created_by is null and not is_system_exercise from public.exercises where id = :'bench';

-- check error 23514: type that is none
update public.exercises set type = 'cardio' where id = :'squat';

-- check error 23514: movement_category that is none
update public.exercises set movement_category = 'chest' where id = :'squat';

-- check error 23514: default_unit that is neither kg nor lb
update public.exercises set default_unit = 'st' where id = :'squat';

-- check error 23514: no repetition by default
update public.exercises set default_reps = 0 where id = :'squat';

-- check error 23514: less than no weight by default
update public.exercises set default_weight = -0.01 where id = :'squat';

-- check error 23514: a weight by default that is no number
update public.exercises set default_weight = 'NaN' where id = :'squat';

-- check: generate_exercise_slug_trigger runs before every insert and every update of a name
-- 1 for each row + 2 before + 4 insert + 16 update
select t.tgtype = 1 + 2 + 4 + 16
  and t.tgenabled = 'O'
  and t.tgqual is null
  and t.tgattr::text = a.attnum::text
  and t.tgfoid = 'public.generate_exercise_slug()'::regprocedure
from pg_catalog.pg_trigger as t
join pg_catalog.pg_attribute as a on a.attrelid = t.tgrelid and a.attname = 'name'
where t.tgrelid = 'public.exercises'::regclass and t.tgname = 'generate_exercise_slug_trigger';

-- check: what exercises refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL'
] from pg_catalog.pg_constraint where conrelid = 'public.exercises'::regclass and contype = 'f';
