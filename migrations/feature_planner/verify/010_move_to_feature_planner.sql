-- Whoever may create something in public puts nothing of his in the way of these checks.
set local search_path = pg_catalog, pg_temp;

-- Every row is hashed as a whole, and the hashes are added up: 0.5 s for a million logs. Sorting
-- them first took 1.5 s. All rows count, and nobody else writes any: the migration has locked the
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
insert into feature_planner.feature_plans (id, user_id, original_request)
values
  ('5afe0000-0000-4000-8000-0000000000a1', '5afe0000-0000-4000-8000-000000000042', 'A search box'),
  ('5afe0000-0000-4000-8000-0000000000b1', '5afe0000-0000-4000-8000-000000000043', 'A dark mode');
insert into feature_planner.feature_refinements (id, plan_id, agent_id, input_request)
values (
  '5afe0000-0000-4000-8000-0000000000a2', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1',
  'A search box'
);
insert into feature_planner.file_discovery_sessions (id, plan_id, agent_id, refined_request)
values
  (
    '5afe0000-0000-4000-8000-0000000000a3', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1',
    'A search box above the list'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b3', '5afe0000-0000-4000-8000-0000000000b1', 'agent-1',
    'A dark mode'
  );
insert into feature_planner.discovered_files
  (id, discovery_session_id, added_by_user_id, file_path, priority)
values (
  '5afe0000-0000-4000-8000-0000000000a4', '5afe0000-0000-4000-8000-0000000000a3',
  '5afe0000-0000-4000-8000-000000000043', 'src/search.ts', 'high'
);
insert into feature_planner.implementation_plan_generations (id, plan_id, agent_id, refined_request)
values
  (
    '5afe0000-0000-4000-8000-0000000000a5', '5afe0000-0000-4000-8000-0000000000a1', 'agent-1',
    'A search box above the list'
  ),
  (
    '5afe0000-0000-4000-8000-0000000000b5', '5afe0000-0000-4000-8000-0000000000b1', 'agent-1',
    'A dark mode'
  );
insert into feature_planner.plan_step_templates
  (id, user_id, name, title, description, content, category)
values (
  '5afe0000-0000-4000-8000-0000000000a6', '5afe0000-0000-4000-8000-000000000042', 'tests',
  'Write tests', 'Tests first', '…', 'quality'
);
insert into feature_planner.plan_steps
  (id, plan_generation_id, step_number, display_order, title, description)
values (
  '5afe0000-0000-4000-8000-0000000000a7', '5afe0000-0000-4000-8000-0000000000a5', 1, 0,
  'Add the box', 'Above the list'
);
insert into feature_planner.plan_execution_logs
  (id, plan_id, step, step_number, agent_type, start_time)
values (
  '5afe0000-0000-4000-8000-0000000000a8', '5afe0000-0000-4000-8000-0000000000a1', 'refinement',
  1, 'refiner', '2001-02-03 04:05:06'
);

-- same: feature_plans holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from public.feature_plans as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.feature_plans as t
where t.id not in (
  '5afe0000-0000-4000-8000-0000000000a1',
  '5afe0000-0000-4000-8000-0000000000b1'
);

-- same: feature_refinements holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from public.feature_refinements as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.feature_refinements as t
where t.id <> '5afe0000-0000-4000-8000-0000000000a2';

-- same: file_discovery_sessions holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from public.file_discovery_sessions as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.file_discovery_sessions as t
where t.id not in (
  '5afe0000-0000-4000-8000-0000000000a3',
  '5afe0000-0000-4000-8000-0000000000b3'
);

-- same: discovered_files holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from public.discovered_files as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.discovered_files as t
where t.id <> '5afe0000-0000-4000-8000-0000000000a4';

-- same: implementation_plan_generations holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from public.implementation_plan_generations as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.implementation_plan_generations as t
where t.id not in (
  '5afe0000-0000-4000-8000-0000000000a5',
  '5afe0000-0000-4000-8000-0000000000b5'
);

-- same: plan_steps holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from public.plan_steps as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.plan_steps as t
where t.id <> '5afe0000-0000-4000-8000-0000000000a7';

-- same: plan_step_templates holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from public.plan_step_templates as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.plan_step_templates as t
where t.id <> '5afe0000-0000-4000-8000-0000000000a6';

