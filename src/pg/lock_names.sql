-- Names of the relations that are locked in this database, for the oids asked for: by the catalog's index, without
-- a lock on the relation itself.
-- $1: oids, as an array.
-- timeout: 2000
-- params: 1
-- columns: oid int, name text, kind text
SELECT c.oid, pg_catalog.concat(n.nspname, '.', c.relname) AS name, c.relkind::pg_catalog.text AS kind
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
 LIMIT 10000
