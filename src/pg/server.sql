-- Clock, role, WAL position and timeline: functions that read shared memory only.
-- The timeline of a primary is that of the segment it writes, of a standby that of its stream (0 in the control
-- file's terms until it streams). Aurora has no WAL of this kind and its functions fail.
-- timeout: 1000
-- columns: now time, start_time time, is_standby bool, wal_lsn int, receive_lsn int, replay_time time, timeline int, is_replay_paused bool, pid int
SELECT pg_catalog.clock_timestamp() AS now,
       pg_catalog.pg_postmaster_start_time() AS start_time,
       r.is_standby,
       /*if !aurora_version()*/CASE WHEN r.is_standby THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_insert_lsn() END/*else NULL::pg_catalog.pg_lsn*/ AS wal_lsn,
       /*if !aurora_version()*/CASE WHEN r.is_standby THEN pg_catalog.pg_last_wal_receive_lsn() END/*else NULL::pg_catalog.pg_lsn*/ AS receive_lsn,
       CASE WHEN r.is_standby THEN pg_catalog.pg_last_xact_replay_timestamp() END AS replay_time,
       /*if !aurora_version()*/CASE WHEN r.is_standby THEN (SELECT w.received_tli FROM pg_catalog.pg_stat_get_wal_receiver() w)
            ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::pg_catalog.bit(32)::int4 END/*else NULL::int4*/ AS timeline,
       /*if !aurora_version()*/CASE WHEN r.is_standby THEN pg_catalog.pg_is_wal_replay_paused() END/*else NULL::bool*/ AS is_replay_paused,
       pg_catalog.pg_backend_pid() AS pid
  FROM (SELECT pg_catalog.pg_is_in_recovery() AS is_standby) r
