drop index public.discovered_files_added_by_user_id_idx;

-- Its three triggers go with it. `drop trigger` says the same, and on Supabase locks 22 tables of the
-- platform until the end of the transaction. The checks of this rollback see to it that no trigger of
-- somebody else's goes along.
drop function public.touch_updated_at() cascade;
