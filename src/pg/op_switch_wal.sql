-- Ends the WAL segment that is written to, so that it is archived. The name is of the ended one.
-- timeout: 5000
-- act: yes
-- params: 0
-- columns: wal text
SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_switch_wal()) AS wal
