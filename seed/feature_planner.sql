-- Development data: two users, and for each rows in every table, with all of the enums' values that
-- tell a story. All ids are fixed; running it again changes nothing.

insert into public.users (id, clerk_id, email, username, display_name)
values
  ('fea70000-0000-4000-8000-000000000001', 'user_dev_first', 'dev@example.test', 'dev', 'Dev'),
  (
    'fea70000-0000-4000-8000-000000000002', 'user_dev_second', 'second@example.test', 'second',
    'Second'
  )
on conflict (id) do nothing;

insert into feature_planner.feature_plans (
  id, user_id, original_request, refined_request, status, current_step, version,
  parent_plan_id, complexity, risk_level, selected_refinement_id,
  selected_discovery_session_id, selected_plan_generation_id, selected_files,
  total_execution_time_ms, created_at, completed_at
)
values
  (
    'fea70000-0000-4000-8000-000000010001', 'fea70000-0000-4000-8000-000000000001',
    'Add a search box to the collection',
    'A search box above the collection that filters it as one types', 'completed', 3, 1, null,
    'medium', 'low', 'fea70000-0000-4000-8000-000000020001',
    'fea70000-0000-4000-8000-000000030001', 'fea70000-0000-4000-8000-000000050001',
    '["src/search.tsx", "src/collection.tsx"]', 93000, '2025-10-10 09:00', '2025-10-10 09:12'
  ),
  (
    'fea70000-0000-4000-8000-000000010002', 'fea70000-0000-4000-8000-000000000001',
    'Sort the collection by date', null, 'draft', 0, 1, null, null, null, null, null, null,
    null, 0, '2025-10-11 14:30', null
  ),
  (
    'fea70000-0000-4000-8000-000000010003', 'fea70000-0000-4000-8000-000000000001',
    'Add a search box, and search descriptions too', null, 'refining', 1, 2,
    'fea70000-0000-4000-8000-000000010001', 'high', 'medium', null, null, null, null, 4000,
    '2025-10-12 10:00', null
  ),
  (
    'fea70000-0000-4000-8000-000000010004', 'fea70000-0000-4000-8000-000000000002',
    'Let visitors follow a collector', null, 'failed', 1, 1, null, null, 'high', null, null,
    null, null, 21000, '2025-10-12 11:00', null
  ),
  (
    'fea70000-0000-4000-8000-000000010005', 'fea70000-0000-4000-8000-000000000002',
    'Export a collection as a file', 'A button that exports a collection as CSV', 'cancelled',
    2, 1, null, 'low', 'low', 'fea70000-0000-4000-8000-000000020006', null, null, null, 30000,
    '2025-10-12 16:00', null
  )
on conflict (id) do nothing;

insert into feature_planner.feature_refinements (
  id, plan_id, agent_id, agent_model, status, input_request, refined_request, word_count,
  is_valid_format, retry_count, error_message, agent_name, agent_role, assumptions, confidence,
  estimated_scope, technical_complexity, created_at, completed_at
)
values
  (
    'fea70000-0000-4000-8000-000000020001', 'fea70000-0000-4000-8000-000000010001',
    'refiner-1', 'sonnet', 'completed', 'Add a search box to the collection',
    'A search box above the collection that filters it as one types', 12, true, 0, null,
    'Frontend', 'Interface', '["The list is short enough to filter in the browser"]', 'high',
    'small', 'low', '2025-10-10 09:01', '2025-10-10 09:02'
  ),
  (
    'fea70000-0000-4000-8000-000000020002', 'fea70000-0000-4000-8000-000000010001',
    'refiner-2', 'sonnet', 'completed', 'Add a search box to the collection',
    'A search page of its own', 5, true, 0, null, null, null, null, 'medium', 'medium',
    'medium', '2025-10-10 09:01', '2025-10-10 09:03'
  ),
  (
    'fea70000-0000-4000-8000-000000020003', 'fea70000-0000-4000-8000-000000010003',
    'refiner-1', 'sonnet', 'processing', 'Add a search box, and search descriptions too', null,
    null, false, 0, null, null, null, null, null, null, null, '2025-10-12 10:01', null
  ),
  (
    'fea70000-0000-4000-8000-000000020004', 'fea70000-0000-4000-8000-000000010004',
    'refiner-1', 'opus', 'failed', 'Let visitors follow a collector', null, null, false, 1,
    'no answer in time', null, null, null, null, null, null, '2025-10-12 11:01', null
  ),
  (
    'fea70000-0000-4000-8000-000000020005', 'fea70000-0000-4000-8000-000000010004',
    'refiner-2', 'opus', 'cancelled', 'Let visitors follow a collector', null, null, false, 0,
    null, null, null, null, null, null, null, '2025-10-12 11:01', null
  ),
  (
    'fea70000-0000-4000-8000-000000020006', 'fea70000-0000-4000-8000-000000010005',
    'refiner-1', 'sonnet', 'completed', 'Export a collection as a file',
    'A button that exports a collection as CSV', 8, true, 0, null, null, null, null, 'low',
    'large', 'high', '2025-10-12 16:01', '2025-10-12 16:02'
  )
