-- What should not stay as it is: indexes that a failed build left invalid, settings that wait for a restart, autovacuum
-- switched off, databases made under another version of the system's collations (known from 15 on). No lock is taken.
-- timeout: 2000
-- columns: kind text, name text
SELECT f.kind, f.name
  FROM (SELECT 'invalid index'::text AS kind, n.nspname || '.' || c.relname AS name
          FROM pg_catalog.pg_index i
          JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE NOT i.indisvalid AND c.relkind = 'i'
           AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
        UNION ALL
        SELECT 'pending restart', s.name FROM pg_catalog.pg_settings s WHERE s.pending_restart
        UNION ALL
        SELECT 'autovacuum', v.name FROM (VALUES ('autovacuum'), ('track_counts')) v(name)
         WHERE pg_catalog.current_setting(v.name) = 'off'
        /*if pg_database.datcollversion*/UNION ALL
        SELECT 'collation', d.datname::text FROM pg_catalog.pg_database d
         WHERE d.datallowconn AND d.datcollversion <> pg_catalog.pg_database_collation_actual_version(d.oid)/*else*/) f
 LIMIT 200
