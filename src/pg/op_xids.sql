-- Up to which transaction a restored copy holds all that its source had committed. Since it recovered it has used some
-- itself (autovacuum, its maker's own), by its counters at most so many; those before them that it does not know as
-- committed were rolled back, or under way at its moment.
-- timeout: 60000
-- params: 0
-- columns: next int, lost text
WITH own AS MATERIALIZED (
       SELECT COALESCE(sum(d.xact_commit + d.xact_rollback), 0)::int8 AS n FROM pg_catalog.pg_stat_database d),
     at AS MATERIALIZED (
       SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::int8 - 1000 - 10 * own.n AS next
         FROM own)
SELECT at.next,
       ARRAY(SELECT g.x FROM pg_catalog.generate_series(at.next - 1, GREATEST(at.next - 1000000, 3), -1) g(x)
              WHERE pg_catalog.pg_xact_status(g.x::text::xid8) <> 'committed'
              LIMIT 100000)::text AS lost
  FROM at
