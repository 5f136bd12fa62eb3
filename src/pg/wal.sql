-- WAL counters since their reset, one row.
-- timeout: 1000
-- requires: pg_stat_wal.wal_records
-- too_old: this server does not count its WAL (pg_stat_wal came with PostgreSQL 14)|The WAL rate is still taken from the WAL position.
-- columns: now time, wal_records int, wal_fpi int, wal_bytes int, wal_buffers_full int, stats_reset time
SELECT pg_catalog.now() AS now, w.wal_records, w.wal_fpi,
       LEAST(w.wal_bytes, 9223372036854775807)::int8 AS wal_bytes, w.wal_buffers_full, w.stats_reset
  FROM pg_catalog.pg_stat_wal w
