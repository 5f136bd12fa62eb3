-- What a checkpoint would do now: the server's role, whether ours may order one, and the WAL since the last.
-- timeout: 3000
-- params: 0
-- columns: is_standby bool, may bool, wal_bytes float, last_at time, shared_buffers text, statement text
SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
	me.rolsuper OR coalesce((SELECT pg_catalog.pg_has_role(r.oid, 'USAGE') FROM pg_catalog.pg_roles r
		WHERE r.rolname = 'pg_checkpoint'), false) AS may,
	CASE WHEN NOT pg_catalog.pg_is_in_recovery()
		THEN pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), c.redo_lsn)::float8 END AS wal_bytes,
	c.checkpoint_time AS last_at, pg_catalog.current_setting('shared_buffers') AS shared_buffers,
	'CHECKPOINT'::text AS statement
FROM pg_catalog.pg_control_checkpoint() c
CROSS JOIN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER) me
