-- What the next prompt is told about a user.
-- plan: index user_productivity_insights_user_id_insight_type_unique
-- plan: no seq scan on user_productivity_insights
-- time: 10ms
-- rows: 100000

-- load:
insert into public.users (id, name, email)
select -n, 'User ' || n, 'user' || n || '@verify.invalid'
from generate_series(1, 25000) as n;

insert into public.user_productivity_insights (
  user_id, insight_type, insight_value_json
)
select -(n / 4), (enum_range(null::public.insight_type))[n % 4 + 1], '{}'
from generate_series(4, 100000 + 3) as n;

analyze public.user_productivity_insights;

-- query:
select insight_type, insight_value_json, last_updated
from public.user_productivity_insights
where user_id = -42
order by insight_type;
