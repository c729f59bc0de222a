-- Whether a ledger may be believed: what it says decides what is run, and its stored rollbacks are run as they are. Its
-- schema and tables belong to a role that could do as much without it, and the tables are tables: no view, rule,
-- trigger or row security runs somebody's code, or hides a row, when they are read. Nor is there a type, index,
-- default or constraint with a function of somebody's: a cast is found whatever the search_path is, and planning a query
-- evaluates what is constant in an index's expression. A foreign key on the ledger fires triggers of another table.
-- Fails with {untrusted}; passes where there is nothing. {relations} are the relations that are asked about, {owners}
-- whether their owners matter, which they always do to a superuser. The caller has locked them, where they are read.
do $pgvouch$
declare
  flaw record;
begin
  with recursive mine (id) as (
    -- The role that acts, the one that has logged in, and those whose rights they have or can take.
    select r.oid from pg_roles as r where r.rolname in (current_user, session_user)
    union
    select m.roleid
    from pg_auth_members as m
      join mine on mine.id = m.member
    -- Up to 15 a member has both; from 16 on a grant may be for administration only.
    where coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
      or coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
  ),
  believed (id) as (
    select mine.id from mine
    union
    select r.oid from pg_roles as r where r.rolsuper or r.rolname = 'pg_database_owner'
    union
    select d.datdba from pg_database as d where d.datname = current_database()
  ),
  asked as (
    select c.oid, c.relname, c.relkind, c.relowner, c.relpersistence, c.relrowsecurity, c.relnamespace
    from pg_class as c
      join pg_namespace as n on n.oid = c.relnamespace
    where {relations}
  ),
  flaws (object, owner, what) as (
    select format('schema %I', n.nspname), n.nspowner, null
    from pg_namespace as n
    where n.nspname = 'pgvouch'
    union all
    select
      format('%I.%I', n.nspname, a.relname),
      a.relowner,
      case
        when a.relkind <> 'r' then 'it is no ordinary table'
        when a.relpersistence = 't' then 'it is a temporary table'
        when a.relrowsecurity then 'it has row level security'
        when exists (select from pg_rewrite as r where r.ev_class = a.oid) then 'it has a rule'
        when exists (select from pg_trigger as t where t.tgrelid = a.oid and not t.tgisinternal) then 'it has a trigger'
        when exists (select from pg_inherits as i where a.oid in (i.inhrelid, i.inhparent)) then 'it inherits'
        when exists (select from pg_constraint as k where k.confrelid = a.oid) then 'a foreign key refers to it'
        -- What comes with PostgreSQL is pinned, and nothing is recorded to depend on it.
        when exists (
          select from pg_depend as d
          where d.refclassid in (
              'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass, 'pg_opclass'::regclass
            )
            and (
              (d.classid = 'pg_class'::regclass and d.objid = a.oid)
              or exists (
                select from pg_depend as p
                where p.refclassid = 'pg_class'::regclass and p.refobjid = a.oid and p.deptype in ('a', 'i')
                  and p.classid <> 'pg_type'::regclass and p.classid = d.classid and p.objid = d.objid
              )
            )
        ) then 'it has a type or a function that is not PostgreSQL''s'
      end
    from asked as a
      join pg_namespace as n on n.oid = a.relnamespace
  )
  select
    f.object,
    coalesce(f.what, 'its owner is ' || quote_ident(pg_get_userbyid(f.owner))) as what,
    f.what is null as foreign_owner
  into flaw
  from flaws as f
  where f.what is not null
    or (
      f.owner not in (select b.id from believed as b)
      and ({owners} or exists (
        select from pg_roles as r where r.rolname in (current_user, session_user) and r.rolsuper
      ))
    )
  order by f.object
  limit 1;
  if found then
    raise exception using
      errcode = '{untrusted}',
      message = flaw.object,
      detail = flaw.what,
      hint = case when flaw.foreign_owner then 'owner' else 'shape' end;
  end if;
end
$pgvouch$
