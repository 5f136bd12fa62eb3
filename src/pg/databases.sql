-- Counters of each database since their reset; datid 0 counts for the shared catalogs. Sizes: sizes.sql.
-- -1 is what this server does not count.
-- timeout: 1000
-- columns: datid int, datname text, backends int, commits int, rollbacks int, read int, hit int, returned int, fetched int,
-- ins int, upd int, del int, conflicts int, temp_files int, temp_bytes int, deadlocks int, checksum_failures int,
-- checksum_last_failure time, read_ms float, write_ms float, session_ms float, active_ms float, idle_tx_ms float,
-- sessions int, abandoned int, fatal int, killed int, stats_reset time, conn_limit int, allow_conn bool, is_template bool,
-- xid_age int, mxid_age int
SELECT s.datid, s.datname, s.numbackends AS backends, s.xact_commit AS commits, s.xact_rollback AS rollbacks,
       s.blks_read AS read, s.blks_hit AS hit, s.tup_returned AS returned, s.tup_fetched AS fetched,
       s.tup_inserted AS ins, s.tup_updated AS upd, s.tup_deleted AS del, s.conflicts, s.temp_files, s.temp_bytes,
       s.deadlocks, s.checksum_failures, s.checksum_last_failure, s.blk_read_time AS read_ms, s.blk_write_time AS write_ms,
       /*if pg_stat_database.session_time*/s.session_time/*else (-1)::float8*/ AS session_ms,
       /*if pg_stat_database.active_time*/s.active_time/*else (-1)::float8*/ AS active_ms,
       /*if pg_stat_database.idle_in_transaction_time*/s.idle_in_transaction_time/*else (-1)::float8*/ AS idle_tx_ms,
       /*if pg_stat_database.sessions*/s.sessions/*else -1*/ AS sessions,
       /*if pg_stat_database.sessions_abandoned*/s.sessions_abandoned/*else -1*/ AS abandoned,
       /*if pg_stat_database.sessions_fatal*/s.sessions_fatal/*else -1*/ AS fatal,
       /*if pg_stat_database.sessions_killed*/s.sessions_killed/*else -1*/ AS killed,
       s.stats_reset, d.datconnlimit AS conn_limit, d.datallowconn AS allow_conn, d.datistemplate AS is_template,
       pg_catalog.age(d.datfrozenxid) AS xid_age, pg_catalog.mxid_age(d.datminmxid) AS mxid_age
  FROM pg_catalog.pg_stat_database s
  LEFT JOIN pg_catalog.pg_database d ON d.oid = s.datid
 LIMIT 10000
