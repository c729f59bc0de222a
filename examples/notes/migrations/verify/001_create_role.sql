-- check: row security applies to those who call
select not rolsuper and not rolbypassrls from pg_catalog.pg_roles where rolname = 'notes_caller';
