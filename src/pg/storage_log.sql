-- Log files that the server's collector writes; NULL when it writes none. The directory is read only while the collector
-- runs: without it there may be no such directory.
-- timeout: 3000
-- privilege: pg_monitor
-- columns: bytes int, files int, oldest time
SELECT CASE WHEN c.is_on THEN (SELECT COALESCE(pg_catalog.sum(l.size), 0)::int8 FROM pg_catalog.pg_ls_logdir() l) END AS bytes,
       CASE WHEN c.is_on THEN (SELECT pg_catalog.count(*)::int4 FROM pg_catalog.pg_ls_logdir() l) END AS files,
       CASE WHEN c.is_on THEN (SELECT pg_catalog.min(l.modification) FROM pg_catalog.pg_ls_logdir() l) END AS oldest
  FROM (SELECT pg_catalog.current_setting('logging_collector') = 'on' AS is_on) c
