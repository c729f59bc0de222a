drop table public.discovered_files;
drop table public.file_discovery_sessions;
