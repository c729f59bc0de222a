-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- let: anns_import = '5afe0000-0000-4000-8000-000000000031'
-- let: bobs_import = '5afe0000-0000-4000-8000-000000000032'

insert into public.users (id, email, display_name)
values (:'ann', 'ann@verify.invalid', 'Ann'), (:'bob', 'bob@verify.invalid', 'Bob');
insert into public.import_jobs (id, user_id) values (:'anns_import', :'ann'), (:'bobs_import', :'bob');

-- check: an import waits for a worker
select to_jsonb(made) @> jsonb_build_object(
  'status', 'pending', 'summary', null, 'error', null, 'created_at', localtimestamp, 'updated_at', localtimestamp
)
from public.import_jobs as made where id = :'anns_import';

-- check: a worker takes it, and says what was imported
update public.import_jobs set status = 'processing' where id = :'anns_import';
update public.import_jobs set status = 'completed', summary = '{"sessions": 200}' where id = :'anns_import';
select status = 'completed' and summary ->> 'sessions' = '200' from public.import_jobs where id = :'anns_import';

-- check: or why it failed
update public.import_jobs set status = 'failed', error = 'no such file' where id = :'anns_import';
select error = 'no such file' from public.import_jobs where id = :'anns_import' and status = 'failed';

-- check error 23514: a status that is none
update public.import_jobs set status = 'done' where id = :'anns_import';

-- check: the imports of a user go with the user, and nobody else's
delete from public.users where id = :'ann';
select array_agg(id) = array[:'bobs_import'::uuid]
from public.import_jobs where id in (:'anns_import', :'bobs_import');

-- check: what import_jobs refers to, and what a delete there does
set local search_path = '';
select array_agg(pg_get_constraintdef(oid) order by conname collate "C") = array[
  'FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE'
] from pg_catalog.pg_constraint where conrelid = 'public.import_jobs'::regclass and contype = 'f';

-- check: import_jobs is its owner's alone: no right, policy or trigger of another's
select c.relowner = (select proowner from pg_catalog.pg_proc where oid = 'public.update_updated_at_column()'::regprocedure) and not c.relrowsecurity
  and not exists (select from aclexplode(c.relacl) where grantee <> c.relowner)
  and not exists (select from pg_catalog.pg_attribute where attrelid = c.oid and attacl is not null)
  and not exists (select from pg_catalog.pg_policy where polrelid = c.oid)
  and not exists (
    select from pg_catalog.pg_trigger where tgrelid = c.oid and not tgisinternal and tgname <> 'update_import_jobs_updated_at'
  ),
  c.relname
from pg_catalog.pg_class as c where c.oid = 'public.import_jobs'::regclass;

-- stamp: updated_at_trigger(table="import_jobs", function="update_updated_at_column",
--   name="update_import_jobs_updated_at")
-- stamped: updated_at_trigger sha256:a6e0bd2a4bd971ee  (edit the stamp line or the template, then run pgvouch stamp)
-- check: update_import_jobs_updated_at runs public.update_updated_at_column before every update of a row of public.import_jobs
set local search_path = pg_catalog, pg_temp;
select
  t.tgtype = 1 + 2 + 16 -- for each row, before, update, and no other event
    and t.tgenabled = 'O' and t.tgqual is null and cardinality(t.tgattr::int2[]) = 0
    and (pn.nspname, p.proname) = ('public', 'update_updated_at_column') as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid join pg_namespace as n on n.oid = c.relnamespace
join pg_proc as p on p.oid = t.tgfoid join pg_namespace as pn on pn.oid = p.pronamespace
where (n.nspname, c.relname, t.tgname) = ('public', 'import_jobs', 'update_import_jobs_updated_at') and not t.tgisinternal;

-- check: an update of public.import_jobs sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table import_jobs as select * from public.import_jobs with no data;
create trigger update_import_jobs_updated_at before update on pg_temp.import_jobs
  for each row execute function public.update_updated_at_column();
insert into pg_temp.import_jobs (updated_at) values ('2999-01-01');
update pg_temp.import_jobs set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days' as is_now, t.updated_at
from pg_temp.import_jobs as t;
-- end stamp

