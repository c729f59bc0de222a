create table a (t text);
-- copy a from stdin;
select 'copy a from stdin';
copy (select 'from stdin') to program 'cat > /dev/null';