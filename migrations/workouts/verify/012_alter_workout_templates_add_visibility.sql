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

-- same: every template that was there is private, and none is lost
-- before:
select id, 'private' from public.workout_templates;
-- after:
select id, visibility from public.workout_templates where id::text not like '5afe0000-%';

-- check: a new template is private
select visibility = 'private'
from public.workout_templates
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check: two friends open their templates to each other at once, each their own
update public.workout_templates
set visibility = 'friends'
where id in ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-0000000000b1');
select count(distinct user_id) = 2 and count(*) = 2
from public.workout_templates
where id in ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-0000000000b1')
  and visibility = 'friends'
  and name = 'Legs';

-- check error 23514: a template for everybody
update public.workout_templates
set visibility = 'public'
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23514: a template with visibility in the wrong case
update public.workout_templates
set visibility = 'Friends'
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23502: a template without visibility
update public.workout_templates
set visibility = null
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check: the list of shared templates has an index in its order
select pg_get_expr(indpred, indrelid) ~ 'friends.* AND \(NOT is_archived\)'
  and indexrelid = 'public.idx_templates_shared'::regclass
from pg_catalog.pg_index
where indrelid = 'public.workout_templates'::regclass
  and indpred is not null;
