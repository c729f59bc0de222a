-- The sets of a workout, and what is made of them: the best lift of each user in each exercise.
-- depends: 008_create_workout_session_exercises

create table public.workout_sets (
  id uuid not null default gen_random_uuid(),
  session_exercise_id uuid not null,
  set_number integer not null,
  weight decimal(6, 2),
  weight_unit varchar(10),
  reps integer,
  rpe decimal(3, 1),
  notes text,
  is_warmup boolean not null default false,
  completed_at timestamp,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint workout_sets_pkey primary key (id),
  constraint workout_sets_set_number_check check (set_number > 0),
  -- NaN counts as more than any number, and nothing is more than NaN: a best lift of it would stay.
  constraint workout_sets_weight_check check (weight >= 0 and weight <> 'NaN'),
  constraint workout_sets_weight_unit_check check (weight_unit::text in ('kg', 'lb')),
  constraint workout_sets_reps_check check (reps between 0 and 999),
  constraint workout_sets_rpe_check check (rpe between 1.0 and 10.0),
  constraint workout_sets_session_exercise_id_fkey
    foreign key (session_exercise_id) references public.workout_session_exercises (id)
    on delete cascade
);

comment on table public.workout_sets is 'The sets of a workout, one by one.';
comment on column public.workout_sets.weight is 'Empty where the body is the weight.';
comment on column public.workout_sets.rpe is 'How hard it felt, from 1 to 10.';

create index idx_sets_session_exercise_id on public.workout_sets (session_exercise_id);
create index idx_sets_is_warmup on public.workout_sets (is_warmup);
create index idx_sets_completed_at on public.workout_sets (completed_at desc);

-- stamp: updated_at_trigger(table="workout_sets", function="update_updated_at_column",
--   name="update_workout_sets_updated_at")
-- stamped: updated_at_trigger sha256:dcf7a48b23f745d4  (edit the stamp line or the template, then run pgvouch stamp)
create trigger update_workout_sets_updated_at
  before update on public.workout_sets
  for each row
  execute function public.update_updated_at_column();
-- end stamp

create table public.max_lifts (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  exercise_id uuid not null,
  weight decimal(6, 2) not null,
  unit varchar(10) not null,
  reps integer not null default 1,
  achieved_at timestamp not null,
  workout_id uuid,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint max_lifts_pkey primary key (id),
  constraint max_lifts_user_id_exercise_id_key unique (user_id, exercise_id),
  constraint max_lifts_weight_check check (weight > 0 and weight <> 'NaN'),
  constraint max_lifts_unit_check check (unit::text in ('kg', 'lb')),
  constraint max_lifts_reps_check check (reps > 0),
  constraint max_lifts_user_id_fkey
    foreign key (user_id) references public.users (id) on delete cascade,
  constraint max_lifts_exercise_id_fkey
    foreign key (exercise_id) references public.exercises (id) on delete cascade,
  constraint max_lifts_workout_id_fkey
    foreign key (workout_id) references public.workout_sessions (id) on delete set null
);

comment on table public.max_lifts is
  'The best lift of a user in an exercise, kept by the application.';
comment on column public.max_lifts.workout_id is 'The session of the lift, while it is there.';

create index idx_max_lifts_user_id on public.max_lifts (user_id);
create index idx_max_lifts_exercise_id on public.max_lifts (exercise_id);
create index idx_max_lifts_achieved_at on public.max_lifts (achieved_at desc);
create index idx_max_lifts_workout_id on public.max_lifts (workout_id);

-- stamp: updated_at_trigger(table="max_lifts", function="update_updated_at_column",
--   name="update_max_lifts_updated_at")
-- stamped: updated_at_trigger sha256:0359d7f4eedc016a  (edit the stamp line or the template, then run pgvouch stamp)
create trigger update_max_lifts_updated_at
  before update on public.max_lifts
  for each row
  execute function public.update_updated_at_column();
-- end stamp
