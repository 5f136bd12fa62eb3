-- Wait until every standby has replayed what has been written so far, 15 s at most.
SET client_min_messages = warning;
DO $$
DECLARE
	target pg_lsn := pg_catalog.pg_current_wal_insert_lsn();
BEGIN
	FOR i IN 1 .. 750 LOOP
		EXIT WHEN (SELECT count(*) > 0 AND bool_and(replay_lsn >= target) FROM pg_catalog.pg_stat_replication
			WHERE application_name = 'standby1');
		PERFORM pg_catalog.pg_stat_clear_snapshot(), pg_catalog.pg_sleep(0.02);
	END LOOP;
END $$;
