--! Previous: sha1:fea6825636ab56baca9371cad6f7c7a5150102f3
--! Hash: sha1:13e637bff584f86609b0c9a4b7bf0d5f16ffba98
--! Message: title index

--! no-transaction
create index concurrently if not exists books_title_idx on books (title);
