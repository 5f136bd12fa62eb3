-- The second look after a cancel or terminate: what became of the sessions that were signalled.
-- $1: pids, $2: their backend_start at the time of the plan.
-- timeout: 2000
-- params: 2
-- columns: pid int, is_here bool, is_other bool, state text, query_start time, wait text, has_xid bool
SELECT w.pid, coalesce(a.backend_start = w.backend_start, false) AS is_here,
	coalesce(a.backend_start <> w.backend_start, false) AS is_other,
	a.state, a.query_start, a.wait_event_type || '/' || a.wait_event AS wait, a.backend_xid IS NOT NULL AS has_xid
FROM ROWS FROM (pg_catalog.unnest($1::int4[]), pg_catalog.unnest($2::timestamptz[])) AS w (pid, backend_start)
LEFT JOIN pg_catalog.pg_stat_get_activity(NULL) a ON a.pid = w.pid
