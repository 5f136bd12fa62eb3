-- Tables, partitioned tables and materialized views for index advice: sizes as the last vacuum or analyze left them, write
-- counters, and since when these count. No relation is opened or locked, and those that
-- somebody holds or waits for exclusively are left out: what reads their indexes would wait. indexes: how many it has. parent: the table above a partition; root: the
-- topmost one. stats_since: the database's reset. From 15 on a crash forgets the counters and the time of their reset; the
-- cluster-wide counters begin at that moment too, so that the oldest of them bounds it.
-- timeout: 10000
-- columns: relid int, schema text, table text, kind text, persistence text, parent int, root int, reltuples float, pages int,
-- index_bytes int, fillfactor int, columns int, ins int, upd int, hot_upd int, del int, seq_scan int, idx_scan int, live int, dead int,
-- mod_since_analyze int, last_analyze time, is_extension bool, indexes int, block_size int, stats_since time, stats_age_s float,
-- is_standby bool
WITH RECURSIVE locked AS MATERIALIZED (
	SELECT l.relation FROM pg_catalog.pg_locks l
	 WHERE l.mode = 'AccessExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid() AND l.relation IS NOT NULL
	   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
), since AS MATERIALIZED (
	SELECT COALESCE(pg_catalog.pg_stat_get_db_stat_reset_time(d.oid),
	                /*if pg_stat_have_stats()*/LEAST(pg_catalog.pg_stat_get_bgwriter_stat_reset_time(),
	                      (SELECT a.stats_reset FROM pg_catalog.pg_stat_get_archiver() a),
	                      (SELECT w.stats_reset FROM pg_catalog.pg_stat_get_wal() w))/*else NULL::timestamptz*/) AS at
	  FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
), up(relid, root, depth) AS (
	SELECT h.inhrelid, h.inhparent, 1 FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid
	 WHERE c.relispartition AND c.relkind IN ('r', 'p')
	UNION ALL
	SELECT up.relid, h.inhparent, up.depth + 1 FROM up JOIN pg_catalog.pg_inherits h ON h.inhrelid = up.root
	  JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid AND c.relispartition
	 WHERE up.depth < 10
), roots AS (
	SELECT DISTINCT ON (up.relid) up.relid, up.root FROM up ORDER BY up.relid, up.depth DESC
), ix AS (
	SELECT i.indrelid, pg_catalog.count(*) AS n, pg_catalog.sum(c.relpages)::int8 AS pages, pg_catalog.sum(pg_catalog.pg_stat_get_numscans(i.indexrelid)::float8)::int8 AS scans
	  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
	 GROUP BY i.indrelid
)
SELECT c.oid AS relid, n.nspname AS schema, c.relname AS "table", c.relkind AS kind, c.relpersistence AS persistence,
       CASE WHEN c.relispartition THEN (SELECT h.inhparent FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid LIMIT 1) END AS parent,
       r.root, c.reltuples, c.relpages AS pages,
       COALESCE(ix.pages, 0) * pg_catalog.current_setting('block_size')::int8 AS index_bytes,
       COALESCE((SELECT pg_catalog.substr(o.item, 12)::int4 FROM pg_catalog.unnest(c.reloptions) AS o(item) WHERE o.item LIKE 'fillfactor=%' LIMIT 1), 100) AS fillfactor,
       c.relnatts AS columns,
       pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS ins, pg_catalog.pg_stat_get_tuples_updated(c.oid) AS upd,
       pg_catalog.pg_stat_get_tuples_hot_updated(c.oid) AS hot_upd, pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS del,
       pg_catalog.pg_stat_get_numscans(c.oid) AS seq_scan, COALESCE(ix.scans, 0) AS idx_scan,
       pg_catalog.pg_stat_get_live_tuples(c.oid) AS live, pg_catalog.pg_stat_get_dead_tuples(c.oid) AS dead,
       pg_catalog.pg_stat_get_mod_since_analyze(c.oid) AS mod_since_analyze,
       GREATEST(pg_catalog.pg_stat_get_last_analyze_time(c.oid), pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid)) AS last_analyze,
       EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'e') AS is_extension,
       COALESCE(ix.n, 0) AS indexes, pg_catalog.current_setting('block_size')::int4 AS block_size,
       since.at AS stats_since, EXTRACT(epoch FROM pg_catalog.now() - since.at)::float8 AS stats_age_s,
       pg_catalog.pg_is_in_recovery() AS is_standby
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN since
  LEFT JOIN ix ON ix.indrelid = c.oid
  LEFT JOIN roots r ON r.relid = c.oid
 WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND NOT EXISTS (SELECT 1 FROM locked l WHERE l.relation = c.oid)
 ORDER BY c.relpages DESC, c.oid
 LIMIT 20000
