-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- Every row is hashed as a whole, and the hashes are added up: 0.5 s for a million logs. Sorting
-- them first took 1.5 s. All rows count, and nobody else writes any: the rollback has locked the
-- eight tables ahead of the first hash (`-- lock_tables:` in its header). Left out afterwards are
-- the rows that these checks bring themselves, by their ids; one of these that was there already
-- would stop the insert below.
--
-- The accounts are not locked, for the site goes on. What this transaction itself has written
-- there is counted by the server.
insert into public.users (id, clerk_id, email, username, display_name)
values
  (
    '5afe0000-0000-4000-8000-000000000042', 'user_verify_ann', 'ann@verify.invalid',
    'verify_ann', 'Ann'
  ),
  (
    '5afe0000-0000-4000-8000-000000000043', 'user_verify_bob', 'bob@verify.invalid',
    'verify_bob', 'Bob'
  );
insert into public.feature_plans (id, user_id, original_request)
values
  ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-000000000042', 'A search box'),
  ('5afe0000-0000-4000-8000-0000000000b1', '5afe0000-0000-4000-8000-000000000043', 'A dark mode');
insert into public.feature_refinements (id, plan_id, agent_id, input_request)
values (
  '5afe0000-0000-4000-8000-0000000000a2', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1',
  'A search box'
);
insert into public.file_discovery_sessions (id, plan_id, agent_id, refined_request)
values
  (
    '5afe0000-0000-4000-8000-0000000000a3', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1',
    'A search box above the list'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b3', '5afe0000-0000-4000-8000-0000000000b1', 'agent-1',
    'A dark mode'
  );
insert into public.discovered_files
  (id, discovery_session_id, added_by_user_id, file_path, priority)
values (
  '5afe0000-0000-4000-8000-0000000000a4', '5afe0000-0000-4000-8000-0000000000a3',
  '5afe0000-0000-4000-8000-000000000043', 'src/search.ts', 'high'
);
insert into public.implementation_plan_generations (id, plan_id, agent_id, refined_request)
values
  (
    '5afe0000-0000-4000-8000-0000000000a5', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1',
    'A search box above the list'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b5', '5afe0000-0000-4000-8000-0000000000b1', 'agent-1',
    'A dark mode'
  );
insert into public.plan_step_templates (id, user_id, name, title, description, content, category)
values (
  '5afe0000-0000-4000-8000-0000000000a6', '5afe0000-0000-4000-8000-000000000042', 'tests',
  'Write tests', 'Tests first', '…', 'quality'
);
insert into public.plan_steps
  (id, plan_generation_id, step_number, display_order, title, description)
values (
  '5afe0000-0000-4000-8000-0000000000a7', '5afe0000-0000-4000-8000-0000000000a5', 1, 0,
  'Add the box', 'Above the list'
);
insert into public.plan_execution_logs (id, plan_id, step, step_number, agent_type, start_time)
values (
  '5afe0000-0000-4000-8000-0000000000a8', '5afe0000-0000-4000-8000-0000000000a1', 'refinement',
  1, 'refiner', '2001-02-03 04:05:06'
);

-- same: feature_plans holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.feature_plans as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from public.feature_plans as t
where t.id not in (
  '5afe0000-0000-4000-8000-0000000000a1',
  '5afe0000-0000-4000-8000-0000000000b1'
);

-- same: feature_refinements holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.feature_refinements as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from public.feature_refinements as t
where t.id <> '5afe0000-0000-4000-8000-0000000000a2';

-- same: file_discovery_sessions holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.file_discovery_sessions as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from public.file_discovery_sessions as t
where t.id not in (
  '5afe0000-0000-4000-8000-0000000000a3',
  '5afe0000-0000-4000-8000-0000000000b3'
);

-- same: discovered_files holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.discovered_files as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from public.discovered_files as t
where t.id <> '5afe0000-0000-4000-8000-0000000000a4';

-- same: implementation_plan_generations holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.implementation_plan_generations as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from public.implementation_plan_generations as t
where t.id not in (
  '5afe0000-0000-4000-8000-0000000000a5',
  '5afe0000-0000-4000-8000-0000000000b5'
);

-- same: plan_steps holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.plan_steps as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from public.plan_steps as t
where t.id <> '5afe0000-0000-4000-8000-0000000000a7';

