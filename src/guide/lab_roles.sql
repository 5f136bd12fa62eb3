-- Roles and the database of the lab. Run in "postgres" by its superuser, once.
CREATE ROLE replicator LOGIN REPLICATION;
CREATE ROLE shop_owner NOLOGIN;
CREATE ROLE app LOGIN;
CREATE ROLE report LOGIN;
CREATE ROLE dba LOGIN;
GRANT pg_monitor, pg_signal_backend TO dba;
COMMENT ON ROLE shop_owner IS 'owns the schema, logs in nowhere';
COMMENT ON ROLE app IS 'the shop: reads and writes';
COMMENT ON ROLE report IS 'dashboards and exports: reads only';
COMMENT ON ROLE dba IS 'watches everything, may cancel and terminate';
ALTER ROLE report SET default_transaction_read_only = on;
-- little memory for sorts, so that the monthly report spills to temporary files
ALTER ROLE report SET work_mem = '256kB';
CREATE DATABASE shop;
ALTER DATABASE shop SET search_path = shop, public;
