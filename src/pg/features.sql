-- Which of the conditions of the query files hold in this server's catalog: one index look-up each.
-- A function beside the extension's own that merely has such a name is not asked: anybody may have made it.
-- $1: the conditions as text[]: relation.column, function(), function().outarg.
-- timeout: 5000
-- params: 1
-- columns: holds ints, pgss_schema text
WITH pgss AS (
	SELECT e.extnamespace AS oid FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_stat_statements'
), spaces AS (
	SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'pg_catalog'
	UNION SELECT pgss.oid FROM pgss
), c AS (
	SELECT u.ord, pg_catalog.split_part(u.cond, '.', 1) AS head, pg_catalog.split_part(u.cond, '.', 2) AS tail
	  FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS u(cond, ord)
)
SELECT COALESCE(pg_catalog.array_agg(c.ord), '{}'::int8[]) AS holds,
       (SELECT n.nspname FROM pgss JOIN pg_catalog.pg_namespace n ON n.oid = pgss.oid) AS pgss_schema
  FROM c
 WHERE CASE WHEN c.head LIKE '%()' THEN
            EXISTS (SELECT 1 FROM pg_catalog.pg_proc p
                     WHERE p.proname = pg_catalog.rtrim(c.head, '()')
                       AND p.pronamespace IN (SELECT spaces.oid FROM spaces)
                       AND (c.tail = '' OR c.tail = ANY (p.proargnames))
                       AND (p.oid < 16384 OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                                                      WHERE d.classid = 1255 AND d.objid = p.oid AND d.deptype = 'e')))
       ELSE EXISTS (SELECT 1 FROM pg_catalog.pg_class r
                     WHERE r.relname = c.head AND r.relnamespace IN (SELECT spaces.oid FROM spaces)
                       AND (c.tail = '' OR EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
                                                    WHERE a.attrelid = r.oid AND a.attname = c.tail AND NOT a.attisdropped))) END
