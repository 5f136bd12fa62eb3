-- The WAL receiver and the replay of a standby: one row on a standby, none on a primary.
-- timeout: 1000
-- privilege: pg_monitor
-- requires: pg_stat_get_wal_receiver()
-- too_old: this server has no WAL receiver to look at|Aurora replicas share storage: see the replica lag of the cloud provider.
-- columns: now time, pid int, status text, written_lsn int, flushed_lsn int, received_tli int, last_msg_send_time time, last_msg_receipt_time time, latest_end_lsn int, latest_end_time time, slot_name text, sender_host text, sender_port int, receive_lsn int, replay_lsn int, replayed_at time, is_paused bool, apply_delay_s float, receiver_timeout_s float, hot_standby_feedback bool, has_primary bool
SELECT pg_catalog.clock_timestamp() AS now, r.pid, r.status,
       r.written_lsn, r.flushed_lsn, r.received_tli,
       r.last_msg_send_time, r.last_msg_receipt_time, r.latest_end_lsn, r.latest_end_time,
       r.slot_name, r.sender_host, r.sender_port,
       pg_catalog.pg_last_wal_receive_lsn() AS receive_lsn,
       pg_catalog.pg_last_wal_replay_lsn() AS replay_lsn,
       pg_catalog.pg_last_xact_replay_timestamp() AS replayed_at,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() END AS is_paused,
       EXTRACT(epoch FROM pg_catalog.current_setting('recovery_min_apply_delay')::interval)::float8 AS apply_delay_s,
       EXTRACT(epoch FROM pg_catalog.current_setting('wal_receiver_timeout')::interval)::float8 AS receiver_timeout_s,
       pg_catalog.current_setting('hot_standby_feedback')::bool AS hot_standby_feedback,
       CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
            THEN pg_catalog.current_setting('primary_conninfo') <> '' ELSE r.pid IS NOT NULL END AS has_primary
  FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_stat_get_wal_receiver() r ON r.pid IS NOT NULL
 WHERE pg_catalog.pg_is_in_recovery()
