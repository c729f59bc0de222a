-- What a user's friends share: of the one who invited the user and of those whom the user invited.
-- The friends bring their names along, so that users are not read a second time.
-- plan: index idx_users_invited_by
-- plan: index idx_templates_shared
-- plan: no seq scan on users
-- plan: no seq scan on workout_templates
-- plan: no seq scan on workout_template_exercises
-- time: 10ms
-- rows: 10000
-- load: rows/users_1000.sql

-- query:
with friends as (
  select inviter.id, inviter.display_name
  from public.users as me
  join public.users as inviter on inviter.id = me.invited_by
  where me.id = :'ann'
  union
  select id, display_name
  from public.users
  where invited_by = :'ann'
)
select
  template.id,
  template.name,
  template.description,
  template.updated_at,
  friend.display_name as owner_name,
  (
    select count(*)
    from public.workout_template_exercises as exercise
    where exercise.template_id = template.id
  ) as exercise_count
from friends as friend
join public.workout_templates as template on template.user_id = friend.id
where template.visibility = 'friends'
  and not template.is_archived
order by template.updated_at desc;
