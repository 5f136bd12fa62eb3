-- What the lab's cloud measures of a server each second: a row for each value, and one for each active session.
-- timeout: 2000
-- privilege: pg_monitor
-- columns: name text, wait text, user_name text, statement text, value float
WITH a AS MATERIALIZED (
	SELECT s.pid, s.state, s.usesysid, s.query, s.wait_event_type, s.wait_event
	  FROM pg_catalog.pg_stat_get_activity(NULL) s
	 WHERE s.backend_type = 'client backend')
SELECT 'DatabaseConnections' AS name, NULL::text AS wait, NULL::text AS user_name, NULL::text AS statement,
       pg_catalog.count(*)::float8 AS value
  FROM a
UNION ALL
SELECT 'ReadOperations', NULL, NULL, NULL, pg_catalog.sum(d.blks_read)::float8
  FROM pg_catalog.pg_stat_database d
UNION ALL
SELECT 'LastArchived', NULL, NULL, NULL, EXTRACT(epoch FROM r.last_archived_time)::float8
  FROM pg_catalog.pg_stat_archiver r
UNION ALL
SELECT 'MaximumUsedTransactionIDs', NULL, NULL, NULL, pg_catalog.max(pg_catalog.age(d.datfrozenxid))::float8
  FROM pg_catalog.pg_database d
UNION ALL
SELECT 'TransactionLogsDiskUsage', NULL, NULL, NULL, pg_catalog.sum(w.size)::float8
  FROM pg_catalog.pg_ls_waldir() w
UNION ALL
(SELECT 'session', CASE WHEN a.wait_event_type IS NULL THEN 'CPU'
                        ELSE pg_catalog.concat(a.wait_event_type, ':', a.wait_event) END,
        pg_catalog.pg_get_userbyid(a.usesysid)::text, pg_catalog.left(a.query, 500), 1::float8
   FROM a
  WHERE a.state = 'active' AND a.pid <> pg_catalog.pg_backend_pid()
  LIMIT 200)
