-- The workload for index advice: this database's entries of pg_stat_statements with their texts, the costliest ones
-- first; entries of one statement by several roles are separate rows. Reads the file of texts, so it is asked once for
-- an advice, never at each refresh. Our own statements are left out. toplevel false: run within a function. search_path: that
-- the role's sessions begin with here, its name for "$user". Texts behind the first 32 MB of them are left out.
-- timeout: 10000
-- privilege: pg_read_all_stats
-- requires: pg_stat_statements()
-- too_old: pg_stat_statements is not installed in this database|CREATE EXTENSION pg_stat_statements, with the library in shared_preload_libraries
-- columns: userid int, queryid int, toplevel bool, calls int, rows int, total_ms float, mean_ms float, hit int, read int,
-- dirtied int, written int, temp_read int, temp_written int, wal_bytes int, since time, search_path text, query text
WITH base AS MATERIALIZED (
	SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_db_role_setting r CROSS JOIN LATERAL pg_catalog.unnest(r.setconfig) AS v(item)
	                          WHERE v.item LIKE 'search\_path=%' AND r.setrole = (SELECT u.oid FROM pg_catalog.pg_roles u WHERE u.rolname = session_user))
	            THEN p.boot_val ELSE p.reset_val END AS path
	  FROM pg_catalog.pg_settings p WHERE p.name = 'search_path'
), paths AS MATERIALIZED (
	SELECT u.oid, pg_catalog.replace(COALESCE((
	       SELECT pg_catalog.substr(v.item, 13)
	         FROM pg_catalog.pg_db_role_setting r CROSS JOIN LATERAL pg_catalog.unnest(r.setconfig) AS v(item)
	        WHERE v.item LIKE 'search\_path=%' AND r.setrole IN (0, u.oid)
	          AND r.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))
	        ORDER BY r.setrole <> 0 DESC, r.setdatabase <> 0 DESC LIMIT 1), base.path), '"$user"', pg_catalog.quote_ident(u.rolname)) AS path
	  FROM pg_catalog.pg_roles u CROSS JOIN base
)
SELECT s.userid, s.queryid,
       /*if pg_stat_statements().toplevel*/s.toplevel/*else true*/ AS toplevel,
       s.calls, s.rows,
       /*if pg_stat_statements().total_exec_time*/s.total_exec_time/*else s.total_time*/ AS total_ms,
       /*if pg_stat_statements().mean_exec_time*/s.mean_exec_time/*else s.mean_time*/ AS mean_ms,
       s.shared_blks_hit AS hit, s.shared_blks_read AS read, s.shared_blks_dirtied AS dirtied, s.shared_blks_written AS written,
       s.temp_blks_read AS temp_read, s.temp_blks_written AS temp_written,
       /*if pg_stat_statements().wal_bytes*/s.wal_bytes::int8/*else NULL::int8*/ AS wal_bytes,
       /*if pg_stat_statements().stats_since*/s.stats_since/*else NULL::timestamptz*/ AS since,
       p.path AS search_path,
       CASE WHEN pg_catalog.sum(pg_catalog.octet_length(s.query)) OVER (ORDER BY /*if pg_stat_statements().total_exec_time*/s.total_exec_time/*else s.total_time*/ DESC, s.queryid, s.userid) < 33554432
            THEN s.query END AS query
  FROM @pgss@.pg_stat_statements(true) s
  LEFT JOIN paths p ON p.oid = s.userid
 WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
   AND s.queryid IS NOT NULL
   AND pg_catalog.substr(COALESCE(s.query, ''), 1, 80) NOT LIKE '%/* pgmedic:%'
 ORDER BY /*if pg_stat_statements().total_exec_time*/s.total_exec_time/*else s.total_time*/ DESC, s.queryid, s.userid
 LIMIT 5000
