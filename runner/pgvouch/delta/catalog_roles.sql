-- What a migration can do to roles, which belong to the server: what they may do, whose members they are, and settings,
-- those of other databases among them. The last column says whether this transaction has written it, be it as it was; of a
-- role's own row, not everyone may see that.
select
  'role ' || quote_ident(r.rolname) as identity,
  concat_ws(' ',
    case when r.rolsuper then 'superuser' end,
    case when r.rolcreaterole then 'createrole' end,
    case when r.rolcreatedb then 'createdb' end,
    case when r.rolreplication then 'replication' end,
    case when r.rolbypassrls then 'bypassrls' end,
    case when r.rolcanlogin then 'login' else 'nologin' end,
    case when not r.rolinherit then 'noinherit' end,
    case when r.rolconnlimit >= 0 then 'connection limit ' || r.rolconnlimit end,
    'valid until ' || quote_literal(r.rolvaliduntil::text)) as definition,
  false as is_written
from pg_roles as r
where r.oid >= 16384

union all
select
  'membership of ' || quote_ident(g.rolname) || ' in ' || quote_ident(r.rolname),
  concat_ws(' ',
    case when bool_or(m.admin_option) then 'with admin option' end,
    -- Up to 15 it is the member's own property.
    case when bool_or(coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, g.rolinherit)) <> g.rolinherit then
      case when g.rolinherit then 'without inherit' else 'with inherit' end end,
    case when not bool_or(coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)) then 'without set' end),
  bool_or(
    age(m.xmin) = 0
    or age(m.xmin) < 0
    and pg_xact_status((pg_current_xact_id()::text::bigint - age(m.xmin))::text::xid8) = 'in progress')
from pg_auth_members as m
join pg_roles as r on r.oid = m.roleid
join pg_roles as g on g.oid = m.member
-- From 16 on, who makes a role without being superuser becomes its member by that.
where not (g.rolname = current_user and m.grantor = 10)
group by r.rolname, g.rolname, g.rolinherit

union all
select
  'setting ' || quote_ident(split_part(c.item, '=', 1)) || ' of '
    || coalesce('role ' || quote_ident(r.rolname), 'every role')
    || coalesce(' in database ' || quote_ident(d.datname), ' everywhere'),
  case when strpos(split_part(c.item, '=', 1), '.') = 0 then quote_literal(substr(c.item, strpos(c.item, '=') + 1))
    else 'sha256:' || left(encode(sha256(convert_to(substr(c.item, strpos(c.item, '=') + 1), 'UTF8')), 'hex'), 16) end,
  age(x.xmin) = 0
    or age(x.xmin) < 0
    and pg_xact_status((pg_current_xact_id()::text::bigint - age(x.xmin))::text::xid8) = 'in progress'
from pg_db_role_setting as x
cross join unnest(x.setconfig) as c (item)
left join pg_roles as r on r.oid = x.setrole
left join pg_database as d on d.oid = x.setdatabase
where d.datname is distinct from current_database()
