-- What the configuration files say about a parameter, in the order in which they count, and their errors about
-- anything. A parameter that needs a restart has an error too ("setting could not be applied"): that is none.
-- $1: name
-- timeout: 3000
-- privilege: superuser
-- params: 1
-- columns: name text, sourcefile text, sourceline int, setting text, applied bool, error text, is_auto bool
SELECT f.name, f.sourcefile, f.sourceline::int8 AS sourceline, f.setting, f.applied, f.error,
       f.sourcefile LIKE '%/postgresql.auto.conf' AS is_auto
  FROM pg_catalog.pg_file_settings f
 WHERE f.name = $1::text
    OR (f.error IS NOT NULL AND f.error <> 'setting could not be applied')
 ORDER BY f.seqno
 LIMIT 200
