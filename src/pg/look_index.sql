-- Definition of one index, from the catalog: locks nothing.
-- timeout: 2000
-- params: 1
-- columns: indexrelid int, schema text, table text, index text, definition text, constraint_definition text, comment text
SELECT i.indexrelid, n.nspname AS schema, t.relname AS "table", c.relname AS index,
       pg_catalog.pg_get_indexdef(i.indexrelid) AS definition,
       (SELECT pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k
         WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid LIMIT 1) AS constraint_definition,
       pg_catalog.obj_description(i.indexrelid, 'pg_class') AS comment
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
 WHERE i.indexrelid = $1::oid