on conflict (id) do nothing;

insert into feature_planner.file_discovery_sessions (
  id, plan_id, agent_id, status, refined_request, is_selected, total_files_found,
  critical_priority_count, high_priority_count, medium_priority_count, low_priority_count,
  created_at, completed_at
)
values
  (
    'fea70000-0000-4000-8000-000000030001', 'fea70000-0000-4000-8000-000000010001',
    'discoverer-1', 'completed',
    'A search box above the collection that filters it as one types', true, 4, 1, 1, 1, 1,
    '2025-10-10 09:04', '2025-10-10 09:05'
  ),
  (
    'fea70000-0000-4000-8000-000000030002', 'fea70000-0000-4000-8000-000000010003',
    'discoverer-1', 'pending', 'A search box that looks into descriptions', false, 0, 0, 0, 0,
    0, '2025-10-12 10:05', null
  ),
  (
    'fea70000-0000-4000-8000-000000030003', 'fea70000-0000-4000-8000-000000010005',
    'discoverer-1', 'completed', 'A button that exports a collection as CSV', true, 1, 0, 1, 0,
    0, '2025-10-12 16:03', '2025-10-12 16:04'
  )
on conflict (id) do nothing;

insert into feature_planner.discovered_files (
  id, discovery_session_id, added_by_user_id, file_path, priority, relevance_score,
  lines_of_code, is_manually_added, is_selected, created_at
)
values
  (
    'fea70000-0000-4000-8000-000000040001', 'fea70000-0000-4000-8000-000000030001', null,
    'src/search.tsx', 'critical', 95, 120, false, true, '2025-10-10 09:05'
  ),
  (
    'fea70000-0000-4000-8000-000000040002', 'fea70000-0000-4000-8000-000000030001', null,
    'src/collection.tsx', 'high', 80, 340, false, true, '2025-10-10 09:05'
  ),
  (
    'fea70000-0000-4000-8000-000000040003', 'fea70000-0000-4000-8000-000000030001', null,
    'src/filters.ts', 'medium', 50, 60, false, false, '2025-10-10 09:05'
  ),
  (
    'fea70000-0000-4000-8000-000000040004', 'fea70000-0000-4000-8000-000000030001', null,
    'README.md', 'low', 10, null, false, false, '2025-10-10 09:05'
  ),
  (
    'fea70000-0000-4000-8000-000000040005', 'fea70000-0000-4000-8000-000000030001',
    'fea70000-0000-4000-8000-000000000002', 'src/text.ts', 'high', 70, 45, true, false,
    '2025-10-10 09:06'
  ),
  (
    'fea70000-0000-4000-8000-000000040006', 'fea70000-0000-4000-8000-000000030003', null,
    'src/export.ts', 'high', 90, 80, false, true, '2025-10-12 16:04'
  )
on conflict (id) do nothing;

insert into feature_planner.implementation_plan_generations (
  id, plan_id, agent_id, status, refined_request, implementation_plan, complexity, risk_level,
  total_steps, is_valid_markdown, is_selected, validation_errors, created_at, completed_at
)
values
  (
    'fea70000-0000-4000-8000-000000050001', 'fea70000-0000-4000-8000-000000010001',
    'planner-1', 'completed', 'A search box above the collection that filters it as one types',
    '# Search  1. Add the box 2. Filter the list 3. Test it', 'medium', 'low', 3, true, true,
    null, '2025-10-10 09:07', '2025-10-10 09:11'
  ),
  (
    'fea70000-0000-4000-8000-000000050002', 'fea70000-0000-4000-8000-000000010001',
    'planner-1', 'failed', 'A search box above the collection that filters it as one types',
    null, null, null, 1, false, false,
    '[{"code": "no_heading", "field": "plan", "message": "The plan has no heading"}]',
    '2025-10-10 09:06', null
  ),
  (
    'fea70000-0000-4000-8000-000000050003', 'fea70000-0000-4000-8000-000000010005',
    'planner-1', 'processing', 'A button that exports a collection as CSV', null, 'low', 'low',
    0, false, false, null, '2025-10-12 16:05', null
  )
on conflict (id) do nothing;

