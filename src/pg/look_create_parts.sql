-- Indexing a partitioned table without locking writers out: the steps, in order. The parents first, ON ONLY themselves and
-- therefore invalid, then each partition concurrently, then each is attached to its parent, deepest first. The last one
-- makes the parent valid.
-- $1: oid of the partitioned table, $2: name of its index, $3: what follows "USING" in the statement of the index,
-- $4: is it unique.
-- timeout: 5000
-- params: 4
-- columns: step int, schema text, index_name text, index text, relid int, is_leaf bool, is_root bool, statement text, attach text
SELECT row_number() OVER (ORDER BY t.isleaf, t.level, t.relid::oid)::int4 AS step, n.nspname AS schema, x.name AS index_name,
	pg_catalog.format('%I.%I', n.nspname, x.name) AS index, t.relid::oid AS relid, t.isleaf AS is_leaf, t.level = 0 AS is_root,
	pg_catalog.format('CREATE %sINDEX %s%I ON %s%I.%I USING %s', CASE WHEN $4::bool THEN 'UNIQUE ' END,
		CASE WHEN t.isleaf THEN 'CONCURRENTLY ' END, x.name,
		CASE WHEN NOT t.isleaf THEN 'ONLY ' END, n.nspname, c.relname, $3::text) AS statement,
	(SELECT pg_catalog.format('ALTER INDEX %I.%I ATTACH PARTITION %I.%I', pn.nspname,
			CASE WHEN t.parentrelid::oid = $1::oid THEN $2::text ELSE left(pc.relname, 40) || '_' || left($2::text, 22) END,
			n.nspname, x.name)
		FROM pg_catalog.pg_class pc JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
		WHERE pc.oid = t.parentrelid::oid AND t.level > 0) AS attach
FROM pg_catalog.pg_partition_tree($1::oid) t
JOIN pg_catalog.pg_class c ON c.oid = t.relid::oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT CASE WHEN t.level = 0 THEN $2::text ELSE left(c.relname, 40) || '_' || left($2::text, 22) END AS name) x
ORDER BY 1
LIMIT 10000
