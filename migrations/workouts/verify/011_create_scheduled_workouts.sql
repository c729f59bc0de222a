-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_template = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_template = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_session = '5afe0000-0000-4000-8000-0000000000a2'
-- let: bobs_session = '5afe0000-0000-4000-8000-0000000000b2'
-- let: anns_entry = '5afe0000-0000-4000-8000-000000000091'
-- let: anns_second_entry = '5afe0000-0000-4000-8000-000000000092'
-- let: bobs_entry = '5afe0000-0000-4000-8000-000000000093'

insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');
insert into public.workout_templates (id, user_id, name)
values (:'anns_template', :'ann', 'Legs'), (:'bobs_template', :'bob', 'Legs');
insert into public.workout_sessions (id, user_id, status, started_at)
values
  (:'anns_session', :'ann', 'completed', '2001-02-03 18:00'),
  (:'bobs_session', :'bob', 'completed', '2001-02-03 18:00');
insert into public.scheduled_workouts (id, user_id, template_id, scheduled_date)
values
  (:'anns_entry', :'ann', :'anns_template', '2001-02-03'),
  (:'anns_second_entry', :'ann', null, '2001-02-03'),
  (:'bobs_entry', :'bob', :'anns_template', '2001-02-03');

-- check: an entry with a day: the defaults
select to_jsonb(made) @> jsonb_build_object(
  'title', null, 'notes', null, 'completed_session_id', null, 'created_at', localtimestamp,
  'updated_at', localtimestamp
)
from public.scheduled_workouts as made where id = :'anns_entry';

-- check: a day may have several entries, and an entry no template
select count(*) = 2 and count(template_id) = 1
from public.scheduled_workouts where user_id = :'ann' and scheduled_date = '2001-02-03';

-- check: planned up to the last moment of the day, missed from the next day on
select public.scheduled_workout_status('2001-02-03', null, '2001-02-02') = 'planned'
  and public.scheduled_workout_status('2001-02-03', null, '2001-02-03') = 'planned'
  and public.scheduled_workout_status('2001-02-03', null, '2001-02-04') = 'missed';

-- check: with a session an entry is completed, on whatever day
select bool_and(public.scheduled_workout_status('2001-02-03', :'anns_session', day::date) = 'completed')
from generate_series(timestamp '2001-02-02', '2001-02-04', '1 day') as day;

-- check: the day is today where none is given
select public.scheduled_workout_status(current_date, null) = 'planned'
  and public.scheduled_workout_status(current_date - 1, null) = 'missed'
  and public.scheduled_workout_status(current_date - 1, :'anns_session') = 'completed';

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
delete from public.workout_templates where id = :'anns_template';
select count(*) = 2 and bool_and(template_id is null)
from public.scheduled_workouts where id in (:'anns_entry', :'bobs_entry');

-- check: when a session goes, its entry stays and is missed again, or planned
update public.scheduled_workouts set completed_session_id = :'anns_session'
where id in (:'anns_entry', :'anns_second_entry');
update public.scheduled_workouts set scheduled_date = current_date where id = :'anns_second_entry';
delete from public.workout_sessions where id = :'anns_session';
select array_agg(public.scheduled_workout_status(scheduled_date, completed_session_id) order by id)
  = array['missed', 'planned']
from public.scheduled_workouts where id in (:'anns_entry', :'anns_second_entry');

-- check: an entry is linked once: a second session finds it taken
update public.scheduled_workouts set completed_session_id = :'anns_session'
where id = :'anns_entry' and user_id = :'ann' and completed_session_id is null;
update public.scheduled_workouts set completed_session_id = :'bobs_session'
where id = :'anns_entry' and user_id = :'ann' and completed_session_id is null;
select completed_session_id = :'anns_session' from public.scheduled_workouts where id = :'anns_entry';

-- check: the entries of a user go with the user, and nobody else's
delete from public.users where id = :'ann';
select array_agg(id) = array[:'bobs_entry'::uuid]
from public.scheduled_workouts where id between :'anns_entry' and :'bobs_entry';

-- check: what scheduled_workouts refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (completed_session_id) REFERENCES public.workout_sessions(id) ON DELETE SET NULL',
  'FOREIGN KEY (template_id) REFERENCES public.workout_templates(id) ON DELETE SET NULL',
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
] from pg_catalog.pg_constraint where conrelid = 'public.scheduled_workouts'::regclass and contype = 'f';

-- stamp: updated_at_trigger(table="scheduled_workouts", function="update_updated_at_column",
--   name="update_scheduled_workouts_updated_at")
-- stamped: updated_at_trigger sha256:3a4ed6bb5e32ec96  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_scheduled_workouts_updated_at runs public.update_updated_at_column before every update of a row of public.scheduled_workouts, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table scheduled_workouts as select * from public.scheduled_workouts with no data;
create trigger update_scheduled_workouts_updated_at before update on pg_temp.scheduled_workouts for each row execute function public.update_updated_at_column();
insert into pg_temp.scheduled_workouts (updated_at) values ('2999-01-01');
update pg_temp.scheduled_workouts set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.scheduled_workouts as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'scheduled_workouts', 'update_scheduled_workouts_updated_at');
-- end stamp
