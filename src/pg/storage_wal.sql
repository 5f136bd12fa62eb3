-- Files of pg_wal and what keeps them: bytes, segments, those that wait for archiving, and the settings that bound them.
-- The server reads the directory and looks at each file, so this is asked rarely.
-- timeout: 3000
-- privilege: pg_monitor
-- columns: bytes int, files int, to_archive int, max_wal_size int, min_wal_size int, wal_keep_size int, max_slot_wal_keep_size int
SELECT w.bytes, w.files,
       (SELECT pg_catalog.count(*)::int4 FROM pg_catalog.pg_ls_archive_statusdir() a WHERE a.name LIKE '%.ready') AS to_archive,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS max_wal_size,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('min_wal_size')) AS min_wal_size,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_keep_size')) AS wal_keep_size,
       CASE WHEN pg_catalog.current_setting('max_slot_wal_keep_size') <> '-1'
            THEN pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_slot_wal_keep_size')) END AS max_slot_wal_keep_size
  FROM (SELECT COALESCE(pg_catalog.sum(l.size), 0)::int8 AS bytes, pg_catalog.count(*)::int4 AS files
          FROM pg_catalog.pg_ls_waldir() l) w
