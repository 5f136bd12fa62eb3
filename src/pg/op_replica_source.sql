-- What a new standby takes of its primary, and what of that is free; and how the primary is set up. The sizes are of files:
-- some seconds where there are very many tables. $1: the name of its slot, $2: its application_name.
-- timeout: 60000
-- privilege: pg_monitor
-- params: 2
-- columns: wal_level text, senders int, max_senders int, slots int, max_slots int, has_slot bool, has_name bool, bytes int, max_wal_size int, shared_buffers int, lacks text, hba_file text, ident_file text, data_directory text, port int, socket_dir text, sync_names text, major int, keep_size text
SELECT pg_catalog.current_setting('wal_level') AS wal_level,
       (SELECT count(*) FROM pg_catalog.pg_stat_get_wal_senders() w) AS senders,
       pg_catalog.current_setting('max_wal_senders')::int8 AS max_senders,
       (SELECT count(*) FROM pg_catalog.pg_replication_slots s) AS slots,
       pg_catalog.current_setting('max_replication_slots')::int8 AS max_slots,
       EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1::name) AS has_slot,
       EXISTS (SELECT FROM pg_catalog.pg_stat_replication r WHERE r.application_name = $2::text) AS has_name,
       (SELECT sum(pg_catalog.pg_database_size(d.oid))::int8 FROM pg_catalog.pg_database d
         WHERE pg_catalog.has_database_privilege(d.oid, 'CONNECT')
            OR pg_catalog.pg_has_role('pg_read_all_stats', 'MEMBER')) AS bytes,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS max_wal_size,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('shared_buffers')) AS shared_buffers,
       (SELECT CASE WHEN r.rolsuper THEN '' ELSE pg_catalog.concat_ws(', ',
                   CASE WHEN NOT r.rolreplication THEN 'REPLICATION' END,
                   CASE WHEN NOT pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
                        THEN 'pg_read_all_settings' END) END
          FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS lacks,
       pg_catalog.current_setting('hba_file', true) AS hba_file,
       pg_catalog.current_setting('ident_file', true) AS ident_file,
       pg_catalog.current_setting('data_directory', true) AS data_directory,
       pg_catalog.current_setting('port')::int8 AS port,
       pg_catalog.btrim(pg_catalog.split_part(COALESCE(
            (SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = 'unix_socket_directories'), ''), ',', 1)) AS socket_dir,
       pg_catalog.current_setting('synchronous_standby_names') AS sync_names,
       pg_catalog.current_setting('server_version_num')::int8 / 10000 AS major,
       pg_catalog.current_setting('max_slot_wal_keep_size') AS keep_size
