-- How far a reader of Aurora is behind, at most; $1: its name, "" all. Rows of members that are gone stay for a while.
-- timeout: 3000
-- requires: aurora_replica_status()
-- too_old: this server is no Aurora|The lag of its replicas is in pg_stat_replication.
-- params: 1
-- columns: lag_s float
SELECT max(s.replica_lag_in_msec)::float8 / 1000 AS lag_s
  FROM pg_catalog.aurora_replica_status() s
 WHERE s.session_id <> 'MASTER_SESSION_ID' AND ($1::text = '' OR s.server_id = $1::text)
   AND s.last_update_timestamp > pg_catalog.clock_timestamp() - interval '5 minutes'