-- same: plan_step_templates holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.plan_step_templates as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from public.plan_step_templates as t
where t.id <> '5afe0000-0000-4000-8000-0000000000a6';

-- same: plan_execution_logs holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.plan_execution_logs as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from public.plan_execution_logs as t
where t.id <> '5afe0000-0000-4000-8000-0000000000a8';

-- same: the accounts are not touched
-- before:
select
  pg_stat_get_xact_tuples_inserted(oid),
  pg_stat_get_xact_tuples_updated(oid),
  pg_stat_get_xact_tuples_deleted(oid),
  pg_relation_filenode(oid)
from pg_catalog.pg_class
where oid = 'public.users'::regclass;
-- after:
-- Two rows of the checks themselves.
select
  pg_stat_get_xact_tuples_inserted(oid) - 2,
  pg_stat_get_xact_tuples_updated(oid),
  pg_stat_get_xact_tuples_deleted(oid),
  pg_relation_filenode(oid)
from pg_catalog.pg_class
where oid = 'public.users'::regclass;

-- same: the five newest plans are the same
-- before:
select t::text
from feature_planner.feature_plans as t
order by t.created_at desc, t.id
limit 5;
-- after:
select t::text
from public.feature_plans as t
where t.id not in (
  '5afe0000-0000-4000-8000-0000000000a1',
  '5afe0000-0000-4000-8000-0000000000b1'
)
order by t.created_at desc, t.id
limit 5;

-- same: every publication still has the tables
-- before:
select pubname, tablename
from pg_catalog.pg_publication_tables
where schemaname = 'feature_planner'
  and tablename in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );
-- after:
select pubname, tablename
from pg_catalog.pg_publication_tables
where schemaname = 'public'
  and tablename in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );

-- same: no table, index or long value is written anew: the files are the same
-- before:
select c.relname, pg_relation_filenode(c.oid)
from pg_catalog.pg_class as c
where c.relnamespace = 'feature_planner'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  )
union all
select i.relname, pg_relation_filenode(i.oid)
from pg_catalog.pg_class as c
join pg_catalog.pg_index as x on x.indrelid in (c.oid, c.reltoastrelid)
join pg_catalog.pg_class as i on i.oid in (x.indexrelid, x.indrelid)
where c.relnamespace = 'feature_planner'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );
-- after:
select c.relname, pg_relation_filenode(c.oid)
from pg_catalog.pg_class as c
where c.relnamespace = 'public'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  )
union all
select i.relname, pg_relation_filenode(i.oid)
from pg_catalog.pg_class as c
join pg_catalog.pg_index as x on x.indrelid in (c.oid, c.reltoastrelid)
join pg_catalog.pg_class as i on i.oid in (x.indexrelid, x.indrelid)
where c.relnamespace = 'public'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );

-- same: columns, types, defaults
-- before:
set local search_path = feature_planner, public;
select
  c.relname,
  a.attnum,
  a.attname,
  format_type(a.atttypid, a.atttypmod),
  a.attnotnull,
  pg_get_expr(d.adbin, d.adrelid)
from pg_catalog.pg_class as c
join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'feature_planner'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );
-- after:
set local search_path = public;
select
  c.relname,
  a.attnum,
  a.attname,
  format_type(a.atttypid, a.atttypmod),
  a.attnotnull,
  pg_get_expr(d.adbin, d.adrelid)
from pg_catalog.pg_class as c
join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'public'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );

-- same: keys, checks and references, by definition
-- before:
set local search_path = feature_planner, public;
select c.relname, k.conname, k.convalidated, pg_get_constraintdef(k.oid)
from pg_catalog.pg_class as c
join pg_catalog.pg_constraint as k on k.conrelid = c.oid
where c.relnamespace = 'feature_planner'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );
-- after:
set local search_path = public;
select c.relname, k.conname, k.convalidated, pg_get_constraintdef(k.oid)
from pg_catalog.pg_class as c
join pg_catalog.pg_constraint as k on k.conrelid = c.oid
where c.relnamespace = 'public'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );

-- same: indexes, by definition
-- before:
select
  c.relname,
  i.relname,
  x.indisvalid,
  replace(pg_get_indexdef(i.oid), ' ON feature_planner.', ' ON ')
