insert into public.members values ('kitchen', :'ann'), ('kitchen', :'bob'), ('garden', :'carla');
insert into public.notes (owner, team, visibility, body) values
  (:'ann', 'kitchen', 'private', 'hers'), (:'ann', 'kitchen', 'team', 'theirs'), (:'ann', null, 'public', 'all''s');

-- check as ann: she sees all that is hers
select count(*) = 3 from public.notes;

-- check as bob: he sees what she shares with the team, and what is public
select count(*) = 2 from public.notes where visibility <> 'private';

-- check none as carla: she sees nothing of another team
select from public.notes where visibility <> 'public';

-- check none as visitor: who has not signed in sees what is public alone
select from public.notes where visibility <> 'public';

-- check error 42501 as bob: nobody writes in the name of another
insert into public.notes (owner, body) values (:'ann', 'not hers');

-- check error 42501 as bob: a team's note stays with the team
update public.notes set visibility = 'public' where visibility = 'team';

-- check error 42501 as visitor: who has not signed in writes nothing
insert into public.notes (owner, body) values ('', 'mine');