-- same: plan_execution_logs holds the same rows
-- before:
select count(*), sum(hash_record_extended(t, 0))
from public.plan_execution_logs as t;
-- after:
select count(*), sum(hash_record_extended(t, 0))
from feature_planner.plan_execution_logs as t
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
from public.feature_plans as t
order by t.created_at desc, t.id
limit 5;
-- after:
select t::text
from feature_planner.feature_plans as t
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
-- after:
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

-- same: no table, index or long value is written anew: the files are the same
-- before:
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
-- after:
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

-- same: columns, types, defaults
-- before:
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
-- after:
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

-- same: keys, checks and references, by definition
-- before:
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
-- after:
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

-- same: indexes, by definition
-- before:
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
-- after:
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

-- same: triggers, their function beside them
-- before:
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
-- after:
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

-- same: the values of the enums, in their order
-- before:
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
-- after:
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

-- same: nobody gains or loses a right
-- before:
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
-- after:
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

-- check: feature_planner has the eight tables
select count(*) = 8
from pg_catalog.pg_class as c
where c.relnamespace = 'feature_planner'::regnamespace
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

-- check: feature_planner has the eleven enums
select count(*) = 11
from pg_catalog.pg_type
where typnamespace = 'feature_planner'::regnamespace
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

-- check none: one of them, or an array or row type of theirs, in public
select relname
from pg_catalog.pg_class as c
where c.relnamespace = to_regnamespace('public')
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
where typnamespace = to_regnamespace('public')
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
    )
  )
