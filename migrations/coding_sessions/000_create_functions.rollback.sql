drop function public.update_updated_at();
