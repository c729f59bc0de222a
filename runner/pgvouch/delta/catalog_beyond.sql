-- Whether functions or types are in scope that have lines of their own, where only relations are described: what is gone
-- has none, and row types and arrays are said with their relation and their element.
select '!', 'beyond', null
where exists (
    select
    from scope as s
    join pg_proc as p on p.oid = s.id
    where s.kind = 'f')
  or exists (
    select
    from scope as s
    join pg_type as t on t.oid = s.id
    left join pg_type as e on e.oid = t.typelem and e.typarray = t.oid
    left join pg_class as c on c.oid = t.typrelid
    where s.kind = 't' and e.oid is null and (t.typtype <> 'c' or c.relkind = 'c'))
