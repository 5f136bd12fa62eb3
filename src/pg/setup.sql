-- Settings of a session that only looks. Nothing is set where another server process answers than the one that
-- logged us in ($1): then a pooler sits between and the session belongs to others as well.
-- $2: statement timeout in ms.
-- Settings that this server does not know are left out; log_min_duration_statement is a superuser's.
-- timeout: 2000
-- params: 2
-- columns: pid int, settings int
SELECT pg_catalog.pg_backend_pid() AS pid,
       (SELECT pg_catalog.count(pg_catalog.set_config(v.name, v.value, false))
          FROM (VALUES ('default_transaction_read_only', 'on'),
                       ('statement_timeout', $2::text),
                       ('lock_timeout', '100'),
                       ('idle_in_transaction_session_timeout', '10000'),
                       ('idle_session_timeout', '0'),
                       ('jit', 'off'),
                       ('max_parallel_workers_per_gather', '0'),
                       ('plan_cache_mode', 'force_generic_plan'),
                       ('search_path', 'pg_catalog'),
                       ('log_min_duration_statement', '-1')) AS v(name, value)
         WHERE pg_catalog.pg_backend_pid() = $1::int4
           AND pg_catalog.current_setting(v.name, true) IS NOT NULL
           AND (v.name <> 'log_min_duration_statement' OR pg_catalog.current_setting('is_superuser') = 'on')) AS settings
