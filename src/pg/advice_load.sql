-- Is the server busy, and how old are pg_stat_statements' counters? active: client sessions at work, ours left out.
-- has_trgm: an extension that advice depends on is created here. text_config: the database's configuration of text search; who
-- names one in a statement hardly means simple, which is what a database without a language has.
-- timeout: 2000
-- requires: pg_stat_statements()
-- too_old: pg_stat_statements is not installed in this database|CREATE EXTENSION pg_stat_statements
-- columns: active int, age_s float, has_trgm bool, text_config text
SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_get_activity(NULL) a
         WHERE a.state = 'active' AND a.pid <> pg_catalog.pg_backend_pid()) AS active,
       /*if pg_stat_statements_info().stats_reset*/(SELECT extract(epoch FROM pg_catalog.now() - GREATEST(s.stats_reset, pg_catalog.pg_postmaster_start_time() - interval '1 year'))::float8
          FROM @pgss@.pg_stat_statements_info() s)/*else NULL::float8*/ AS age_s,
       EXISTS (SELECT 1 FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_trgm') AS has_trgm,
       COALESCE(NULLIF((SELECT pg_catalog.replace(p.reset_val, 'pg_catalog.', '') FROM pg_catalog.pg_settings p
                         WHERE p.name = 'default_text_search_config'), 'simple'), 'english') AS text_config
