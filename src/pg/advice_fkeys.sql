-- Foreign keys, those of partitions left out where the partitioned table has them. keys: columns of the referencing table,
-- refkeys: of the referenced one, both by attribute number. on_delete, on_update: a no action, r restrict, c cascade,
-- n set null, d set default.
-- timeout: 5000
-- columns: conid int, name text, relid int, schema text, table text, kind text, keys ints, columns text, refrelid int, ref_schema text,
-- ref_table text, refkeys ints, on_delete text, on_update text, is_valid bool
SELECT k.oid AS conid, k.conname AS name, k.conrelid AS relid, n.nspname AS schema, t.relname AS "table", t.relkind AS kind,
       (SELECT pg_catalog.array_agg(u.v::int8 ORDER BY u.n) FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(v, n)) AS keys,
       (SELECT pg_catalog.array_agg(a.attname ORDER BY u.n) FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(v, n)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.v)::text AS columns,
       k.confrelid AS refrelid, rn.nspname AS ref_schema, r.relname AS ref_table,
       (SELECT pg_catalog.array_agg(u.v::int8 ORDER BY u.n) FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u(v, n)) AS refkeys,
       k.confdeltype AS on_delete, k.confupdtype AS on_update, k.convalidated AS is_valid
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
  JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
 WHERE k.contype = 'f' AND k.conparentid = 0
 ORDER BY k.conrelid, k.oid
 LIMIT 20000
