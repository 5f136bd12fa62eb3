-- Everything that can hold back the xmin horizon, oldest first: sessions, prepared transactions,
-- replication slots (data and catalog), standbys with hot_standby_feedback.
-- timeout: 1000
-- privilege: pg_read_all_stats
-- columns: kind text, name text, pid int, database text, state text, xmin_age int, since time
SELECT h.kind, h.name, h.pid, h.database, h.state, h.xmin_age, h.since
  FROM (SELECT CASE WHEN s.backend_type = 'walsender' THEN 'standby feedback'
                    WHEN s.state LIKE 'idle in transaction%' THEN 'idle transaction'
                    ELSE 'transaction' END AS kind,
               COALESCE(NULLIF(s.application_name, ''), s.backend_type) AS name, s.pid,
               (SELECT d.datname FROM pg_catalog.pg_database d WHERE d.oid = s.datid)::text AS database, s.state,
               GREATEST(pg_catalog.age(s.backend_xmin), pg_catalog.age(s.backend_xid)) AS xmin_age,
               s.xact_start AS since
          FROM pg_catalog.pg_stat_get_activity(NULL) s
         WHERE (s.backend_xmin IS NOT NULL OR s.backend_xid IS NOT NULL) AND s.pid <> pg_catalog.pg_backend_pid()
        UNION ALL
        SELECT 'prepared transaction', p.gid, NULL, d.datname::text, 'prepared',
               pg_catalog.age(p.transaction), p.prepared
          FROM pg_catalog.pg_prepared_xact() p LEFT JOIN pg_catalog.pg_database d ON d.oid = p.dbid
        UNION ALL
        SELECT 'replication slot', r.slot_name::text, r.active_pid, r.database::text,
               CASE WHEN r.active THEN 'active' ELSE 'inactive' END,
               GREATEST(pg_catalog.age(r.xmin), pg_catalog.age(r.catalog_xmin)), NULL
          FROM pg_catalog.pg_replication_slots r
         WHERE r.xmin IS NOT NULL OR r.catalog_xmin IS NOT NULL) h
 ORDER BY h.xmin_age DESC
 LIMIT 100
