-- Indexing a partitioned table without locking writers out: the steps, in order. The parents first, ON ONLY themselves and
-- therefore invalid, then each partition concurrently, then each is attached to its parent, deepest first. The last one
-- makes the parent valid.
-- A name that would be longer than the server's 63 bytes is shortened, and told apart by the oid of the table.
-- $1: oid of the partitioned table, $2: name of its index, $3: what follows "USING" in the statement of the index,
-- $4: is it unique.
-- timeout: 5000
-- params: 4
-- columns: step int, schema text, index_name text, index text, relid int, is_leaf bool, is_root bool, statement text, attach text
WITH tree AS MATERIALIZED (
	SELECT t.relid::oid AS relid, t.parentrelid::oid AS parent, t.isleaf, t.level, n.nspname, c.relname,
		CASE WHEN t.level = 0 THEN $2::text
			WHEN octet_length(c.relname || '_' || $2::text) <= 63 THEN c.relname || '_' || $2::text
			ELSE (SELECT left(c.relname, max(k.len)) FROM pg_catalog.generate_series(1, 30) k (len)
					WHERE octet_length(left(c.relname, k.len)) <= 30) || '_' || t.relid::oid || '_'
				|| (SELECT left($2::text, max(k.len)) FROM pg_catalog.generate_series(1, 20) k (len)
					WHERE octet_length(left($2::text, k.len)) <= 20) END AS index_name
	FROM pg_catalog.pg_partition_tree($1::oid) t
	JOIN pg_catalog.pg_class c ON c.oid = t.relid::oid
	JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
)
SELECT row_number() OVER (ORDER BY t.isleaf, t.level, t.relid)::int4 AS step, t.nspname AS schema, t.index_name,
	pg_catalog.format('%I.%I', t.nspname, t.index_name) AS index, t.relid, t.isleaf AS is_leaf, t.level = 0 AS is_root,
	pg_catalog.format('CREATE %sINDEX %s%I ON %s%I.%I USING %s', CASE WHEN $4::bool THEN 'UNIQUE ' END,
		CASE WHEN t.isleaf THEN 'CONCURRENTLY ' END, t.index_name,
		CASE WHEN NOT t.isleaf THEN 'ONLY ' END, t.nspname, t.relname, $3::text) AS statement,
	CASE WHEN p.relid IS NOT NULL THEN pg_catalog.format('ALTER INDEX %I.%I ATTACH PARTITION %I.%I', p.nspname, p.index_name, t.nspname, t.index_name) END AS attach
FROM tree t
LEFT JOIN tree p ON p.relid = t.parent AND t.level > 0
ORDER BY 1
LIMIT 10000
