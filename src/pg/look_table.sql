-- Exact sizes of one table, on request: looks at its files and takes a share lock for that, so it can wait
-- behind an ALTER TABLE until the session's lock timeout.
-- timeout: 5000
-- params: 1
-- columns: relid int, schema text, name text, total_bytes int, table_bytes int, toast_bytes int, index_bytes int, fsm_vm_bytes int, options text, comment text
SELECT c.oid AS relid, n.nspname AS schema, c.relname AS name,
       pg_catalog.pg_total_relation_size(c.oid) AS total_bytes,
       pg_catalog.pg_relation_size(c.oid) AS table_bytes,
       CASE WHEN c.reltoastrelid <> 0 THEN pg_catalog.pg_total_relation_size(c.reltoastrelid) ELSE 0::int8 END AS toast_bytes,
       pg_catalog.pg_indexes_size(c.oid) AS index_bytes,
       pg_catalog.pg_relation_size(c.oid, 'fsm') + pg_catalog.pg_relation_size(c.oid, 'vm') AS fsm_vm_bytes,
       pg_catalog.array_to_string(c.reloptions, ', ') AS options,
       pg_catalog.obj_description(c.oid, 'pg_class') AS comment
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = $1::oid
