-- The five largest tables of this database by the page counts of the catalog (no size function, no lock): the heap
-- decides who is listed, TOAST and indexes are added for those only.
-- timeout: 1000
-- columns: schema text, table text, size_bytes int
SELECT n.nspname AS schema, t.relname AS table,
       (t.relpages::int8
        + COALESCE((SELECT x.relpages FROM pg_catalog.pg_class x WHERE x.oid = t.reltoastrelid), 0)
        + COALESCE((SELECT pg_catalog.sum(x.relpages) FROM pg_catalog.pg_index i
                      JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                     WHERE i.indrelid IN (t.oid, t.reltoastrelid)), 0)::int8)
       * pg_catalog.current_setting('block_size')::int8 AS size_bytes
  FROM (SELECT c.oid, c.relname, c.relnamespace, c.relpages, c.reltoastrelid
          FROM pg_catalog.pg_class c
         WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
         ORDER BY c.relpages DESC
         LIMIT 5) t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
 ORDER BY 3 DESC