from pg_catalog.pg_class as c
join pg_catalog.pg_index as x on x.indrelid = c.oid
join pg_catalog.pg_class as i on i.oid = x.indexrelid and i.relnamespace = c.relnamespace
where c.relnamespace = 'feature_planner'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );
-- after:
select
  c.relname,
  i.relname,
  x.indisvalid,
  replace(pg_get_indexdef(i.oid), ' ON public.', ' ON ')
from pg_catalog.pg_class as c
join pg_catalog.pg_index as x on x.indrelid = c.oid
join pg_catalog.pg_class as i on i.oid = x.indexrelid and i.relnamespace = c.relnamespace
where c.relnamespace = 'public'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );

-- same: triggers, their function beside them
-- before:
select c.relname, t.tgname, t.tgtype, t.tgenabled, t.tgfoid, p.pronamespace = c.relnamespace
from pg_catalog.pg_class as c
join pg_catalog.pg_trigger as t on t.tgrelid = c.oid and not t.tgisinternal
join pg_catalog.pg_proc as p on p.oid = t.tgfoid
where c.relnamespace = 'feature_planner'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );
-- after:
select c.relname, t.tgname, t.tgtype, t.tgenabled, t.tgfoid, p.pronamespace = c.relnamespace
from pg_catalog.pg_class as c
join pg_catalog.pg_trigger as t on t.tgrelid = c.oid and not t.tgisinternal
join pg_catalog.pg_proc as p on p.oid = t.tgfoid
where c.relnamespace = 'public'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );

-- same: the values of the enums, in their order
-- before:
select t.typname, array_agg(e.enumlabel order by e.enumsortorder)
from pg_catalog.pg_type as t
join pg_catalog.pg_enum as e on e.enumtypid = t.oid
where t.typnamespace = 'feature_planner'::regnamespace
  and t.typname in (
    'complexity',
    'confidence_level',
    'estimated_scope',
    'execution_step',
    'file_discovery_status',
    'file_priority',
    'implementation_plan_status',
    'plan_status',
    'refinement_status',
    'risk_level',
    'technical_complexity'
  )
group by t.typname;
-- after:
select t.typname, array_agg(e.enumlabel order by e.enumsortorder)
from pg_catalog.pg_type as t
join pg_catalog.pg_enum as e on e.enumtypid = t.oid
where t.typnamespace = 'public'::regnamespace
  and t.typname in (
    'complexity',
    'confidence_level',
    'estimated_scope',
    'execution_step',
    'file_discovery_status',
    'file_priority',
    'implementation_plan_status',
    'plan_status',
    'refinement_status',
    'risk_level',
    'technical_complexity'
  )
group by t.typname;

-- same: nobody gains or loses a right
-- before:
select c.relname, c.relowner, c.relrowsecurity, c.relacl
from pg_catalog.pg_class as c
where c.relnamespace = 'feature_planner'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );
-- after:
select c.relname, c.relowner, c.relrowsecurity, c.relacl
from pg_catalog.pg_class as c
where c.relnamespace = 'public'::regnamespace
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );

-- check: public has the eight tables
select count(*) = 8
from pg_catalog.pg_class as c
where c.relnamespace = 'public'::regnamespace
  and c.relkind = 'r'
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  );

-- check: public has the eleven enums
select count(*) = 11
from pg_catalog.pg_type
where typnamespace = 'public'::regnamespace
  and typtype = 'e'
  and typname in (
    'complexity',
    'confidence_level',
    'estimated_scope',
    'execution_step',
    'file_discovery_status',
    'file_priority',
    'implementation_plan_status',
    'plan_status',
    'refinement_status',
    'risk_level',
    'technical_complexity'
  );

-- check none: one of them, or an array or row type of theirs, in feature_planner
select relname
from pg_catalog.pg_class as c
where c.relnamespace = to_regnamespace('feature_planner')
  and c.relname in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs'
  )
union all
select typname
from pg_catalog.pg_type
where typnamespace = to_regnamespace('feature_planner')
  and ltrim(typname, '_') in (
    'feature_plans',
    'feature_refinements',
    'file_discovery_sessions',
    'discovered_files',
    'implementation_plan_generations',
    'plan_steps',
    'plan_step_templates',
    'plan_execution_logs',
    'complexity',
    'confidence_level',
    'estimated_scope',
    'execution_step',
    'file_discovery_status',
    'file_priority',
    'implementation_plan_status',
    'plan_status',
    'refinement_status',
    'risk_level',
    'technical_complexity'
  );

