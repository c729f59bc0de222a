-- Up Migration
create index books_title_idx on books (title);

-- Down Migration
drop index books_title_idx;
