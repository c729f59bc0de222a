-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- The ids of the checks are negative: no sequence gives those.
insert into public.users (id, name, email)
values
  (-500001, 'Ann', 'ann@verify.invalid'),
  (-500002, 'Bob', 'bob@verify.invalid'),
  (-500003, 'Cy', 'cy@verify.invalid');
insert into public.user_goals_and_preferences (
  id, user_id, goals_text, task_complexity, focus_areas, weekend_preference,
  fixed_commitments_json
)
values
  (-500011, -500001, 'Run', 'Balanced', 'Health', 'Mixed', '{"commitments": []}'),
  (-500012, -500002, 'Read', 'Simple', 'Learning', 'Rest', '{"commitments": []}');

-- check: an input with no more than what was asked: the defaults, and the next id
insert into public.user_goals_and_preferences (
  id, user_id, goals_text, task_complexity, focus_areas, weekend_preference, fixed_commitments_json
)
values (-500091, -500001, 'Swim', 'Ambitious', 'Health,Work', 'Work', '{"commitments": []}');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'user_id', -500001,
    'goals_text', 'Swim',
    'task_complexity', 'Ambitious',
    'focus_areas', 'Health,Work',
    'weekend_preference', 'Work',
    'fixed_commitments_json', jsonb_build_object('commitments', '[]'::jsonb),
    'input_saved_at', localtimestamp
  )
  and exists (
    -- Looked up, not drawn: a number that a sequence has given is gone, on a live database too.
    select
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_depend as needs
      on needs.classid = 'pg_catalog.pg_attrdef'::regclass
      and needs.objid = d.oid
    where d.adrelid = 'public.user_goals_and_preferences'::regclass
      and needs.refobjid = pg_get_serial_sequence('public.user_goals_and_preferences', 'id')::regclass
  )
from public.user_goals_and_preferences as made
where user_id = -500001 and goals_text = 'Swim';

-- check: a user's inputs are kept side by side
insert into public.user_goals_and_preferences (
  id, user_id, goals_text, task_complexity, focus_areas, weekend_preference, fixed_commitments_json
)
select -500092, user_id, goals_text, task_complexity, focus_areas, weekend_preference, fixed_commitments_json
from public.user_goals_and_preferences where id = -500011;
select count(*) = 2 from public.user_goals_and_preferences where user_id = -500001;

-- check error 22P02: task_complexity that is no complexity
update public.user_goals_and_preferences set task_complexity = 'Other' where id = -500011;

-- check error 22P02: task_complexity in the wrong case
update public.user_goals_and_preferences set task_complexity = 'simple' where id = -500011;

-- check: task_complexity is each of its values, one after the other
update public.user_goals_and_preferences set task_complexity = 'Simple' where id = -500011;
update public.user_goals_and_preferences set task_complexity = 'Balanced' where id = -500011;
update public.user_goals_and_preferences set task_complexity = 'Ambitious' where id = -500011;
select task_complexity = 'Ambitious' from public.user_goals_and_preferences where id = -500011;

-- check error 22P02: weekend_preference that is no weekend_preference
update public.user_goals_and_preferences set weekend_preference = 'Other' where id = -500011;

-- check error 22P02: weekend_preference in the wrong case
update public.user_goals_and_preferences set weekend_preference = 'work' where id = -500011;

-- check: weekend_preference is each of its values, one after the other
update public.user_goals_and_preferences set weekend_preference = 'Work' where id = -500011;
update public.user_goals_and_preferences set weekend_preference = 'Rest' where id = -500011;
update public.user_goals_and_preferences set weekend_preference = 'Mixed' where id = -500011;
select weekend_preference = 'Mixed' from public.user_goals_and_preferences where id = -500011;

-- check: focus_areas of 150 characters, whatever they are
update public.user_goals_and_preferences set focus_areas = repeat('é', 150) where id = -500011;
select length(focus_areas) = 150 from public.user_goals_and_preferences where id = -500011;

-- check error 22001: focus_areas of 151 characters
update public.user_goals_and_preferences set focus_areas = repeat('é', 151) where id = -500011;

-- check error 23503: an input of no user
update public.user_goals_and_preferences set user_id = -500009 where id = -500011;

-- check error 23503: a user goes away and leaves an input behind
update public.user_goals_and_preferences set user_id = -500003 where id = -500011;
delete from public.users where id = -500003;

-- check error 23503: a user gets another id and leaves an input behind
update public.user_goals_and_preferences set user_id = -500003 where id = -500011;
update public.users set id = -500009 where id = -500003;

-- check: an input gone first, a user may go
delete from public.user_goals_and_preferences where user_id = -500001;
delete from public.users where id = -500001;
select count(*) = 0 from public.users where id = -500001;

-- check error 23502: an input without id
update public.user_goals_and_preferences set id = null where id = -500011;

-- check error 23502: an input without user_id
update public.user_goals_and_preferences set user_id = null where id = -500011;

-- check error 23502: an input without goals_text
update public.user_goals_and_preferences set goals_text = null where id = -500011;

-- check error 23502: an input without task_complexity
update public.user_goals_and_preferences set task_complexity = null where id = -500011;

-- check error 23502: an input without focus_areas
update public.user_goals_and_preferences set focus_areas = null where id = -500011;

-- check error 23502: an input without weekend_preference
update public.user_goals_and_preferences set weekend_preference = null where id = -500011;

-- check error 23502: an input without fixed_commitments_json
update public.user_goals_and_preferences set fixed_commitments_json = null where id = -500011;

-- check error 23502: an input without input_saved_at
update public.user_goals_and_preferences set input_saved_at = null where id = -500011;
