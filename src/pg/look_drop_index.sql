-- An index that is to be dropped: what it is for, and what would be lost. Asked for the plan, and once more by the job
-- before it drops. refused: never; careful: not without --force.
-- $1: schema or NULL, $2: name, folded as SQL does, $3: oid that the plan was made for, or NULL.
-- Several rows: the name is ambiguous.
-- timeout: 5000
-- params: 3
-- columns: oid int, schema text, index_name text, name text, table text, bytes float, scans int, last_scan time,
-- stats_reset time, is_unique bool, is_valid bool, is_clustered bool, definition text, statement text, refused text,
-- careful text, is_owner bool, standbys int, lockers int, old_xacts int, oldest_s float, is_standby bool
SELECT i.indexrelid AS oid, n.nspname AS schema, c.relname AS index_name, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
	pg_catalog.format('%I.%I', tn.nspname, t.relname) AS "table",
	c.relpages::float8 * pg_catalog.current_setting('block_size')::int4 AS bytes,
	pg_catalog.pg_stat_get_numscans(i.indexrelid) AS scans,
	/*if pg_stat_get_lastscan()*/pg_catalog.pg_stat_get_lastscan(i.indexrelid)/*else NULL::timestamptz*/ AS last_scan,
	(SELECT d.stats_reset FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()) AS stats_reset,
	i.indisunique AS is_unique, i.indisvalid AS is_valid, i.indisclustered AS is_clustered,
	pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), '^(CREATE (UNIQUE )?INDEX) ', '\1 CONCURRENTLY ') AS definition,
	pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname) AS statement,
	CASE WHEN i.indisprimary THEN 'it is the primary key'
		WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint k
			WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x'))
			THEN 'it belongs to a constraint: drop that instead'
		WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype = 'f')
			THEN (SELECT pg_catalog.format('the foreign key %I of %s refers to it', k.conname, k.conrelid::regclass)
				FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype = 'f' LIMIT 1)
		WHEN i.indisreplident THEN 'it is the replica identity: logical replication of updates and deletes needs it'
		WHEN c.relkind = 'I' THEN 'it is the index of a partitioned table: DROP INDEX takes an ACCESS EXCLUSIVE lock on all of it'
		WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.indexrelid)
			THEN 'it is a part of the index of a partitioned table'
		WHEN EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
			AND d.objid = i.indexrelid AND d.deptype = 'e') THEN 'an extension owns it'
	END AS refused,
	CASE WHEN i.indisunique THEN 'it keeps values unique'
		ELSE (SELECT pg_catalog.format('it alone serves the foreign key %I: a delete or update of a row of %s would read all of %s',
				k.conname, k.confrelid::regclass, k.conrelid::regclass)
			FROM pg_catalog.pg_constraint k
			WHERE k.conrelid = i.indrelid AND k.contype = 'f' AND i.indisvalid AND i.indpred IS NULL
				AND k.conkey <@ (i.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1]
				AND NOT EXISTS (SELECT FROM pg_catalog.pg_index o
					WHERE o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid AND o.indisvalid AND o.indpred IS NULL
						AND k.conkey <@ (o.indkey::int2[])[0:pg_catalog.cardinality(k.conkey) - 1])
			LIMIT 1)
	END AS careful,
	pg_catalog.pg_has_role(c.relowner, 'USAGE') AS is_owner,
	(SELECT count(*)::int4 FROM pg_catalog.pg_stat_get_wal_senders()) AS standbys,
	(SELECT count(DISTINCT l.pid)::int4 FROM pg_catalog.pg_locks l
		WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.pid <> pg_catalog.pg_backend_pid()) AS lockers,
	w.old_xacts, w.oldest_s, pg_catalog.pg_is_in_recovery() AS is_standby
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
CROSS JOIN (SELECT count(*)::int4 AS old_xacts,
		EXTRACT(epoch FROM max(pg_catalog.clock_timestamp() - a.xact_start))::float8 AS oldest_s
	FROM pg_catalog.pg_stat_activity a
	WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
		AND a.xact_start < pg_catalog.now() - interval '1 second' AND a.backend_type = 'client backend') w
WHERE c.relname = $2::text AND ($1::text IS NULL OR n.nspname = $1::text) AND ($3::text IS NULL OR c.oid = $3::oid)
	AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY n.nspname
LIMIT 12
