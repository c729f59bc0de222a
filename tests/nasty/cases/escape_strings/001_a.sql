create table a ();
select E'\'; commit; \\', e'it''s \'', 'C:\', U&'\0441', U&'!0441' uescape '!';
