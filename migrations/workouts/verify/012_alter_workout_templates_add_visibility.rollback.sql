-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- same: no template is lost
-- before:
select id, user_id, name, updated_at from public.workout_templates;
-- after:
select id, user_id, name, updated_at from public.workout_templates;

-- check none: an index or a column of who may see a template
select attname::text
from pg_catalog.pg_attribute
where attrelid = 'public.workout_templates'::regclass
  and attname = 'visibility'
union all
select indexname::text
from pg_catalog.pg_indexes
where schemaname = 'public'
  and indexname in ('idx_templates_visibility', 'idx_templates_shared');
