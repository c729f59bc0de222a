drop function public.handle_new_user();
drop function public.update_updated_at();
