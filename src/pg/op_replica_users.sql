-- Who uses a standby: servers that follow it, and sessions of clients.
-- timeout: 3000
-- privilege: pg_monitor
-- params: 0
-- columns: followers int, sessions int
SELECT (SELECT count(*) FROM pg_catalog.pg_stat_get_wal_senders() w) AS followers,
       (SELECT count(*) FROM pg_catalog.pg_stat_get_activity(NULL) a
         WHERE a.datid <> 0 AND a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()) AS sessions
