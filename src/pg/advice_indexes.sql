-- Indexes with all that says whether two are the same and whether one can go. keys: attribute numbers, 0 an expression, those
-- of INCLUDE last; options: per key 1 descending, 2 nulls first; parts: the definition of each column, as an array's text.
-- Texts come from pg_get_indexdef, which opens the table: those of a table that somebody holds or waits for exclusively are left
-- out, as advice_tables leaves out the table. constraint: p, u or x. referenced: foreign keys
-- that rest on it. parent: the index of the partitioned table that it is part of. building: somebody makes or rebuilds it now
-- (or may, where the role cannot see); made: its transaction, where commit times are kept. fetched: blocks, by scans and by
-- each row that was written.
-- timeout: 10000
-- columns: indexrelid int, relid int, schema text, table text, index text, method text, kind text, parent int, keys ints, nkeys int,
-- options ints, opclass_ids ints, collations ints, opclasses text, parts text, exprs text, pred text, definition text, is_unique bool,
-- is_primary bool, is_exclusion bool, is_immediate bool, is_valid bool, is_ready bool, is_live bool, is_replident bool, is_clustered bool,
-- nulls_not_distinct bool, constraint_name text, constraint_type text, is_deferrable bool, referenced int, is_extension bool, equal_image bool,
-- fillfactor int, pages int, size_bytes int, reltuples float, scans int, fetched int, last_scan time, last_scan_age_s float, made time,
-- made_age_s float, building bool
WITH locked AS MATERIALIZED (
	SELECT l.relation FROM pg_catalog.pg_locks l
	 WHERE l.mode = 'AccessExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid() AND l.relation IS NOT NULL
	   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
), builds AS MATERIALIZED (
	SELECT p.relid, p.index_relid, p.command LIKE 'REINDEX%' AS is_rebuild FROM pg_catalog.pg_stat_progress_create_index p WHERE p.datname = pg_catalog.current_database()
)
SELECT i.indexrelid, i.indrelid AS relid, n.nspname AS schema, t.relname AS "table", c.relname AS index, a.amname AS method, c.relkind AS kind,
       CASE WHEN c.relispartition THEN (SELECT h.inhparent FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid LIMIT 1) END AS parent,
       (SELECT pg_catalog.array_agg(k.v::int8 ORDER BY k.n) FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(v, n)) AS keys,
       i.indnkeyatts AS nkeys,
       (SELECT pg_catalog.array_agg(k.v::int8 ORDER BY k.n) FROM pg_catalog.unnest(i.indoption::int2[]) WITH ORDINALITY AS k(v, n)) AS options,
       (SELECT pg_catalog.array_agg(k.v::int8 ORDER BY k.n) FROM pg_catalog.unnest(i.indclass::oid[]) WITH ORDINALITY AS k(v, n)) AS opclass_ids,
       (SELECT pg_catalog.array_agg(k.v::int8 ORDER BY k.n) FROM pg_catalog.unnest(i.indcollation::oid[]) WITH ORDINALITY AS k(v, n)) AS collations,
       (SELECT pg_catalog.string_agg(o.opcname, ' ' ORDER BY k.n) FROM pg_catalog.unnest(i.indclass::oid[]) WITH ORDINALITY AS k(v, n)
          JOIN pg_catalog.pg_opclass o ON o.oid = k.v) AS opclasses,
       (SELECT pg_catalog.array_agg(pg_catalog.pg_get_indexdef(i.indexrelid, g.n, false) ORDER BY g.n)
          FROM pg_catalog.generate_series(1, i.indnatts::int4) AS g(n))::text AS parts,
       CASE WHEN i.indexprs IS NOT NULL THEN
            (SELECT pg_catalog.string_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k.n::int4, false), ', ' ORDER BY k.n)
               FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(v, n) WHERE k.v = 0) END AS exprs,
       CASE WHEN i.indpred IS NOT NULL THEN pg_catalog.substring(d.text, ' WHERE (.+)$') END AS pred, d.text AS definition,
       i.indisunique AS is_unique, i.indisprimary AS is_primary, i.indisexclusion AS is_exclusion, i.indimmediate AS is_immediate,
       i.indisvalid AS is_valid, i.indisready AS is_ready, i.indislive AS is_live, i.indisreplident AND t.relreplident = 'i' OR i.indisprimary AND t.relreplident = 'd' AS is_replident,
       i.indisclustered AS is_clustered, /*if pg_index.indnullsnotdistinct*/i.indnullsnotdistinct/*else false*/ AS nulls_not_distinct,
       k.conname AS constraint_name, k.contype AS constraint_type, COALESCE(k.condeferrable, false) AS is_deferrable,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_constraint f WHERE f.confrelid = i.indrelid AND f.contype = 'f' AND f.conindid = i.indexrelid) AS referenced,
       EXISTS (SELECT 1 FROM pg_catalog.pg_depend e WHERE e.classid = 1259 AND e.objid IN (i.indexrelid, i.indrelid) AND e.deptype = 'e') AS is_extension,
       (SELECT pg_catalog.bool_and(EXISTS (SELECT 1 FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_amproc p ON p.amprocfamily = o.opcfamily
                                               AND p.amproclefttype = o.opcintype AND p.amprocrighttype = o.opcintype AND p.amprocnum = 4
                                            WHERE o.oid = u.class)
                                   AND COALESCE((SELECT l.collisdeterministic FROM pg_catalog.pg_collation l WHERE l.oid = u.coll), true))
          FROM ROWS FROM (pg_catalog.unnest(i.indclass::oid[]), pg_catalog.unnest(i.indcollation::oid[])) AS u(class, coll)) AND i.indnatts = i.indnkeyatts
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(c.reloptions) AS o(item) WHERE o.item IN ('deduplicate_items=off', 'deduplicate_items=false', 'deduplicate_items=0', 'deduplicate_items=no')) AS equal_image,
       COALESCE((SELECT pg_catalog.substr(o.item, 12)::int4 FROM pg_catalog.unnest(c.reloptions) AS o(item) WHERE o.item LIKE 'fillfactor=%' LIMIT 1), 90) AS fillfactor,
       c.relpages AS pages, c.relpages * pg_catalog.current_setting('block_size')::int8 AS size_bytes, c.reltuples,
       pg_catalog.pg_stat_get_numscans(i.indexrelid) AS scans, pg_catalog.pg_stat_get_blocks_fetched(i.indexrelid) AS fetched,
       /*if pg_stat_get_lastscan()*/pg_catalog.pg_stat_get_lastscan(i.indexrelid)/*else NULL::timestamptz*/ AS last_scan,
       /*if pg_stat_get_lastscan()*/EXTRACT(epoch FROM pg_catalog.now() - pg_catalog.pg_stat_get_lastscan(i.indexrelid))::float8/*else NULL::float8*/ AS last_scan_age_s,
       x.made, EXTRACT(epoch FROM pg_catalog.now() - x.made)::float8 AS made_age_s,
       EXISTS (SELECT 1 FROM builds b WHERE b.relid IS NULL OR b.index_relid = i.indexrelid
                   OR (b.relid = i.indrelid AND (COALESCE(b.index_relid, 0) = 0 OR (b.is_rebuild AND c.relname ~ '_cc(new|old)[0-9]*$')))) AS building
  FROM (SELECT p.*, p.xmin AS made_by FROM pg_catalog.pg_index p WHERE NOT EXISTS (SELECT 1 FROM locked l WHERE l.relation = p.indrelid) OFFSET 0) AS i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_am a ON a.oid = c.relam
  CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_indexdef(i.indexrelid) AS text OFFSET 0) AS d
  CROSS JOIN LATERAL (SELECT CASE WHEN pg_catalog.current_setting('track_commit_timestamp')::bool
                                  THEN pg_catalog.pg_xact_commit_timestamp(i.made_by) END AS made OFFSET 0) AS x
  LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
 WHERE t.relkind IN ('r', 'm', 'p') AND t.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
 ORDER BY i.indrelid, i.indexrelid
 LIMIT 20000
