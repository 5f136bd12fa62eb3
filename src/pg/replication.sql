-- Standbys that stream from here. The function alone: names and addresses are joined in C from the
-- activity probe by pid, lags are LSN differences computed in C from current_lsn.
-- timeout: 1000
-- privilege: pg_monitor
-- columns: now time, current_lsn int, pid int, state text, sent_lsn int, write_lsn int, flush_lsn int, replay_lsn int, write_lag_s float, flush_lag_s float, replay_lag_s float, sync_priority int, sync_state text, reply_time time
SELECT pg_catalog.now() AS now,
       CASE WHEN pg_catalog.pg_is_in_recovery()
            THEN COALESCE(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
            ELSE pg_catalog.pg_current_wal_lsn() END AS current_lsn,
       w.pid, w.state, w.sent_lsn, w.write_lsn, w.flush_lsn, w.replay_lsn,
       EXTRACT(epoch FROM w.write_lag)::float8 AS write_lag_s,
       EXTRACT(epoch FROM w.flush_lag)::float8 AS flush_lag_s,
       EXTRACT(epoch FROM w.replay_lag)::float8 AS replay_lag_s,
       w.sync_priority, w.sync_state, w.reply_time
  FROM pg_catalog.pg_stat_get_wal_senders() w
 LIMIT 1000
