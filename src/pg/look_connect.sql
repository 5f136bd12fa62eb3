-- How full the server is, for `diagnose connect`; what every role may see.
-- timeout: 5000
-- columns: pid int, in_use int, max_connections int, reserved int, role_limit int, role_used int, database_limit int, database_used int, is_standby bool, tls text
SELECT pg_catalog.pg_backend_pid() AS pid,
       (SELECT pg_catalog.sum(d.numbackends)::int8 FROM pg_catalog.pg_stat_database d) AS in_use,
       pg_catalog.current_setting('max_connections')::int8 AS max_connections,
       pg_catalog.current_setting('superuser_reserved_connections')::int8
         + coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::int8 AS reserved,
       (SELECT r.rolconnlimit::int8 FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS role_limit,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_get_activity(NULL) a
         WHERE a.usesysid = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)) AS role_used,
       (SELECT d.datconnlimit::int8 FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) AS database_limit,
       (SELECT d.numbackends::int8 FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()) AS database_used,
       pg_catalog.pg_is_in_recovery() AS is_standby,
       (SELECT s.version FROM pg_catalog.pg_stat_ssl s WHERE s.pid = pg_catalog.pg_backend_pid() AND s.ssl) AS tls
