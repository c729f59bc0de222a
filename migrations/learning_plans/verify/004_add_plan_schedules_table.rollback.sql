-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: people and their plans are still there, and still have one owner
insert into public.users (id, clerk_user_id, email) values (:'ann', 'user_verify_ann', 'ann@verify.invalid');
insert into public.learning_plans (user_id, topic, skill_level, weekly_hours, learning_style)
values (:'ann', 'Ann''s plan', 'beginner', 10, 'mixed');
-- as: ann
select array_agg(topic) = array['Ann''s plan'] from public.learning_plans where visibility = 'private';
