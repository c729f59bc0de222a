-- What hangs on a relation: constraints, indexes, triggers, rules, policies, statistics objects.
-- Columns as in catalog_relations.sql. NOT NULL is shown with the column, a constraint trigger with the triggers, and what
-- a partition has from its parent's foreign key not at all.
select
  t.key, 'pg_constraint'::regclass::oid as classid, c.oid as objid, 0 as subid,
  'constraint ' || t.name || ' ' || quote_ident(c.conname) as identity,
  concat_ws(' ',
    pg_get_constraintdef(c.oid),
    case when c.contype = 'c' and not c.conislocal then 'inherited' end,
    'with (' || array_to_string(ic.reloptions, ', ') || ')',
    'tablespace ' || quote_ident(ts.spcname),
    case when i.indisclustered then 'clustered' end,
    case when not i.indisvalid then 'invalid' end,
    'of ' || up.name,
    case when exists (
      select from pg_trigger as g
      where g.tgrelid = t.oid and g.tgconstraint = c.oid and g.tgisinternal and g.tgenabled <> 'O'
      union all
      select from pg_trigger as g
      where g.tgrelid = c.confrelid and g.tgconstraint = c.oid and g.tgisinternal and g.tgenabled <> 'O'
    ) then 'with its triggers switched off' end) as definition,
  null::oid as owner, null::aclitem[] as acl, null::"char" as acltype, t.own
from rel as t
join pg_constraint as c on c.conrelid = t.oid
left join pg_index as i on i.indexrelid = c.conindid and c.contype in ('p', 'u', 'x')
left join pg_class as ic on ic.oid = i.indexrelid
left join pg_tablespace as ts on ts.oid = ic.reltablespace
left join lateral (
  select n.name || '.' || quote_ident(p.relname) as name
  from pg_inherits as h
  join pg_class as p on p.oid = h.inhparent
  join nsp as n on n.oid = p.relnamespace
  where h.inhrelid = i.indexrelid
) as up on true
where c.contype not in ('n', 't') and not (c.contype = 'f' and c.conparentid <> 0)

-- The index behind a constraint is shown with the constraint.
union all
select
  t.key, 'pg_class'::regclass, x.oid, 0, 'index ' || n.name || '.' || quote_ident(x.relname),
  case when c.oid is null then
    concat_ws(' ',
      case when i.indisunique then 'unique' end,
      substr(
        pg_get_indexdef(x.oid),
        length(case when i.indisunique then 'CREATE UNIQUE INDEX ' else 'CREATE INDEX ' end || quote_ident(x.relname)) + 2),
      'tablespace ' || quote_ident(ts.spcname),
      case when i.indisclustered then 'clustered' end,
      case when not i.indisvalid then 'invalid' end,
      'of ' || up.name,
      (
        select string_agg('statistics ' || a.attstattarget || ' on ' || a.attnum, ' ' order by a.attnum)
        from pg_attribute as a
        where a.attrelid = x.oid and a.attnum > 0 and a.attstattarget >= 0))
  end,
  null, null, null, t.own
from rel as t
join pg_index as i on i.indrelid = t.oid
join pg_class as x on x.oid = i.indexrelid
join nsp as n on n.oid = x.relnamespace
left join pg_constraint as c on c.conrelid = t.oid and c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x')
left join pg_tablespace as ts on ts.oid = x.reltablespace
left join lateral (
  select pn.name || '.' || quote_ident(p.relname) as name
  from pg_inherits as h
  join pg_class as p on p.oid = h.inhparent
  join nsp as pn on pn.oid = p.relnamespace
  where h.inhrelid = i.indexrelid
) as up on true

-- A partition's clone of a trigger is shown where its state differs from the parent's.
union all
select
  t.key, 'pg_trigger'::regclass, g.oid, 0, 'trigger ' || t.name || ' ' || quote_ident(g.tgname),
  concat_ws(' ',
    case when g.tgconstraint <> 0 then 'constraint' end,
    substr(
      pg_get_triggerdef(g.oid),
      length(case when g.tgconstraint <> 0 then 'CREATE CONSTRAINT TRIGGER ' else 'CREATE TRIGGER ' end
        || quote_ident(g.tgname)) + 2),
    case g.tgenabled when 'D' then 'disabled' when 'R' then 'enabled replica' when 'A' then 'enabled always' end),
  null, null, null, t.own
from rel as t
join pg_trigger as g on g.tgrelid = t.oid
left join pg_trigger as p on p.oid = g.tgparentid
where not g.tgisinternal and (p.oid is null or p.tgenabled <> g.tgenabled)

union all
select
  t.key, 'pg_rewrite'::regclass, r.oid, 0, 'rule ' || t.name || ' ' || quote_ident(r.rulename),
  concat_ws(' ',
    substr(rtrim(pg_get_ruledef(r.oid), ';'), length('CREATE RULE ' || quote_ident(r.rulename)) + 2),
    case r.ev_enabled when 'D' then 'disabled' when 'R' then 'enabled replica' when 'A' then 'enabled always' end),
  null, null, null, t.own
from rel as t
join pg_rewrite as r on r.ev_class = t.oid
where not (r.rulename = '_RETURN' and r.ev_type = '1')

union all
select
  t.key, 'pg_policy'::regclass, p.oid, 0, 'policy ' || t.name || ' ' || quote_ident(p.polname),
  concat_ws(' ',
    case when not p.polpermissive then 'restrictive' end,
    case p.polcmd when 'r' then 'for select' when 'a' then 'for insert' when 'w' then 'for update'
      when 'd' then 'for delete' else 'for all' end,
    'to ' || (
      select string_agg(coalesce(quote_ident(r.rolname), 'public'), ', ' order by r.rolname)
      from unnest(p.polroles) as one (id)
      left join pg_roles as r on r.oid = one.id),
    'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
  null, null, null, true
from rel as t
join pg_policy as p on p.polrelid = t.oid

union all
select
  t.key, 'pg_statistic_ext'::regclass, s.oid, 0, 'statistics ' || n.name || '.' || quote_ident(s.stxname),
  concat_ws(' ',
    substr(
      pg_get_statisticsobjdef(s.oid),
      length('CREATE STATISTICS ' || n.name || '.' || quote_ident(s.stxname)) + 2),
    case when s.stxstattarget >= 0 then 'statistics ' || s.stxstattarget end),
  s.stxowner, null, null, t.own
from rel as t
join pg_statistic_ext as s on s.stxrelid = t.oid
join nsp as n on n.oid = s.stxnamespace and not n.system
