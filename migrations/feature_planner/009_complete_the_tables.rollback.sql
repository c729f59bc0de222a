drop index public.discovered_files_added_by_user_id_idx;

-- stamp: updated_at_trigger(table="plan_step_templates", function="touch_updated_at")
-- stamped: updated_at_trigger sha256:e4aa3df20245414b  (edit the stamp line or the template, then run pgvouch stamp)
drop trigger plan_step_templates_updated_at on public.plan_step_templates;
-- end stamp

-- stamp: updated_at_trigger(table="plan_steps", function="touch_updated_at")
-- stamped: updated_at_trigger sha256:53c470770d5ca316  (edit the stamp line or the template, then run pgvouch stamp)
drop trigger plan_steps_updated_at on public.plan_steps;
-- end stamp

-- stamp: updated_at_trigger(table="feature_plans", function="touch_updated_at")
-- stamped: updated_at_trigger sha256:e503e27a7fdb3b06  (edit the stamp line or the template, then run pgvouch stamp)
drop trigger feature_plans_updated_at on public.feature_plans;
-- end stamp

drop function public.touch_updated_at();
