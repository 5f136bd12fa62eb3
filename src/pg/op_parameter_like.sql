-- Parameters whose names are near to one that is not there.
-- $1: name
-- timeout: 2000
-- params: 1
-- columns: names text
SELECT pg_catalog.string_agg(n.name, ', ') AS names
  FROM (SELECT s.name FROM pg_catalog.pg_settings s
         WHERE s.name LIKE '%' || pg_catalog.replace(pg_catalog.replace(pg_catalog.lower($1::text), '\', '\\'), '%', '\%') || '%'
         ORDER BY pg_catalog.length(s.name), s.name LIMIT 5) AS n
