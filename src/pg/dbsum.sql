-- Sums over all databases, straight from the statistics functions: the view would compute what nobody reads.
-- Counters of objects shared by all databases are under oid 0. Plain roles may read all of it.
-- own_xacts is filled in by the collector: transactions of this program so far, which are no load of the server's.
-- timeout: 1000
-- columns: now time, databases int, backends int, commits int, rollbacks int, blks_read int, blks_hit int, tup_returned int, tup_fetched int, tup_inserted int, tup_updated int, tup_deleted int, temp_files int, temp_bytes int, deadlocks int, conflicts int, sessions int, active_ms float, idle_in_xact_ms float, blk_read_ms float, blk_write_ms float, checksum_failures int, stats_reset time, own_xacts int
SELECT pg_catalog.clock_timestamp() AS now,
       pg_catalog.count(*) - 1 AS databases,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_numbackends(d.oid)) AS backends,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_xact_commit(d.oid))::int8 AS commits,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_xact_rollback(d.oid))::int8 AS rollbacks,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_blocks_fetched(d.oid) - pg_catalog.pg_stat_get_db_blocks_hit(d.oid))::int8 AS blks_read,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_blocks_hit(d.oid))::int8 AS blks_hit,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_tuples_returned(d.oid))::int8 AS tup_returned,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_tuples_fetched(d.oid))::int8 AS tup_fetched,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_tuples_inserted(d.oid))::int8 AS tup_inserted,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_tuples_updated(d.oid))::int8 AS tup_updated,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_tuples_deleted(d.oid))::int8 AS tup_deleted,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_temp_files(d.oid))::int8 AS temp_files,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_temp_bytes(d.oid))::int8 AS temp_bytes,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_deadlocks(d.oid))::int8 AS deadlocks,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_conflict_all(d.oid))::int8 AS conflicts,
       /*if pg_stat_get_db_sessions()*/pg_catalog.sum(pg_catalog.pg_stat_get_db_sessions(d.oid))::int8/*else NULL::int8*/ AS sessions,
       /*if pg_stat_get_db_active_time()*/pg_catalog.sum(pg_catalog.pg_stat_get_db_active_time(d.oid))/*else NULL::float8*/ AS active_ms,
       /*if pg_stat_get_db_idle_in_transaction_time()*/pg_catalog.sum(pg_catalog.pg_stat_get_db_idle_in_transaction_time(d.oid))/*else NULL::float8*/ AS idle_in_xact_ms,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_blk_read_time(d.oid)) AS blk_read_ms,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_blk_write_time(d.oid)) AS blk_write_ms,
       pg_catalog.sum(pg_catalog.pg_stat_get_db_checksum_failures(d.oid))::int8 AS checksum_failures,
       pg_catalog.max(pg_catalog.pg_stat_get_db_stat_reset_time(d.oid)) AS stats_reset,
       NULL::int8 AS own_xacts
  FROM (SELECT 0::pg_catalog.oid AS oid UNION ALL SELECT p.oid FROM pg_catalog.pg_database p) d
