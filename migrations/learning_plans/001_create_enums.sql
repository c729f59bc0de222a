-- The fixed lists of a learning plan. They are sorted as they are written.

create type public.skill_level as enum ('beginner', 'intermediate', 'advanced');

create type public.learning_style as enum ('reading', 'video', 'practice', 'mixed');

create type public.generation_status as enum ('generating', 'ready', 'failed');
