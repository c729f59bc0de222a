-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_template = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_template = '5afe0000-0000-4000-8000-0000000000b1'
-- let: anns_session = '5afe0000-0000-4000-8000-0000000000a2'
-- let: bobs_session = '5afe0000-0000-4000-8000-0000000000b2'

insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');
insert into public.workout_templates (id, user_id, name)
values (:'anns_template', :'ann', 'Legs'), (:'bobs_template', :'bob', 'Legs');
insert into public.workout_sessions (id, user_id, status, started_at)
values
  (:'anns_session', :'ann', 'completed', '2001-02-03 18:00'),
  (:'bobs_session', :'bob', 'completed', '2001-02-03 18:00');

-- check: a session of a user: it runs from now on
insert into public.workout_sessions (user_id) values (:'ann');
select to_jsonb(made) @> jsonb_build_object(
  'template_id', null, 'name', null, 'notes', null, 'started_at', localtimestamp, 'completed_at', null,
  'created_at', localtimestamp, 'updated_at', localtimestamp
)
from public.workout_sessions as made where user_id = :'ann' and status = 'in_progress';

-- check error 23P01: a user in two workouts at once
insert into public.workout_sessions (user_id) values (:'ann');
insert into public.workout_sessions (user_id) values (:'ann');

-- check error 23P01: a user in two workouts at once, however far they say they are
insert into public.workout_sessions (user_id, completed_at) values (:'ann', localtimestamp);
insert into public.workout_sessions (user_id, name, completed_at) values (:'ann', 'Other', localtimestamp);

-- check error 23P01: a user in two workouts, begun at different times
insert into public.workout_sessions (user_id, started_at) values (:'ann', '2001-02-03'), (:'ann', '2001-02-04');

-- check error 23514: a session that ends before it starts
update public.workout_sessions set completed_at = started_at - interval '1 microsecond' where id = :'anns_session';

-- check error 23514: a session that never ends
update public.workout_sessions set completed_at = 'infinity' where id = :'anns_session';

-- check error 23514: a session that has always been there
update public.workout_sessions set started_at = '-infinity' where id = :'anns_session';

-- check: a session may end in the moment in which it starts, or nobody may know when
update public.workout_sessions set completed_at = started_at where id = :'anns_session';
update public.workout_sessions set completed_at = null where id = :'anns_session' returning true;

-- check: a workout given up makes room for the next, and others have theirs
insert into public.workout_sessions (user_id) values (:'ann'), (:'bob');
update public.workout_sessions set status = 'abandoned' where user_id = :'ann' and status = 'in_progress';
insert into public.workout_sessions (user_id) values (:'ann');
select array_agg(status::text order by status) = array['abandoned', 'completed', 'in_progress']
from public.workout_sessions where user_id = :'ann';

-- check error 23514: a status that is none
update public.workout_sessions set status = 'planned' where id = :'anns_session';

-- check: a session stays when its template goes, and goes with its user
update public.workout_sessions set template_id = :'anns_template' where id = :'bobs_session';
delete from public.users where id = :'ann';
select array_agg(id) = array[:'bobs_session'::uuid] and bool_and(template_id is null)
from public.workout_sessions where id in (:'anns_session', :'bobs_session');

-- check: what workout_sessions refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (template_id) REFERENCES public.workout_templates(id) ON DELETE SET NULL',
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
] from pg_catalog.pg_constraint where conrelid = 'public.workout_sessions'::regclass and contype = 'f';

-- stamp: updated_at_trigger(table="workout_sessions", function="update_updated_at_column",
--   name="update_workout_sessions_updated_at")
-- stamped: updated_at_trigger sha256:d2d2945ffde3a369  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_workout_sessions_updated_at runs public.update_updated_at_column before every update of a row of public.workout_sessions, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table workout_sessions as select * from public.workout_sessions with no data;
create trigger update_workout_sessions_updated_at before update on pg_temp.workout_sessions for each row execute function public.update_updated_at_column();
insert into pg_temp.workout_sessions (updated_at) values ('2999-01-01');
update pg_temp.workout_sessions set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.workout_sessions as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'workout_sessions', 'update_workout_sessions_updated_at');
-- end stamp
