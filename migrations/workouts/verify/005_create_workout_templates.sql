-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_template = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_template = '5afe0000-0000-4000-8000-0000000000b1'

insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');
insert into public.workout_templates (id, user_id, name)
values (:'anns_template', :'ann', 'Legs'), (:'bobs_template', :'bob', 'Legs');

-- check: a template with a name: the defaults
select to_jsonb(made) @> jsonb_build_object(
  'description', null, 'is_archived', false, 'cloned_from', null, 'created_at', localtimestamp,
  'updated_at', localtimestamp
)
from public.workout_templates as made where id = :'anns_template';

-- check: a clone stays when its original goes, and the templates of a user go with the user
update public.workout_templates set cloned_from = :'anns_template' where id = :'bobs_template';
delete from public.users where id = :'ann';
select array_agg(id) = array[:'bobs_template'::uuid] and bool_and(cloned_from is null)
from public.workout_templates where id in (:'anns_template', :'bobs_template');

-- check: what workout_templates refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (cloned_from) REFERENCES public.workout_templates(id) ON DELETE SET NULL',
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
] from pg_catalog.pg_constraint where conrelid = 'public.workout_templates'::regclass and contype = 'f';

-- stamp: updated_at_trigger(table="workout_templates", function="update_updated_at_column",
--   name="update_workout_templates_updated_at")
-- stamped: updated_at_trigger sha256:4de5b734ee62593d  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_workout_templates_updated_at runs public.update_updated_at_column before every update of a row of public.workout_templates, and sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table workout_templates as select * from public.workout_templates with no data;
create trigger update_workout_templates_updated_at before update on pg_temp.workout_templates for each row execute function public.update_updated_at_column();
insert into pg_temp.workout_templates (updated_at) values ('2999-01-01');
update pg_temp.workout_templates set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days'
    and (f.tgtype, f.tgfoid, f.tgattr::text, f.tgenabled) = (e.tgtype, e.tgfoid, e.tgattr::text, e.tgenabled) and f.tgqual is null as as_stamped,
  t.updated_at, pg_get_triggerdef(f.oid) as found
from pg_temp.workout_templates as t join pg_trigger as e on e.tgrelid = t.tableoid
left join (pg_trigger as f join pg_class as c on c.oid = f.tgrelid join pg_namespace as n on n.oid = c.relnamespace)
  on (n.nspname, c.relname, f.tgname) = ('public', 'workout_templates', 'update_workout_templates_updated_at');
-- end stamp
