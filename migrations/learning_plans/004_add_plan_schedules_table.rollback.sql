-- Its policies, index and grants go with it. Nothing is lost: a schedule can be computed again.
drop table public.plan_schedules;
