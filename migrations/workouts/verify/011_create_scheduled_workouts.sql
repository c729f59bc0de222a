-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

insert into public.users (id, email, display_name)
values
  ('5afe0000-0000-4000-8000-000000000042', 'ann@verify.invalid', 'Ann'),
  ('5afe0000-0000-4000-8000-000000000043', 'bob@verify.invalid', 'Bob');
insert into public.workout_templates (id, user_id, name)
values
  ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-000000000042', 'Legs'),
  ('5afe0000-0000-4000-8000-0000000000b1', '5afe0000-0000-4000-8000-000000000043', 'Legs');
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
insert into public.scheduled_workouts (id, user_id, template_id, scheduled_date)
values
  (
    '5afe0000-0000-4000-8000-000000000091', '5afe0000-0000-4000-8000-000000000042',
    '5afe0000-0000-4000-8000-0000000000a1', '2001-02-03'
  ),
  (
    '5afe0000-0000-4000-8000-000000000092', '5afe0000-0000-4000-8000-000000000042', null,
    '2001-02-03'
  ),
  (
    '5afe0000-0000-4000-8000-000000000093', '5afe0000-0000-4000-8000-000000000043',
    '5afe0000-0000-4000-8000-0000000000a1', '2001-02-03'
  );

-- check: an entry with a day: the defaults
select to_jsonb(made) @> jsonb_build_object(
  'title', null,
  'notes', null,
  'completed_session_id', null,
  'created_at', localtimestamp,
  'updated_at', localtimestamp
)
from public.scheduled_workouts as made
where id = '5afe0000-0000-4000-8000-000000000091';

-- check: a day may have several entries, and an entry no template
select count(*) = 2 and count(template_id) = 1
from public.scheduled_workouts
where user_id = '5afe0000-0000-4000-8000-000000000042'
  and scheduled_date = '2001-02-03';

-- check: planned up to the last moment of the day, missed from the next day on
select public.scheduled_workout_status('2001-02-03', null, '2001-02-02') = 'planned'
  and public.scheduled_workout_status('2001-02-03', null, '2001-02-03') = 'planned'
  and public.scheduled_workout_status('2001-02-03', null, '2001-02-04') = 'missed';

-- check: with a session an entry is completed, on whatever day
select bool_and(
  public.scheduled_workout_status('2001-02-03', '5afe0000-0000-4000-8000-0000000000a2', day::date)
    = 'completed'
)
from generate_series(timestamp '2001-02-02', '2001-02-04', '1 day') as day;

-- check: the day is today where none is given
select public.scheduled_workout_status(current_date, null) = 'planned'
  and public.scheduled_workout_status(current_date - 1, null) = 'missed'
  and public.scheduled_workout_status(current_date - 1, '5afe0000-0000-4000-8000-0000000000a2')
    = 'completed';

-- check: today is the session's: no day is the same in Pago Pago and on Kiritimati
set local timezone = 'Pacific/Pago_Pago';
create temporary table east as
select current_date as today, public.scheduled_workout_status(current_date, null) as status;
set local timezone = 'Pacific/Kiritimati';
select status = 'planned' and public.scheduled_workout_status(today, null) = 'missed' from east;

-- check none: the function of the status with its owner's rights, or for somebody else to call
select proname, prosecdef, proconfig, proacl
from pg_catalog.pg_proc
where oid = 'public.scheduled_workout_status(date, uuid, date)'::regprocedure
  and (
    prosecdef
    or proconfig is distinct from array['search_path=""']
    or proacl is null
    or exists (select from aclexplode(proacl) as door where door.grantee <> proowner)
  );

-- check: when a template goes, the entries of everybody stay, without it
delete from public.workout_templates where id = '5afe0000-0000-4000-8000-0000000000a1';
select count(*) = 2 and bool_and(template_id is null)
from public.scheduled_workouts
where id in ('5afe0000-0000-4000-8000-000000000091', '5afe0000-0000-4000-8000-000000000093');

