-- What fills this database, by the page counts of the catalog as the last vacuum or analyze left them: no file is looked
-- at, nothing is locked. TOAST holds its indexes. What was never counted has no pages yet: `uncounted` relations.
-- timeout: 3000
-- columns: datname text, table_bytes int, index_bytes int, toast_bytes int, system_bytes int, tables int, indexes int, uncounted int,
-- stats_reset time
SELECT pg_catalog.current_database() AS datname,
       COALESCE(s.tables_p, 0) * b.size AS table_bytes, COALESCE(s.indexes_p, 0) * b.size AS index_bytes,
       COALESCE(s.toast_p, 0) * b.size AS toast_bytes, COALESCE(s.system_p, 0) * b.size AS system_bytes,
       s.tables, s.indexes, s.uncounted,
       pg_catalog.pg_stat_get_db_stat_reset_time((SELECT d.oid FROM pg_catalog.pg_database d
                                                   WHERE d.datname = pg_catalog.current_database())) AS stats_reset
  FROM (SELECT pg_catalog.sum(c.relpages::float8) FILTER (WHERE c.kind = 'table')::int8 AS tables_p,
               pg_catalog.sum(c.relpages::float8) FILTER (WHERE c.kind = 'index')::int8 AS indexes_p,
               pg_catalog.sum(c.relpages::float8) FILTER (WHERE c.kind = 'toast')::int8 AS toast_p,
               pg_catalog.sum(c.relpages::float8) FILTER (WHERE c.kind = 'system')::int8 AS system_p,
               pg_catalog.count(*) FILTER (WHERE c.kind = 'table')::int4 AS tables,
               pg_catalog.count(*) FILTER (WHERE c.kind = 'index')::int4 AS indexes,
               pg_catalog.count(*) FILTER (WHERE c.relkind IN ('r', 'm') AND c.relpages = 0 AND c.reltuples < 0)::int4 AS uncounted
          FROM (SELECT r.relkind, r.relpages, r.reltuples,
                       CASE WHEN r.relnamespace = 'pg_catalog'::pg_catalog.regnamespace THEN 'system'
                            WHEN r.relnamespace = 'pg_toast'::pg_catalog.regnamespace OR r.relkind = 't' THEN 'toast'
                            WHEN r.relkind = 'i' THEN 'index' ELSE 'table' END AS kind
                  FROM pg_catalog.pg_class r
                 WHERE r.relkind IN ('r', 'm', 'i', 't', 'S') AND NOT r.relisshared) c) s
 CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::int8 AS size) b
