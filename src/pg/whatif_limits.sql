-- Settings of one transaction of the adviser. $1: statement timeout in ms, $2: search_path, $3: partition pruning
-- (off: the NULLs that stand for parameters would prune all partitions of a generic plan), $4: whether
-- pg_stat_statements.track may be set.
-- timeout: 1000
-- params: 4
-- columns: settings int
SELECT pg_catalog.count(pg_catalog.set_config(v.name, v.value, true)) AS settings
  FROM (VALUES ('statement_timeout', $1::text),
               ('lock_timeout', '200'),
               ('jit', 'off'),
               ('plan_cache_mode', 'force_generic_plan'),
               ('standard_conforming_strings', 'on'),
               ('enable_partition_pruning', $3::text),
               ('pg_stat_statements.track', 'none'),
               ('search_path', $2::text)) AS v(name, value)
 WHERE v.name <> 'pg_stat_statements.track' OR $4::bool
