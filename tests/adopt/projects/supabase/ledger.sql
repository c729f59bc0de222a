CREATE SCHEMA supabase_migrations;
CREATE TABLE supabase_migrations.schema_migrations (
    version text NOT NULL,
    statements text[],
    name text
);
CREATE TABLE supabase_migrations.seed_files (
    path text NOT NULL,
    hash text NOT NULL
);
INSERT INTO supabase_migrations.schema_migrations VALUES ('20240101000001', '{"create table books (id bigint primary key, title text not null)","-- a comment; with semicolon
create function one() returns int language sql as $$ select 1; $$"}', 'create_books');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20240102000000', '{"create index books_title_idx on books (title)"}', 'title_idx');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20240103000000', '{"insert into books values (1, ''One'')"}', 'seed');
INSERT INTO supabase_migrations.seed_files VALUES ('supabase/seed.sql', '354b7196c9ba5fb4b21cf615bb6ec4cd5c07503c34229feef033fc081a8c03f4');
ALTER TABLE ONLY supabase_migrations.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY supabase_migrations.seed_files
    ADD CONSTRAINT seed_files_pkey PRIMARY KEY (path);
