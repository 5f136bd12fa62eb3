-- One standby as its primary sees it. $1: its application_name, $2: its slot ('' any).
-- timeout: 3000
-- privilege: pg_monitor
-- params: 2
-- columns: state text, sync_state text, replay_lsn int, lsn int, lag_s float
SELECT r.state, r.sync_state, r.replay_lsn,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.pg_current_wal_lsn() END AS lsn,
       EXTRACT(epoch FROM r.replay_lag)::float8 AS lag_s
  FROM pg_catalog.pg_stat_replication r
 WHERE r.application_name = $1::text
   AND ($2::text = '' OR EXISTS (SELECT FROM pg_catalog.pg_replication_slots s
                                  WHERE s.slot_name = $2::name AND s.active_pid = r.pid))
 ORDER BY r.state = 'streaming' DESC
 LIMIT 1
