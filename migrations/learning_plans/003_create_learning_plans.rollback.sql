-- Its policies, indexes and grants go with it.
drop table public.learning_plans;
