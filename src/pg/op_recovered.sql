-- How far a restored server has come. The time is of the last commit that was replayed, kept until its next start.
-- timeout: 5000
-- params: 0
-- columns: is_standby bool, lsn int, commit_at time, timeline text
SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
       pg_catalog.pg_last_wal_replay_lsn() AS lsn,
       pg_catalog.pg_last_xact_replay_timestamp() AS commit_at,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END AS timeline
