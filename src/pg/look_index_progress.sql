-- How far a session is with an index, and whom it waits for.
-- $1: pid.
-- timeout: 2000
-- params: 1
-- columns: phase text, pct float, locker int, locker_text text, waiting text
SELECT p.phase,
	100.0 * CASE WHEN p.tuples_total > 0 THEN p.tuples_done::float8 / p.tuples_total
		WHEN p.blocks_total > 0 THEN p.blocks_done::float8 / p.blocks_total END AS pct,
	nullif(p.current_locker_pid, 0) AS locker,
	(SELECT pg_catalog.format('%s, %s, %s for %s s', l.usename, coalesce(nullif(l.application_name, ''), 'no name'), l.state,
			EXTRACT(epoch FROM pg_catalog.clock_timestamp() - l.xact_start)::int8)
		FROM pg_catalog.pg_stat_activity l WHERE l.pid = p.current_locker_pid) AS locker_text,
	(SELECT array_to_string(pg_catalog.pg_blocking_pids(a.pid), ', ') FROM pg_catalog.pg_stat_activity a
		WHERE a.pid = $1::int4 AND a.wait_event_type = 'Lock') AS waiting
FROM (SELECT 1) one
LEFT JOIN pg_catalog.pg_stat_progress_create_index p ON p.pid = $1::int4
