drop policy editing on public.notes;
create policy editing on public.notes for update to notes_caller
  using (
    owner = (select current_setting('app.caller', true))
    or (visibility = 'team' and team in (select m.team from public.members as m))
  )
  with check (
    owner = (select current_setting('app.caller', true))
    or (visibility = 'team' and team in (select m.team from public.members as m))
  );

drop policy reading on public.notes;
create policy reading on public.notes for select to notes_caller
  using (
    owner = (select current_setting('app.caller', true))
    or visibility = 'public'
    or (visibility = 'team' and team in (select m.team from public.members as m))
  );

alter table public.notes drop column archived;
