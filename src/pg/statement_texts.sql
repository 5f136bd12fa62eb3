-- Texts of statements not seen before: one scan with texts for all of them. The first 1,000 characters; len tells
-- whether that is all.
-- timeout: 5000
-- privilege: pg_read_all_stats
-- requires: pg_stat_statements()
-- too_old: pg_stat_statements is not installed in this database|CREATE EXTENSION pg_stat_statements
-- params: 1
-- columns: queryid int, userid int, dbid int, query text, len int
SELECT s.queryid, s.userid, s.dbid, pg_catalog."left"(s.query, 1000) AS query, pg_catalog.length(s.query) AS len
  FROM @pgss@.pg_stat_statements(true) s
 WHERE s.queryid IN (SELECT pg_catalog.unnest($1::int8[]))
 LIMIT 100000
