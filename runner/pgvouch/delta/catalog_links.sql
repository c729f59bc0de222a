-- Extensions, publications, subscriptions, foreign data, settings: what links the database with the outside.
-- Columns as in catalog_relations.sql. Option values of servers and user mappings differ from place to place and may
-- be secret: their names are shown, their values never.
select
  '', 'pg_extension'::regclass, e.oid, 0, 'extension ' || quote_ident(e.extname), 'schema ' || quote_ident(n.nspname),
  null, null, null, true
from pg_extension as e
join pg_namespace as n on n.oid = e.extnamespace

union all
select
  '', 'pg_publication'::regclass, p.oid, 0, 'publication ' || quote_ident(p.pubname),
  concat_ws(' ',
    case when p.puballtables then 'for all tables' end,
    case when not (p.pubinsert and p.pubupdate and p.pubdelete and p.pubtruncate) then
      'publish (' || concat_ws(', ', case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
        case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end) || ')' end,
    case when p.pubviaroot then 'via partition root' end,
    case when p.pubgencols = 's' then 'with stored generated columns' end),
  p.pubowner, null, null, true
from (select null::"char" as pubgencols) as older
cross join lateral (
  select
    x.oid, x.pubname, x.puballtables, x.pubinsert, x.pubupdate, x.pubdelete, x.pubtruncate, x.pubviaroot, x.pubowner,
    pubgencols
  from pg_publication as x
) as p

union all
select
  '', 'pg_publication_rel'::regclass, pr.oid, 0, 'publication ' || quote_ident(p.pubname) || ' table '
    || n.name || '.' || quote_ident(t.relname),
  concat_ws(' ',
    '(' || (
      select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
      from pg_attribute as a
      where a.attrelid = pr.prrelid and a.attnum = any (pr.prattrs)) || ')',
    'where (' || pg_get_expr(pr.prqual, pr.prrelid) || ')'),
  null, null, null, m.objid is null
from (select null::pg_node_tree as prqual, null::int2vector as prattrs) as older
cross join lateral (
  select x.oid, x.prpubid, x.prrelid, prqual, prattrs::int2[] as prattrs
  from pg_publication_rel as x
) as pr
join pg_publication as p on p.oid = pr.prpubid
join pg_class as t on t.oid = pr.prrelid
join nsp as n on n.oid = t.relnamespace
left join member as m on m.classid = 'pg_class'::regclass and m.objid = t.oid

-- pg_publication_namespace came with 15; its rows are known by what they depend on in every version.
union all
select
  '', null, null, null, 'publication ' || quote_ident(p.pubname) || ' schema ' || n.name, '',
  null, null, null, true
from pg_depend as dp
join pg_depend as dn on dn.classid = dp.classid and dn.objid = dp.objid and dn.refclassid = 'pg_namespace'::regclass
join pg_publication as p on p.oid = dp.refobjid
join nsp as n on n.oid = dn.refobjid
where dp.refclassid = 'pg_publication'::regclass and dp.classid = to_regclass('pg_catalog.pg_publication_namespace')

union all
select
  '', 'pg_subscription'::regclass, s.oid, 0, 'subscription ' || quote_ident(s.subname),
  concat_ws(' ',
    'publication ' || (
      select string_agg(quote_ident(p.name), ', ' order by p.name collate "C") from unnest(s.subpublications) as p (name)),
    'slot ' || quote_ident(s.subslotname), case when not s.subenabled then 'disabled' end),
  s.subowner, null, null, true
from pg_subscription as s
join pg_database as d on d.oid = s.subdbid and d.datname = current_database()

union all
select
  '', 'pg_foreign_data_wrapper'::regclass, w.oid, 0, 'foreign data wrapper ' || quote_ident(w.fdwname),
  concat_ws(' ',
    case when w.fdwhandler <> 0 then 'handler ' || w.fdwhandler::regproc end,
    case when w.fdwvalidator <> 0 then 'validator ' || w.fdwvalidator::regproc end,
    'options (' || (
      select string_agg(quote_ident(o.option_name), ', ' order by o.option_name collate "C")
      from pg_options_to_table(w.fdwoptions) as o) || ')'),
  w.fdwowner, w.fdwacl, 'F', true
from pg_foreign_data_wrapper as w

union all
select
  '', 'pg_foreign_server'::regclass, s.oid, 0, 'server ' || quote_ident(s.srvname),
  concat_ws(' ',
    'foreign data wrapper ' || quote_ident(w.fdwname),
    'type ' || quote_literal(s.srvtype), 'version ' || quote_literal(s.srvversion),
    'options (' || (
      select string_agg(quote_ident(o.option_name), ', ' order by o.option_name collate "C")
      from pg_options_to_table(s.srvoptions) as o) || ')'),
  s.srvowner, s.srvacl, 'S', true
from pg_foreign_server as s
join pg_foreign_data_wrapper as w on w.oid = s.srvfdw

union all
select
  '', null, null, null,
  'user mapping for ' || case when u.umuser = 0 then 'public' else quote_ident(u.usename) end
    || ' server ' || quote_ident(u.srvname),
  concat('options (' || (
    select string_agg(quote_ident(o.option_name), ', ' order by o.option_name collate "C")
    from pg_options_to_table(u.umoptions) as o) || ')'),
  null, null, null, true
from pg_user_mappings as u

-- Settings of the database, and of a role in it. One of an extension or application may be secret, and is shown as a hash.
union all
select
  '', null, null, null,
  'setting ' || quote_ident(s.name) || coalesce(' of role ' || quote_ident(r.rolname), ''),
  case when strpos(s.name, '.') = 0 then quote_literal(s.value)
    else 'sha256:' || left(encode(sha256(convert_to(s.value, 'UTF8')), 'hex'), 16) end,
  null, null, null, true
from (
  select x.setrole, split_part(c.item, '=', 1) as name, substr(c.item, strpos(c.item, '=') + 1) as value
  from pg_db_role_setting as x
  join pg_database as d on d.oid = x.setdatabase and d.datname = current_database()
  cross join unnest(x.setconfig) as c (item)
) as s
left join pg_roles as r on r.oid = s.setrole
