-- Counters of pg_stat_statements, never its texts: with showtext = false the text file is not read, and with enough
-- work_mem (the session sets 32 MB) nothing spills. 5,000 entries take 5 to 7 ms of the server.
-- Zeroes travel as NULL, which is a third of their bytes; -1 (a time: 1970) is what this server does not count.
-- timeout: 2000
-- privilege: pg_read_all_stats
-- requires: pg_stat_statements()
-- too_old: pg_stat_statements is not installed in this database|CREATE EXTENSION pg_stat_statements
-- columns: userid int, dbid int, queryid int, toplevel bool, calls int, rows int, total_ms float, min_ms float,
-- max_ms float, stddev_ms float, plans int, plan_ms float, hit int, read int, dirtied int, written int,
-- local_read int, local_written int, temp_read int, temp_written int, read_ms float, write_ms float, temp_ms float,
-- wal_records int, wal_fpi int, wal_bytes int, jit_functions int, jit_ms float, since time
SELECT s.userid, s.dbid, s.queryid,
       /*if pg_stat_statements().toplevel*/NULLIF(s.toplevel, true)/*else NULL::bool*/ AS toplevel,
       s.calls, NULLIF(s.rows, 0) AS rows,
       /*if pg_stat_statements().total_exec_time*/s.total_exec_time/*else s.total_time*/ AS total_ms,
       /*if pg_stat_statements().min_exec_time*/s.min_exec_time/*else s.min_time*/ AS min_ms,
       /*if pg_stat_statements().max_exec_time*/s.max_exec_time/*else s.max_time*/ AS max_ms,
       /*if pg_stat_statements().stddev_exec_time*/NULLIF(s.stddev_exec_time, 0)/*else NULLIF(s.stddev_time, 0)*/ AS stddev_ms,
       /*if pg_stat_statements().plans*/NULLIF(s.plans, 0)/*else -1*/ AS plans,
       /*if pg_stat_statements().total_plan_time*/NULLIF(s.total_plan_time, 0)/*else (-1)::float4*/ AS plan_ms,
       NULLIF(s.shared_blks_hit, 0) AS hit, NULLIF(s.shared_blks_read, 0) AS read,
       NULLIF(s.shared_blks_dirtied, 0) AS dirtied, NULLIF(s.shared_blks_written, 0) AS written,
       NULLIF(s.local_blks_read, 0) AS local_read, NULLIF(s.local_blks_written, 0) AS local_written,
       NULLIF(s.temp_blks_read, 0) AS temp_read, NULLIF(s.temp_blks_written, 0) AS temp_written,
       /*if pg_stat_statements().shared_blk_read_time*/NULLIF(s.shared_blk_read_time + s.local_blk_read_time, 0)/*else NULLIF(s.blk_read_time, 0)*/ AS read_ms,
       /*if pg_stat_statements().shared_blk_write_time*/NULLIF(s.shared_blk_write_time + s.local_blk_write_time, 0)/*else NULLIF(s.blk_write_time, 0)*/ AS write_ms,
       /*if pg_stat_statements().temp_blk_read_time*/NULLIF(s.temp_blk_read_time + s.temp_blk_write_time, 0)/*else (-1)::float4*/ AS temp_ms,
       /*if pg_stat_statements().wal_records*/NULLIF(s.wal_records, 0)/*else -1*/ AS wal_records,
       /*if pg_stat_statements().wal_fpi*/NULLIF(s.wal_fpi, 0)/*else -1*/ AS wal_fpi,
       /*if pg_stat_statements().wal_bytes*/NULLIF(s.wal_bytes, 0)::int8/*else -1*/ AS wal_bytes,
       /*if pg_stat_statements().jit_functions*/NULLIF(s.jit_functions, 0)/*else -1*/ AS jit_functions,
       /*if pg_stat_statements().jit_functions*/NULLIF(s.jit_generation_time + s.jit_inlining_time + s.jit_optimization_time + s.jit_emission_time, 0)/*else (-1)::float4*/ AS jit_ms,
       /*if pg_stat_statements().stats_since*/s.stats_since/*else 'epoch'::timestamptz*/ AS since
  FROM @pgss@.pg_stat_statements(false) s
 LIMIT 100000
