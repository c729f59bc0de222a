-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- same: no template is lost
-- before:
select id, user_id, name, updated_at from public.workout_templates;
-- after:
select id, user_id, name, updated_at from public.workout_templates;
