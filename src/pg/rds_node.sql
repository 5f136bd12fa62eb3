-- Where an endpoint of RDS leads: what any role may ask. Aurora has no WAL of this kind, and its functions fail.
-- timeout: 3000
-- params: 0
-- columns: is_standby bool, started_at time, timeline int, lsn int, lag_s float
SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
       pg_catalog.pg_postmaster_start_time() AS started_at,
       /*if !aurora_version()*/CASE WHEN NOT pg_catalog.pg_is_in_recovery()
            THEN ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::int8
       END/*else NULL::int8*/ AS timeline,
       /*if !aurora_version()*/CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_lsn() END/*else NULL::pg_catalog.pg_lsn*/ AS lsn,
       /*if !aurora_version()*/CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN 0
            WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0
            ELSE EXTRACT(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())
       END::float8/*else NULL::float8*/ AS lag_s
