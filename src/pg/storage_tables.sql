-- The thirty largest tables of this database with what they hold and what happened to them since the statistics were reset.
-- Pages are those of the last vacuum or analyze; no size function, no lock. Heap and TOAST decide who is listed.
-- filenode: another number is a rewrite (VACUUM FULL, CLUSTER, TRUNCATE).
-- timeout: 3000
-- columns: relid int, schema text, table text, parent int, size_bytes int, table_bytes int, index_bytes int, toast_bytes int,
-- reltuples float, live int, dead int, ins int, upd int, hot_upd int, del int, mod_since_analyze int, last_analyze time,
-- last_vacuum time, filenode int
SELECT z.relid, z.schema, z."table", z.parent, (z.heap + z.toast + z.ix) * b.size AS size_bytes,
       z.heap * b.size AS table_bytes, z.ix * b.size AS index_bytes, z.toast * b.size AS toast_bytes, z.reltuples,
       pg_catalog.pg_stat_get_live_tuples(z.relid) AS live, pg_catalog.pg_stat_get_dead_tuples(z.relid) AS dead,
       pg_catalog.pg_stat_get_tuples_inserted(z.relid) AS ins, pg_catalog.pg_stat_get_tuples_updated(z.relid) AS upd,
       pg_catalog.pg_stat_get_tuples_hot_updated(z.relid) AS hot_upd, pg_catalog.pg_stat_get_tuples_deleted(z.relid) AS del,
       pg_catalog.pg_stat_get_mod_since_analyze(z.relid) AS mod_since_analyze,
       GREATEST(pg_catalog.pg_stat_get_last_analyze_time(z.relid), pg_catalog.pg_stat_get_last_autoanalyze_time(z.relid)) AS last_analyze,
       GREATEST(pg_catalog.pg_stat_get_last_vacuum_time(z.relid), pg_catalog.pg_stat_get_last_autovacuum_time(z.relid)) AS last_vacuum,
       z.filenode
  FROM (SELECT t.oid AS relid, n.nspname AS schema, t.relname AS "table", t.parent, t.heap, t.reltuples, t.filenode,
               t.toast + COALESCE((SELECT pg_catalog.sum(x.relpages)::int8 FROM pg_catalog.pg_index i
                                     JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = t.reltoastrelid), 0) AS toast,
               COALESCE((SELECT pg_catalog.sum(x.relpages)::int8 FROM pg_catalog.pg_index i
                           JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = t.oid), 0) AS ix
          FROM (SELECT c.oid, c.relname, c.relnamespace, c.reltoastrelid, c.reltuples, c.relfilenode AS filenode,
                       c.relpages::int8 AS heap, COALESCE(o.relpages, 0)::int8 AS toast,
                       CASE WHEN c.relispartition THEN (SELECT h.inhparent FROM pg_catalog.pg_inherits h
                                                         WHERE h.inhrelid = c.oid LIMIT 1) END AS parent
                  FROM pg_catalog.pg_class c
                  LEFT JOIN pg_catalog.pg_class o ON o.oid = c.reltoastrelid
                 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND NOT c.relisshared AND c.relpages > 0
                   AND c.relnamespace NOT IN ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace)
                 ORDER BY c.relpages::int8 + COALESCE(o.relpages, 0) DESC
                 LIMIT 60) t
          JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace) z
 CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::int8 AS size) b
 ORDER BY 5 DESC
 LIMIT 30
