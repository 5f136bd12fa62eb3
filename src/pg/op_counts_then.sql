-- Rows of tables of up to 256 MB that are older than a transaction, but for those of some transactions: what a copy
-- restored from an earlier moment must still hold. Rows that were changed or removed since are not among them. In
-- frozen rows xmin stands as it was; one that seems newer than it is is not counted.
-- timeout: 120000
-- params: 2
-- columns: oid int, name text, n int
WITH at AS MATERIALIZED (
       SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::int8 - $1::int8 AS age)
SELECT t.oid, t.name, t.n
  FROM (SELECT c.oid::int8 AS oid, n.nspname::text || '.' || c.relname::text AS name,
               pg_catalog.substring(pg_catalog.query_to_xml(pg_catalog.format(
                 'SELECT pg_catalog.count(*) AS c FROM ONLY %I.%I WHERE pg_catalog.age(xmin) > %s'
                 ' AND xmin::text::int8 NOT IN (SELECT x & 4294967295 FROM pg_catalog.unnest(%L::int8[]) x)',
                 n.nspname, c.relname, at.age, $2::text), true, false, '')::text, '<c>([0-9]+)</c>')::int8 AS n
          FROM at, pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE at.age BETWEEN 0 AND 2000000000
           AND c.relkind = 'r' AND c.relpersistence = 'p' AND NOT c.relrowsecurity AND c.relpages < 32768
           AND n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_toast'
           AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
         ORDER BY c.oid
         LIMIT 200) t
 WHERE t.n > 0
