-- The exercises of a workout in their order, under the names they had that day.
-- depends: 004_extend_exercises_feature2 007_create_workout_sessions

create table public.workout_session_exercises (
  id uuid not null default gen_random_uuid(),
  session_id uuid not null,
  exercise_id uuid not null,
  exercise_name varchar(100) not null,
  order_index integer not null,
  rest_seconds integer,
  notes text,
  created_at timestamp not null default now(),
  constraint workout_session_exercises_pkey primary key (id),
  -- Deferrable for the same reason as that of a template's exercises.
  constraint workout_session_exercises_session_id_order_index_key
    unique (session_id, order_index) deferrable initially immediate,
  constraint workout_session_exercises_order_index_check check (order_index >= 0),
  constraint workout_session_exercises_rest_seconds_check check (rest_seconds between 0 and 600),
  constraint workout_session_exercises_session_id_fkey
    foreign key (session_id) references public.workout_sessions (id) on delete cascade,
  constraint workout_session_exercises_exercise_id_fkey
    foreign key (exercise_id) references public.exercises (id) on delete restrict
);

comment on table public.workout_session_exercises is
  'The exercises of a workout in their order.';
comment on column public.workout_session_exercises.exercise_name is
  'The name when the workout began: a new name of the exercise does not change what was.';

create index idx_sess_ex_session_id on public.workout_session_exercises (session_id);
create index idx_sess_ex_exercise_id on public.workout_session_exercises (exercise_id);
