-- Where the server logs to and how, and the newest files of its log directory, one a row. The directory is read only
-- while the collector runs; which file is the current one its times tell, since pg_current_logfile() is for superusers before
-- PostgreSQL 14. Times in the log are local ones with an abbreviation: what it stands for now, and half a year ago; for
-- that the session's zone is the log's for this transaction.
-- timeout: 3000
-- privilege: pg_monitor
-- columns: now time, is_collecting bool, destination text, prefix text, messages text, log_directory text, data_directory text, may_read bool, zone text, zone_s int, zone_before text, zone_before_s int, name text, bytes int, modified time
SELECT c.now, c.is_on AS is_collecting, pg_catalog.current_setting('log_destination') AS destination,
       pg_catalog.current_setting('log_line_prefix') AS prefix, pg_catalog.current_setting('lc_messages') AS messages,
       pg_catalog.current_setting('log_directory') AS log_directory, pg_catalog.current_setting('data_directory') AS data_directory,
       pg_catalog.has_function_privilege('pg_catalog.pg_read_binary_file(text,bigint,bigint,boolean)', 'EXECUTE') AS may_read,
       pg_catalog.to_char(c.now, 'TZ') AS zone, EXTRACT(timezone FROM c.now)::int4 AS zone_s,
       pg_catalog.to_char(c.before, 'TZ') AS zone_before, EXTRACT(timezone FROM c.before)::int4 AS zone_before_s,
       f.name, f.size AS bytes, f.modification AS modified
  FROM (SELECT CASE WHEN z.zone IS NOT NULL THEN pg_catalog.now() END AS now,
               CASE WHEN z.zone IS NOT NULL THEN pg_catalog.now() - '182 days'::interval END AS before,
               pg_catalog.current_setting('logging_collector') = 'on' AS is_on
          FROM (SELECT pg_catalog.set_config('TimeZone', pg_catalog.current_setting('log_timezone'), true) AS zone OFFSET 0) z
        OFFSET 0) c
  LEFT JOIN LATERAL (SELECT l.name, l.size, l.modification FROM pg_catalog.pg_ls_logdir() l
                      WHERE c.is_on
                      ORDER BY l.modification DESC, l.name DESC
                      LIMIT 60) f ON true
