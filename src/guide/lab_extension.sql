-- Run in "shop" and in "postgres", when the server has the extension.
CREATE EXTENSION pg_stat_statements WITH SCHEMA public;
