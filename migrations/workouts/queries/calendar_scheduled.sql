-- The calendar: what a user has planned from a day to a day, both included, and what became of it.
-- Without a title an entry shows the name of its template; one that has lost its template too is
-- untitled.
-- plan: index idx_scheduled_user_date
-- plan: no seq scan on scheduled_workouts
-- plan: no seq scan on workout_templates
-- time: 10ms
-- rows: 100000
-- load: rows/users_1000.sql

-- query:
select
  entry.*,
  coalesce(entry.title, template.name, 'untitled') as shown_title,
  template.name as template_name,
  public.scheduled_workout_status(entry.scheduled_date, entry.completed_session_id) as status
from public.scheduled_workouts as entry
left join public.workout_templates as template on template.id = entry.template_id
where entry.user_id = :'ann'
  and entry.scheduled_date between '2025-03-01' and '2025-03-31'
order by entry.scheduled_date;
