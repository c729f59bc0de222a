-- Which groups were looked at, and what else has to be known: whether the transaction has written roles, whose names stand
-- in other objects' lines, and whether it has prepared statements of its own.
select s.kind || case s.id when 0 then '' else s.id::text end, null, null
from scope as s

union all
select '!', 'roles', null
from catalogs as c
where c.id = 'pg_authid'::regclass and c.is_updated

union all
select '!', 'statements', null
where exists (select from pg_prepared_statements as p where p.name <> 'pgvouch_scope')
