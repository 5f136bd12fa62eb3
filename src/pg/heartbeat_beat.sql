-- One beat of a write probe. $1: the drill, $2: its number, $3: when it was sent. Answers who has taken it.
-- timeout: 2000
-- act: yes
-- params: 3
-- columns: lsn int, port int
INSERT INTO pgmedic.heartbeat (run, seq, sent) VALUES ($1, $2::int8, $3::timestamptz)
RETURNING pg_catalog.pg_current_wal_lsn() AS lsn, pg_catalog.current_setting('port')::int8 AS port
