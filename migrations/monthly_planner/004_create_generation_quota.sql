-- How many plans a user may have made in a month, and how many have been.
-- depends: 002_create_users

create table public.generation_quota (
  id serial not null,
  user_id integer not null,
  month_year date not null,
  total_allowed integer not null,
  generations_used integer not null default 0,
  resets_on date not null,
  constraint generation_quota_pkey primary key (id),
  constraint generation_quota_user_id_users_id_fk
    foreign key (user_id) references public.users (id),
  -- A second row of the month would be a second quota. Its index serves the foreign key as well.
  constraint generation_quota_user_id_month_year_unique unique (user_id, month_year),
  -- A month is written as its first day: with any day, the one above would let 31 rows pass. The
  -- day of infinity is null, and a check passes on null.
  constraint generation_quota_month_year_check
    check (isfinite(month_year) and extract(day from month_year) = 1),
  constraint generation_quota_generations_used_check
    check (generations_used >= 0 and generations_used <= total_allowed)
);

comment on table public.generation_quota is 'Subscription/billing management.';
comment on column public.generation_quota.month_year is 'Defines the period the quota applies to.';
