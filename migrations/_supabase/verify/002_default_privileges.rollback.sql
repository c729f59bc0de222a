create table public.verify_new_table (id integer);

-- check none: an API role that a new table is open to
select api.name
from (values ('anon'), ('authenticated'), ('service_role')) as api (name)
where has_table_privilege(
  api.name, 'public.verify_new_table', 'select, insert, update, delete, truncate, references, trigger'
);
