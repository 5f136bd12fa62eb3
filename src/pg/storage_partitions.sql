-- Partitions by range with their bounds and sizes, newest last by oid: their sizes are the arrivals of their time.
-- Pages are those of the last vacuum or analyze, indexes and TOAST included.
-- timeout: 3000
-- columns: parent int, schema text, table text, relid int, partition text, bound text, size_bytes int, reltuples float
SELECT p.partrelid AS parent, n.nspname AS schema, r.relname AS "table", c.oid AS relid, c.relname AS partition,
       pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound,
       (c.relpages::int8 + COALESCE((SELECT o.relpages FROM pg_catalog.pg_class o WHERE o.oid = c.reltoastrelid), 0)
        + COALESCE((SELECT pg_catalog.sum(x.relpages) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                     WHERE i.indrelid IN (c.oid, c.reltoastrelid)), 0)::int8)
       * pg_catalog.current_setting('block_size')::int8 AS size_bytes,
       c.reltuples
  FROM pg_catalog.pg_partitioned_table p
  JOIN pg_catalog.pg_class r ON r.oid = p.partrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
  JOIN pg_catalog.pg_inherits h ON h.inhparent = p.partrelid
  JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid AND c.relkind = 'r'
 WHERE p.partstrat = 'r' AND p.partnatts = 1
   AND EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] AND a.atttypid IN (1082, 1114, 1184))
 ORDER BY p.partrelid, c.oid DESC
 LIMIT 1000
