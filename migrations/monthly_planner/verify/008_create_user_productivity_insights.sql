-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- The ids of the checks are negative: no sequence gives those.
insert into public.users (id, name, email)
values
  (-500001, 'Ann', 'ann@verify.invalid'),
  (-500002, 'Bob', 'bob@verify.invalid'),
  (-500003, 'Cy', 'cy@verify.invalid');
insert into public.user_productivity_insights (id, user_id, insight_type, insight_value_json, last_updated)
values
  (-500061, -500001, 'PeakEnergy', '{"peakHours": "9:00-11:00"}', '2001-02-03'),
  (-500062, -500002, 'PeakEnergy', '{"peakHours": "20:00-22:00"}', '2001-02-03');

-- check: an insight with the time of its writing: the defaults, and the next id
insert into public.user_productivity_insights (id, user_id, insight_type, insight_value_json)
values (-500091, -500001, 'CompletionRate', '{"rate": 0.85}');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'user_id', -500001,
    'insight_type', 'CompletionRate',
    'insight_value_json', jsonb_build_object('rate', 0.85),
    'last_updated', localtimestamp
  )
  and exists (
    -- Looked up, not drawn: a number that a sequence has given is gone, on a live database too.
    select
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_depend as needs
      on needs.classid = 'pg_catalog.pg_attrdef'::regclass
      and needs.objid = d.oid
    where d.adrelid = 'public.user_productivity_insights'::regclass
      and needs.refobjid = pg_get_serial_sequence('public.user_productivity_insights', 'id')::regclass
  )
from public.user_productivity_insights as made
where user_id = -500001 and insight_type = 'CompletionRate';

-- check error 23505: a second insight of one kind for a user
insert into public.user_productivity_insights (id, user_id, insight_type, insight_value_json)
values (-500092, -500001, 'PeakEnergy', '{}');

-- check: the upsert of the application writes the one row of the kind anew, and nobody else's
insert into public.user_productivity_insights as insight (id, user_id, insight_type, insight_value_json, last_updated)
values (-500093, -500001, 'PeakEnergy', '{"peakHours": "8:00-10:00"}', localtimestamp)
on conflict (user_id, insight_type) do update
set insight_value_json = excluded.insight_value_json, last_updated = excluded.last_updated;
select array_agg((id, insight_value_json ->> 'peakHours')::text order by id desc)
  = '{"(-500061,8:00-10:00)","(-500062,20:00-22:00)"}'
from public.user_productivity_insights where user_id in (-500001, -500002);

-- check: an update alone leaves last_updated to the application
update public.user_productivity_insights set insight_value_json = '{}' where id = -500061;
select last_updated = '2001-02-03' from public.user_productivity_insights where id = -500061;

-- check error 22P02: insight_type that is no insight_type
update public.user_productivity_insights set insight_type = 'Other' where id = -500061;

-- check error 22P02: insight_type in the wrong case
update public.user_productivity_insights set insight_type = 'peakenergy' where id = -500061;

-- check: insight_type is each of its values, one after the other
update public.user_productivity_insights set insight_type = 'PeakEnergy' where id = -500061;
update public.user_productivity_insights set insight_type = 'CompletionRate' where id = -500061;
update public.user_productivity_insights set insight_type = 'SessionDuration' where id = -500061;
update public.user_productivity_insights set insight_type = 'Challenges' where id = -500061;
select insight_type = 'Challenges' from public.user_productivity_insights where id = -500061;

-- check error 23503: an insight of no user
update public.user_productivity_insights set user_id = -500009 where id = -500061;

-- check error 23503: a user goes away and leaves an insight behind
update public.user_productivity_insights set user_id = -500003 where id = -500061;
delete from public.users where id = -500003;

-- check error 23503: a user gets another id and leaves an insight behind
update public.user_productivity_insights set user_id = -500003 where id = -500061;
update public.users set id = -500009 where id = -500003;

-- check: an insight gone first, a user may go
delete from public.user_productivity_insights where user_id = -500001;
delete from public.users where id = -500001;
select count(*) = 0 from public.users where id = -500001;

-- check error 23502: an insight without id
update public.user_productivity_insights set id = null where id = -500061;

-- check error 23502: an insight without user_id
update public.user_productivity_insights set user_id = null where id = -500061;

-- check error 23502: an insight without insight_type
update public.user_productivity_insights set insight_type = null where id = -500061;

-- check error 23502: an insight without insight_value_json
update public.user_productivity_insights set insight_value_json = null where id = -500061;

-- check error 23502: an insight without last_updated
update public.user_productivity_insights set last_updated = null where id = -500061;

-- check: these columns may be empty, and no other; the accounts may be the sign-in's
select array_agg(found.columns order by found.columns collate "C") = array[
  'generation_quota:',
  'monthly_plans: monthly_summary',
  'plan_tasks: difficulty_level scheduling_reason',
  'user_activity_history: actual_end_time actual_start_time duration_deviation',
  'user_goals_and_preferences:',
  'user_productivity_insights:'
]
from (
  select c.relname || ':' || coalesce(
    string_agg(' ' || a.attname, '' order by a.attname collate "C") filter (where not a.attnotnull), ''
  )
  from pg_catalog.pg_class as c
  join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace
    and c.relname = any ('{generation_quota,monthly_plans,plan_tasks,user_activity_history,user_goals_and_preferences,user_productivity_insights}')
  group by c.relname
) as found (columns);
