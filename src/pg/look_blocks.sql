-- Who waits for whom now: every session that waits for a heavyweight lock, and its blockers. Asked once for a plan, never
-- on a refresh: pg_blocking_pids() costs a pass over the lock manager for each waiter.
-- timeout: 2000
-- params: 0
-- columns: pid int, blocked_by ints
SELECT a.pid, pg_catalog.pg_blocking_pids(a.pid) AS blocked_by
FROM pg_catalog.pg_stat_get_activity(NULL) a
WHERE a.wait_event_type = 'Lock'
LIMIT 1000
