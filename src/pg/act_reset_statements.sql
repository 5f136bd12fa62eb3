-- Throws the counters of pg_stat_statements away, of all databases and users.
-- timeout: 10000
-- privilege: EXECUTE on pg_stat_statements_reset
-- requires: pg_stat_statements()
-- too_old: pg_stat_statements is not installed in this database|CREATE EXTENSION pg_stat_statements
-- act: yes
-- params: 0
-- columns: is_done bool
SELECT true AS is_done FROM @pgss@.pg_stat_statements_reset() AS r
