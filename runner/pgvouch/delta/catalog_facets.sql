-- The lines: each object's own, then what can be said of any object (owner, privileges, comment, label), from `obj`.
-- Privileges are shown as the difference from what PostgreSQL grants by default (of its own objects and of extensions':
-- from what they came with).
obj as materialized (
  select f.key, f.classid, f.objid, f.subid, f.identity, f.definition, f.owner, f.acl, f.acltype, f.own and m.objid is null as own
  from found as f
  left join member as m on m.classid = f.classid and m.objid = f.objid
),

held as materialized (
  select
    'on ' as how, o.acltype, o.owner, o.acl, coalesce(i.initprivs, acldefault(o.acltype, o.owner)) as base,
    array_agg(o.key) as keys, array_agg(o.identity) as identities
  from obj as o
  left join pg_init_privs as i on i.classoid = o.classid and i.objoid = o.objid and i.objsubid = o.subid
  where o.acl is not null
  group by 1, 2, 3, 4, 5

  union all
  select
    'by default on ', case d.defaclobjtype when 'S' then 's'::"char" else d.defaclobjtype end, d.defaclrole, d.defaclacl,
    case when d.defaclnamespace = 0
      then acldefault(case d.defaclobjtype when 'S' then 's'::"char" else d.defaclobjtype end, d.defaclrole)
      -- On a column nothing is granted by default: the empty list that aclexplode() takes.
      else acldefault('c', d.defaclrole) end,
    array[''],
    array[
      case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
        when 'T' then 'types' when 'n' then 'schemas' when 'L' then 'large objects' end
      || coalesce(' in schema ' || n.name, '')
      || case when d.defaclrole = s.me then '' else ' of role ' || quote_ident(pg_get_userbyid(d.defaclrole)) end]
  from pg_default_acl as d
  cross join setting as s
  left join nsp as n on n.oid = d.defaclnamespace
  where {rest} and (d.defaclnamespace = 0 or n.oid is not null)
),

-- MAINTAIN came with 17. A role that holds TRUNCATE, REFERENCES and TRIGGER was granted ALL and is expected to hold it
-- where it exists; a role that does not, is not: so the text is the same where it does not exist.
worded as (
  select
    h.how, h.keys, h.identities, x.verb,
    case when x.grantee = h.owner then '(owner)' when x.grantee = 0 then 'public'
      else quote_ident(pg_get_userbyid(x.grantee)) end as grantee,
    case when cardinality(p.common) > 1
        and p.common @> case h.acltype when 'r' then '{delete,insert,references,select,trigger,truncate,update}'
          when 's' then '{select,update,usage}' when 'n' then '{create,usage}'
          when 'c' then '{insert,references,select,update}' when 'L' then '{select,update}' else '{-}' end::text[]
      then 'all' else array_to_string(p.common, ', ') end
    || case when h.acltype <> 'r' or s.version < 170000 or p.maintain = (p.common @> '{references,trigger,truncate}')
        then ''
      when not p.maintain then ' except maintain'
      when cardinality(p.common) > 0 then ', maintain' else 'maintain' end
    || case when x.is_grantable then ' with grant option' else '' end
    || case when x.grantor = h.owner then '' else ' granted by ' || quote_ident(pg_get_userbyid(x.grantor)) end as list
  from held as h
  cross join setting as s
  cross join lateral (
    select
      a.verb, a.grantee, a.grantor, a.is_grantable,
      array_agg(lower(a.privilege_type collate "C") order by a.privilege_type collate "C") as all
    from (
      (select 'grant' as verb, g.* from aclexplode(h.acl) as g
        except select 'grant', b.* from aclexplode(h.base) as b)
      union all
      (select 'revoke', b.* from aclexplode(h.base) as b except select 'revoke', g.* from aclexplode(h.acl) as g)
    ) as a
    group by a.verb, a.grantee, a.grantor, a.is_grantable
  ) as x
  cross join lateral (
    select array_remove(x.all, 'maintain') as common, 'maintain' = any (x.all) as maintain
  ) as p
)

select o.key, o.identity, o.definition
from obj as o
where o.own and o.definition is not null

union all
select o.key, 'owner of ' || o.identity, quote_ident(pg_get_userbyid(o.owner))
from obj as o
cross join setting as s
where o.own and o.definition is not null and o.owner <> s.me and o.acltype is distinct from 'c'
  and not (o.identity = 'schema public' and o.owner = 'pg_database_owner'::regrole)

union all
select line.key, line.identity, string_agg(line.list, '; ' order by line.list collate "C")
from (
  select
    i.key,
    w.verb || ' ' || w.how || i.identity || case w.verb when 'grant' then ' to ' else ' from ' end || w.grantee || ':'
      as identity,
    w.list
  from worded as w
  cross join unnest(w.keys, w.identities) as i (key, identity)
) as line
group by line.key, line.identity

-- An extension's comment comes with its files, in whatever version a server has.
union all
select o.key, 'comment on ' || o.identity, '''' || replace(d.description, '''', '''''') || ''''
from obj as o
join pg_description as d on d.objoid = o.objid and d.classoid = o.classid and d.objsubid = o.subid
where o.own and o.classid <> 'pg_extension'::regclass

union all
select o.key, 'security label of ' || quote_ident(l.provider) || ' on ' || o.identity, quote_literal(l.label)
from obj as o
join pg_seclabel as l on l.objoid = o.objid and l.classoid = o.classid and l.objsubid = o.subid
where o.own

union all
select o.key, o.identity || ' depends on extension ' || quote_ident(e.extname), ''
from pg_depend as d
join obj as o on o.classid = d.classid and o.objid = d.objid and o.subid = d.objsubid
join pg_extension as e on e.oid = d.refobjid
where d.refclassid = 'pg_extension'::regclass and d.deptype = 'x' and o.own
