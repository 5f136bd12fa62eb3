-- The whole text of one statement, that of this database first. On request only: reads the text file.
-- timeout: 5000
-- privilege: pg_read_all_stats
-- requires: pg_stat_statements()
-- too_old: pg_stat_statements is not installed in this database|CREATE EXTENSION pg_stat_statements
-- params: 1
-- columns: queryid int, userid int, username text, dbid int, database text, query text
SELECT s.queryid, s.userid, pg_catalog.pg_get_userbyid(s.userid) AS username, s.dbid, d.datname AS database, s.query
  FROM @pgss@.pg_stat_statements(true) s
  LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid
 WHERE s.queryid = $1::int8
 ORDER BY (d.datname = pg_catalog.current_database()) DESC NULLS LAST
 LIMIT 1
