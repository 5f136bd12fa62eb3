-- Settings of the adviser's session and what it needs to know of the server. Nothing is set for the session where
-- another server process answers than the one that logged us in ($1): then a pooler sits between. pg_stat_statements
-- leaves the session out where the role may say so. home_path: the search_path that the role starts with.
-- timeout: 5000
-- params: 1
-- columns: pid int, home_path text, is_standby bool, can_untrack bool, settings int
WITH may AS MATERIALIZED (
	SELECT pg_catalog.current_setting('search_path') AS home_path,
	       pg_catalog.current_setting('pg_stat_statements.track', true) IS NOT NULL
	         AND (pg_catalog.current_setting('is_superuser') = 'on'
	              /*if has_parameter_privilege()*/OR pg_catalog.has_parameter_privilege('pg_stat_statements.track', 'SET')/*else*/) AS untrack
)
SELECT pg_catalog.pg_backend_pid() AS pid, may.home_path, pg_catalog.pg_is_in_recovery() AS is_standby, may.untrack AS can_untrack,
       (SELECT pg_catalog.count(pg_catalog.set_config(v.name, v.value, false))
          FROM (VALUES ('default_transaction_read_only', 'on'),
                       ('statement_timeout', '5000'),
                       ('lock_timeout', '200'),
                       ('idle_in_transaction_session_timeout', '10000'),
                       ('jit', 'off'),
                       ('search_path', 'pg_catalog'),
                       ('log_min_duration_statement', '-1'),
                       ('pg_stat_statements.track', 'none')) AS v(name, value)
         WHERE pg_catalog.pg_backend_pid() = $1::int4
           AND pg_catalog.current_setting(v.name, true) IS NOT NULL
           AND (v.name <> 'log_min_duration_statement' OR pg_catalog.current_setting('is_superuser') = 'on')
           AND (v.name <> 'pg_stat_statements.track' OR may.untrack)) AS settings
  FROM may
