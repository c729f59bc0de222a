-- Languages, casts, operators and their families, triggers on events. Columns as in catalog_relations.sql.
-- A cast or an access method has no schema: an oid below 16384 is PostgreSQL's own.
select
  '', 'pg_event_trigger'::regclass, e.oid, 0, 'event trigger ' || quote_ident(e.evtname),
  concat_ws(' ',
    'on ' || e.evtevent,
    'when tag in (' || (
      select string_agg(quote_literal(t.tag), ', ' order by t.tag collate "C") from unnest(e.evttags) as t (tag)) || ')',
    'execute function ' || e.evtfoid::regprocedure,
    case e.evtenabled when 'D' then 'disabled' when 'R' then 'enabled replica' when 'A' then 'enabled always' end),
  e.evtowner, null, null, true
from pg_event_trigger as e

union all
select
  '', 'pg_language'::regclass, l.oid, 0, 'language ' || quote_ident(l.lanname),
  case when l.oid >= 16384 then
    concat_ws(' ',
      case when l.lanpltrusted then 'trusted' end,
      case when l.lanplcallfoid <> 0 then 'handler ' || l.lanplcallfoid::regprocedure end,
      case when l.laninline <> 0 then 'inline ' || l.laninline::regprocedure end,
      case when l.lanvalidator <> 0 then 'validator ' || l.lanvalidator::regprocedure end)
  end,
  l.lanowner, l.lanacl, 'l', l.oid >= 16384
from pg_language as l

union all
select
  '', 'pg_transform'::regclass, f.oid, 0,
  'transform for ' || format_type(f.trftype, null) || ' language ' || quote_ident(l.lanname),
  concat_ws(' ',
    case when f.trffromsql::oid <> 0 then 'from sql ' || f.trffromsql::regprocedure end,
    case when f.trftosql::oid <> 0 then 'to sql ' || f.trftosql::regprocedure end),
  null, null, null, true
from pg_transform as f
join pg_language as l on l.oid = f.trflang

union all
select
  '', 'pg_cast'::regclass, c.oid, 0,
  'cast (' || format_type(c.castsource, null) || ' as ' || format_type(c.casttarget, null) || ')',
  concat_ws(' ',
    case c.castmethod when 'f' then 'with function ' || c.castfunc::regprocedure when 'i' then 'with inout'
      else 'without function' end,
    case c.castcontext when 'a' then 'as assignment' when 'i' then 'as implicit' end),
  null, null, null, true
from pg_cast as c
left join pg_range as r on r.rngtypid = c.castsource and r.rngmultitypid = c.casttarget
where c.oid >= 16384 and r.rngtypid is null

union all
select
  '', 'pg_am'::regclass, a.oid, 0, 'access method ' || quote_ident(a.amname),
  'type ' || a.amtype::text || ' handler ' || a.amhandler::regprocedure,
  null, null, null, true
from pg_am as a
where a.oid >= 16384

union all
select
  '', 'pg_operator'::regclass, o.oid, 0,
  'operator ' || n.name || '.' || o.oprname || '(' || case when o.oprleft = 0 then 'none'
    else format_type(o.oprleft, null) end || ', ' || format_type(o.oprright, null) || ')',
  case when o.oprcode::oid <> 0 then
    concat_ws(' ',
      'function ' || o.oprcode::regprocedure,
      case when o.oprcom <> 0 then 'commutator ' || o.oprcom::regoperator end,
      case when o.oprnegate <> 0 then 'negator ' || o.oprnegate::regoperator end,
      case when o.oprrest::oid <> 0 then 'restrict ' || o.oprrest::regproc end,
      case when o.oprjoin::oid <> 0 then 'join ' || o.oprjoin::regproc end,
      case when o.oprcanhash then 'hashes' end,
      case when o.oprcanmerge then 'merges' end)
  end,
  o.oprowner, null, null, true
from pg_operator as o
join nsp as n on n.oid = o.oprnamespace and not n.system

union all
select
  '', 'pg_opfamily'::regclass, f.oid, 0,
  'operator family ' || n.name || '.' || quote_ident(f.opfname) || ' using ' || quote_ident(a.amname), '',
  f.opfowner, null, null, true
from pg_opfamily as f
join nsp as n on n.oid = f.opfnamespace and not n.system
join pg_am as a on a.oid = f.opfmethod

union all
select
  '', 'pg_opclass'::regclass, c.oid, 0,
  'operator class ' || n.name || '.' || quote_ident(c.opcname) || ' using ' || quote_ident(a.amname),
  concat_ws(' ',
    case when c.opcdefault then 'default' end,
    'for type ' || format_type(c.opcintype, null),
    'family ' || fn.name || '.' || quote_ident(f.opfname),
    case when c.opckeytype <> 0 then 'storage ' || format_type(c.opckeytype, null) end),
  c.opcowner, null, null, true
from pg_opclass as c
join nsp as n on n.oid = c.opcnamespace and not n.system
join pg_am as a on a.oid = c.opcmethod
join pg_opfamily as f on f.oid = c.opcfamily
join nsp as fn on fn.oid = f.opfnamespace

-- subid -1: what is said of the family as a whole is not said again of its parts.
union all
select
  '', 'pg_opfamily'::regclass, f.oid, -1,
  'operator family ' || n.name || '.' || quote_ident(f.opfname) || ' using ' || quote_ident(a.amname) || ' '
    || part.identity,
  part.definition, null, null, null, m.objid is null
from (
  select
    o.amopfamily as family,
    'operator ' || o.amopstrategy || ' (' || format_type(o.amoplefttype, null) || ', '
      || format_type(o.amoprighttype, null) || ')' as identity,
    o.amopopr::regoperator || case when o.amoppurpose = 'o' then ' for order by '
      || (select sn.nspname || '.' || sf.opfname from pg_opfamily as sf
        join pg_namespace as sn on sn.oid = sf.opfnamespace where sf.oid = o.amopsortfamily) else '' end as definition,
    'pg_operator'::regclass as classid, o.amopopr as objid
  from pg_amop as o
  where o.oid >= 16384
  union all
  select
    p.amprocfamily,
    'function ' || p.amprocnum || ' (' || format_type(p.amproclefttype, null) || ', '
      || format_type(p.amprocrighttype, null) || ')',
    p.amproc::regprocedure::text,
    'pg_proc', p.amproc
  from pg_amproc as p
  where p.oid >= 16384
) as part
join pg_opfamily as f on f.oid = part.family
join nsp as n on n.oid = f.opfnamespace
join pg_am as a on a.oid = f.opfmethod
left join member as m on m.classid = part.classid and m.objid = part.objid
