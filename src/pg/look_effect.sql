-- Counters of some statements of this database, over all roles: by query id, or those that name a table (which reads the
-- text file, once). Before and after an index was made they say what it has changed.
-- $1: query ids or NULL, $2: name of the table or NULL.
-- timeout: 5000
-- privilege: pg_read_all_stats
-- requires: pg_stat_statements()
-- too_old: pg_stat_statements is not installed in this database|CREATE EXTENSION pg_stat_statements
-- params: 2
-- columns: queryid int, calls float, ms float, blocks float, database text
SELECT s.queryid, sum(s.calls)::float8 AS calls,
	sum(/*if pg_stat_statements().total_exec_time*/s.total_exec_time/*else s.total_time*/)::float8 AS ms,
	sum(s.shared_blks_hit + s.shared_blks_read)::float8 AS blocks, pg_catalog.current_database() AS database
FROM @pgss@.pg_stat_statements($2::text IS NOT NULL) s
WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
	AND s.queryid IS NOT NULL
	AND (s.queryid = ANY ($1::int8[])
		OR (s.query ~* ('\m' || pg_catalog.regexp_replace($2::text, '(\W)', '\\\1', 'g') || '\M')
			AND s.query !~* '^\s*(create|alter|drop|vacuum|analyze|reindex|copy|explain|prepare|comment|grant|truncate)'
			AND pg_catalog.substr(s.query, 1, 80) NOT LIKE '%/* pgmedic:%'))
GROUP BY s.queryid
ORDER BY 3 DESC
LIMIT 100
