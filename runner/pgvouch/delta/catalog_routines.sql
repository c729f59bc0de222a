-- Functions, procedures, aggregates, triggers on events, languages, casts, operators and their families.
-- Columns as in catalog_relations.sql. A cast or an access method has no schema: an oid below 16384 is PostgreSQL's own.
select
  'pg_proc'::regclass::oid as classid, p.oid as objid, 0 as subid,
  case p.prokind when 'p' then 'procedure ' when 'a' then 'aggregate ' else 'function ' end
    || n.name || '.' || quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')' as identity,
  case when not n.system then
    concat_ws(' ',
      case when pg_get_function_arguments(p.oid) <> oidvectortypes(p.proargtypes)
        then '(' || pg_get_function_arguments(p.oid) || ')' end,
      'returns ' || case when p.prokind <> 'p' then pg_get_function_result(p.oid) end,
      case when p.prokind <> 'a' then 'language ' || quote_ident(l.lanname) end,
      case when p.prokind = 'w' then 'window' end,
      case when p.prosecdef then 'security definer' end,
      case p.provolatile when 'i' then 'immutable' when 's' then 'stable' end,
      case when p.proisstrict then 'strict' end,
      case when p.proleakproof then 'leakproof' end,
      case p.proparallel when 's' then 'parallel safe' when 'r' then 'parallel restricted' end,
      case when p.procost <> case when l.lanname in ('c', 'internal') then 1 else 100 end and p.prokind <> 'a'
        then 'cost ' || p.procost end,
      case when p.proretset and p.prorows <> 1000 then 'rows ' || p.prorows end,
      case when p.prosupport::oid <> 0 then 'support ' || p.prosupport::regprocedure end,
      'transform for ' || (
        select string_agg(format_type(f.id, null), ', ' order by f.place)
        from unnest(p.protrftypes) with ordinality as f (id, place)),
      (
        select
          string_agg(
            'set ' || part.name || ' to ' || case when part.name in ('search_path', 'temp_tablespaces',
              'session_preload_libraries', 'shared_preload_libraries', 'local_preload_libraries')
              then coalesce(nullif(part.value, '""'), '''''') else quote_literal(part.value) end,
            ' ' order by c.place)
        from unnest(p.proconfig) with ordinality as c (item, place)
        cross join lateral (
          select split_part(c.item, '=', 1) as name, substr(c.item, strpos(c.item, '=') + 1) as value
        ) as part
      ),
      case
        when p.prosqlbody is not null then 'body ' || pg_get_function_sqlbody(p.oid)
        when p.prokind = 'a' then (
          select concat_ws(' ',
            'sfunc ' || a.aggtransfn::regprocedure,
            'stype ' || format_type(a.aggtranstype, null),
            case when a.aggtransspace <> 0 then 'sspace ' || a.aggtransspace end,
            case when a.aggfinalfn::oid <> 0 then 'finalfunc ' || a.aggfinalfn::regprocedure end,
            case when a.aggfinalextra then 'finalfunc_extra' end,
            'finalfunc_modify ' || a.aggfinalmodify::text,
            case when a.aggcombinefn::oid <> 0 then 'combinefunc ' || a.aggcombinefn::regprocedure end,
            case when a.aggserialfn::oid <> 0 then 'serialfunc ' || a.aggserialfn::regprocedure end,
            case when a.aggdeserialfn::oid <> 0 then 'deserialfunc ' || a.aggdeserialfn::regprocedure end,
            'initcond ' || quote_literal(a.agginitval),
            case when a.aggmtransfn::oid <> 0 then 'msfunc ' || a.aggmtransfn::regprocedure end,
            case when a.aggminvtransfn::oid <> 0 then 'minvfunc ' || a.aggminvtransfn::regprocedure end,
            case when a.aggmtranstype <> 0 then 'mstype ' || format_type(a.aggmtranstype, null) end,
            case when a.aggmtransspace <> 0 then 'msspace ' || a.aggmtransspace end,
            case when a.aggmfinalfn::oid <> 0 then 'mfinalfunc ' || a.aggmfinalfn::regprocedure end,
            case when a.aggmfinalextra then 'mfinalfunc_extra' end,
            case when a.aggmtransfn::oid <> 0 then 'mfinalfunc_modify ' || a.aggmfinalmodify::text end,
            'minitcond ' || quote_literal(a.aggminitval),
            case when a.aggsortop <> 0 then 'sortop ' || a.aggsortop::regoperator end,
            case a.aggkind when 'o' then 'ordered set' when 'h' then 'hypothetical' end)
          from pg_aggregate as a
          where a.aggfnoid = p.oid)
        when l.lanname = 'c' then 'as ' || quote_literal(p.probin) || ', ' || quote_literal(p.prosrc)
        when l.lanname = 'internal' then 'as ' || quote_literal(p.prosrc)
        else 'body sha256:' || left(
          encode(sha256(convert_to(replace(p.prosrc, E'\r\n', E'\n'), 'UTF8')), 'hex'), 16) end)
  end as definition,
  p.proowner as owner, p.proacl as acl, 'f'::"char" as acltype, not n.system as own
from pg_proc as p
join nsp as n on n.oid = p.pronamespace
join pg_language as l on l.oid = p.prolang
where case when n.system then p.proacl is not null
  -- A range type brings its own constructors and a cast.
  else l.lanname <> 'internal' or not exists (
    select from pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
  end

union all
select
  'pg_event_trigger'::regclass, e.oid, 0, 'event trigger ' || quote_ident(e.evtname),
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
  'pg_language'::regclass, l.oid, 0, 'language ' || quote_ident(l.lanname),
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
  'pg_transform'::regclass, f.oid, 0,
  'transform for ' || format_type(f.trftype, null) || ' language ' || quote_ident(l.lanname),
  concat_ws(' ',
    case when f.trffromsql::oid <> 0 then 'from sql ' || f.trffromsql::regprocedure end,
    case when f.trftosql::oid <> 0 then 'to sql ' || f.trftosql::regprocedure end),
  null, null, null, true
from pg_transform as f
join pg_language as l on l.oid = f.trflang

union all
select
  'pg_cast'::regclass, c.oid, 0,
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
  'pg_am'::regclass, a.oid, 0, 'access method ' || quote_ident(a.amname),
  'type ' || a.amtype::text || ' handler ' || a.amhandler::regprocedure,
  null, null, null, true
from pg_am as a
where a.oid >= 16384

union all
select
  'pg_operator'::regclass, o.oid, 0,
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
  'pg_opfamily'::regclass, f.oid, 0,
  'operator family ' || n.name || '.' || quote_ident(f.opfname) || ' using ' || quote_ident(a.amname), '',
  f.opfowner, null, null, true
from pg_opfamily as f
join nsp as n on n.oid = f.opfnamespace and not n.system
join pg_am as a on a.oid = f.opfmethod

union all
select
  'pg_opclass'::regclass, c.oid, 0,
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
  'pg_opfamily'::regclass, f.oid, -1,
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
