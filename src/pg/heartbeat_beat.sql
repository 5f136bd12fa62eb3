-- One beat of a write probe. $1: the drill, $2: its number, $3: when it was sent. Answers who has taken it. The LSN is
-- behind its row: where that is lost, so much WAL is at least.
-- timeout: 2000
-- act: yes
-- params: 3
-- columns: lsn int, port int, started int
INSERT INTO pgmedic.heartbeat (run, seq, sent) VALUES ($1, $2::int8, $3::timestamptz)
RETURNING COALESCE(CASE WHEN pg_catalog.to_regproc('pg_catalog.aurora_version') IS NULL
                        THEN pg_catalog.pg_current_wal_insert_lsn() END, '0/0'::pg_catalog.pg_lsn) AS lsn,
          pg_catalog.current_setting('port')::int8 AS port,
          (EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::int8 AS started
