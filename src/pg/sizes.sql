-- Size of each database: looks at every file of it, so this is asked rarely. Databases that the role may not connect to are left
-- out (NULL), and rdsadmin, which refuses everybody.
-- timeout: 30000
-- privilege: pg_read_all_stats
-- columns: datid int, datname text, size_bytes int
SELECT d.oid AS datid, d.datname,
       CASE WHEN d.datname <> 'rdsadmin'
             AND (pg_catalog.has_database_privilege(d.oid, 'CONNECT') OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'))
            THEN pg_catalog.pg_database_size(d.oid) END AS size_bytes
  FROM pg_catalog.pg_database d
 LIMIT 10000
