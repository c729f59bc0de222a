-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns = '5afe0000-0000-4000-8000-0000000000a1'
-- let: bobs = '5afe0000-0000-4000-8000-0000000000b1'

insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');
insert into public.magic_links (id, email, token, expires_at)
values
  (:'anns', 'ann@verify.invalid', 'verify-ann', '2001-02-03'),
  (:'bobs', 'bob@verify.invalid', 'verify-bob', '2001-02-03');
insert into public.password_resets (id, user_id, token, expires_at)
values (:'anns', :'ann', 'verify-ann', '2001-02-03'), (:'bobs', :'bob', 'verify-bob', '2001-02-03');
insert into public.sessions (id, user_id, token, expires_at)
values (:'anns', :'ann', 'verify-ann', '2001-02-03'), (:'bobs', :'bob', 'verify-bob', '2001-02-03');
insert into public.invites (id, code, created_by, used_by)
values (:'anns', 'VERIFY-5AFE-ANN', :'ann', :'bob'), (:'bobs', 'VERIFY-5AFE-BOB', :'bob', :'ann');

-- check: a link, a reset and a sign-in begin unused, now
select to_jsonb(link) @> jsonb_build_object('used_at', null, 'created_at', localtimestamp)
  and to_jsonb(reset) @> jsonb_build_object('used_at', null, 'created_at', localtimestamp)
  and to_jsonb(session) @> jsonb_build_object('created_at', localtimestamp, 'last_activity_at', localtimestamp)
from public.magic_links as link, public.password_resets as reset, public.sessions as session
where link.id = :'anns' and reset.id = :'anns' and session.id = :'anns';

-- check: an invite has not been used, may be for ever, and as often as one likes
select to_jsonb(invite) @> jsonb_build_object(
  'expires_at', null, 'used_at', null, 'max_uses', null, 'current_uses', 0, 'created_at', localtimestamp
)
from public.invites as invite where id = :'anns';

-- check error 23505: a magic link with the token of another
update public.magic_links set token = 'verify-bob' where id = :'anns';

-- check error 23505: a reset with the token of another
update public.password_resets set token = 'verify-bob' where id = :'anns';

-- check error 23505: a sign-in with the token of another
update public.sessions set token = 'verify-bob' where id = :'anns';

-- check error 23505: an invite with the code of another
update public.invites set code = 'VERIFY-5AFE-BOB' where id = :'anns';

-- check error 23514: an invite for nobody
update public.invites set max_uses = 0 where id = :'anns';

-- check error 23514: an invite used less than never
update public.invites set current_uses = -1 where id = :'anns';

-- check: with a user go the resets, the sign-ins and their own invites; the used one stays
delete from public.users where id = :'ann';
select not exists (select
from public.password_resets
where id = :'anns')
  and not exists (select from public.sessions where id = :'anns')
  and not exists (select from public.invites where id = :'anns')
  and exists (select from public.invites where id = :'bobs' and used_by is null);

-- check: what password_resets refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
] from pg_catalog.pg_constraint where conrelid = 'public.password_resets'::regclass and contype = 'f';

-- check: what sessions refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
] from pg_catalog.pg_constraint where conrelid = 'public.sessions'::regclass and contype = 'f';

-- check: what invites refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE CASCADE',
  'FOREIGN KEY (used_by) REFERENCES public.users(id) ON DELETE SET NULL'
] from pg_catalog.pg_constraint where conrelid = 'public.invites'::regclass and contype = 'f';
