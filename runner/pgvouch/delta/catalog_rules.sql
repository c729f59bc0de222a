-- What hangs on a relation: constraints, indexes, triggers, rules, policies, statistics objects.
-- Columns as in catalog_relations.sql. NOT NULL is shown with the column, a constraint trigger with the triggers, and what
-- a partition has from its parent's foreign key not at all.
select
  'pg_constraint'::regclass::oid as classid, c.oid as objid, 0 as subid,
  'constraint ' || t.name || ' ' || quote_ident(c.conname) as identity,
  concat_ws(' ',
    pg_get_constraintdef(c.oid),
    case when c.contype = 'c' and not c.conislocal then 'inherited' end,
    'with (' || array_to_string(ic.reloptions, ', ') || ')',
    'tablespace ' || quote_ident(ts.spcname),
    case when i.indisclustered then 'clustered' end,
    case when not i.indisvalid then 'invalid' end,
    'of ' || up.name,
    case when off.tgconstraint is not null then 'with its triggers switched off' end) as definition,
  null::oid as owner, null::aclitem[] as acl, null::"char" as acltype, t.own
from pg_constraint as c
join rel as t on t.oid = c.conrelid
left join pg_index as i on i.indexrelid = c.conindid and c.contype in ('p', 'u', 'x')
left join pg_class as ic on ic.oid = i.indexrelid
left join pg_tablespace as ts on ts.oid = ic.reltablespace
left join pg_inherits as h on h.inhrelid = i.indexrelid
left join rel as up on up.oid = h.inhparent
left join (
  select distinct g.tgconstraint
  from pg_trigger as g
  where g.tgisinternal and g.tgenabled <> 'O'
) as off on off.tgconstraint = c.oid
where c.contype not in ('n', 't') and not (c.contype = 'f' and c.conparentid <> 0)

-- The index behind a constraint is shown with the constraint.
union all
select
  'pg_class'::regclass, x.oid, 0, 'index ' || x.name,
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
      stat.list)
  end,
  null, null, null, t.own
from pg_index as i
join rel as x on x.oid = i.indexrelid
join rel as t on t.oid = i.indrelid
left join pg_constraint as c on c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x')
left join pg_tablespace as ts on ts.oid = x.reltablespace
left join pg_inherits as h on h.inhrelid = i.indexrelid
left join rel as up on up.oid = h.inhparent
left join (
  select a.attrelid, string_agg('statistics ' || a.attstattarget || ' on ' || a.attnum, ' ' order by a.attnum) as list
  from pg_attribute as a
  join pg_index as i on i.indexrelid = a.attrelid
  where a.attnum > 0 and a.attstattarget >= 0
  group by a.attrelid
) as stat on stat.attrelid = i.indexrelid

-- A partition's clone of a trigger is shown where its state differs from the parent's.
union all
select
  'pg_trigger'::regclass, g.oid, 0, 'trigger ' || t.name || ' ' || quote_ident(g.tgname),
  concat_ws(' ',
    case when g.tgconstraint <> 0 then 'constraint' end,
    substr(
      pg_get_triggerdef(g.oid),
      length(case when g.tgconstraint <> 0 then 'CREATE CONSTRAINT TRIGGER ' else 'CREATE TRIGGER ' end
        || quote_ident(g.tgname)) + 2),
    case g.tgenabled when 'D' then 'disabled' when 'R' then 'enabled replica' when 'A' then 'enabled always' end),
  null, null, null, t.own
from pg_trigger as g
join rel as t on t.oid = g.tgrelid
left join pg_trigger as p on p.oid = g.tgparentid
where not g.tgisinternal and (p.oid is null or p.tgenabled <> g.tgenabled)

union all
select
  'pg_rewrite'::regclass, r.oid, 0, 'rule ' || t.name || ' ' || quote_ident(r.rulename),
  concat_ws(' ',
    substr(rtrim(pg_get_ruledef(r.oid), ';'), length('CREATE RULE ' || quote_ident(r.rulename)) + 2),
    case r.ev_enabled when 'D' then 'disabled' when 'R' then 'enabled replica' when 'A' then 'enabled always' end),
  null, null, null, t.own
from pg_rewrite as r
join rel as t on t.oid = r.ev_class
where not (r.rulename = '_RETURN' and r.ev_type = '1')

union all
select
  'pg_policy'::regclass, p.oid, 0, 'policy ' || t.name || ' ' || quote_ident(p.polname),
  concat_ws(' ',
    case when not p.polpermissive then 'restrictive' end,
    case p.polcmd when 'r' then 'for select' when 'a' then 'for insert' when 'w' then 'for update'
      when 'd' then 'for delete' else 'for all' end,
    'to ' || roles.list,
    'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
  null, null, null, true
from pg_policy as p
join rel as t on t.oid = p.polrelid
left join (
  select every.polroles, string_agg(coalesce(quote_ident(r.rolname), 'public'), ', ' order by r.rolname) as list
  from (select distinct polroles from pg_policy) as every
  cross join unnest(every.polroles) as one (id)
  left join pg_roles as r on r.oid = one.id
  group by every.polroles
) as roles on roles.polroles = p.polroles

union all
select
  'pg_statistic_ext'::regclass, s.oid, 0, 'statistics ' || n.name || '.' || quote_ident(s.stxname),
  concat_ws(' ',
    substr(
      pg_get_statisticsobjdef(s.oid),
      length('CREATE STATISTICS ' || n.name || '.' || quote_ident(s.stxname)) + 2),
    case when s.stxstattarget >= 0 then 'statistics ' || s.stxstattarget end),
  s.stxowner, null, null, t.own
from pg_statistic_ext as s
join nsp as n on n.oid = s.stxnamespace and not n.system
join rel as t on t.oid = s.stxrelid
