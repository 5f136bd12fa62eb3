-- Rows of the tables with these oids, in a copy. n is -1 where a table is not there, and NULL where it cannot be
-- counted: too large by now, or hidden in part.
-- timeout: 120000
-- params: 1
-- columns: oid int, n int
SELECT w.oid,
       CASE WHEN c.oid IS NULL THEN -1
            WHEN c.relkind = 'r' AND c.relpages < 65536 AND NOT c.relrowsecurity
                 AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
            THEN pg_catalog.substring(pg_catalog.query_to_xml(pg_catalog.format(
                   'SELECT pg_catalog.count(*) AS c FROM ONLY %I.%I', n.nspname, c.relname),
                   true, false, '')::text, '<c>([0-9]+)</c>')::int8 END AS n
  FROM pg_catalog.unnest($1::int8[]) w(oid)
       LEFT JOIN pg_catalog.pg_class c ON c.oid = w.oid::oid
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
