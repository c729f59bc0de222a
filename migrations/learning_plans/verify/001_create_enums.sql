-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- check: skill levels from the lowest to the highest
select enum_range(null::public.skill_level)::text = '{beginner,intermediate,advanced}'
  and 'beginner'::public.skill_level < 'advanced';

-- check: learning styles
select enum_range(null::public.learning_style)::text = '{reading,video,practice,mixed}';

-- check: a plan is being generated, ready, or has failed
select enum_range(null::public.generation_status)::text = '{generating,ready,failed}';

-- check error 22P02: a skill level that is not listed
select 'expert'::public.skill_level;

-- check error 22P02: a learning style that is not listed
select 'audio'::public.learning_style;

-- check error 22P02: a generation status that is not listed
select 'pending'::public.generation_status;

-- check: every role of the API may name the types, as columns of theirs are going to
select has_type_privilege(api.name, type.name, 'usage')
from (values ('anon'), ('authenticated'), ('service_role')) as api (name)
cross join (values ('public.skill_level'), ('public.learning_style'), ('public.generation_status')) as type (name);
