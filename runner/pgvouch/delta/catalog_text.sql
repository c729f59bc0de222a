-- Collations, conversions, text search. Columns as in catalog_relations.sql.
select
  '', 'pg_collation'::regclass, co.oid, 0, 'collation ' || n.name || '.' || quote_ident(co.collname),
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
  '', 'pg_conversion'::regclass, c.oid, 0, 'conversion ' || n.name || '.' || quote_ident(c.conname),
  concat_ws(' ',
    case when c.condefault then 'default' end,
    'for ' || pg_encoding_to_char(c.conforencoding) || ' to ' || pg_encoding_to_char(c.contoencoding),
    'function ' || c.conproc::regproc),
  c.conowner, null, null, true
from pg_conversion as c
join nsp as n on n.oid = c.connamespace and not n.system

union all
select
  '', 'pg_ts_config'::regclass, c.oid, 0, 'text search configuration ' || n.name || '.' || quote_ident(c.cfgname),
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
  '', 'pg_ts_dict'::regclass, d.oid, 0, 'text search dictionary ' || n.name || '.' || quote_ident(d.dictname),
  concat_ws(' ', 'template ' || tn.nspname || '.' || quote_ident(t.tmplname), '(' || d.dictinitoption || ')'),
  d.dictowner, null, null, true
from pg_ts_dict as d
join nsp as n on n.oid = d.dictnamespace and not n.system
join pg_ts_template as t on t.oid = d.dicttemplate
join pg_namespace as tn on tn.oid = t.tmplnamespace

union all
select
  '', 'pg_ts_parser'::regclass, p.oid, 0, 'text search parser ' || n.name || '.' || quote_ident(p.prsname),
  concat_ws(' ', 'start ' || p.prsstart, 'token ' || p.prstoken, 'end ' || p.prsend, 'headline ' || p.prsheadline,
    'lextypes ' || p.prslextype),
  null, null, null, true
from pg_ts_parser as p
join nsp as n on n.oid = p.prsnamespace and not n.system

union all
select
  '', 'pg_ts_template'::regclass, t.oid, 0, 'text search template ' || n.name || '.' || quote_ident(t.tmplname),
  concat_ws(' ', 'init ' || t.tmplinit, 'lexize ' || t.tmpllexize),
  null, null, null, true
from pg_ts_template as t
join nsp as n on n.oid = t.tmplnamespace and not n.system
