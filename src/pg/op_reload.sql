-- The server reads its configuration files again.
-- timeout: 5000
-- act: yes
-- columns: now time, sent bool
SELECT pg_catalog.clock_timestamp() AS now, pg_catalog.pg_reload_conf() AS sent
