-- How a server reaches, or has reached, its primary. It may hold a password: never shown, never kept.
-- timeout: 3000
-- privilege: pg_read_all_settings
-- params: 0
-- columns: primary_conninfo text
SELECT (SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = 'primary_conninfo') AS primary_conninfo
