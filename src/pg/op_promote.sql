-- Ends recovery of a standby, and waits for it.
-- timeout: 70000
-- privilege: EXECUTE on pg_promote
-- act: yes
-- params: 0
-- columns: is_promoted bool
SELECT pg_catalog.pg_promote(true, 60) AS is_promoted
