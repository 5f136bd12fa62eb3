-- Cancels the running query of sessions, each only when the pid is still the session that the plan showed and runs the query
-- that it showed: identity and signal are one statement.
-- $1: pids, $2: their backend_start, $3: their query_start.
-- A session that this role may not signal is left out (is_allowed false) instead of failing all others.
-- timeout: 5000
-- privilege: pg_signal_backend
-- act: yes
-- params: 3
-- columns: pid int, is_found bool, is_session bool, is_same bool, is_allowed bool, is_signalled bool
SELECT t.pid, t.is_found, t.is_session, t.is_same, t.is_allowed,
	CASE WHEN t.is_same AND t.is_allowed THEN pg_catalog.pg_cancel_backend(t.pid) END AS is_signalled
FROM (
	SELECT w.pid, a.pid IS NOT NULL AS is_found,
		coalesce(a.backend_start = w.backend_start, false) AS is_session,
		coalesce(a.backend_start = w.backend_start AND a.query_start = w.query_start, false) AS is_same,
		me.rolsuper OR coalesce(NOT r.rolsuper AND (pg_catalog.pg_has_role(a.usesysid, 'USAGE')
			OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')), false) AS is_allowed
	FROM ROWS FROM (pg_catalog.unnest($1::int4[]), pg_catalog.unnest($2::timestamptz[]),
		pg_catalog.unnest($3::timestamptz[])) AS w (pid, backend_start, query_start)
	LEFT JOIN pg_catalog.pg_stat_get_activity(NULL) a ON a.pid = w.pid
	LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
	CROSS JOIN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) me
	OFFSET 0
) t
