-- The table that a drill's write probe writes into.
-- timeout: 5000
-- privilege: CREATE on the database
-- act: yes
-- columns:
DO $$
BEGIN
	CREATE SCHEMA IF NOT EXISTS pgmedic;
	CREATE TABLE IF NOT EXISTS pgmedic.heartbeat (run text, seq int8, sent timestamptz NOT NULL,
		at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), PRIMARY KEY (run, seq));
END $$
