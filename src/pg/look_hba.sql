-- Lines of pg_hba.conf that let in from outside this machine: without TLS, without a password, from anywhere.
-- timeout: 5000
-- params: 0
-- privilege: superuser, or EXECUTE on pg_hba_file_rules()
-- columns: plain int, trusting int, anywhere int, first_plain text, first_trusting text
WITH line AS (
	SELECT h.line_number, h.type, h.auth_method,
		pg_catalog.format('line %s: %s %s %s %s %s', h.line_number, h.type, pg_catalog.array_to_string(h.database, ','),
			pg_catalog.array_to_string(h.user_name, ','), h.address, h.auth_method) AS text,
		coalesce(h.address IN ('all', '0.0.0.0', '::') AND coalesce(h.netmask, '0.0.0.0') IN ('0.0.0.0', '::'), false) AS is_any
	FROM pg_catalog.pg_hba_file_rules h
	WHERE h.error IS NULL AND h.type LIKE 'host%' AND h.auth_method <> 'reject'
		AND coalesce(h.address, '') NOT IN ('127.0.0.1', '::1', 'localhost', 'samehost'))
SELECT pg_catalog.count(*) FILTER (WHERE l.type IN ('host', 'hostnossl', 'hostnogssenc')) AS plain,
	pg_catalog.count(*) FILTER (WHERE l.auth_method = 'trust') AS trusting,
	pg_catalog.count(*) FILTER (WHERE l.is_any) AS anywhere,
	(SELECT p.text FROM line p WHERE p.type IN ('host', 'hostnossl', 'hostnogssenc') ORDER BY p.line_number LIMIT 1) AS first_plain,
	(SELECT t.text FROM line t WHERE t.auth_method = 'trust' ORDER BY t.line_number LIMIT 1) AS first_trusting
FROM line l
