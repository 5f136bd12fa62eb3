-- Size of one database: looks at every file of it. $1: its name. NULL where the role may not know.
-- timeout: 30000
-- privilege: pg_read_all_stats
-- params: 1
-- columns: size_bytes int
SELECT CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_catalog.pg_database_size(d.oid) END AS size_bytes
  FROM pg_catalog.pg_database d
 WHERE d.datname = $1::name
