-- Whoever asks, the application acts as this role: row security says what it sees.
-- unless: select exists (select from pg_catalog.pg_roles where rolname = 'notes_caller')
create role notes_caller nologin;
