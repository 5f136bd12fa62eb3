-- Replication slots; retained WAL is current_lsn - restart_lsn, computed in C.
-- timeout: 1000
-- privilege: pg_monitor
-- columns: current_lsn int, slot_name text, plugin text, slot_type text, database text, temporary bool, active bool, active_pid int, xmin_age int, catalog_xmin_age int, restart_lsn int, confirmed_flush_lsn int, wal_status text, safe_wal_size int, two_phase bool, conflicting bool, inactive_since time, invalidation_reason text, failover bool, synced bool
SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
            THEN COALESCE(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
            ELSE pg_catalog.pg_current_wal_lsn() END AS current_lsn,
       s.slot_name, s.plugin, s.slot_type, s.database, s.temporary, s.active, s.active_pid,
       pg_catalog.age(s.xmin) AS xmin_age, pg_catalog.age(s.catalog_xmin) AS catalog_xmin_age,
       s.restart_lsn, s.confirmed_flush_lsn,
       /*if pg_replication_slots.wal_status*/s.wal_status/*else NULL::text*/ AS wal_status,
       /*if pg_replication_slots.safe_wal_size*/s.safe_wal_size/*else NULL::int8*/ AS safe_wal_size,
       /*if pg_replication_slots.two_phase*/s.two_phase/*else NULL::bool*/ AS two_phase,
       /*if pg_replication_slots.conflicting*/s.conflicting/*else NULL::bool*/ AS conflicting,
       /*if pg_replication_slots.inactive_since*/s.inactive_since/*else NULL::timestamptz*/ AS inactive_since,
       /*if pg_replication_slots.invalidation_reason*/s.invalidation_reason/*else NULL::text*/ AS invalidation_reason,
       /*if pg_replication_slots.failover*/s.failover/*else NULL::bool*/ AS failover,
       /*if pg_replication_slots.synced*/s.synced/*else NULL::bool*/ AS synced
  FROM pg_catalog.pg_replication_slots s
 ORDER BY s.slot_name
 LIMIT 1000
