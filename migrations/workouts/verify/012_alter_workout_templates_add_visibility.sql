-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_template = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs_template = '5afe0000-0000-4000-8000-0000000000b1'

insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');
insert into public.workout_templates (id, user_id, name)
values (:'anns_template', :'ann', 'Legs'), (:'bobs_template', :'bob', 'Legs');

-- same: every template that was there is private, and none is lost
-- before:
select id, 'private' from public.workout_templates;
-- after:
select id, visibility from public.workout_templates where id::text not like '5afe0000-%';

-- check: a new template is private
select visibility = 'private' from public.workout_templates where id = :'anns_template';

-- check: two friends open their templates to each other at once, each their own
update public.workout_templates set visibility = 'friends' where id in (:'anns_template', :'bobs_template');
select count(distinct user_id) = 2 and count(*) = 2
from public.workout_templates
where id in (:'anns_template', :'bobs_template') and visibility = 'friends' and name = 'Legs';

-- check error 23514: a template for everybody
update public.workout_templates set visibility = 'public' where id = :'anns_template';

-- check error 23514: a template with visibility in the wrong case
update public.workout_templates set visibility = 'Friends' where id = :'anns_template';

-- check error 23502: a template without visibility
update public.workout_templates set visibility = null where id = :'anns_template';

-- check: the list of shared templates has an index in its order
select pg_get_expr(indpred, indrelid) ~ 'friends.* AND \(NOT is_archived\)'
  and indexrelid = 'public.idx_templates_shared'::regclass
from pg_catalog.pg_index where indrelid = 'public.workout_templates'::regclass and indpred is not null;
