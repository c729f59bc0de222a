-- What the application's tables lacked, and what is ours: triggers that date a change by any hand,
-- and an index for the one reference that had none.
-- depends: 005_create_file_discovery 007_create_plan_steps

-- Its own function, and not one that the site's tables use as well: it will move with the planner.
create function public.touch_updated_at()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

comment on function public.touch_updated_at() is
  'Trigger: puts the time of the transaction into updated_at.';

-- A trigger fires whether or not the one who fires it may call its function.
revoke execute on function public.touch_updated_at()
  from public, anon, authenticated, service_role;

-- stamp: updated_at_trigger(table="feature_plans", function="touch_updated_at")
-- stamped: updated_at_trigger sha256:745c9ec6f5ae4186  (edit the stamp line or the template, then run pgvouch stamp)
create trigger feature_plans_updated_at
  before update on public.feature_plans
  for each row
  execute function public.touch_updated_at();
-- end stamp

-- stamp: updated_at_trigger(table="plan_steps", function="touch_updated_at")
-- stamped: updated_at_trigger sha256:4477b298fd39b7de  (edit the stamp line or the template, then run pgvouch stamp)
create trigger plan_steps_updated_at
  before update on public.plan_steps
  for each row
  execute function public.touch_updated_at();
-- end stamp

-- stamp: updated_at_trigger(table="plan_step_templates", function="touch_updated_at")
-- stamped: updated_at_trigger sha256:7d9b66ca6b012493  (edit the stamp line or the template, then run pgvouch stamp)
create trigger plan_step_templates_updated_at
  before update on public.plan_step_templates
  for each row
  execute function public.touch_updated_at();
-- end stamp

-- Without it, deleting a user reads every file.
create index discovered_files_added_by_user_id_idx
  on public.discovered_files (added_by_user_id);
