-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_import = '5afe0000-0000-4000-8000-000000000031'
-- let: bobs_import = '5afe0000-0000-4000-8000-000000000032'

insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');
insert into public.import_jobs (id, user_id) values (:'anns_import', :'ann'), (:'bobs_import', :'bob');

-- check: an import waits for a worker
select to_jsonb(made) @> jsonb_build_object(
  'status', 'pending', 'summary', null, 'error', null, 'created_at', localtimestamp, 'updated_at', localtimestamp
)
from public.import_jobs as made where id = :'anns_import';

-- check: a worker takes it, and says what was imported
update public.import_jobs set status = 'processing' where id = :'anns_import';
update public.import_jobs set status = 'completed', summary = '{"sessions": 200}' where id = :'anns_import';
select status = 'completed' and summary ->> 'sessions' = '200' from public.import_jobs where id = :'anns_import';

-- check: or why it failed
update public.import_jobs set status = 'failed', error = 'no such file' where id = :'anns_import';
select error = 'no such file' from public.import_jobs where id = :'anns_import' and status = 'failed';

-- check error 23514: a status that is none
update public.import_jobs set status = 'done' where id = :'anns_import';

-- check: the imports of a user go with the user, and nobody else's
delete from public.users where id = :'ann';
select array_agg(id) = array[:'bobs_import'::uuid]
from public.import_jobs where id in (:'anns_import', :'bobs_import');

-- check: what import_jobs refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
] from pg_catalog.pg_constraint where conrelid = 'public.import_jobs'::regclass and contype = 'f';

-- check: these columns may be empty, and no other
select array_agg(found.columns order by found.columns collate "C") = array[
  'exercises: category created_by default_reps default_unit default_weight demo_image_url demo_video_url description '
  'movement_category muscle_groups primary_muscle secondary_muscles type',
  'import_jobs: error summary',
  'invites: expires_at max_uses used_at used_by',
  'magic_links: ip_address used_at user_agent',
  'max_lifts: workout_id',
  'password_resets: used_at',
  'scheduled_workouts: completed_session_id notes template_id title',
  'sessions: ip_address user_agent',
  'users: email_verified_at invited_by last_login_at password_hash',
  'workout_session_exercises: notes rest_seconds',
  'workout_sessions: completed_at name notes template_id',
  'workout_sets: completed_at notes reps rpe weight weight_unit',
  'workout_template_exercises: notes rest_seconds target_weight target_weight_unit tempo_notes',
  'workout_templates: cloned_from description'
]
from (
  select c.relname || ':' || coalesce(
    string_agg(' ' || a.attname, '' order by a.attname collate "C") filter (where not a.attnotnull), ''
  )
  from pg_catalog.pg_class as c
  join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace
    and c.relname = any ('{exercises,import_jobs,invites,magic_links,max_lifts,password_resets,scheduled_workouts,sessions,users,workout_session_exercises,workout_sessions,workout_sets,workout_template_exercises,workout_templates}')
  group by c.relname
) as found (columns);

-- stamp: updated_at_trigger(table="import_jobs", function="update_updated_at_column",
--   name="update_import_jobs_updated_at")
-- stamped: updated_at_trigger sha256:02c9d9d825bfc337  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_import_jobs_updated_at runs public.update_updated_at_column before every update of a row of public.import_jobs, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table import_jobs as select * from public.import_jobs with no data;
create trigger update_import_jobs_updated_at before update on pg_temp.import_jobs for each row execute function public.update_updated_at_column();
insert into pg_temp.import_jobs (updated_at) values ('2999-01-01');
update pg_temp.import_jobs set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.import_jobs as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'import_jobs', 'update_import_jobs_updated_at');
-- end stamp