-- check: 8 primary keys, 52 indexes and 28 checks are there, all of them valid
select
  count(*) filter (where contype = 'p') = 8
  and count(*) filter (where contype = 'c') >= 28
  and bool_and(convalidated)
  and (
    select count(*) >= 52 and bool_and(indisvalid and indisready)
    from pg_catalog.pg_index
    where indrelid in (
      select c.oid
      from pg_catalog.pg_class as c
      where c.relnamespace = 'public'::regnamespace
        and c.relname in (
          'feature_plans',
          'feature_refinements',
          'file_discovery_sessions',
          'discovered_files',
          'implementation_plan_generations',
          'plan_steps',
          'plan_step_templates',
          'plan_execution_logs'
        )
    )
  )
from pg_catalog.pg_constraint
where conrelid in (
  select c.oid
  from pg_catalog.pg_class as c
  where c.relnamespace = 'public'::regnamespace
    and c.relname in (
      'feature_plans',
      'feature_refinements',
      'file_discovery_sessions',
      'discovered_files',
      'implementation_plan_generations',
      'plan_steps',
      'plan_step_templates',
      'plan_execution_logs'
    )
);

-- check none: a reference that is missing of the nine, three of them to the accounts in public
set local search_path = '';
with design (relname, conname, attname, parent, action) as (
  values
    (
      'discovered_files',
      'discovered_files_added_by_user_id_users_id_fk',
      'added_by_user_id',
      'public.users',
      ''
    ),
    (
      'discovered_files',
      'discovered_files_discovery_session_fk',
      'discovery_session_id',
      'public.file_discovery_sessions',
      ' ON DELETE CASCADE'
    ),
    (
      'feature_plans',
      'feature_plans_user_id_users_id_fk',
      'user_id',
      'public.users',
      ' ON DELETE CASCADE'
    ),
    (
      'feature_refinements',
      'feature_refinements_plan_id_feature_plans_id_fk',
      'plan_id',
      'public.feature_plans',
      ' ON DELETE CASCADE'
    ),
    (
      'file_discovery_sessions',
      'file_discovery_sessions_plan_id_feature_plans_id_fk',
      'plan_id',
      'public.feature_plans',
      ' ON DELETE CASCADE'
    ),
    (
      'implementation_plan_generations',
      'implementation_plan_generations_plan_id_feature_plans_id_fk',
      'plan_id',
      'public.feature_plans',
      ' ON DELETE CASCADE'
    ),
    (
      'plan_execution_logs',
      'plan_execution_logs_plan_id_feature_plans_id_fk',
      'plan_id',
      'public.feature_plans',
      ' ON DELETE CASCADE'
    ),
    (
      'plan_step_templates',
      'plan_step_templates_user_id_users_id_fk',
      'user_id',
      'public.users',
      ' ON DELETE CASCADE'
    ),
    (
      'plan_steps',
      'plan_steps_plan_generation_fk',
      'plan_generation_id',
      'public.implementation_plan_generations',
      ' ON DELETE CASCADE'
    )
)
select
  relname,
  conname,
  format('FOREIGN KEY (%s) REFERENCES %s(id)%s', attname, parent, action) as definition
from design
except
select c.relname, k.conname, pg_get_constraintdef(k.oid)
from pg_catalog.pg_constraint as k
join pg_catalog.pg_class as c on c.oid = k.conrelid
where k.contype = 'f'
  and k.convalidated
  and k.connamespace = 'public'::regnamespace;

