-- Everything that reports progress, in one shape. Rows exist only while something runs, so the look-up
-- of the relation's name (this database only, no lock) costs nothing otherwise.
-- timeout: 1000
-- privilege: pg_monitor
-- columns: command text, pid int, datid int, relid int, relation text, phase text, done int, total int, unit text, detail text
SELECT p.command, p.pid, p.datid, p.relid,
       (SELECT n.nspname || '.' || c.relname
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = p.relid
           AND p.datid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())) AS relation,
       p.phase, p.done, p.total, p.unit, p.detail
  FROM (SELECT 'VACUUM'::text AS command, v.pid, v.datid, v.relid, v.phase,
               CASE WHEN v.phase = 'vacuuming heap' THEN v.heap_blks_vacuumed ELSE v.heap_blks_scanned END AS done,
               v.heap_blks_total AS total, 'blocks'::text AS unit,
               'index passes ' || v.index_vacuum_count AS detail
          FROM pg_catalog.pg_stat_progress_vacuum v
        UNION ALL
        SELECT 'ANALYZE', a.pid, a.datid, a.relid, a.phase, a.sample_blks_scanned, a.sample_blks_total, 'blocks',
               CASE WHEN a.child_tables_total > 0 THEN 'children ' || a.child_tables_done || '/' || a.child_tables_total END
          FROM pg_catalog.pg_stat_progress_analyze a
        UNION ALL
        SELECT i.command, i.pid, i.datid, i.relid, i.phase,
               CASE WHEN i.tuples_total > 0 THEN i.tuples_done WHEN i.blocks_total > 0 THEN i.blocks_done ELSE i.lockers_done END,
               CASE WHEN i.tuples_total > 0 THEN i.tuples_total WHEN i.blocks_total > 0 THEN i.blocks_total ELSE i.lockers_total END,
               CASE WHEN i.tuples_total > 0 THEN 'tuples' WHEN i.blocks_total > 0 THEN 'blocks' ELSE 'lockers' END,
               CASE WHEN i.current_locker_pid <> 0 THEN 'waits for pid ' || i.current_locker_pid END
          FROM pg_catalog.pg_stat_progress_create_index i
        UNION ALL
        SELECT c.command, c.pid, c.datid, c.relid, c.phase, c.heap_blks_scanned, c.heap_blks_total, 'blocks',
               'tuples written ' || c.heap_tuples_written
          FROM pg_catalog.pg_stat_progress_cluster c
        UNION ALL
        SELECT 'BASE BACKUP', b.pid, NULL::oid, NULL::oid, b.phase, b.backup_streamed, b.backup_total, 'bytes',
               'tablespaces ' || b.tablespaces_streamed || '/' || b.tablespaces_total
          FROM pg_catalog.pg_stat_progress_basebackup b
        /*if pg_stat_progress_copy.bytes_processed*/UNION ALL
        SELECT o.command, o.pid, o.datid, o.relid, o.type, o.bytes_processed, NULLIF(o.bytes_total, 0), 'bytes',
               'tuples ' || o.tuples_processed
          FROM pg_catalog.pg_stat_progress_copy o/*else*/
       ) p
 LIMIT 200
