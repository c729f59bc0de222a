-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- same: no exercise is lost
-- before:
select id, description, created_at from public.exercises;
-- after:
select id, description, created_at from public.exercises;

-- same: it can still be seen which are users' own
-- before:
select id from public.exercises where not is_system_exercise;
-- after:
select id from public.exercises where category ~ '^Own(: |$)';

-- same: the body areas of the others stay, and an empty one is filled
-- before:
select id, coalesce(category, initcap(movement_category), 'Other') from public.exercises where is_system_exercise;
-- after:
select id, category from public.exercises where category !~ '^Own(: |$)';

-- same: the first of each name keeps it
-- before:
select distinct name from public.exercises;
-- after:
select name from public.exercises where right(name, 11) <> ' (' || left(id::text, 8) || ')';
