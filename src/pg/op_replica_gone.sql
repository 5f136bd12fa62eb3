-- What dropping a standby would take away. On the primary. $1: its slot, $2: its application_name.
-- timeout: 3000
-- privilege: pg_monitor
-- params: 2
-- columns: has_slot bool, is_slot_used bool, sync_state text, sync_count int, sync_names text
SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1::name) AS has_slot,
       EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1::name AND s.active) AS is_slot_used,
       (SELECT r.sync_state FROM pg_catalog.pg_stat_replication r
          LEFT JOIN pg_catalog.pg_replication_slots s ON s.active_pid = r.pid
         WHERE s.slot_name = $1::name OR r.application_name = $2::text LIMIT 1) AS sync_state,
       (SELECT count(*) FROM pg_catalog.pg_stat_replication r
         WHERE r.state = 'streaming' AND r.sync_state <> 'async') AS sync_count,
       pg_catalog.current_setting('synchronous_standby_names') AS sync_names
