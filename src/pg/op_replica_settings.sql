-- What a server has been set to, for a standby beside it: all but where it is, where it listens and logs, whom it follows and
-- whom it waits for. Of ALTER SYSTEM, too, as it is in effect.
-- timeout: 5000
-- privilege: pg_read_all_settings
-- params: 0
-- columns: name text, setting text
SELECT s.name, s.setting
  FROM pg_catalog.pg_settings s
 WHERE s.source IN ('configuration file', 'command line', 'environment variable')
   AND s.context <> 'internal'
   AND s.name NOT IN ('config_file', 'data_directory', 'hba_file', 'ident_file', 'external_pid_file', 'port', 'cluster_name',
            'log_destination', 'logging_collector', 'log_directory', 'log_filename', 'syslog_ident', 'event_source',
            'hot_standby', 'primary_conninfo', 'primary_slot_name', 'promote_trigger_file', 'synchronous_standby_names',
            'recovery_end_command', 'archive_cleanup_command', 'sync_replication_slots', 'synchronized_standby_slots')
   AND s.name NOT LIKE 'recovery\_target%'
   AND NOT (s.name = 'archive_mode' AND s.setting = 'always')
 ORDER BY s.name
 LIMIT 1000
