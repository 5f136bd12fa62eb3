-- The sessions that an act is planned for, in full: who, since when, what they hold, and whether this role may signal
-- them (the rules of pg_signal_backend(), so that one refusal does not end the statement that signals the others).
-- $1: their pids. The text of a query is cut at 2000 characters: it is for a plan, not for reading.
-- timeout: 3000
-- privilege: pg_read_all_stats
-- params: 1
-- columns: pid int, backend_start time, query_start time, state text, backend_type text, usename text,
-- datname text, application_name text, client text, wait text, connected_s float, xact_age_s float,
-- state_age_s float, query text, has_xid bool, is_self bool, is_wraparound bool, is_super bool, may bool
SELECT a.pid, a.backend_start, a.query_start, a.state, a.backend_type,
	a.usename::text, a.datname::text, a.application_name,
	coalesce(a.client_hostname, pg_catalog.host(a.client_addr), CASE WHEN a.client_port = -1 THEN 'local' END) AS client,
	a.wait_event_type || '/' || a.wait_event AS wait,
	extract(epoch FROM pg_catalog.clock_timestamp() - a.backend_start)::float8 AS connected_s,
	extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8 AS xact_age_s,
	extract(epoch FROM pg_catalog.clock_timestamp() - a.state_change)::float8 AS state_age_s,
	pg_catalog.left(a.query, 2000) AS query,
	a.backend_xid IS NOT NULL AS has_xid,
	a.pid = pg_catalog.pg_backend_pid() AS is_self,
	a.backend_type = 'autovacuum worker' AND a.query LIKE '%(to prevent wraparound)' AS is_wraparound,
	coalesce(r.rolsuper, true) AS is_super,
	me.rolsuper OR (a.usesysid IS NOT NULL AND NOT r.rolsuper AND (pg_catalog.pg_has_role(a.usesysid, 'USAGE')
		OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE'))) AS may
FROM pg_catalog.pg_stat_activity a
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
CROSS JOIN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) me
WHERE a.pid = ANY ($1::int4[])
ORDER BY a.backend_start
LIMIT 5000
