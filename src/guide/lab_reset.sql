-- The counters begin with the load: what made the lab is nobody's business.
\o /dev/null
SELECT public.pg_stat_statements_reset();
