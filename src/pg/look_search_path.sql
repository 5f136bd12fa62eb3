-- The search_path that sessions of a role start with in a database, by ALTER ROLE and ALTER DATABASE; NULL: the server's.
-- $1: role name, $2: database name.
-- timeout: 2000
-- params: 2
-- columns: search_path text
SELECT (SELECT pg_catalog.substr(v.item, 13)
	FROM pg_catalog.pg_db_role_setting s
	CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS v (item)
	WHERE v.item LIKE 'search\_path=%'
		AND (s.setrole = 0 OR s.setrole = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = $1::text))
		AND (s.setdatabase = 0 OR s.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = $2::text))
	ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC
	LIMIT 1) AS search_path
