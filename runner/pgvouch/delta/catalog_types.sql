-- Types and domains with what belongs to them. Columns as in catalog_relations.sql.
select
  't' || t.oid as key, 'pg_type'::regclass::oid as classid, t.oid as objid, 0 as subid,
  case t.typtype when 'd' then 'domain ' else 'type ' end || n.name || '.' || quote_ident(t.typname) as identity,
  case when n.system or t.typtype = 'm' then null
    when not t.typisdefined then 'shell'
    when t.typtype = 'e' then 'enum (' || coalesce(
      (
        select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
        from pg_enum as e
        where e.enumtypid = t.oid),
      '') || ')'
    when t.typtype = 'c' then 'composite (' || coalesce(fields.list, '') || ')'
    when t.typtype = 'd' then
      concat_ws(' ',
        'as ' || format_type(t.typbasetype, t.typtypmod),
        case when t.typcollation <> base.typcollation then 'collate ' || cn.name || '.' || quote_ident(co.collname) end,
        'default ' || pg_get_expr(t.typdefaultbin, 0),
        case when t.typnotnull then 'not null' end)
    when t.typtype = 'r' then ranges.definition
    when t.typtype = 'b' then
      concat_ws(' ',
        'base input ' || t.typinput::regprocedure,
        'output ' || t.typoutput::regprocedure,
        case when t.typreceive::oid <> 0 then 'receive ' || t.typreceive::regprocedure end,
        case when t.typsend::oid <> 0 then 'send ' || t.typsend::regprocedure end,
        case when t.typmodin::oid <> 0 then 'typmod_in ' || t.typmodin::regprocedure end,
        case when t.typmodout::oid <> 0 then 'typmod_out ' || t.typmodout::regprocedure end,
        case when t.typanalyze::oid <> 0 then 'analyze ' || t.typanalyze::regprocedure end,
        case when t.typsubscript::oid <> 0 then 'subscript ' || t.typsubscript::regprocedure end,
        'length ' || t.typlen,
        case when t.typbyval then 'by value' end,
        'align ' || t.typalign::text, 'storage ' || t.typstorage::text, 'category ' || t.typcategory::text,
        case when t.typispreferred then 'preferred' end,
        'default ' || quote_literal(t.typdefault),
        case when t.typelem <> 0 then 'element ' || format_type(t.typelem, null) end,
        case when t.typdelim <> ',' then 'delimiter ' || quote_literal(t.typdelim::text) end,
        case when t.typcollation <> 0 then 'collatable' end)
  end as definition,
  t.typowner as owner, t.typacl as acl, 'T'::"char" as acltype,
  not n.system as own
from pg_type as t
join nsp as n on n.oid = t.typnamespace
left join pg_class as c on c.oid = t.typrelid
left join pg_type as elem on elem.oid = t.typelem and elem.typarray = t.oid
left join pg_type as base on base.oid = t.typbasetype
left join pg_collation as co on co.oid = t.typcollation and t.typtype = 'd' and t.typcollation <> base.typcollation
left join nsp as cn on cn.oid = co.collnamespace
left join lateral (
  select
    string_agg(
      concat_ws(' ',
        quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
        case when ac.oid is not null then 'collate ' || an.name || '.' || quote_ident(ac.collname) end),
      ', ' order by a.attnum) as list
  from pg_attribute as a
  join pg_type as ty on ty.oid = a.atttypid
  left join pg_collation as ac on ac.oid = a.attcollation and a.attcollation <> ty.typcollation
  left join nsp as an on an.oid = ac.collnamespace
  where c.relkind = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
) as fields on t.typtype = 'c'
left join lateral (
  select
    concat_ws(' ',
      'range of ' || format_type(r.rngsubtype, null),
      case when not oc.opcdefault then 'opclass ' || ocn.nspname || '.' || quote_ident(oc.opcname) end,
      case when r.rngcollation not in (0, st.typcollation) then 'collate ' || rcn.nspname || '.'
        || quote_ident(rc.collname) end,
      case when r.rngcanonical::oid <> 0 then 'canonical ' || r.rngcanonical::regprocedure end,
      case when r.rngsubdiff::oid <> 0 then 'subtype_diff ' || r.rngsubdiff::regprocedure end,
      'multirange ' || format_type(r.rngmultitypid, null)) as definition
  from pg_range as r
  join pg_type as st on st.oid = r.rngsubtype
  join pg_opclass as oc on oc.oid = r.rngsubopc
  join pg_namespace as ocn on ocn.oid = oc.opcnamespace
  left join pg_collation as rc on rc.oid = r.rngcollation
  left join pg_namespace as rcn on rcn.oid = rc.collnamespace
  where r.rngtypid = t.oid
) as ranges on t.typtype = 'r'
where {types} and elem.oid is null and (t.typtype <> 'c' or c.relkind = 'c') and (not n.system or t.typacl is not null)

union all
select
  't' || t.oid, 'pg_constraint'::regclass, c.oid, 0,
  'constraint on domain ' || n.name || '.' || quote_ident(t.typname) || ' ' || quote_ident(c.conname),
  pg_get_constraintdef(c.oid),
  null, null, null, true
from pg_type as t
join pg_constraint as c on c.contypid = t.oid
join nsp as n on n.oid = t.typnamespace and not n.system
where {types} and t.typtype = 'd' and c.contype <> 'n'
