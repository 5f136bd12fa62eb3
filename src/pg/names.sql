-- Names of databases and roles, which the other probes deliver as oids. Both are shared catalogs, so the answer
-- does not depend on the database; the limits bound it on servers with very many of either.
-- timeout: 2000
-- columns: kind text, oid int, name text
(SELECT 'database' AS kind, d.oid, d.datname AS name FROM pg_catalog.pg_database AS d LIMIT 10000)
UNION ALL
(SELECT 'role', r.oid, r.rolname FROM pg_catalog.pg_roles AS r LIMIT 20000)
