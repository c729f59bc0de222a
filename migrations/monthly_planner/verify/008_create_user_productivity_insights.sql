-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- The ids of the checks are negative: no sequence gives those.
insert into public.users (id, name, email)
values
  (-500001, 'Ann', 'ann@verify.invalid'),
  (-500002, 'Bob', 'bob@verify.invalid'),
  (-500003, 'Cy', 'cy@verify.invalid');
insert into public.user_productivity_insights (id, user_id, insight_type, insight_value_json, last_updated)
values
  (-500061, -500001, 'PeakEnergy', '{"peakHours": "9:00-11:00"}', '2001-02-03'),
  (-500062, -500002, 'PeakEnergy', '{"peakHours": "20:00-22:00"}', '2001-02-03');

-- check: an insight with the time of its writing: the defaults, and the next id
insert into public.user_productivity_insights (id, user_id, insight_type, insight_value_json)
values (-500091, -500001, 'CompletionRate', '{"rate": 0.85}');
select
  to_jsonb(made) - 'id' = jsonb_build_object(
    'user_id', -500001,
    'insight_type', 'CompletionRate',
    'insight_value_json', jsonb_build_object('rate', 0.85),
    'last_updated', localtimestamp
  )
  and exists (
    -- Looked up, not drawn: a number that a sequence has given is gone, on a live database too.
    select
    from pg_catalog.pg_attrdef as d
    join pg_catalog.pg_depend as needs
      on needs.classid = 'pg_catalog.pg_attrdef'::regclass
      and needs.objid = d.oid
    where d.adrelid = 'public.user_productivity_insights'::regclass
      and needs.refobjid = pg_get_serial_sequence('public.user_productivity_insights', 'id')::regclass
  )
from public.user_productivity_insights as made
where user_id = -500001 and insight_type = 'CompletionRate';

-- check error 23505: a second insight of one kind for a user
insert into public.user_productivity_insights (id, user_id, insight_type, insight_value_json)
values (-500092, -500001, 'PeakEnergy', '{}');

-- check: the upsert of the application writes the one row of the kind anew, and nobody else's
insert into public.user_productivity_insights as insight (id, user_id, insight_type, insight_value_json, last_updated)
values (-500093, -500001, 'PeakEnergy', '{"peakHours": "8:00-10:00"}', localtimestamp)
on conflict (user_id, insight_type) do update
set insight_value_json = excluded.insight_value_json, last_updated = excluded.last_updated;
select array_agg((id, insight_value_json ->> 'peakHours')::text order by id desc)
  = '{"(-500061,8:00-10:00)","(-500062,20:00-22:00)"}'
from public.user_productivity_insights where user_id in (-500001, -500002);

-- check: an update alone leaves last_updated to the application
update public.user_productivity_insights set insight_value_json = '{}' where id = -500061;
select last_updated = '2001-02-03' from public.user_productivity_insights where id = -500061;

-- check error 22P02: insight_type that is no insight_type
update public.user_productivity_insights set insight_type = 'Other' where id = -500061;

-- check error 22P02: insight_type in the wrong case
update public.user_productivity_insights set insight_type = 'peakenergy' where id = -500061;

-- check: insight_type is each of its values, one after the other
update public.user_productivity_insights set insight_type = 'PeakEnergy' where id = -500061;
update public.user_productivity_insights set insight_type = 'CompletionRate' where id = -500061;
update public.user_productivity_insights set insight_type = 'SessionDuration' where id = -500061;
update public.user_productivity_insights set insight_type = 'Challenges' where id = -500061;
select insight_type = 'Challenges' from public.user_productivity_insights where id = -500061;

-- check error 23503: an insight of no user
update public.user_productivity_insights set user_id = -500009 where id = -500061;

-- check error 23503: a user goes away and leaves an insight behind
update public.user_productivity_insights set user_id = -500003 where id = -500061;
delete from public.users where id = -500003;

-- check error 23503: a user gets another id and leaves an insight behind
update public.user_productivity_insights set user_id = -500003 where id = -500061;
update public.users set id = -500009 where id = -500003;

-- check: an insight gone first, a user may go
delete from public.user_productivity_insights where user_id = -500001;
delete from public.users where id = -500001;
select count(*) = 0 from public.users where id = -500001;

-- check error 23502: an insight without id
update public.user_productivity_insights set id = null where id = -500061;

-- check error 23502: an insight without user_id
update public.user_productivity_insights set user_id = null where id = -500061;

