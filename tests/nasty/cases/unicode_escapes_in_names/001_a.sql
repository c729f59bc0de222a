create table U&"\0061" ();
select 1 as U&"!0061" uescape '!';