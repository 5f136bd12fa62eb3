-- One server of a pair, for switchovers and drills: its role, how far it is, and what stands in their way. Settings that
-- a standby must have at least as high as its primary are one text, to be compared.
-- timeout: 3000
-- privilege: pg_monitor
-- params: 0
-- columns: is_standby bool, timeline int, lsn int, receive_lsn int, receiver_status text, sender_port int, checkpoint_timeline int, port int, must_match text, prepared int, backups int, long_xact_s float, logical_slots int, is_replay_paused bool, cluster_name text, slot_name text, can_rewind bool, system_identifier int, sync_names text, archive_mode text, archive_failed text, max_wal_size int, lacks text, can_create bool, can_be_source bool
SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
       CASE WHEN pg_catalog.pg_is_in_recovery()
            THEN COALESCE((SELECT w.received_tli FROM pg_catalog.pg_stat_get_wal_receiver() w),
                          (SELECT r.min_recovery_end_timeline FROM pg_catalog.pg_control_recovery() r))::int8
            ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::int8
       END AS timeline,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_lsn() END AS lsn,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn() END AS receive_lsn,
       (SELECT w.status FROM pg_catalog.pg_stat_get_wal_receiver() w) AS receiver_status,
       (SELECT w.sender_port FROM pg_catalog.pg_stat_get_wal_receiver() w)::int8 AS sender_port,
       (SELECT c.timeline_id FROM pg_catalog.pg_control_checkpoint() c)::int8 AS checkpoint_timeline,
       pg_catalog.current_setting('port')::int8 AS port,
       pg_catalog.concat_ws(' ', pg_catalog.current_setting('max_connections'),
            pg_catalog.current_setting('max_worker_processes'), pg_catalog.current_setting('max_wal_senders'),
            pg_catalog.current_setting('max_prepared_transactions'),
            pg_catalog.current_setting('max_locks_per_transaction')) AS must_match,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN 0::int8
            ELSE (SELECT count(*) FROM pg_catalog.pg_prepared_xact() p) END AS prepared,
       (SELECT count(*) FROM pg_catalog.pg_stat_get_wal_senders() s WHERE s.state = 'backup') AS backups,
       (SELECT max(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start))::float8
          FROM pg_catalog.pg_stat_get_activity(NULL) a
         WHERE a.datid <> 0 AND a.pid <> pg_catalog.pg_backend_pid()) AS long_xact_s,
       (SELECT count(*) FROM pg_catalog.pg_replication_slots s
         WHERE s.slot_type = 'logical' AND NOT s.temporary
           AND NOT COALESCE(/*if pg_replication_slots.failover*/s.failover/*else false*/, false)) AS logical_slots,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() ELSE false END
            AS is_replay_paused,
       pg_catalog.current_setting('cluster_name') AS cluster_name,
       pg_catalog.current_setting('primary_slot_name') AS slot_name,
       pg_catalog.current_setting('full_page_writes') = 'on'
            AND 'on' IN (pg_catalog.current_setting('data_checksums'), pg_catalog.current_setting('wal_log_hints')) AS can_rewind,
       (SELECT c.system_identifier FROM pg_catalog.pg_control_system() c) AS system_identifier,
       pg_catalog.current_setting('synchronous_standby_names') AS sync_names,
       pg_catalog.current_setting('archive_mode') AS archive_mode,
       (SELECT a.last_failed_wal FROM pg_catalog.pg_stat_archiver a
         WHERE a.last_failed_time > COALESCE(a.last_archived_time, '-infinity'::timestamptz)) AS archive_failed,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS max_wal_size,
       (SELECT CASE WHEN r.rolsuper THEN '' ELSE pg_catalog.concat_ws(', ',
                   CASE WHEN NOT pg_catalog.has_function_privilege('pg_catalog.pg_promote(boolean, integer)', 'EXECUTE')
                        THEN 'EXECUTE on pg_promote' END,
                   CASE WHEN NOT r.rolreplication THEN 'REPLICATION' END,
                   CASE WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_roles c WHERE c.rolname = 'pg_checkpoint'
                                            AND pg_catalog.pg_has_role(c.oid, 'USAGE')) THEN 'pg_checkpoint' END,
                   CASE WHEN NOT pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
                        THEN 'pg_read_all_settings' END) END
          FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS lacks,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS can_create,
       pg_catalog.has_function_privilege('pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)', 'EXECUTE')
            AND pg_catalog.has_function_privilege('pg_catalog.pg_ls_dir(text, boolean, boolean)', 'EXECUTE')
            AND pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(text, boolean)', 'EXECUTE') AS can_be_source
