-- All parameters of the lab's server, as its small cloud describes them in a parameter group.
-- timeout: 3000
-- columns: name text, boot_val text, unit text, about text, context text, vartype text, min_val text, max_val text, enumvals text
SELECT s.name, s.boot_val, s.unit, s.short_desc AS about, s.context, s.vartype, s.min_val, s.max_val,
       pg_catalog.array_to_string(s.enumvals, ',') AS enumvals
  FROM pg_catalog.pg_settings s
 WHERE s.context <> 'internal'
 ORDER BY s.name
 LIMIT 2000
