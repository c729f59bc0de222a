-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: file_discovery_sessions and discovered_files are gone
select to_regclass('public.file_discovery_sessions') is null and to_regclass('public.discovered_files') is null;
