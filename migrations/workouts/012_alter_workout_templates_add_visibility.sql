-- A template is its owner's alone, or open to friends. With a constant default no row is written
-- anew, and every template that is there is private. The indexes are made under the same lock: a
-- user has tens of templates, not thousands.
-- depends: 005_create_workout_templates

alter table public.workout_templates
  add column visibility varchar(20) not null default 'private',
  add constraint workout_templates_visibility_check check (visibility::text in ('private', 'friends'));

comment on column public.workout_templates.visibility is
  'Who may read and clone it: private is its owner, friends is also who invited or was invited.';

create index idx_templates_visibility on public.workout_templates (visibility);

-- The shared list in its order, friend by friend: of the other index a large part is friends'.
create index idx_templates_shared
  on public.workout_templates (user_id, updated_at desc)
  where visibility::text = 'friends' and not is_archived;

comment on index public.idx_templates_shared is 'What the list of shared templates is read from.';
