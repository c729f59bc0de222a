-- An archived note is its owner's again, and stays as it is.
alter table public.notes add column archived boolean not null default false;

drop policy reading on public.notes;
create policy reading on public.notes for select to notes_caller
  using (
    owner = (select current_setting('app.caller', true))
    or (visibility = 'public' and not archived)
    or (visibility = 'team' and not archived and team in (select m.team from public.members as m))
  );

drop policy editing on public.notes;
create policy editing on public.notes for update to notes_caller
  using (
    not archived
    and (
      owner = (select current_setting('app.caller', true))
      or (visibility = 'team' and team in (select m.team from public.members as m))
    )
  )
  with check (
    owner = (select current_setting('app.caller', true))
    or (visibility = 'team' and not archived and team in (select m.team from public.members as m))
  );
