-- What a role with CREATE on public can put in the way: an operator, function, type and relation of public for every one
-- of pg_catalog. Whichever of them is run moves the sequence `ran`, which no rollback takes back, and fails.
set search_path = pg_catalog;

create sequence public.ran;
grant usage on sequence public.ran to public;

do $$
declare
  found record;
  argument text;
  number int := 0;
  -- A better match than pg_catalog's own, where its arguments have to be cast.
  words constant text[] := array['varchar', 'text', 'name', '"char"'];
begin
  -- Operators: the same ones, which count where public comes first, and better ones for strings, which always do.
  for found in
    select distinct on (o.oprname, l, r)
      o.oprname, l, r, format_type(o.oprresult, null) as result
    from pg_operator as o
      join pg_type as b on b.oid = o.oprright and b.typtype <> 'p'
      left join pg_type as a on a.oid = o.oprleft
      cross join lateral unnest(
        case when o.oprleft = 'text'::regtype then words else array[format_type(nullif(o.oprleft, 0), null)] end
      ) as l
      cross join lateral unnest(
        case when o.oprright = 'text'::regtype then words else array[format_type(o.oprright, null)] end
      ) as r
    where a.typtype is distinct from 'p'
      and o.oprresult <> 0
  loop
    number := number + 1;
    execute format(
      'create function public.shadow_%s(%s) returns %s language plpgsql as %L',
      number, concat_ws(', ', found.l, found.r), found.result,
      'begin perform pg_catalog.nextval(''public.ran''); raise ''the operator % of public was run'', '
        || quote_literal(concat_ws(' ', found.oprname, found.l, found.r)) || '; end'
    );
    begin
      execute format(
        'create operator public.%s (%s rightarg = %s, function = public.shadow_%s)',
        found.oprname, 'leftarg = ' || found.l || ',', found.r, number
      );
    exception when duplicate_function then null;
    end;
  end loop;

  for found in
    select
      p.proname,
      pg_get_function_identity_arguments(p.oid) as arguments,
      case when p.proretset then 'setof ' else '' end || format_type(p.prorettype, null) as result
    from pg_proc as p
    where p.pronamespace = 'pg_catalog'::regnamespace
      and p.prokind in ('f', 'w', 'a')
      and p.provariadic = 0
      and p.proallargtypes is null
      and not exists (
        select from unnest(p.proargtypes || p.prorettype) as a
          join pg_type as t on t.oid = a
        where t.typtype = 'p' and t.typname not in ('anyelement', 'anyarray', 'anynonarray', 'void')
      )
      and (
        not exists (select from pg_type as t where t.oid = p.prorettype and t.typname like 'any%')
        or exists (select from unnest(p.proargtypes) as a join pg_type as t on t.oid = a where t.typname like 'any%')
      )
  loop
    begin
      execute format(
        'create function public.%I(%s) returns %s language plpgsql as %L',
        found.proname, found.arguments, found.result,
        'begin perform pg_catalog.nextval(''public.ran''); raise ''the function % of public was run'', '
          || quote_literal(found.proname) || '; end'
      );
    exception when feature_not_supported or invalid_function_definition or syntax_error then null;
    end;
  end loop;

  for found in select c.relname from pg_class as c where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v') loop
    execute format('create view public.%I as select pg_catalog.nextval(''public.ran'') as oid', found.relname);
  end loop;

  foreach argument in array array[
    'text', 'name', 'oid', 'regclass', 'regnamespace', 'regtype', 'regrole', 'xid8', 'xid', 'int4', 'int8', 'bool', 'timestamptz',
    'interval', 'aclitem', 'jsonb', 'uuid'
  ] loop
    execute format('create type public.%I as (nothing pg_catalog.int4)', argument);
  end loop;
end
$$;
