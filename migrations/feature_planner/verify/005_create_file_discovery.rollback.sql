-- check: file_discovery_sessions and discovered_files are gone
select to_regclass('public.file_discovery_sessions') is null
  and to_regclass('public.discovered_files') is null;
