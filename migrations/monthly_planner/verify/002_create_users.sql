-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- The ids of the checks are negative: no sequence gives those.
insert into public.users (id, name, email)
values
  (-500001, 'Ann', 'ann@verify.invalid'),
  (-500002, 'Bob', 'bob@verify.invalid'),
  (-500003, 'Cy', 'cy@verify.invalid');

-- check: a user with a name and an address: the defaults, and the next id
insert into public.users (id, name, email) values (-500091, 'Dee', 'dee@verify.invalid');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'name', 'Dee',
    'email', 'dee@verify.invalid',
    'email_verified', false,
    'image', null,
    'created_at', localtimestamp,
    'updated_at', localtimestamp
  )
  and exists (
    -- Looked up, not drawn: a number that a sequence has given is gone, on a live database too.
    select
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_depend as needs
      on needs.classid = 'pg_catalog.pg_attrdef'::regclass
      and needs.objid = d.oid
    where d.adrelid = 'public.users'::regclass
      and needs.refobjid = pg_get_serial_sequence('public.users', 'id')::regclass
  )
from public.users as made
where email = 'dee@verify.invalid';

-- check error 23505: an address that another user has
update public.users set email = 'bob@verify.invalid' where id = -500001;

-- check error 23505: an id that another user has
update public.users set id = -500002 where id = -500001;

-- check: addresses are compared as they are written
update public.users set email = 'BOB@verify.invalid' where id = -500001 returning true;

-- check error 23502: a user without id
update public.users set id = null where id = -500001;

-- check error 23502: a user without name
update public.users set name = null where id = -500001;

-- check error 23502: a user without email
update public.users set email = null where id = -500001;

-- check error 23502: a user without email_verified
update public.users set email_verified = null where id = -500001;

-- check error 23502: a user without created_at
update public.users set created_at = null where id = -500001;

-- check error 23502: a user without updated_at
update public.users set updated_at = null where id = -500001;

-- check: image may be empty
update public.users set image = null where id = -500001 returning true;
