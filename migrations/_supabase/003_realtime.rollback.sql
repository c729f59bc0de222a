drop publication supabase_realtime;