insert into feature_planner.plan_step_templates (
  id, user_id, name, title, description, content, category, confidence_level, is_public,
  usage_count, created_at
)
values
  (
    'fea70000-0000-4000-8000-000000060001', 'fea70000-0000-4000-8000-000000000001', 'tests',
    'Write tests', 'A test for every rule', 'Write a test for each rule, and see it fail.',
    'quality', 'high', true, 1, '2025-10-09 12:00'
  ),
  (
    'fea70000-0000-4000-8000-000000060002', 'fea70000-0000-4000-8000-000000000002', 'review',
    'Ask for a review', 'Somebody else reads it', 'Open a pull request.', 'process', 'medium',
    false, 0, '2025-10-09 13:00'
  )
on conflict (id) do nothing;

insert into feature_planner.plan_steps (
  id, plan_generation_id, template_id, step_number, display_order, title, description,
  category, commands, is_from_template, created_at
)
values
  (
    'fea70000-0000-4000-8000-000000070001', 'fea70000-0000-4000-8000-000000050001', null, 1, 0,
    'Add the box', 'Above the collection', 'code', null, false, '2025-10-10 09:11'
  ),
  (
    'fea70000-0000-4000-8000-000000070002', 'fea70000-0000-4000-8000-000000050001', null, 2, 1,
    'Filter the list', 'As one types', 'code', '["npm run dev"]', false, '2025-10-10 09:11'
  ),
  (
    'fea70000-0000-4000-8000-000000070003', 'fea70000-0000-4000-8000-000000050001',
    'fea70000-0000-4000-8000-000000060001', 3, 2, 'Write tests', 'A test for every rule',
    'quality', '["npm test"]', true, '2025-10-10 09:11'
  ),
  (
    'fea70000-0000-4000-8000-000000070004', 'fea70000-0000-4000-8000-000000050002', null, 1, 0,
    'Add the box', 'Somewhere', null, null, false, '2025-10-10 09:06'
  ),
  (
    'fea70000-0000-4000-8000-000000070005', 'fea70000-0000-4000-8000-000000050003', null, 1, 0,
    'Add the button', 'Below the collection', 'code', null, false, '2025-10-12 16:05'
  )
on conflict (id) do nothing;

insert into feature_planner.plan_execution_logs (
  id, plan_id, parent_log_id, step, step_number, agent_type, agent_level, is_success,
  error_message, retry_attempt, start_time, end_time, duration_ms, total_tokens,
  cache_read_tokens, created_at
)
values
  (
    'fea70000-0000-4000-8000-000000080001', 'fea70000-0000-4000-8000-000000010001', null,
    'refinement', 1, 'refiner', 0, true, null, 0, '2025-10-10 09:01', '2025-10-10 09:02',
    60000, 1200, null, '2025-10-10 09:02'
  ),
  (
    'fea70000-0000-4000-8000-000000080002', 'fea70000-0000-4000-8000-000000010001', null,
    'discovery', 2, 'discoverer', 0, true, null, 0, '2025-10-10 09:04', '2025-10-10 09:05',
    13000, 5400, 4000, '2025-10-10 09:05'
  ),
  (
    'fea70000-0000-4000-8000-000000080003', 'fea70000-0000-4000-8000-000000010001',
    'fea70000-0000-4000-8000-000000080002', 'discovery', 2, 'reader', 1, true, null, 0,
    '2025-10-10 09:04', '2025-10-10 09:05', 9000, 2100, null, '2025-10-10 09:05'
  ),
  (
    'fea70000-0000-4000-8000-000000080004', 'fea70000-0000-4000-8000-000000010001', null,
    'planning', 3, 'planner', 0, true, null, 0, '2025-10-10 09:07', '2025-10-10 09:11', 20000,
    8000, null, '2025-10-10 09:11'
  ),
  (
    'fea70000-0000-4000-8000-000000080005', 'fea70000-0000-4000-8000-000000010004', null,
    'refinement', 1, 'refiner', 0, false, 'no answer in time', 0, '2025-10-12 11:01', null,
    null, null, null, '2025-10-12 11:02'
  ),
  (
    'fea70000-0000-4000-8000-000000080006', 'fea70000-0000-4000-8000-000000010004', null,
    'refinement', 1, 'refiner', 0, false, 'no answer in time', 1, '2025-10-12 11:03', null,
    null, null, null, '2025-10-12 11:04'
  ),
  (
    'fea70000-0000-4000-8000-000000080007', 'fea70000-0000-4000-8000-000000010005', null,
    'refinement', 1, 'refiner', 0, true, null, 0, '2025-10-12 16:01', '2025-10-12 16:02',
    30000, 900, null, '2025-10-12 16:02'
  )
on conflict (id) do nothing;
