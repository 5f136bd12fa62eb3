-- Settings that the role may see (the others need pg_read_all_settings). What this session set for itself (timeouts, read
-- only, …) is not what others get: there the value that RESET gives counts, and its source is only known when it is the default. The
-- password of a standby's primary_conninfo stays on the server.
-- timeout: 2000
-- privilege: pg_read_all_settings
-- columns: name text, setting text, unit text, category text, short_desc text, context text, vartype text, source text,
-- boot_val text, reset_val text, min_val text, max_val text, enumvals text, sourcefile text, sourceline int, pending_restart bool
SELECT s.name,
       CASE WHEN s.name = 'primary_conninfo'
            THEN pg_catalog.regexp_replace(s.setting, '(password\s*=\s*)(''([^''\\]|\\.)*''|[^\s]+)', '\1********', 'gi')
            WHEN s.source = 'session' OR s.name = 'transaction_read_only' THEN s.reset_val
            ELSE s.setting END AS setting,
       s.unit, s.category, s.short_desc, s.context, s.vartype,
       CASE WHEN s.source <> 'session' THEN s.source WHEN s.reset_val = s.boot_val THEN 'default' END AS source,
       s.boot_val,
       CASE WHEN s.name <> 'primary_conninfo' THEN s.reset_val END AS reset_val,
       s.min_val, s.max_val, pg_catalog.array_to_string(s.enumvals, ', ') AS enumvals,
       s.sourcefile, s.sourceline, s.pending_restart
  FROM pg_catalog.pg_settings s
 LIMIT 5000
