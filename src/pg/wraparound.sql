-- Age of the oldest transaction and multixact id of each database, beside the limit where autovacuum forces itself.
-- timeout: 1000
-- columns: datid int, datname text, xid_age int, mxid_age int, freeze_max_age int, multixact_freeze_max_age int, allows_connections bool
SELECT d.oid AS datid, d.datname, pg_catalog.age(d.datfrozenxid) AS xid_age,
       pg_catalog.mxid_age(d.datminmxid) AS mxid_age,
       pg_catalog.current_setting('autovacuum_freeze_max_age')::int8 AS freeze_max_age,
       pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::int8 AS multixact_freeze_max_age,
       d.datallowconn AS allows_connections
  FROM pg_catalog.pg_database d
 ORDER BY 3 DESC
 LIMIT 1000
