create table a ();
-- ‘a’  
create table "b c" ("‘" text default '​“x”﻿' check ($$ $$ <> E'\' '));