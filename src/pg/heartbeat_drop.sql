-- Takes back what heartbeat_make.sql has made; a schema that holds more stays.
-- timeout: 5000
-- act: yes
-- columns:
DO $$
BEGIN
	DROP TABLE IF EXISTS pgmedic.heartbeat;
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = 'pgmedic') THEN
		DROP SCHEMA IF EXISTS pgmedic RESTRICT;
	END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
	NULL;
END $$