-- Whoever adds to the system says so here as well.
-- stamp: whole_catalog(schemas=["public"],
--   holds=[
--     "table public.exercises: 3 boolean, 1 integer, 2 json, 1 numeric(6,2), 3 text, 2 timestamp, 2 uuid, 1 varchar(10), 1 varchar(100), 1 varchar(120), 2 varchar(20), 2 varchar(50)",
--     "table public.import_jobs: 1 json, 1 text, 2 timestamp, 2 uuid, 1 varchar(20)",
--     "table public.invites: 2 integer, 3 timestamp, 3 uuid, 1 varchar(20)",
--     "table public.magic_links: 1 text, 3 timestamp, 1 uuid, 2 varchar(255), 1 varchar(45)",
--     "table public.max_lifts: 1 integer, 1 numeric(6,2), 3 timestamp, 4 uuid, 1 varchar(10)",
--     "table public.password_resets: 3 timestamp, 2 uuid, 1 varchar(255)",
--     "table public.scheduled_workouts: 1 date, 1 text, 2 timestamp, 4 uuid, 1 varchar(100)",
--     "table public.sessions: 1 text, 3 timestamp, 2 uuid, 1 varchar(255), 1 varchar(45)",
--     "table public.users: 1 boolean, 4 timestamp, 2 uuid, 1 varchar(10), 1 varchar(100), 1 varchar(20), 2 varchar(255)",
--     "table public.workout_session_exercises: 2 integer, 1 text, 1 timestamp, 3 uuid, 1 varchar(100)",
--     "table public.workout_sessions: 1 text, 4 timestamp, 3 uuid, 1 varchar(150), 1 varchar(20)",
--     "table public.workout_sets: 1 boolean, 2 integer, 1 numeric(3,1), 1 numeric(6,2), 1 text, 3 timestamp, 2 uuid, 1 varchar(10)",
--     "table public.workout_template_exercises: 3 integer, 1 numeric(6,2), 1 text, 2 timestamp, 3 uuid, 2 varchar(10), 1 varchar(20)",
--     "table public.workout_templates: 1 boolean, 1 text, 2 timestamp, 3 uuid, 1 varchar(100), 1 varchar(20)",
--     "function public.generate_exercise_slug(), search_path=\"\"",
--     "function public.generate_invite_code(), search_path=\"\"",
--     "function public.scheduled_workout_status(date,uuid,date), search_path=\"\"",
--     "function public.update_updated_at_column(), search_path=\"\"",
--     "trigger generate_exercise_slug_trigger on public.exercises",
--     "trigger generate_user_invite_code on public.users",
--     "trigger update_exercises_updated_at on public.exercises",
--     "trigger update_import_jobs_updated_at on public.import_jobs",
--     "trigger update_max_lifts_updated_at on public.max_lifts",
--     "trigger update_scheduled_workouts_updated_at on public.scheduled_workouts",
--     "trigger update_tmpl_exercises_updated_at on public.workout_template_exercises",
--     "trigger update_users_updated_at on public.users",
--     "trigger update_workout_sessions_updated_at on public.workout_sessions",
--     "trigger update_workout_sets_updated_at on public.workout_sets",
--     "trigger update_workout_templates_updated_at on public.workout_templates",
--     "constraint workout_session_exercises_session_id_order_index_key on public.workout_session_exercises, deferrable",
--     "constraint workout_template_exercises_template_id_order_index_key on public.workout_template_exercises, deferrable",
--   ])
-- stamped: whole_catalog sha256:9b6583f65c7d33ad  (edit the stamp line or the template, then run pgvouch stamp)
-- check none: public: something that is not in the list above, or is in it and missing
set local search_path = pg_catalog, pg_temp;
with recursive listed (line) as (
  values
    ('table public.exercises: 3 boolean, 1 integer, 2 json, 1 numeric(6,2), 3 text, 2 timestamp, 2 uuid, 1 varchar(10), 1 varchar(100), 1 varchar(120), 2 varchar(20), 2 varchar(50)'),
    ('table public.import_jobs: 1 json, 1 text, 2 timestamp, 2 uuid, 1 varchar(20)'),
    ('table public.invites: 2 integer, 3 timestamp, 3 uuid, 1 varchar(20)'),
    ('table public.magic_links: 1 text, 3 timestamp, 1 uuid, 2 varchar(255), 1 varchar(45)'),
    ('table public.max_lifts: 1 integer, 1 numeric(6,2), 3 timestamp, 4 uuid, 1 varchar(10)'),
    ('table public.password_resets: 3 timestamp, 2 uuid, 1 varchar(255)'),
    ('table public.scheduled_workouts: 1 date, 1 text, 2 timestamp, 4 uuid, 1 varchar(100)'),
    ('table public.sessions: 1 text, 3 timestamp, 2 uuid, 1 varchar(255), 1 varchar(45)'),
    ('table public.users: 1 boolean, 4 timestamp, 2 uuid, 1 varchar(10), 1 varchar(100), 1 varchar(20), 2 varchar(255)'),
    ('table public.workout_session_exercises: 2 integer, 1 text, 1 timestamp, 3 uuid, 1 varchar(100)'),
    ('table public.workout_sessions: 1 text, 4 timestamp, 3 uuid, 1 varchar(150), 1 varchar(20)'),
    ('table public.workout_sets: 1 boolean, 2 integer, 1 numeric(3,1), 1 numeric(6,2), 1 text, 3 timestamp, 2 uuid, 1 varchar(10)'),
    ('table public.workout_template_exercises: 3 integer, 1 numeric(6,2), 1 text, 2 timestamp, 3 uuid, 2 varchar(10), 1 varchar(20)'),
    ('table public.workout_templates: 1 boolean, 1 text, 2 timestamp, 3 uuid, 1 varchar(100), 1 varchar(20)'),
    ('function public.generate_exercise_slug(), search_path=""'),
    ('function public.generate_invite_code(), search_path=""'),
    ('function public.scheduled_workout_status(date,uuid,date), search_path=""'),
    ('function public.update_updated_at_column(), search_path=""'),
    ('trigger generate_exercise_slug_trigger on public.exercises'),
    ('trigger generate_user_invite_code on public.users'),
    ('trigger update_exercises_updated_at on public.exercises'),
    ('trigger update_import_jobs_updated_at on public.import_jobs'),
    ('trigger update_max_lifts_updated_at on public.max_lifts'),
    ('trigger update_scheduled_workouts_updated_at on public.scheduled_workouts'),
    ('trigger update_tmpl_exercises_updated_at on public.workout_template_exercises'),
    ('trigger update_users_updated_at on public.users'),
    ('trigger update_workout_sessions_updated_at on public.workout_sessions'),
    ('trigger update_workout_sets_updated_at on public.workout_sets'),
    ('trigger update_workout_templates_updated_at on public.workout_templates'),
    ('constraint workout_session_exercises_session_id_order_index_key on public.workout_session_exercises, deferrable'),
    ('constraint workout_template_exercises_template_id_order_index_key on public.workout_template_exercises, deferrable')
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
-- What can be done with a thing comes behind the thing.
order by line ~ '^(grant|role|setting|default)', line;
-- end stamp