-- check: a default names the type where it is now
set local search_path = '';
select pg_get_expr(adbin, adrelid) = '''draft''::public.plan_status'
from pg_catalog.pg_attrdef
where adrelid = 'public.feature_plans'::regclass
  and adnum = (
    select attnum
    from pg_catalog.pg_attribute
    where attrelid = 'public.feature_plans'::regclass and attname = 'status'
  );

-- check error 23503: a new row of feature_plans whose user_id leads nowhere
insert into public.feature_plans
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "user_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from public.feature_plans as t
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23503: a row of feature_plans whose user_id comes to lead nowhere
update public.feature_plans set user_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23503: a new row of feature_refinements whose plan_id leads nowhere
insert into public.feature_refinements
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "plan_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from public.feature_refinements as t
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23503: a row of feature_refinements whose plan_id comes to lead nowhere
update public.feature_refinements set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23503: a new row of file_discovery_sessions whose plan_id leads nowhere
insert into public.file_discovery_sessions
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "plan_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from public.file_discovery_sessions as t
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23503: a row of file_discovery_sessions whose plan_id comes to lead nowhere
update public.file_discovery_sessions set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23503: a new row of discovered_files whose added_by_user_id leads nowhere
insert into public.discovered_files
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "added_by_user_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from public.discovered_files as t
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23503: a row of discovered_files whose added_by_user_id comes to lead nowhere
update public.discovered_files set added_by_user_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23503: a new row of discovered_files whose discovery_session_id leads nowhere
insert into public.discovered_files
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "discovery_session_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from public.discovered_files as t
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23503: a row of discovered_files whose discovery_session_id comes to lead nowhere
update public.discovered_files set discovery_session_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23503: a new row of implementation_plan_generations whose plan_id leads nowhere
insert into public.implementation_plan_generations
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "plan_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from public.implementation_plan_generations as t
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check error 23503: a row of implementation_plan_generations whose plan_id comes to lead nowhere
update public.implementation_plan_generations set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check error 23503: a new row of plan_steps whose plan_generation_id leads nowhere
insert into public.plan_steps
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "plan_generation_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from public.plan_steps as t
where id = '5afe0000-0000-4000-8000-0000000000a7';

-- check error 23503: a row of plan_steps whose plan_generation_id comes to lead nowhere
update public.plan_steps set plan_generation_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a7';

-- check error 23503: a new row of plan_step_templates whose user_id leads nowhere
insert into public.plan_step_templates
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "user_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from public.plan_step_templates as t
where id = '5afe0000-0000-4000-8000-0000000000a6';

-- check error 23503: a row of plan_step_templates whose user_id comes to lead nowhere
update public.plan_step_templates set user_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a6';

-- check error 23503: a new row of plan_execution_logs whose plan_id leads nowhere
insert into public.plan_execution_logs
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "plan_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from public.plan_execution_logs as t
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23503: a row of plan_execution_logs whose plan_id comes to lead nowhere
update public.plan_execution_logs set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23503: a user goes away while a file names that user
delete from public.feature_plans where user_id = '5afe0000-0000-4000-8000-000000000043';
delete from public.users where id = '5afe0000-0000-4000-8000-000000000043';

-- check: a plan takes along what hangs on it, and a discovery and a generation what hangs on them
delete from public.feature_plans where id = '5afe0000-0000-4000-8000-0000000000a1';
select
  not exists (
    select from public.feature_refinements where id = '5afe0000-0000-4000-8000-0000000000a2'
  )
  and not exists (
    select from public.file_discovery_sessions where id = '5afe0000-0000-4000-8000-0000000000a3'
  )
  and not exists (
    select from public.discovered_files where id = '5afe0000-0000-4000-8000-0000000000a4'
  )
  and not exists (
    select from public.implementation_plan_generations
    where id = '5afe0000-0000-4000-8000-0000000000a5'
  )
  and not exists (select from public.plan_steps where id = '5afe0000-0000-4000-8000-0000000000a7')
  and not exists (
    select from public.plan_execution_logs where id = '5afe0000-0000-4000-8000-0000000000a8'
  )
  and exists (
    select from public.plan_step_templates where id = '5afe0000-0000-4000-8000-0000000000a6'
  );

-- check: a user takes along plans and templates, from the other schema
delete from public.users where id = '5afe0000-0000-4000-8000-000000000042';
select
  not exists (
    select from public.feature_plans where user_id = '5afe0000-0000-4000-8000-000000000042'
  )
  and not exists (
    select from public.plan_step_templates where id = '5afe0000-0000-4000-8000-0000000000a6'
  )
  and exists (
    select from public.feature_plans where user_id = '5afe0000-0000-4000-8000-000000000043'
  );

-- check error 23514: a condition holds as before
update public.feature_plans set current_step = 4
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check: the schema is gone
select to_regnamespace('feature_planner') is null;

-- check: the trigger's function is back
select to_regprocedure('public.touch_updated_at()') is not null;
