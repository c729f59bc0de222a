-- Types with what belongs to them, collations, conversions, text search. Columns as in catalog_relations.sql.
select
  'pg_type'::regclass::oid as classid, t.oid as objid, 0 as subid,
  case t.typtype when 'd' then 'domain ' else 'type ' end || n.name || '.' || quote_ident(t.typname) as identity,
  case when n.system or t.typtype = 'm' then null
    when not t.typisdefined then 'shell'
    when t.typtype = 'e' then 'enum (' || coalesce(labels.list, '') || ')'
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
left join (
  select e.enumtypid, string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) as list
  from pg_enum as e
  group by e.enumtypid
) as labels on labels.enumtypid = t.oid
left join (
  select
    a.attrelid,
    string_agg(
      concat_ws(' ',
        quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
        case when ac.oid is not null then 'collate ' || an.name || '.' || quote_ident(ac.collname) end),
      ', ' order by a.attnum) as list
  from rel as r
  join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  join pg_type as ty on ty.oid = a.atttypid
  left join pg_collation as ac on ac.oid = a.attcollation and a.attcollation <> ty.typcollation
  left join nsp as an on an.oid = ac.collnamespace
  where r.relkind = 'c'
  group by a.attrelid
) as fields on fields.attrelid = t.typrelid
left join (
  select
    r.rngtypid,
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
) as ranges on ranges.rngtypid = t.oid
where elem.oid is null and (t.typtype <> 'c' or c.relkind = 'c') and (not n.system or t.typacl is not null)

union all
select
  'pg_constraint'::regclass, c.oid, 0,
  'constraint on domain ' || n.name || '.' || quote_ident(t.typname) || ' ' || quote_ident(c.conname),
  pg_get_constraintdef(c.oid),
  null, null, null, true
from pg_constraint as c
join pg_type as t on t.oid = c.contypid
join nsp as n on n.oid = t.typnamespace and not n.system
where c.contype <> 'n'

union all
select
  'pg_collation'::regclass, co.oid, 0, 'collation ' || n.name || '.' || quote_ident(co.collname),
  concat_ws(' ',
    'provider ' || case co.collprovider when 'c' then 'libc' when 'i' then 'icu' when 'b' then 'builtin'
      else co.collprovider::text end,
    'locale ' || quote_literal(coalesce(co.colllocale, co.colliculocale, nullif(co.collcollate, ''))),
    case when co.collctype <> co.collcollate then 'lc_ctype ' || quote_literal(co.collctype) end,
    'rules ' || quote_literal(co.collicurules),
    case when not co.collisdeterministic then 'not deterministic' end),
  co.collowner, null, null, true
from (select null::text as colllocale, null::text as colliculocale, null::text as collicurules) as older
cross join lateral (
  select
    c.oid, c.collname, c.collnamespace, c.collowner, c.collprovider, c.collisdeterministic, c.collencoding,
    c.collcollate::text as collcollate, c.collctype::text as collctype, colllocale, colliculocale, collicurules
  from pg_collation as c
) as co
join nsp as n on n.oid = co.collnamespace and not n.system
where co.collencoding in (-1, pg_char_to_encoding(getdatabaseencoding()))

union all
select
  'pg_conversion'::regclass, c.oid, 0, 'conversion ' || n.name || '.' || quote_ident(c.conname),
  concat_ws(' ',
    case when c.condefault then 'default' end,
    'for ' || pg_encoding_to_char(c.conforencoding) || ' to ' || pg_encoding_to_char(c.contoencoding),
    'function ' || c.conproc::regproc),
  c.conowner, null, null, true
from pg_conversion as c
join nsp as n on n.oid = c.connamespace and not n.system

union all
select
  'pg_ts_config'::regclass, c.oid, 0, 'text search configuration ' || n.name || '.' || quote_ident(c.cfgname),
  concat_ws(' ',
    'parser ' || pn.nspname || '.' || quote_ident(p.prsname),
    '(' || (
      select string_agg(kind.line, ', ' order by kind.line collate "C")
      from (
        select t.alias || ' ' || string_agg(x.mapdict::regdictionary::text, ' ' order by x.mapseqno) as line
        from pg_ts_config_map as x
        join ts_token_type(c.cfgparser) as t on t.tokid = x.maptokentype
        where x.mapcfg = c.oid
        group by t.alias
      ) as kind) || ')'),
  c.cfgowner, null, null, true
from pg_ts_config as c
join nsp as n on n.oid = c.cfgnamespace and not n.system
join pg_ts_parser as p on p.oid = c.cfgparser
join pg_namespace as pn on pn.oid = p.prsnamespace

union all
select
  'pg_ts_dict'::regclass, d.oid, 0, 'text search dictionary ' || n.name || '.' || quote_ident(d.dictname),
  concat_ws(' ', 'template ' || tn.nspname || '.' || quote_ident(t.tmplname), '(' || d.dictinitoption || ')'),
  d.dictowner, null, null, true
from pg_ts_dict as d
join nsp as n on n.oid = d.dictnamespace and not n.system
join pg_ts_template as t on t.oid = d.dicttemplate
join pg_namespace as tn on tn.oid = t.tmplnamespace

union all
select
  'pg_ts_parser'::regclass, p.oid, 0, 'text search parser ' || n.name || '.' || quote_ident(p.prsname),
  concat_ws(' ', 'start ' || p.prsstart, 'token ' || p.prstoken, 'end ' || p.prsend, 'headline ' || p.prsheadline,
    'lextypes ' || p.prslextype),
  null, null, null, true
from pg_ts_parser as p
join nsp as n on n.oid = p.prsnamespace and not n.system

union all
select
  'pg_ts_template'::regclass, t.oid, 0, 'text search template ' || n.name || '.' || quote_ident(t.tmplname),
  concat_ws(' ', 'init ' || t.tmplinit, 'lexize ' || t.tmpllexize),
  null, null, null, true
from pg_ts_template as t
join nsp as n on n.oid = t.tmplnamespace and not n.system