from pg_catalog.pg_constraint
where conrelid in (
  select c.oid
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
      'feature_planner.file_discovery_sessions',
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
      'feature_planner.feature_plans',
      ' ON DELETE CASCADE'
    ),
    (
      'file_discovery_sessions',
      'file_discovery_sessions_plan_id_feature_plans_id_fk',
      'plan_id',
      'feature_planner.feature_plans',
      ' ON DELETE CASCADE'
    ),
    (
      'implementation_plan_generations',
      'implementation_plan_generations_plan_id_feature_plans_id_fk',
      'plan_id',
      'feature_planner.feature_plans',
      ' ON DELETE CASCADE'
    ),
    (
      'plan_execution_logs',
      'plan_execution_logs_plan_id_feature_plans_id_fk',
      'plan_id',
      'feature_planner.feature_plans',
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
      'feature_planner.implementation_plan_generations',
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
  and k.connamespace = 'feature_planner'::regnamespace;

-- check: a default names the type where it is now
set local search_path = '';
select pg_get_expr(adbin, adrelid) = '''draft''::feature_planner.plan_status'
from pg_catalog.pg_attrdef
where adrelid = 'feature_planner.feature_plans'::regclass
  and adnum = (
    select attnum
    from pg_catalog.pg_attribute
    where attrelid = 'feature_planner.feature_plans'::regclass and attname = 'status'
  );

-- check error 23503: a new row of feature_plans whose user_id leads nowhere
insert into feature_planner.feature_plans
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "user_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from feature_planner.feature_plans as t
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23503: a row of feature_plans whose user_id comes to lead nowhere
update feature_planner.feature_plans set user_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- check error 23503: a new row of feature_refinements whose plan_id leads nowhere
insert into feature_planner.feature_refinements
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "plan_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from feature_planner.feature_refinements as t
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23503: a row of feature_refinements whose plan_id comes to lead nowhere
update feature_planner.feature_refinements set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a2';

-- check error 23503: a new row of file_discovery_sessions whose plan_id leads nowhere
insert into feature_planner.file_discovery_sessions
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "plan_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from feature_planner.file_discovery_sessions as t
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23503: a row of file_discovery_sessions whose plan_id comes to lead nowhere
update feature_planner.file_discovery_sessions set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a3';

-- check error 23503: a new row of discovered_files whose added_by_user_id leads nowhere
insert into feature_planner.discovered_files
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "added_by_user_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from feature_planner.discovered_files as t
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23503: a row of discovered_files whose added_by_user_id comes to lead nowhere
update feature_planner.discovered_files
set added_by_user_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23503: a new row of discovered_files whose discovery_session_id leads nowhere
insert into feature_planner.discovered_files
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "discovery_session_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from feature_planner.discovered_files as t
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23503: a row of discovered_files whose discovery_session_id comes to lead nowhere
update feature_planner.discovered_files
set discovery_session_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a4';

-- check error 23503: a new row of implementation_plan_generations whose plan_id leads nowhere
insert into feature_planner.implementation_plan_generations
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "plan_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from feature_planner.implementation_plan_generations as t
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check error 23503: a row of implementation_plan_generations whose plan_id comes to lead nowhere
update feature_planner.implementation_plan_generations
set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a5';

-- check error 23503: a new row of plan_steps whose plan_generation_id leads nowhere
insert into feature_planner.plan_steps
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "plan_generation_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from feature_planner.plan_steps as t
where id = '5afe0000-0000-4000-8000-0000000000a7';

-- check error 23503: a row of plan_steps whose plan_generation_id comes to lead nowhere
update feature_planner.plan_steps set plan_generation_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a7';

-- check error 23503: a new row of plan_step_templates whose user_id leads nowhere
insert into feature_planner.plan_step_templates
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "user_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from feature_planner.plan_step_templates as t
where id = '5afe0000-0000-4000-8000-0000000000a6';

-- check error 23503: a row of plan_step_templates whose user_id comes to lead nowhere
update feature_planner.plan_step_templates set user_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a6';

-- check error 23503: a new row of plan_execution_logs whose plan_id leads nowhere
insert into feature_planner.plan_execution_logs
select (
  jsonb_populate_record(
    t,
    '{
      "id": "5afe0000-0000-4000-8000-00000000000f",
      "plan_id": "5afe0000-0000-4000-8000-00000000000f"
    }'
  )
).*
from feature_planner.plan_execution_logs as t
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23503: a row of plan_execution_logs whose plan_id comes to lead nowhere
update feature_planner.plan_execution_logs set plan_id = '5afe0000-0000-4000-8000-00000000000f'
where id = '5afe0000-0000-4000-8000-0000000000a8';

-- check error 23503: a user goes away while a file names that user
delete from feature_planner.feature_plans where user_id = '5afe0000-0000-4000-8000-000000000043';
delete from public.users where id = '5afe0000-0000-4000-8000-000000000043';

-- check: a plan takes along what hangs on it, and a discovery and a generation what hangs on them
delete from feature_planner.feature_plans where id = '5afe0000-0000-4000-8000-0000000000a1';
select
  not exists (
    select from feature_planner.feature_refinements
    where id = '5afe0000-0000-4000-8000-0000000000a2'
  )
  and not exists (
    select from feature_planner.file_discovery_sessions
    where id = '5afe0000-0000-4000-8000-0000000000a3'
  )
  and not exists (
    select from feature_planner.discovered_files where id = '5afe0000-0000-4000-8000-0000000000a4'
  )
  and not exists (
    select from feature_planner.implementation_plan_generations
    where id = '5afe0000-0000-4000-8000-0000000000a5'
  )
  and not exists (
    select from feature_planner.plan_steps where id = '5afe0000-0000-4000-8000-0000000000a7'
  )
  and not exists (
    select from feature_planner.plan_execution_logs
    where id = '5afe0000-0000-4000-8000-0000000000a8'
  )
  and exists (
    select from feature_planner.plan_step_templates
    where id = '5afe0000-0000-4000-8000-0000000000a6'
  );

-- check: a user takes along plans and templates, from the other schema
delete from public.users where id = '5afe0000-0000-4000-8000-000000000042';
select
  not exists (
    select from feature_planner.feature_plans where user_id = '5afe0000-0000-4000-8000-000000000042'
  )
  and not exists (
    select from feature_planner.plan_step_templates
    where id = '5afe0000-0000-4000-8000-0000000000a6'
  )
  and exists (
    select from feature_planner.feature_plans where user_id = '5afe0000-0000-4000-8000-000000000043'
  );

-- check error 23514: a condition holds as before
update feature_planner.feature_plans set current_step = 4
where id = '5afe0000-0000-4000-8000-0000000000a1';

-- stamp: updated_at_trigger(table="feature_plans", schema="feature_planner",
--   function="touch_updated_at", function_schema="feature_planner")
-- stamped: updated_at_trigger sha256:58ae98d885d490cc  (edit the stamp line or the template, then run pgvouch stamp)
-- check: feature_plans_updated_at runs feature_planner.touch_updated_at before every update of a row of feature_planner.feature_plans
set local search_path = pg_catalog, pg_temp;
select
  t.tgtype = 1 + 2 + 16 -- for each row, before, update, and no other event
    and t.tgenabled = 'O' and t.tgqual is null and cardinality(t.tgattr::int2[]) = 0
    and (pn.nspname, p.proname) = ('feature_planner', 'touch_updated_at') as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid
join pg_namespace as n on n.oid = c.relnamespace
join pg_proc as p on p.oid = t.tgfoid
join pg_namespace as pn on pn.oid = p.pronamespace
where (n.nspname, c.relname, t.tgname) = ('feature_planner', 'feature_plans', 'feature_plans_updated_at') and not t.tgisinternal;

-- check: an update of feature_planner.feature_plans sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table feature_plans as select * from feature_planner.feature_plans with no data;
create trigger feature_plans_updated_at before update on pg_temp.feature_plans
  for each row execute function feature_planner.touch_updated_at();
insert into pg_temp.feature_plans (updated_at) values ('2999-01-01');
update pg_temp.feature_plans set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days' as is_now, t.updated_at
from pg_temp.feature_plans as t;
-- end stamp

-- stamp: updated_at_trigger(table="plan_steps", schema="feature_planner",
--   function="touch_updated_at", function_schema="feature_planner")
-- stamped: updated_at_trigger sha256:c561ef5a396bc061  (edit the stamp line or the template, then run pgvouch stamp)
-- check: plan_steps_updated_at runs feature_planner.touch_updated_at before every update of a row of feature_planner.plan_steps
set local search_path = pg_catalog, pg_temp;
select
  t.tgtype = 1 + 2 + 16 -- for each row, before, update, and no other event
    and t.tgenabled = 'O' and t.tgqual is null and cardinality(t.tgattr::int2[]) = 0
    and (pn.nspname, p.proname) = ('feature_planner', 'touch_updated_at') as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid
join pg_namespace as n on n.oid = c.relnamespace
join pg_proc as p on p.oid = t.tgfoid
join pg_namespace as pn on pn.oid = p.pronamespace
where (n.nspname, c.relname, t.tgname) = ('feature_planner', 'plan_steps', 'plan_steps_updated_at') and not t.tgisinternal;

-- check: an update of feature_planner.plan_steps sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table plan_steps as select * from feature_planner.plan_steps with no data;
create trigger plan_steps_updated_at before update on pg_temp.plan_steps
  for each row execute function feature_planner.touch_updated_at();
insert into pg_temp.plan_steps (updated_at) values ('2999-01-01');
update pg_temp.plan_steps set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days' as is_now, t.updated_at
from pg_temp.plan_steps as t;
-- end stamp

-- stamp: updated_at_trigger(table="plan_step_templates", schema="feature_planner",
--   function="touch_updated_at", function_schema="feature_planner")
-- stamped: updated_at_trigger sha256:118e8de854a15577  (edit the stamp line or the template, then run pgvouch stamp)
-- check: plan_step_templates_updated_at runs feature_planner.touch_updated_at before every update of a row of feature_planner.plan_step_templates
set local search_path = pg_catalog, pg_temp;
select
  t.tgtype = 1 + 2 + 16 -- for each row, before, update, and no other event
    and t.tgenabled = 'O' and t.tgqual is null and cardinality(t.tgattr::int2[]) = 0
    and (pn.nspname, p.proname) = ('feature_planner', 'touch_updated_at') as as_stamped,
  pg_get_triggerdef(t.oid) as found
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid
join pg_namespace as n on n.oid = c.relnamespace
join pg_proc as p on p.oid = t.tgfoid
join pg_namespace as pn on pn.oid = p.pronamespace
where (n.nspname, c.relname, t.tgname) = ('feature_planner', 'plan_step_templates', 'plan_step_templates_updated_at') and not t.tgisinternal;

-- check: an update of feature_planner.plan_step_templates sets updated_at
-- An empty copy without its constraints takes a row, whatever the table demands. A client may have written a time to come.
create temporary table plan_step_templates as select * from feature_planner.plan_step_templates with no data;
create trigger plan_step_templates_updated_at before update on pg_temp.plan_step_templates
  for each row execute function feature_planner.touch_updated_at();
insert into pg_temp.plan_step_templates (updated_at) values ('2999-01-01');
update pg_temp.plan_step_templates set updated_at = '2999-01-01';
set local search_path = pg_catalog, pg_temp;
-- To the day, for it may be a date, or another time zone's.
select t.updated_at > now() - interval '1 day' and t.updated_at < now() + interval '2 days' as is_now, t.updated_at
from pg_temp.plan_step_templates as t;
-- end stamp

-- check: public has lost the trigger's function
select to_regprocedure('public.touch_updated_at()') is null;

-- check: the accounts are still in public
select to_regclass('public.users') is not null and to_regclass('feature_planner.users') is null;

-- check: the schema says what it is
select obj_description('feature_planner'::regnamespace, 'pg_namespace')
  = 'The feature planner, a development tool: nothing outside refers to it, and it can be dropped '
  'whole.';

-- Its text is looked at when it runs, and would fail then. A view, and a function in standard SQL
-- (begin atomic), follow by themselves.
-- check none: a function whose text still says where the tables were
select oid::regprocedure
from pg_catalog.pg_proc
where prosrc ~* concat(
    '\mpublic"?\s*\.\s*"?(feature_plans|feature_refinements|file_discovery_sessions',
    '|discovered_files|implementation_plan_generations|plan_steps|plan_step_templates',
    '|plan_execution_logs)\M'
  )
  and pronamespace <> 'pg_catalog'::regnamespace;

-- Otherwise it could not be dropped whole.
-- check none: something outside that would go with the schema, or lose a part
-- Whatever refers to something in the schema, at first or second hand: a table that inherits or has a
-- column of a type, a reference, a domain, a view, a function, a default, a policy or a trigger of
-- somebody's on a table of theirs. Temporary tables and the server's own triggers are left out; a
-- publication merely has one table less.
with recursive dropped (classid, objid, objsubid) as (
  select classid, objid, objsubid
  from pg_catalog.pg_depend
  where refclassid = 'pg_namespace'::regclass
    and refobjid = 'feature_planner'::regnamespace
  union
  select d.classid, d.objid, d.objsubid
  from dropped
  join pg_catalog.pg_depend as d
    on d.refclassid = dropped.classid
    and d.refobjid = dropped.objid
    and (dropped.objsubid in (0, d.refobjsubid))
),
placed as (
  select
    dropped.*,
    coalesce(
      (
        select relnamespace
        from pg_catalog.pg_class
        where dropped.classid = 'pg_class'::regclass and oid = dropped.objid
        union all
        select typnamespace
        from pg_catalog.pg_type
        where dropped.classid = 'pg_type'::regclass and oid = dropped.objid
        union all
        select pronamespace
        from pg_catalog.pg_proc
        where dropped.classid = 'pg_proc'::regclass and oid = dropped.objid
        union all
        select connamespace
        from pg_catalog.pg_constraint
        where dropped.classid = 'pg_constraint'::regclass and oid = dropped.objid
        union all
        select stxnamespace
        from pg_catalog.pg_statistic_ext
        where dropped.classid = 'pg_statistic_ext'::regclass and oid = dropped.objid
        union all
        select oprnamespace
        from pg_catalog.pg_operator
        where dropped.classid = 'pg_operator'::regclass and oid = dropped.objid
      ),
      (
        -- Part of a table.
        select c.relnamespace
        from pg_catalog.pg_class as c
        where c.oid in (
          select tgrelid
          from pg_catalog.pg_trigger
          where dropped.classid = 'pg_trigger'::regclass
            and oid = dropped.objid
            and not tgisinternal
          union all
          select ev_class
          from pg_catalog.pg_rewrite
          where dropped.classid = 'pg_rewrite'::regclass and oid = dropped.objid
          union all
          select polrelid
          from pg_catalog.pg_policy
          where dropped.classid = 'pg_policy'::regclass and oid = dropped.objid
          union all
          select adrelid
          from pg_catalog.pg_attrdef
          where dropped.classid = 'pg_attrdef'::regclass and oid = dropped.objid
        )
      )
    ) as namespace
  from dropped
)
select object.type, object.identity
from placed
cross join lateral pg_identify_object(placed.classid, placed.objid, placed.objsubid) as object
left join pg_catalog.pg_namespace as n on n.oid = placed.namespace
where n.nspname <> 'feature_planner' and n.nspname !~ '^pg_(temp|toast)'
  or placed.classid = 'pg_event_trigger'::regclass;
