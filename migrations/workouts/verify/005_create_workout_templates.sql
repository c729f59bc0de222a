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

-- check: workout_templates is its owner's alone: no right, policy or trigger of another's
select c.relowner = (select proowner from pg_catalog.pg_proc where oid = 'public.update_updated_at_column()'::regprocedure) and not c.relrowsecurity
  and not exists (select from aclexplode(c.relacl) where grantee <> c.relowner)
  and not exists (select from pg_catalog.pg_attribute where attrelid = c.oid and attacl is not null)
  and not exists (select from pg_catalog.pg_policy where polrelid = c.oid)
  and not exists (
    select from pg_catalog.pg_trigger where tgrelid = c.oid and not tgisinternal and tgname <> 'update_workout_templates_updated_at'
  ),
  c.relname
from pg_catalog.pg_class as c where c.oid = 'public.workout_templates'::regclass;

-- stamp: updated_at_trigger(table="workout_templates", function="update_updated_at_column",
--   name="update_workout_templates_updated_at")
-- stamped: updated_at_trigger sha256:d63c34e46c5b9732  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_workout_templates_updated_at runs public.update_updated_at_column before every update of a row of public.workout_templates
set local search_path = pg_catalog, pg_temp;
select
  t.tgtype = 1 + 2 + 16 -- for each row, before, update, and no other event
    and t.tgenabled = 'O' and t.tgqual is null and cardinality(t.tgattr::int2[]) = 0
    and (pn.nspname, p.proname) = ('public', 'update_updated_at_column') as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid join pg_namespace as n on n.oid = c.relnamespace
join pg_proc as p on p.oid = t.tgfoid join pg_namespace as pn on pn.oid = p.pronamespace
where (n.nspname, c.relname, t.tgname) = ('public', 'workout_templates', 'update_workout_templates_updated_at') and not t.tgisinternal;

-- check: an update of public.workout_templates sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table workout_templates as select * from public.workout_templates with no data;
create trigger update_workout_templates_updated_at before update on pg_temp.workout_templates
  for each row execute function public.update_updated_at_column();
insert into pg_temp.workout_templates (updated_at) values ('2999-01-01');
update pg_temp.workout_templates set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days' as is_now, t.updated_at
from pg_temp.workout_templates as t;
-- end stamp
