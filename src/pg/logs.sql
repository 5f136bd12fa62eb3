-- A bounded part of a log file, from an offset on; NULL when there is no such file. pg_read_binary_file() is for superusers
-- unless it is granted; the files of the log directory need no more than that.
-- timeout: 3000
-- privilege: EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)
-- params: 3
-- columns: now time, part text
SELECT pg_catalog.now() AS now, pg_catalog.pg_read_binary_file($1::text, $2::int8, $3::int8, true) AS part
