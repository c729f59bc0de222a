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
insert into public.monthly_plans (id, user_id, preference_id, month_year, ai_prompt, ai_response_raw, monthly_summary)
values
  (-500021, -500001, -500011, '2001-02-01', 'Plan a month', '{}', 'Ann''s month'),
  (-500022, -500002, -500012, '2001-02-01', 'Plan a month', '{}', 'Bob''s month');

-- check: a plan with no summary: the defaults, and the next id
insert into public.monthly_plans (id, user_id, preference_id, month_year, ai_prompt, ai_response_raw)
values (-500091, -500001, -500011, '2001-03-01', 'Plan March', '{"weekly_breakdown": []}');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'user_id', -500001,
    'preference_id', -500011,
    'month_year', '2001-03-01',
    'ai_prompt', 'Plan March',
    'ai_response_raw', jsonb_build_object('weekly_breakdown', '[]'::jsonb),
    'monthly_summary', null,
    'generated_at', localtimestamp
  )
  and exists (
    -- Looked up, not drawn: a number that a sequence has given is gone, on a live database too.
    select
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_depend as needs
      on needs.classid = 'pg_catalog.pg_attrdef'::regclass
      and needs.objid = d.oid
    where d.adrelid = 'public.monthly_plans'::regclass
      and needs.refobjid = pg_get_serial_sequence('public.monthly_plans', 'id')::regclass
  )
from public.monthly_plans as made
where user_id = -500001 and ai_prompt = 'Plan March';

-- check: a month can be planned again, from the same input
insert into public.monthly_plans (id, user_id, preference_id, month_year, ai_prompt, ai_response_raw)
values (-500092, -500001, -500011, '2001-02-01', 'Plan it again', '{}');
select count(*) = 2 from public.monthly_plans where user_id = -500001 and month_year = '2001-02-01';

-- check error 23503: a plan of no user
update public.monthly_plans set user_id = -500009 where id = -500021;

-- check error 23503: a user goes away and leaves a plan behind
update public.monthly_plans set user_id = -500003 where id = -500021;
delete from public.users where id = -500003;

-- check error 23503: a user gets another id and leaves a plan behind
update public.monthly_plans set user_id = -500003 where id = -500021;
update public.users set id = -500009 where id = -500003;

-- check error 23503: a plan of no input
update public.monthly_plans set preference_id = -500019 where id = -500021;

-- check error 23503: an input goes away and leaves a plan behind
delete from public.user_goals_and_preferences where id = -500011;

-- check error 23503: an input gets another id and leaves a plan behind
update public.user_goals_and_preferences set id = -500019 where id = -500011;

-- check: a plan gone first, an input may go
delete from public.monthly_plans where preference_id = -500011;
delete from public.user_goals_and_preferences where id = -500011;
select count(*) = 0 from public.user_goals_and_preferences where id = -500011;

-- check error 23502: a plan without id
update public.monthly_plans set id = null where id = -500021;

-- check error 23502: a plan without user_id
update public.monthly_plans set user_id = null where id = -500021;

-- check error 23502: a plan without preference_id
update public.monthly_plans set preference_id = null where id = -500021;

-- check error 23502: a plan without month_year
update public.monthly_plans set month_year = null where id = -500021;

-- check error 23502: a plan without ai_prompt
update public.monthly_plans set ai_prompt = null where id = -500021;

-- check error 23502: a plan without ai_response_raw
update public.monthly_plans set ai_response_raw = null where id = -500021;

-- check error 23502: a plan without generated_at
update public.monthly_plans set generated_at = null where id = -500021;

-- check: monthly_summary may be empty
update public.monthly_plans set monthly_summary = null where id = -500021 returning true;
