-- The steps of a generated plan, and each user's library of steps to use again.
-- depends: 006_create_implementation_plan_generations

create table public.plan_step_templates (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  name varchar(100) not null,
  title varchar(255) not null,
  description varchar(1000) not null,
  content text not null,
  category varchar(50) not null,
  confidence_level varchar(20) not null default 'high',
  estimated_duration varchar(50),
  commands jsonb,
  validation_commands jsonb,
  is_public boolean not null default false,
  usage_count integer not null default 0,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint plan_step_templates_pkey primary key (id),
  constraint plan_step_templates_user_id_users_id_fk
    foreign key (user_id) references public.users (id) on delete cascade,
  constraint plan_step_templates_usage_count_non_negative check (usage_count >= 0)
);

comment on table public.plan_step_templates is 'A user''s library of steps to use again.';

create index plan_step_templates_category_idx on public.plan_step_templates (category);
create index plan_step_templates_is_public_idx on public.plan_step_templates (is_public);
create index plan_step_templates_usage_count_idx on public.plan_step_templates (usage_count);
create index plan_step_templates_user_id_idx on public.plan_step_templates (user_id);

-- The platform's default privileges have opened it; it was its owner's alone.
revoke all on table public.plan_step_templates
  from public, anon, authenticated, service_role;

create table public.plan_steps (
  id uuid not null default gen_random_uuid(),
  plan_generation_id uuid not null,
  template_id uuid,
  step_number integer not null,
  display_order integer not null,
  title varchar(255) not null,
  description text not null,
  category varchar(50),
  confidence_level varchar(20),
  estimated_duration varchar(50),
  commands jsonb,
  validation_commands jsonb,
  is_from_template boolean not null default false,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now(),
  constraint plan_steps_pkey primary key (id),
  constraint plan_steps_plan_generation_fk
    foreign key (plan_generation_id)
    references public.implementation_plan_generations (id) on delete cascade,
  constraint plan_steps_display_order_non_negative check (display_order >= 0),
  constraint plan_steps_step_number_positive check (step_number > 0)
);

comment on table public.plan_steps is 'The steps of a generated plan, in an order that may change.';
comment on column public.plan_steps.template_id is
  'In plan_step_templates; no foreign key.';

create index plan_steps_category_idx on public.plan_steps (category);
create index plan_steps_display_order_idx on public.plan_steps (display_order);
create index plan_steps_plan_generation_id_idx on public.plan_steps (plan_generation_id);
create index plan_steps_template_id_idx on public.plan_steps (template_id);

-- The platform's default privileges have opened it; it was its owner's alone.
revoke all on table public.plan_steps
  from public, anon, authenticated, service_role;