-- check error 23502: an insight without insight_type
update public.user_productivity_insights set insight_type = null where id = -500061;

-- check error 23502: an insight without insight_value_json
update public.user_productivity_insights set insight_value_json = null where id = -500061;

-- check error 23502: an insight without last_updated
update public.user_productivity_insights set last_updated = null where id = -500061;

-- check: user_productivity_insights is its owner's alone: no right, policy or trigger of another's
select c.relowner = (select typowner from pg_catalog.pg_type where oid = 'public.complexity'::regtype) and not c.relrowsecurity
  and not exists (select from aclexplode(c.relacl) where grantee <> c.relowner)
  and not exists (select from pg_catalog.pg_attribute where attrelid = c.oid and attacl is not null)
  and not exists (select from pg_catalog.pg_policy where polrelid = c.oid)
  and not exists (select from pg_catalog.pg_trigger where tgrelid = c.oid and not tgisinternal),
  c.relname
from pg_catalog.pg_class as c
where c.oid in ('public.user_productivity_insights'::regclass, pg_get_serial_sequence('public.user_productivity_insights', 'id')::regclass);

-- Whoever adds to the system says so here as well. The accounts may be the sign-in's; its other tables,
-- where it keeps them here, are allowed by a line each.
-- stamp: whole_catalog(schemas=["public"],
--   holds=[
--     "table public.generation_quota: 2 date, 4 integer",
--     "table public.monthly_plans: 1 date, 3 integer, 1 jsonb, 2 text, 1 timestamp",
--     "table public.plan_tasks: 1 boolean, 2 integer, 1 text, 2 timestamp, 1 varchar(100), 1 varchar(20), 1 varchar(50)",
--     "table public.user_activity_history: 1 boolean, 4 integer, 3 timestamp",
--     "table public.user_goals_and_preferences: 2 integer, 1 jsonb, 1 public.complexity, 1 public.weekend_preference, 1 text, 1 timestamp, 1 varchar(150)",
--     "table public.user_productivity_insights: 2 integer, 1 jsonb, 1 public.insight_type, 1 timestamp",
--     "type public.complexity",
--     "type public.insight_type",
--     "type public.weekend_preference",
--   ],
--   allowed=["table public.users: *"])
-- stamped: whole_catalog sha256:80e4973ecabbb827  (edit the stamp line or the template, then run pgvouch stamp)
-- check none: public: something that is not in the list above, or is in it and missing
set local search_path = pg_catalog, pg_temp;
with recursive listed (line) as (
  values
    ('table public.generation_quota: 2 date, 4 integer'),
    ('table public.monthly_plans: 1 date, 3 integer, 1 jsonb, 2 text, 1 timestamp'),
    ('table public.plan_tasks: 1 boolean, 2 integer, 1 text, 2 timestamp, 1 varchar(100), 1 varchar(20), 1 varchar(50)'),
    ('table public.user_activity_history: 1 boolean, 4 integer, 3 timestamp'),
    ('table public.user_goals_and_preferences: 2 integer, 1 jsonb, 1 public.complexity, 1 public.weekend_preference, 1 text, 1 timestamp, 1 varchar(150)'),
    ('table public.user_productivity_insights: 2 integer, 1 jsonb, 1 public.insight_type, 1 timestamp'),
    ('type public.complexity'),
    ('type public.insight_type'),
    ('type public.weekend_preference')
),
-- On one server they are there, on another they are not.
allowed (line) as (
  values
    ('table public.users: *')
),
home as (
  select n.oid, n.nspname
  from pg_namespace as n
  where n.nspname in ('public')
),
-- The application's roles, and whatever they may become.
reached as (
  select r.oid, r.rolname
  from pg_roles as r
  where false
  union
  select r.oid, r.rolname
  from reached
  join pg_auth_members as m on m.member = reached.oid
  join pg_roles as r on r.oid = m.roleid
),
grantee (oid, name) as (
  select 0::oid, 'public'::name
  union all
  select oid, rolname from reached
),
things as (
  select
    home.nspname as schema_name, d.classid, d.objid,
    thing.type as kind, thing.identity as name
  from home
  join pg_depend as d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = home.oid
  cross join pg_identify_object(d.classid, d.objid, 0) as thing
  where d.deptype = 'n'
    -- Somebody has dropped it since this query began.
    and thing.identity is not null
    -- As an index, they only help the planner.
    and d.classid <> 'pg_statistic_ext'::regclass
    -- What an extension brought into its own schema is the extension's.
    and not exists (
      select
      from pg_depend as e
      join pg_extension as x on x.oid = e.refobjid and x.extnamespace = home.oid
      where e.classid = d.classid and e.objid = d.objid and e.deptype = 'e'
    )
),
relations as (
  select
    t.schema_name, t.kind, t.name,
    c.oid, c.relowner, c.relacl, c.relkind, c.relpersistence, c.relrowsecurity,
    c.relforcerowsecurity, c.reloptions
  from things as t
  join pg_class as c on c.oid = t.objid
  where t.classid = 'pg_class'::regclass
),
routines as (
  select
    t.schema_name, t.kind, p.oid::regprocedure::text as name,
    p.oid, p.proowner, p.proacl, p.prosecdef, p.proconfig
  from things as t
  join pg_proc as p on p.oid = t.objid
  where t.classid = 'pg_proc'::regclass
),
owners (schema_name, name, owner) as (
  select schema_name, name, relowner from relations
  union all
  select schema_name, name, proowner from routines
  union all
  select t.schema_name, t.name, y.typowner
  from things as t
  join pg_type as y on y.oid = t.objid
  where t.classid = 'pg_type'::regclass
),
-- One role owns it all, the one that migrates: whoever owns most of the first schema.
main (owner) as (
  select mode() within group (order by o.owner)
  from owners as o
  where o.schema_name = 'public'
),
-- A serial's or identity's sequence goes with its column, as long as it counts one by one to the end of its type.
sequences as (
  select
    r.name,
    exists (
      select
      from pg_depend as d
      where d.classid = 'pg_class'::regclass
        and d.objid = r.oid
        and d.refclassid = 'pg_class'::regclass
        and d.deptype in ('a', 'i')
    ) as goes_with_column,
    concat(
      case when s.seqcycle then ' cycle' end,
      case when s.seqincrement <> 1 then ' increment ' || s.seqincrement end,
      case when s.seqmin <> 1 then ' minvalue ' || s.seqmin end,
      case
        when s.seqmax
          <> case s.seqtypid
            when 'smallint'::regtype then 32767
            when 'integer'::regtype then 2147483647
            else 9223372036854775807
          end
          then ' maxvalue ' || s.seqmax
      end
    ) as oddity
  from relations as r
  join pg_sequence as s on s.seqrelid = r.oid
),
-- What reads rows of these tables, over any number of views.
readers (oid, name) as (
  select r.oid, r.name
  from relations as r
  union
  select w.ev_class, readers.name
  from readers
  join pg_depend as d on d.refclassid = 'pg_class'::regclass and d.refobjid = readers.oid
  join pg_rewrite as w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid
),
-- Elsewhere, and open to the application: what gives it rows or rights of these schemas all the same.
outside (line, acl, owner, space) as (
  select concat(r.line, r.name), c.relacl || columns.acl, c.relowner, c.relnamespace
  from (
    select
      readers.oid,
      concat(case v.relkind when 'v' then 'view ' else 'materialized view ' end, v.oid::regclass, ', which reads ') as line,
      readers.name
    from readers
    join pg_class as v on v.oid = readers.oid
    where v.relkind in ('v', 'm')
      and not exists (
        select
        from pg_options_to_table(v.reloptions) as o
        where o.option_name = 'security_invoker' and o.option_value::boolean
      )
    union all
    select i.inhrelid, concat('table ', i.inhrelid::regclass, ', a part of '), p.name
    from relations as p
    join pg_inherits as i on i.inhparent = p.oid
    where p.relkind in ('r', 'p', 'f')
  ) as r
  join pg_class as c on c.oid = r.oid
  cross join lateral (
    select array_agg(item)
    from pg_attribute as a
    cross join unnest(a.attacl) as item
    where a.attrelid = c.oid and a.attnum > 0
  ) as columns (acl)
  union all
  -- What it does may be anything, for its text says nothing to the catalog.
  select
    concat('function ', p.oid::regprocedure, ', security definer'),
    coalesce(p.proacl, acldefault('f', p.proowner)),
    p.proowner,
    p.pronamespace
  from pg_proc as p
  where p.prosecdef
    -- Not PostgreSQL's own.
    and p.oid >= 16384
    and (p.proowner = (select owner from main) or p.pronamespace = 'pg_catalog'::regnamespace)
    and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
    and not exists (
      select
      from pg_depend as e
      where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
    )
),
-- PostgreSQL's catalog, pgvouch's ledger, and the tables of others that foreign keys here refer to: an account's, say.
beneath_tables (classid, oid, subid, name, acl) as (
  select 'pg_class'::regclass, c.oid, 0, c.oid::regclass::text, c.relacl
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  where (
      n.nspname in ('pg_catalog', 'pgvouch')
      or c.oid in (
        select k.confrelid
        from pg_constraint as k
        where k.contype = 'f' and k.conrelid in (select oid from relations)
      )
    )
    and c.relkind <> 'i'
    and c.oid not in (select oid from relations)
),
beneath as (
  select * from beneath_tables
  union all
  select b.classid, b.oid, a.attnum, b.name, a.attacl
  from beneath_tables as b
  join pg_attribute as a on a.attrelid = b.oid and a.attnum > 0 and a.attacl is not null
  union all
  select 'pg_proc'::regclass, p.oid, 0, 'function ' || p.oid::regprocedure, p.proacl
  from pg_proc as p
  where p.pronamespace = 'pg_catalog'::regnamespace
  union all
  select 'pg_namespace'::regclass, n.oid, 0, 'schema ' || n.nspname, n.nspacl
  from pg_namespace as n
  where n.nspname in ('pg_catalog', 'pgvouch')
  union all
  select 'pg_parameter_acl'::regclass, p.oid, 0, 'parameter ' || p.parname, p.paracl
  from pg_parameter_acl as p
),
grants (privilege, object, grantee) as (
  select
    acl.privilege_type || case when acl.is_grantable then ' with grant option' else '' end,
    r.name,
    acl.grantee
  from relations as r
  cross join aclexplode(r.relacl) as acl
  where acl.grantee <> r.relowner
  union all
  select
    acl.privilege_type
      || ' (' || string_agg(a.attname, ', ' order by a.attname) || ')'
      || case when acl.is_grantable then ' with grant option' else '' end,
    r.name,
    acl.grantee
  from relations as r
  join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  cross join aclexplode(a.attacl) as acl
  where acl.grantee <> r.relowner
  group by acl.privilege_type, acl.is_grantable, r.name, acl.grantee
  union all
  select
    acl.privilege_type || case when acl.is_grantable then ' with grant option' else '' end,
    'function ' || f.name,
    acl.grantee
  from routines as f
  cross join aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) as acl
  where acl.grantee <> f.proowner
  union all
  select acl.privilege_type, 'schema ' || home.nspname, acl.grantee
  from home
  join pg_namespace as n on n.oid = home.oid
  cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as acl
  where acl.grantee <> n.nspowner
    -- PostgreSQL lets everybody look into public; to take that back is no harm.
    and (n.nspname, acl.grantee, acl.privilege_type) <> ('public', 0, 'USAGE')
  union all
  select acl.privilege_type, 'this database', acl.grantee
  from pg_database as d
  cross join aclexplode(d.datacl) as acl
  where d.datname = current_database() and acl.privilege_type = 'CREATE'
  union all
  select acl.privilege_type || coalesce(' (' || a.attname || ')', ''), b.name, acl.grantee
  from beneath as b
  cross join aclexplode(b.acl) as acl
  left join pg_attribute as a on b.subid > 0 and a.attrelid = b.oid and a.attnum = b.subid
  -- But for those of the first day.
  where not exists (
      select
      from pg_init_privs as i
      cross join aclexplode(i.initprivs) as was
      where i.classoid = b.classid
        and i.objoid = b.oid
        and i.objsubid = b.subid
        and (was.grantee, was.privilege_type) = (acl.grantee, acl.privilege_type)
    )
    -- Everybody may call a function unless it is said otherwise.
    and (b.classid <> 'pg_proc'::regclass or acl.grantee <> 0)
),
found (line) as (
  select concat(
    case r.relpersistence when 'u' then 'unlogged ' when 't' then 'temporary ' end,
    r.kind, ' ', r.name,
    case when r.relrowsecurity then ', row security' end,
    case when r.relforcerowsecurity then ' of the owner too' end,
    -- Whether a view reads with its owner's rights or its caller's.
    case when r.relkind = 'v' then ', ' || array_to_string(r.reloptions, ', ') end,
    (
      select format(', %s %s', count(*), case count(*) when 1 then 'policy' else 'policies' end)
      from pg_policy as p
      where p.polrelid = r.oid
      having count(*) > 0
    ),
    ': ',
    (
      select string_agg(concat(k.number, ' ', k.type), ', ' order by k.type collate "C")
      from (
        select
          count(*) as number,
          -- PostgreSQL's own long names are shortened.
          replace(replace(replace(
            format_type(a.atttypid, a.atttypmod),
            'character varying', 'varchar'), ' without time zone', ''), ' with time zone', 'tz')
            || case when a.attcollation <> y.typcollation then ' collate ' || l.collname else '' end
            as type
        from pg_attribute as a
        join pg_type as y on y.oid = a.atttypid
        left join pg_collation as l on l.oid = a.attcollation
        where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
        group by 2
      ) as k
    )
  )
  from relations as r
  where r.relkind <> 'S'
  union all
  select 'sequence ' || s.name || s.oddity
  from sequences as s
  where not s.goes_with_column or s.oddity <> ''
  union all
  select concat(
    case when f.prosecdef then 'security definer ' end,
    f.kind, ' ', f.name,
    ', ' || array_to_string(f.proconfig, ', ')
  )
  from routines as f
  union all
  select t.kind || ' ' || t.name
  from things as t
  where t.classid not in ('pg_class'::regclass, 'pg_proc'::regclass)
  union all
  -- On tables of others, where it calls a function of ours, as well.
  select concat(
    'trigger ', t.tgname, ' on ', t.tgrelid::regclass,
    case when t.tgenabled <> 'O' then ', not enabled as usual' end
  )
  from pg_trigger as t
  where not t.tgisinternal
    and (t.tgrelid in (select oid from relations) or t.tgfoid in (select oid from routines))
  union all
  -- PostgreSQL's own triggers are what enforces a foreign key.
  select format('constraint %s on %s, not enforced', k.conname, k.conrelid::regclass)
  from pg_trigger as t
  join pg_constraint as k on k.oid = t.tgconstraint
  where t.tgisinternal and t.tgenabled <> 'O' and k.conrelid in (select oid from relations)
  union all
  select concat('rule ', w.rulename, ' on ', r.name)
  from pg_rewrite as w
  join relations as r on r.oid = w.ev_class
  where w.rulename <> '_RETURN'
  union all
  select concat(
    'constraint ', k.conname, ' on ', r.name,
    case when k.condeferrable then ', deferrable' end,
    case when k.condeferred then ', initially deferred' end,
    case when not k.convalidated then ', not validated' end
  )
  from pg_constraint as k
  join relations as r on r.oid = k.conrelid
  where k.condeferrable or not k.convalidated
  union all
  select format('publication %s: %s', p.pubname, m.prrelid::regclass)
    || case when m.prqual is not null or m.prattrs is not null then ' in part' else '' end
  from pg_publication_rel as m
  join pg_publication as p on p.oid = m.prpubid
  where m.prrelid in (select oid from relations)
  union all
  select format('publication %s: every table of %s', p.pubname, home.nspname)
  from pg_publication_namespace as m
  join pg_publication as p on p.oid = m.pnpubid
  join home on home.oid = m.pnnspid
  union all
  select format('publication %s: every table', p.pubname)
  from pg_publication as p
  where p.puballtables
  union all
  select format('subscription %s: %s', s.subname, m.srrelid::regclass)
  from pg_subscription_rel as m
  join pg_subscription as s on s.oid = m.srsubid
  where m.srrelid in (select oid from relations)
  union all
  -- It changes what a query of anybody's means.
  select concat(
    'cast from ', k.castsource::regtype, ' to ', k.casttarget::regtype,
    case k.castcontext when 'i' then ', implicit' when 'a' then ', in assignments' end
  )
  from pg_cast as k
  join pg_type as s on s.oid = k.castsource
  join pg_type as t on t.oid = k.casttarget
  where k.oid >= 16384
    and (
      s.typnamespace in (select oid from home)
      or t.typnamespace in (select oid from home)
      or s.typnamespace = 'pg_catalog'::regnamespace and t.typnamespace = 'pg_catalog'::regnamespace
    )
    and not exists (
      select
      from pg_depend as e
      where e.classid = 'pg_cast'::regclass and e.objid = k.oid and e.deptype in ('e', 'i')
    )
  union all
  select o.line
  from outside as o
  join pg_namespace as n on n.oid = o.space
  where o.space not in (select oid from home)
    and n.nspname !~ '^pg_(toast_)?temp_'
    and (
      o.owner in (select oid from reached)
      or exists (
        select
        from aclexplode(o.acl) as acl
        where acl.grantee in (select oid from grantee)
      )
    )
  union all
  select 'schema ' || n.nspname
  from pg_namespace as n
  where n.nspowner in (select owner from main union all select oid from reached)
    and n.oid not in (select oid from home)
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'pgvouch')
    and not exists (
      select
      from pg_depend as e
      where e.classid = 'pg_namespace'::regclass and e.objid = n.oid and e.deptype = 'e'
    )
  union all
  select format('owner of %s: %s', o.name, pg_get_userbyid(o.owner))
  from owners as o
  where o.owner <> (select owner from main) or o.owner in (select oid from reached)
  union all
  select format('owner of schema %s: %s', n.nspname, r.rolname)
  from pg_namespace as n
  join pg_roles as r on r.oid = n.nspowner
  where n.oid in (select oid from home)
    -- A platform may have made public for its own.
    and (r.oid in (select oid from reached) or not r.rolsuper)
    and r.oid <> (select owner from main)
    and r.rolname <> 'pg_database_owner'
  union all
  select format('owner of this database: %s', r.rolname)
  from pg_database as d
  join reached as r on r.oid = d.datdba
  where d.datname = current_database()
  union all
  select format(
    'grant %s on %s to %s',
    string_agg(lower(g.privilege), ', ' order by lower(g.privilege) collate "C"),
    g.object,
    grantee.name
  )
  from grants as g
  join grantee on grantee.oid = g.grantee
  -- From PostgreSQL 17 on it is part of all; it reads and writes no row.
  where g.privilege <> 'MAINTAIN'
  group by g.object, grantee.name
  union all
  select format(
    'default privileges in %s for %s',
    coalesce(nullif(d.defaclnamespace, 0)::regnamespace::text, 'every schema'),
    grantee.name
  )
  from pg_default_acl as d
  cross join aclexplode(d.defaclacl) as acl
  join grantee on grantee.oid = acl.grantee
  where d.defaclrole = (select owner from main)
    and (d.defaclnamespace = 0 or d.defaclnamespace in (select oid from home))
    -- By PostgreSQL's own defaults everybody may call functions and use types.
    and (d.defaclobjtype, acl.grantee) not in (('f', 0), ('T', 0))
  union all
  select concat('role ', r.rolname, also.said)
  from reached
  join pg_roles as r on r.oid = reached.oid
  cross join concat(
    case when r.rolsuper then ', superuser' end,
    case when r.rolbypassrls then ', bypassrls' end,
    case when r.rolcreaterole then ', createrole' end,
    case when r.rolcreatedb then ', createdb' end,
    case when r.rolreplication then ', replication' end,
    case when r.rolcanlogin then ', login' end
  ) as also (said)
  union all
  select concat(
    'role ', reached.rolname, ' may become ', pg_get_userbyid(m.roleid),
    -- Without asking to be it.
    case when pg_has_role(reached.oid, m.roleid, 'usage') then ', and has its rights' end,
    case when m.admin_option then ', and may make others so' end
  )
  from reached
  join pg_auth_members as m on m.member = reached.oid
  union all
  -- What decides who one is and what one sees; a limit of time or memory does not.
  select format(
    'setting %s of %s',
    split_part(setting, '=', 1),
    coalesce('role ' || reached.rolname, 'the database')
  )
  from pg_db_role_setting as s
  cross join unnest(s.setconfig) as setting
  left join reached on reached.oid = s.setrole
  where (s.setrole = 0 or reached.oid is not null)
    and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
    and (
      setting ~* '^(role|row_security|session_replication_role|session_authorization)='
      or setting ~* '^search_path=' and s.setrole <> 0
      or setting ~ '^[^=]*\.' and setting !~ '^(pgrst|app\.settings|auto_explain|pg_stat_statements|pgaudit|plpgsql|pg_hint_plan|timescaledb|cron)\.'
    )
)
select
  case when f.line is null then 'missing' else 'not in the list' end as difference,
  -- As the list above spells it.
  to_jsonb(line) as spelled
from listed as l
full join (select distinct line from found) as f using (line)
where (l.line is null or f.line is null)
  and not exists (
    select
    from allowed as a
    -- `*` is the only character with a meaning.
    where coalesce(f.line, l.line)
      like replace(replace(replace(replace(a.line, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')
  )
-- What can be done with a thing comes behind the thing.
order by line ~ '^(grant|role|setting|default)', line;
-- end stamp
