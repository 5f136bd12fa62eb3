-- Opens and closes the action session for one confirmed act. $1: 'on' or 'off' for read-only. $2: statement timeout in ms.
-- Nothing is set behind a pooler ($3: the process that logged us in).
-- timeout: 1000
-- params: 3
-- columns: settings int
SELECT pg_catalog.count(pg_catalog.set_config(v.name, v.value, false)) AS settings
  FROM (VALUES ('default_transaction_read_only', $1::text), ('statement_timeout', $2::text)) AS v(name, value)
 WHERE pg_catalog.pg_backend_pid() = $3::int4
