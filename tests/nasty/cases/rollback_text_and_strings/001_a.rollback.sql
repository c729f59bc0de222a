drop table a; -- \ ' \' $$ % "
select E'\\', '\';