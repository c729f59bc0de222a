-- The exercises of a template in their order.
-- depends: 004_extend_exercises_feature2 005_create_workout_templates

create table public.workout_template_exercises (
  id uuid not null default gen_random_uuid(),
  template_id uuid not null,
  exercise_id uuid not null,
  order_index integer not null,
  sets integer not null default 3,
  reps varchar(10) not null default '8',
  target_weight decimal(6, 2),
  target_weight_unit varchar(10),
  rest_seconds integer,
  tempo_notes varchar(20),
  notes text,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint workout_template_exercises_pkey primary key (id),
  -- Deferrable, so that it is asked at the end of a statement and one statement may put the
  -- exercises into another order. An upsert cannot name such a constraint.
  constraint workout_template_exercises_template_id_order_index_key
    unique (template_id, order_index) deferrable initially immediate,
  constraint workout_template_exercises_order_index_check check (order_index >= 0),
  constraint workout_template_exercises_sets_check check (sets between 1 and 20),
  constraint workout_template_exercises_target_weight_check
    check (target_weight >= 0 and target_weight <> 'NaN'),
  constraint workout_template_exercises_target_weight_unit_check
    check (target_weight_unit::text in ('kg', 'lb')),
  constraint workout_template_exercises_rest_seconds_check check (rest_seconds between 0 and 600),
  constraint workout_template_exercises_template_id_fkey
    foreign key (template_id) references public.workout_templates (id) on delete cascade,
  constraint workout_template_exercises_exercise_id_fkey
    foreign key (exercise_id) references public.exercises (id) on delete restrict
);

comment on table public.workout_template_exercises is
  'The exercises of a template in their order.';
comment on column public.workout_template_exercises.reps is 'As people write it: 5, 8-12, AMRAP.';
comment on column public.workout_template_exercises.tempo_notes is 'Such as 3-1-2-0.';

create index idx_tmpl_ex_template_id on public.workout_template_exercises (template_id);
create index idx_tmpl_ex_exercise_id on public.workout_template_exercises (exercise_id);

-- stamp: updated_at_trigger(table="workout_template_exercises",
--   function="update_updated_at_column", name="update_tmpl_exercises_updated_at")
-- stamped: updated_at_trigger sha256:8153beda8ff18aa4  (edit the stamp line or the template, then run pgvouch stamp)
create trigger update_tmpl_exercises_updated_at
  before update on public.workout_template_exercises
  for each row
  execute function public.update_updated_at_column();
-- end stamp
