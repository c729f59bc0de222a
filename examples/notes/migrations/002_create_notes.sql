create table public.members (
  team text not null,
  member text not null,
  primary key (team, member)
);
create index members_member on public.members (member);

create table public.notes (
  id bigint generated always as identity primary key,
  owner text not null default current_setting('app.caller'),
  team text,
  visibility text not null default 'private',
  body text not null,
  constraint notes_say_something check (btrim(body) <> ''),
  constraint notes_visibility check (visibility in ('private', 'team', 'public')),
  constraint notes_of_a_team check (visibility <> 'team' or team is not null)
);
create index notes_owner on public.notes (owner);

alter table public.members enable row level security;
alter table public.notes enable row level security;
grant select on public.members to notes_caller;
grant select, insert, update, delete on public.notes to notes_caller;

create policy own_teams on public.members for select to notes_caller
  using (member = (select current_setting('app.caller', true)));

create policy reading on public.notes for select to notes_caller
  using (
    owner = (select current_setting('app.caller', true))
    or visibility = 'public'
    or (visibility = 'team' and team in (select m.team from public.members as m))
  );
create policy writing on public.notes for insert to notes_caller
  with check (
    owner = (select current_setting('app.caller', true)) and owner <> ''
    and (team is null or team in (select m.team from public.members as m))
  );
-- Who may edit a team's note may not take it out of the team.
create policy editing on public.notes for update to notes_caller
  using (
    owner = (select current_setting('app.caller', true))
    or (visibility = 'team' and team in (select m.team from public.members as m))
  )
  with check (
    owner = (select current_setting('app.caller', true))
    or (visibility = 'team' and team in (select m.team from public.members as m))
  );
create policy deleting on public.notes for delete to notes_caller
  using (owner = (select current_setting('app.caller', true)));
