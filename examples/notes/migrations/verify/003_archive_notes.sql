insert into public.members values ('kitchen', :'ann'), ('kitchen', :'bob');
insert into public.notes (owner, team, visibility, body, archived) values
  (:'ann', 'kitchen', 'team', 'old', true), (:'ann', null, 'public', 'older', true);

-- check none as bob: what is archived is its owner's alone
select from public.notes where archived;

-- check as ann: she sees what she has archived
select count(*) = 2 from public.notes where archived;

-- check none as ann: and changes it no more
update public.notes set body = 'new' where archived returning id;
