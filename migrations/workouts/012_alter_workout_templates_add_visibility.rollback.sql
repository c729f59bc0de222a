-- Who shared what is forgotten, and every template is private again. The constraint and the other
-- index go with the column.

drop index public.idx_templates_shared;
alter table public.workout_templates drop column visibility;
