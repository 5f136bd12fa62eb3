-- How many standbys stream from here, and which database this is: before an index is said to be unused, their scans
-- count, too. Logical subscribers scan nothing here. A physical slot that nobody uses now is a standby that is away.
-- timeout: 2000
-- params: 0
-- columns: standbys int, database text
SELECT (SELECT count(*)
		FROM pg_catalog.pg_stat_get_wal_senders() w
		LEFT JOIN pg_catalog.pg_replication_slots s ON s.active_pid = w.pid
		WHERE s.slot_type IS DISTINCT FROM 'logical' AND w.state IS DISTINCT FROM 'backup')
	+ (SELECT count(*) FROM pg_catalog.pg_replication_slots s
		WHERE s.slot_type = 'physical' AND NOT s.active AND NOT s.temporary AND s.restart_lsn IS NOT NULL) AS standbys,
	pg_catalog.current_database() AS database
