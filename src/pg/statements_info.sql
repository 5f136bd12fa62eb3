-- What pg_stat_statements says about itself, and the settings that decide what its counters mean. One row.
-- timeout: 1000
-- requires: pg_stat_statements()
-- too_old: pg_stat_statements is not installed in this database|CREATE EXTENSION pg_stat_statements
-- columns: dealloc int, stats_reset time, max int, track text, track_planning text, track_io_timing text,
-- compute_query_id text, extversion text
SELECT /*if pg_stat_statements_info()*/i.dealloc/*else NULL::int8*/ AS dealloc,
       /*if pg_stat_statements_info()*/i.stats_reset/*else NULL::timestamptz*/ AS stats_reset,
       pg_catalog.current_setting('pg_stat_statements.max', true)::int8 AS max,
       pg_catalog.current_setting('pg_stat_statements.track', true) AS track,
       pg_catalog.current_setting('pg_stat_statements.track_planning', true) AS track_planning,
       pg_catalog.current_setting('track_io_timing', true) AS track_io_timing,
       pg_catalog.current_setting('compute_query_id', true) AS compute_query_id,
       (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_stat_statements') AS extversion
  /*if pg_stat_statements_info()*/FROM @pgss@.pg_stat_statements_info() i/*else*/
