CREATE TABLE public._yoyo_log (
    id character varying(36) NOT NULL,
    migration_hash character varying(64),
    migration_id character varying(255),
    operation character varying(10),
    username character varying(255),
    hostname character varying(255),
    comment character varying(255),
    created_at_utc timestamp without time zone
);
CREATE TABLE public._yoyo_migration (
    migration_hash character varying(64) NOT NULL,
    migration_id character varying(255),
    applied_at_utc timestamp without time zone
);
CREATE TABLE public._yoyo_version (
    version integer NOT NULL,
    installed_at_utc timestamp without time zone
);
CREATE TABLE public.yoyo_lock (
    locked integer DEFAULT 1 NOT NULL,
    ctime timestamp without time zone,
    pid integer NOT NULL
);
INSERT INTO public._yoyo_log VALUES ('7357a16c-e5c1-11f1-874d-02fc00000001', '47ccb904f05814de03d60e50c1d9d4cd0893b6818202188e876eed6309090d20', '0001.create-books', 'apply', 'release', 'localhost', NULL, '2026-11-21 15:37:25.178273');
INSERT INTO public._yoyo_log VALUES ('735a37d8-e5c1-11f1-874d-02fc00000001', '398b940df78f34d62d3d3ee2d0f3cbfe37585b247c83af0824b12deaabfdbee1', '0002.title-idx', 'apply', 'release', 'localhost', NULL, '2026-11-21 15:37:25.19383');
INSERT INTO public._yoyo_log VALUES ('735bd46c-e5c1-11f1-874d-02fc00000001', '895acbd597396cf54f1121e774421f9a544fd03d2586d33148040fa583b231a8', '0003.seed', 'apply', 'release', 'localhost', NULL, '2026-11-21 15:37:25.204381');
INSERT INTO public._yoyo_log VALUES ('735d8000-e5c1-11f1-874d-02fc00000001', '377226d2cb107cc67157fcef1ba7c7b6b462eb6499ccee17968b3b41152fb18d', 'post-apply', 'apply', 'release', 'localhost', NULL, '2026-11-21 15:37:25.215329');
INSERT INTO public._yoyo_log VALUES ('7388c0ee-e5c1-11f1-9115-02fc00000001', '895acbd597396cf54f1121e774421f9a544fd03d2586d33148040fa583b231a8', '0003.seed', 'rollback', 'release', 'localhost', NULL, '2026-11-21 15:37:25.499867');
INSERT INTO public._yoyo_log VALUES ('73c90b04-e5c1-11f1-b286-02fc00000001', '895acbd597396cf54f1121e774421f9a544fd03d2586d33148040fa583b231a8', '0003.seed', 'apply', 'release', 'localhost', NULL, '2026-11-21 15:37:25.921169');
INSERT INTO public._yoyo_log VALUES ('73cb5ea4-e5c1-11f1-b286-02fc00000001', '377226d2cb107cc67157fcef1ba7c7b6b462eb6499ccee17968b3b41152fb18d', 'post-apply', 'apply', 'release', 'localhost', NULL, '2026-11-21 15:37:25.935382');
INSERT INTO public._yoyo_migration VALUES ('47ccb904f05814de03d60e50c1d9d4cd0893b6818202188e876eed6309090d20', '0001.create-books', '2026-11-21 15:37:25.180968');
INSERT INTO public._yoyo_migration VALUES ('398b940df78f34d62d3d3ee2d0f3cbfe37585b247c83af0824b12deaabfdbee1', '0002.title-idx', '2026-11-21 15:37:25.195578');
INSERT INTO public._yoyo_migration VALUES ('895acbd597396cf54f1121e774421f9a544fd03d2586d33148040fa583b231a8', '0003.seed', '2026-11-21 15:37:25.924704');
INSERT INTO public._yoyo_version VALUES (2, '2026-11-21 15:37:25.142745');
ALTER TABLE ONLY public._yoyo_log
    ADD CONSTRAINT _yoyo_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public._yoyo_migration
    ADD CONSTRAINT _yoyo_migration_pkey PRIMARY KEY (migration_hash);
ALTER TABLE ONLY public._yoyo_version
    ADD CONSTRAINT _yoyo_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.yoyo_lock
    ADD CONSTRAINT yoyo_lock_pkey PRIMARY KEY (locked);
