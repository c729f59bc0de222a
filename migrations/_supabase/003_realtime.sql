-- The publication that Supabase Realtime follows. It begins empty; a system adds the tables whose
-- changes its clients subscribe to. Below wal_level = logical, PostgreSQL warns that nothing would
-- be sent, which is true and harmless on a development server.
--
-- A Supabase project has it, and keeps it. One that has dropped it gets an empty one again, which is
-- ours then, so that the rollback drops it.
-- unless: exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime')

create publication supabase_realtime;
