-- The first question of a superuser's session: pg_stat_statements leaves the session out from here on, this question
-- included. Not where another process answers than the one that logged us in ($1), since a pooler sits between.
-- timeout: 2000
-- params: 1
-- columns: track text
SELECT pg_catalog.set_config('pg_stat_statements.track', 'none', false) AS track
 WHERE pg_catalog.current_setting('pg_stat_statements.track', true) IS NOT NULL AND pg_catalog.pg_backend_pid() = $1::int4
