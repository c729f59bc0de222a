-- Functions, procedures, aggregates. Columns as in catalog_relations.sql.
select
  'f' || p.oid as key, 'pg_proc'::regclass::oid as classid, p.oid as objid, 0 as subid,
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
where {functions} and case when n.system then p.proacl is not null
  -- A range type brings its own constructors and a cast.
  else l.lanname <> 'internal' or not exists (
    select from pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
  end
