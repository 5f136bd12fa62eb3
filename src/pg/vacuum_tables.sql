-- Tables of this database that need vacuum most: nearest to wraparound, or furthest past their dead-row threshold.
-- Storage parameters of the table override the settings.
-- timeout: 2000
-- columns: relid int, relation text, xid_age int, mxid_age int, dead int, live int, threshold float, pressure float, last_vacuum time, last_autovacuum time, autovacuum_enabled bool
SELECT t.relid, t.relation, t.xid_age, t.mxid_age, t.dead, t.live, t.threshold,
       GREATEST(t.xid_age / t.freeze_max::float8, t.dead / GREATEST(t.threshold, 1)) AS pressure,
       pg_catalog.pg_stat_get_last_vacuum_time(t.relid) AS last_vacuum,
       pg_catalog.pg_stat_get_last_autovacuum_time(t.relid) AS last_autovacuum,
       t.enabled AS autovacuum_enabled
  FROM (SELECT c.oid AS relid, n.nspname || '.' || c.relname AS relation,
               pg_catalog.age(c.relfrozenxid) AS xid_age, pg_catalog.mxid_age(c.relminmxid) AS mxid_age,
               pg_catalog.pg_stat_get_dead_tuples(c.oid) AS dead, pg_catalog.pg_stat_get_live_tuples(c.oid) AS live,
               COALESCE(o.threshold, pg_catalog.current_setting('autovacuum_vacuum_threshold')::float8)
                 + COALESCE(o.scale, pg_catalog.current_setting('autovacuum_vacuum_scale_factor')::float8)
                   * GREATEST(c.reltuples, 0)::float8 AS threshold,
               pg_catalog.current_setting('autovacuum_freeze_max_age')::int8 AS freeze_max,
               COALESCE(o.enabled, true) AS enabled
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN LATERAL (
               SELECT max(CASE WHEN e.option_name = 'autovacuum_vacuum_threshold' THEN e.option_value END)::float8 AS threshold,
                      max(CASE WHEN e.option_name = 'autovacuum_vacuum_scale_factor' THEN e.option_value END)::float8 AS scale,
                      max(CASE WHEN e.option_name = 'autovacuum_enabled' THEN e.option_value END)::bool AS enabled
                 FROM pg_catalog.pg_options_to_table(c.reloptions) e
               ) o ON c.reloptions IS NOT NULL
         WHERE c.relkind IN ('r', 'm', 't') AND c.relfrozenxid <> '0'::xid) t
 ORDER BY pressure DESC NULLS LAST
 LIMIT 100
