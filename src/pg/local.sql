-- Settings for the group of queries behind it, gone with its transaction: for sessions shared through a pooler.
-- $1: statement timeout in ms. $2: work_mem, '' leaves it.
-- timeout: 1000
-- params: 2
-- columns: settings int
SELECT pg_catalog.count(pg_catalog.set_config(v.name, v.value, true)) AS settings
  FROM (VALUES ('transaction_read_only', 'on'),
               ('statement_timeout', $1::text),
               ('lock_timeout', '100'),
               ('jit', 'off'),
               ('max_parallel_workers_per_gather', '0'),
               ('search_path', 'pg_catalog'),
               ('work_mem', $2::text)) AS v(name, value)
 WHERE v.value <> ''
