create table a ();
create table таблица ("колонка 🐘" text default 'é');
create table "نمی‌خواهم" ();