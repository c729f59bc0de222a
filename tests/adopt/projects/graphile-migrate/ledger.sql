CREATE SCHEMA graphile_migrate;
CREATE TABLE graphile_migrate.current (
    filename text DEFAULT 'current.sql'::text NOT NULL,
    content text NOT NULL,
    date timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE graphile_migrate.migrations (
    hash text NOT NULL,
    previous_hash text,
    filename text NOT NULL,
    date timestamp with time zone DEFAULT now() NOT NULL
);
INSERT INTO graphile_migrate.current VALUES ('current.sql', '-- work in progress
', '2026-11-21 15:35:21.776219+00');
INSERT INTO graphile_migrate.migrations VALUES ('sha1:fea6825636ab56baca9371cad6f7c7a5150102f3', NULL, '000001.sql', '2026-11-21 15:35:10+00');
INSERT INTO graphile_migrate.migrations VALUES ('sha1:13e637bff584f86609b0c9a4b7bf0d5f16ffba98', 'sha1:fea6825636ab56baca9371cad6f7c7a5150102f3', '000002.sql', '2026-11-21 15:35:11+00');
INSERT INTO graphile_migrate.migrations VALUES ('sha1:552f2dceb19b711e219be3d252df9fc893d0fd7e', 'sha1:13e637bff584f86609b0c9a4b7bf0d5f16ffba98', '000003.sql', '2026-11-21 15:35:12+00');
ALTER TABLE ONLY graphile_migrate.current
    ADD CONSTRAINT current_pkey PRIMARY KEY (filename);
ALTER TABLE ONLY graphile_migrate.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY graphile_migrate.migrations
    ADD CONSTRAINT migrations_previous_hash_fkey FOREIGN KEY (previous_hash) REFERENCES graphile_migrate.migrations(hash);