-- check: when a session goes, its entry stays and is missed again, or planned
update public.scheduled_workouts
set completed_session_id = '5afe0000-0000-4000-8000-0000000000a2'
where id in ('5afe0000-0000-4000-8000-000000000091', '5afe0000-0000-4000-8000-000000000092');
update public.scheduled_workouts
set scheduled_date = current_date
where id = '5afe0000-0000-4000-8000-000000000092';
delete from public.workout_sessions where id = '5afe0000-0000-4000-8000-0000000000a2';
select array_agg(public.scheduled_workout_status(scheduled_date, completed_session_id) order by id)
  = array['missed', 'planned']
from public.scheduled_workouts
where id in ('5afe0000-0000-4000-8000-000000000091', '5afe0000-0000-4000-8000-000000000092');

-- check: an entry is linked once: a second session finds it taken
update public.scheduled_workouts
set completed_session_id = '5afe0000-0000-4000-8000-0000000000a2'
where id = '5afe0000-0000-4000-8000-000000000091'
  and user_id = '5afe0000-0000-4000-8000-000000000042'
  and completed_session_id is null;
update public.scheduled_workouts
set completed_session_id = '5afe0000-0000-4000-8000-0000000000b2'
where id = '5afe0000-0000-4000-8000-000000000091'
  and user_id = '5afe0000-0000-4000-8000-000000000042'
  and completed_session_id is null;
select completed_session_id = '5afe0000-0000-4000-8000-0000000000a2'
from public.scheduled_workouts
where id = '5afe0000-0000-4000-8000-000000000091';

-- check: the entries of a user go with the user, and nobody else's
delete from public.users where id = '5afe0000-0000-4000-8000-000000000042';
select array_agg(id) = array['5afe0000-0000-4000-8000-000000000093'::uuid]
from public.scheduled_workouts
where id between '5afe0000-0000-4000-8000-000000000091'
  and '5afe0000-0000-4000-8000-000000000093';

-- check: what scheduled_workouts refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (completed_session_id) REFERENCES public.workout_sessions(id) ON DELETE SET NULL',
  'FOREIGN KEY (template_id) REFERENCES public.workout_templates(id) ON DELETE SET NULL',
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
]
from pg_catalog.pg_constraint
where conrelid = 'public.scheduled_workouts'::regclass
  and contype = 'f';

-- check: of scheduled_workouts these columns may be empty and no other
select array_agg(attname::text order by attnum)
  = array['template_id', 'title', 'notes', 'completed_session_id']
from pg_catalog.pg_attribute
where attrelid = 'public.scheduled_workouts'::regclass
  and attnum > 0
  and not attisdropped
  and not attnotnull;

-- check none: a right, another owner, a policy or another trigger on scheduled_workouts
with relation as (
  select oid, relname, relowner, relacl, relrowsecurity
  from pg_catalog.pg_class
  where oid = 'public.scheduled_workouts'::regclass
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
where not t.tgisinternal
  and t.tgname <> 'update_scheduled_workouts_updated_at';

-- stamp: updated_at_trigger(table="scheduled_workouts", function="update_updated_at_column",
--   name="update_scheduled_workouts_updated_at")
-- stamped: updated_at_trigger sha256:23af1be5b1585909  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_scheduled_workouts_updated_at runs public.update_updated_at_column before every update of a row of public.scheduled_workouts
set local search_path = pg_catalog, pg_temp;
select
  t.tgtype = 1 + 2 + 16 -- for each row, before, update, and no other event
    and t.tgenabled = 'O' and t.tgqual is null and cardinality(t.tgattr::int2[]) = 0
    and (pn.nspname, p.proname) = ('public', 'update_updated_at_column') as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid
join pg_namespace as n on n.oid = c.relnamespace
join pg_proc as p on p.oid = t.tgfoid
join pg_namespace as pn on pn.oid = p.pronamespace
where (n.nspname, c.relname, t.tgname) = ('public', 'scheduled_workouts', 'update_scheduled_workouts_updated_at') and not t.tgisinternal;

-- check: an update of public.scheduled_workouts sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table scheduled_workouts as select * from public.scheduled_workouts with no data;
create trigger update_scheduled_workouts_updated_at before update on pg_temp.scheduled_workouts
  for each row execute function public.update_updated_at_column();
insert into pg_temp.scheduled_workouts (updated_at) values ('2999-01-01');
update pg_temp.scheduled_workouts set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days' as is_now, t.updated_at
from pg_temp.scheduled_workouts as t;
-- end stamp
